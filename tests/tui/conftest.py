"""A copy of the sample registry for each test, a clock that stands, and the app on it."""

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from textual import _wait

from regtui.registry import Registry, capture, figures
from regtui.replica import ids
from regtui.tui import app as app_module
from regtui.tui import registry_status, signs
from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from tests.tui.joined import Lab
from tests.tui.sample import NOW, counted, make_sample, opened, somewhere

SVGImageExtension.file_extension = "svg"
"""The plugin names it as older releases of syrupy asked for; newer ones would write `.raw`."""

MakeApp = Callable[..., RegtuiApp]


def shown_path(path: Path) -> str:
    """Return what a path is shown as: that of the sample is another one in each run."""
    return "~/registry" if path.name == "home" else str(path)


@pytest.fixture(autouse=True, scope="session")
def _short_naps() -> Iterator[None]:
    """Let Textual's pilot look more often whether the app is idle: it naps after each key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_wait, "SLEEP_GRANULARITY", 0.004)
        patch.setattr(_wait, "SLEEP_IDLE", 0.0004)
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_app_is_kept() -> Iterator[None]:
    """Let no app freeze what is there: that would be the app before it, and all apps before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        yield


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing that is shown depend on machine, day or person."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(figures, "now", lambda: NOW / 1_000_000)
    for module in (app_module, registry_status):
        monkeypatch.setattr(module, "short_path", shown_path)
    signs.choose(ascii_only=False)


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sample registry, to copy."""
    folder = tmp_path_factory.mktemp("sample")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        patch.setattr(capture, "_wanted", somewhere(capture._wanted, folder))
        patch.setattr(ids, "os", counted())
        make_sample(folder / "home", folder / "runs")
    return folder / "home"


@pytest.fixture
def sample(tmp_path: Path, sample_home: Path) -> Registry:
    """Return a copy of the sample registry, opened as the app opens it."""
    return opened(Path(shutil.copytree(sample_home, tmp_path / "home")))


@pytest.fixture
def make_app(sample: Registry, tmp_path: Path) -> MakeApp:
    """Return what makes an app on the sample, with a configuration of its own."""

    def make(**chosen: object) -> RegtuiApp:
        config = AppConfig(tmp_path / "app.toml")
        for name in {"theme", "columns", "sort", "keys", "filters", "ascii"} & set(chosen):
            setattr(config, name, chosen.pop(name))
        config.ascii = bool(config.ascii)
        chosen.setdefault("debug", True)
        return RegtuiApp(sample, config=config, **chosen)  # type: ignore[arg-type]

    return make


@pytest.fixture
def app(make_app: MakeApp) -> RegtuiApp:
    """Return an app on the sample registry."""
    return make_app()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Return a server that runs, with ann signed in to it."""
    monkeypatch.delenv("REGTUI_TOKEN", raising=False)
    made = Lab(tmp_path)
    yield made
    made.server.close()
