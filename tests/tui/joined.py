"""A real server, people who joined it with registries of their own, and the app on one of them."""

from pathlib import Path

from regtui.registry import Registry, open_registry
from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from tests.server.process import ServerProcess, copied


class Lab:
    """A server and the registries of whoever joined it; ann is its admin.

    Args:
        folder: Where all of it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        token = copied(folder / "data")
        self.server = ServerProcess(folder / "data")
        self.ann = self.join("ann", token)

    def join(self, name: str, token: str) -> Registry:
        """Return the registry of somebody who signs in with a token."""
        registry = self.empty(name)
        registry.add_remote(self.server.url)
        registry.login(token)
        registry.sync()
        return registry

    def empty(self, name: str) -> Registry:
        """Return a new registry, as the app opens it."""
        return open_registry(self.folder / name, via="app")

    def token(self, name: str) -> str:
        """Return a token of somebody who is known."""
        return self.ann.create_token(name).token

    def person(self, name: str, role: str = "contributor", scope: str = "nlp/*") -> Registry:
        """Return the registry of somebody else with a role."""
        self.ann.add_user(name)
        self.ann.add_grant(name, role, scope)
        return self.join(name, self.token(name))

    def capture(self, registry: Registry, content: str, model: str = "nlp/bert") -> None:
        """Capture a small file."""
        file = self.folder / "weights.bin"
        file.write_text(content)
        registry.capture(file, model=model)

    def kill(self) -> None:
        """Let the server be gone."""
        self.server.process.kill()
        self.server.process.wait()

    def revive(self) -> None:
        """Start the server again where it was."""
        port = self.server.url.rpartition(":")[2]
        self.server.close()
        self.server.options = ("--port", port)
        self.server.start()


def app_on(registry: Registry, folder: Path, **chosen: object) -> RegtuiApp:
    """Return an app on a registry that syncs when it is told to, unless it is to by itself."""
    config = AppConfig(folder / "app.toml")
    config.sync = bool(chosen.pop("by_itself", False))
    config.ascii = bool(chosen.pop("ascii", False))
    return RegtuiApp(registry, config=config, debug=True, **chosen)  # type: ignore[arg-type]
