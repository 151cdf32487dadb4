"""People with homes of their own at a running server."""

from pathlib import Path

from msgspec import Struct

from regtui.registry import Registry, open_registry
from tests.server.process import ServerProcess


class Person(Struct):
    """One person at one machine."""

    name: str
    registry: Registry

    @property
    def home(self) -> Path:
        return self.registry.home


def join(server: ServerProcess, home: Path, name: str, role: str, scope: str = "*") -> Person:
    """Give somebody a role, and sign him in at a new home.

    The token's file lies below `REGTUI_CONFIG`: whoever calls sets that.
    """
    with server.client() as client:
        client.post(server.path("users"), json={"name": name}).raise_for_status()
        grant = {"holder": name, "role": role, "scope": scope}
        client.post(server.path("grants"), json=grant).raise_for_status()
    return sign_in(server, home, name)


def sign_in(server: ServerProcess, home: Path, name: str) -> Person:
    """Sign somebody in at a home."""
    with server.client() as client:
        made = client.post(server.path("tokens"), json={"user": name, "name": "test"})
        made.raise_for_status()
    registry = open_registry(home)
    registry.add_remote(server.url)
    registry.login(made.json()["token"])
    return Person(name, registry)
