"""The first steps on a registry that holds nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from regtui.tui.screens.first_steps import FirstSteps
from tests.tui.driving import current, press, screen_text, shows, until
from tests.tui.sample import opened
from tests.tui.watching import rewrite, running, told


class DemoApp(RegtuiApp):
    """An app that can open the demo."""

    opened = False

    async def open_demo(self) -> None:
        self.opened = True


@pytest.fixture
def empty(tmp_path: Path) -> Registry:
    registry = opened(tmp_path / "empty")
    registry.count()
    return registry


@pytest.fixture
def first(empty: Registry, tmp_path: Path) -> RegtuiApp:
    """Return an app on a registry that holds nothing."""
    return RegtuiApp(empty, config=AppConfig(tmp_path / "app.toml"))


async def test_an_empty_registry_offers_what_to_do_first(first: RegtuiApp) -> None:
    async with running(first, (80, 24)):
        text = screen_text(first)

    assert "This registry is empty" in text
    assert "Capture something" in text
    assert "Look around" in text
    assert "Watch a folder" in text


async def test_a_registry_that_holds_something_offers_nothing(app: RegtuiApp) -> None:
    async with running(app):
        assert "Capture something" not in screen_text(app)


@pytest.mark.parametrize("key", ["escape", "s"])
async def test_one_can_look_around(first: RegtuiApp, key: str) -> None:
    async with running(first) as pilot:
        await press(pilot, key)

        assert not isinstance(first.screen, FirstSteps)
        assert "no versions here yet" in screen_text(first)


async def test_one_can_leave(first: RegtuiApp) -> None:
    async with running(first) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: not first.is_running)

    assert first.return_code == 0


async def test_a_path_is_completed_and_captured_under_a_name(
    first: RegtuiApp, empty: Registry, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "final v2"
    run.mkdir(parents=True)
    (run / "model.bin").write_bytes(b"weights")
    async with running(first) as pilot:
        await press(pilot, "c")
        await rewrite(pilot, f"{tmp_path}/runs/fi", "tab")
        assert f"{run}/"[-20:] in screen_text(first)
        await press(pilot, "enter")
        assert "final-v2" in screen_text(first)
        await rewrite(pilot, "nlp/first", "enter")

        assert current(first) == "nlp/first@1"
        assert "captured nlp/first@1: 1 file, 7 B" in told(first)
        assert "$ regtui capture" in told(first)

    assert empty.version("nlp/first@1").files == 1


async def test_what_a_path_could_be_shows_below_it(first: RegtuiApp, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / "many" / f"run-{number}").mkdir(parents=True)
    async with running(first) as pilot:
        await press(pilot, "c")
        await rewrite(pilot, f"{tmp_path}/many/")

        assert "run-0/  run-1/" in screen_text(first)
        assert "and 3 more" in screen_text(first)


async def test_a_path_that_is_not_there_is_an_error_on_the_screen(
    first: RegtuiApp, tmp_path: Path
) -> None:
    async with running(first) as pilot:
        await press(pilot, "c")
        await rewrite(pilot, str(tmp_path / "none"), "enter")

        assert "there is no" in told(first)
        assert first.registry.models() == []


async def test_a_malformed_name_is_refused_as_it_is_typed(first: RegtuiApp, tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(b"1")
    async with running(first) as pilot:
        await press(pilot, "c")
        await rewrite(pilot, str(tmp_path / "m.bin"), "enter")
        await rewrite(pilot, "two words", "enter")

        assert "contains ' '" in screen_text(first)
        await press(pilot, "escape")
        assert first.registry.models() == []


async def test_a_long_capture_shows_its_progress_and_can_be_stopped(
    first: RegtuiApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def capture(*_: Any, on_progress: Callable[[int], None], **__: Any) -> None:
        while True:  # until it is stopped
            on_progress(1024)

    monkeypatch.setattr(Registry, "capture", capture)
    (tmp_path / "m.bin").write_bytes(b"1")
    async with running(first) as pilot:
        await press(pilot, "c")
        await rewrite(pilot, str(tmp_path / "m.bin"), "enter")
        await pilot.press("enter")
        await shows(pilot, "iB/s")
        await press(pilot, "escape")

        await until(pilot, lambda: "stopped: no version was made" in told(first))


async def test_the_demo_is_offered_only_by_an_app_that_can_open_it(
    empty: Registry, tmp_path: Path
) -> None:
    app = DemoApp(empty, config=AppConfig(tmp_path / "app.toml"))
    async with running(app) as pilot:
        assert "Try the demo" in screen_text(app)
        await press(pilot, "j", "j", "j", "enter")

    assert app.opened


async def test_a_read_only_app_offers_no_capture(empty: Registry, tmp_path: Path) -> None:
    app = RegtuiApp(empty, config=AppConfig(tmp_path / "app.toml"), read_only=True)
    async with running(app) as pilot:
        assert "Capture something" not in screen_text(app)
        await press(pilot, "c")

        assert isinstance(app.screen, FirstSteps)
