"""Contents: files written into a folder, and compared with their digests."""

import asyncio
import errno
import threading
from pathlib import Path
from typing import Any

import pytest

from regtui.artifacts import checkout, copying
from regtui.registry import Registry
from regtui.tui.acts import working
from regtui.tui.app import RegtuiApp
from regtui.tui.jobs import Progress
from regtui.tui.screens.prompt import Prompt
from regtui.tui.screens.report import Report
from regtui.tui.screens.working import Working
from tests.tui.acts import at_version, mark, press, rewrite, told
from tests.tui.driving import models_screen, screen_text, until

SIX = "nlp/sentiment@6"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the current folder be an empty one, in which nothing is cloned."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(checkout, "clone", lambda *_: False)
    return folder


@pytest.fixture
def may_go_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let checkouts wait with their first bytes till this is set, and be shown at once."""
    go = threading.Event()
    check_out = Registry.checkout

    def waiting(
        self: Registry, reference: str, target: Path, *, on_progress: Progress, **_: Any
    ) -> Any:
        def count(size: int) -> None:
            go.wait(timeout=20)
            on_progress(size)

        return check_out(self, reference, target, on_progress=count)

    monkeypatch.setattr(Registry, "checkout", waiting)
    monkeypatch.setattr(working, "PATIENCE", 0)
    return go


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_files_are_written_into_the_folder_that_is_suggested(
    app: RegtuiApp, here: Path
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o", "enter")
        await until(pilot, lambda: "is in sentiment-6: 2 files" in told(app))

    assert files(here) == [
        "sentiment-6",
        "sentiment-6/config.json",
        "sentiment-6/model.safetensors",
    ]
    assert "$ regtui checkout nlp/sentiment@6 sentiment-6" in told(app)


async def test_a_folder_that_is_taken_is_refused_and_another_one_asked_for(
    app: RegtuiApp, here: Path
) -> None:
    (here / "sentiment-6").mkdir()
    (here / "sentiment-6" / "mine").write_text("x", encoding="utf-8")
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o", "enter")
        await until(pilot, lambda: "is not empty" in told(app))
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await rewrite(pilot, "deeper/[red]", "enter")
        await until(pilot, lambda: "is in deeper/[red]" in told(app))

    assert files(here / "sentiment-6") == ["mine"]
    assert files(here / "deeper" / "[red]") == ["config.json", "model.safetensors"]


async def test_a_checkout_that_is_stopped_leaves_nothing(
    app: RegtuiApp, here: Path, may_go_on: threading.Event
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o", "enter")
        await until(pilot, lambda: isinstance(app.screen, Working))
        assert "639 B" in screen_text(app)
        await press(pilot, "escape")
        assert "stopping" in screen_text(app)
        may_go_on.set()
        await until(pilot, lambda: "stopped: nothing was written" in told(app))

    assert files(here) == []


async def test_progress_goes_when_the_work_is_done(
    app: RegtuiApp, here: Path, may_go_on: threading.Event
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o", "enter")
        await until(pilot, lambda: isinstance(app.screen, Working))
        may_go_on.set()
        await until(pilot, lambda: not app.screen.is_modal)
        await until(pilot, lambda: "is in sentiment-6" in told(app))

    assert len(files(here)) == 3


async def test_a_checkout_ends_with_the_app_and_leaves_nothing(
    app: RegtuiApp, here: Path, may_go_on: threading.Event
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o", "enter")
        await until(pilot, lambda: isinstance(app.screen, Working))
    may_go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()  # as the end of the process does
    assert files(here) == []


async def test_a_full_disk_leaves_nothing_and_asks_again(
    app: RegtuiApp, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(copying, "write_all", full)
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o", "enter")
        await until(pilot, lambda: "the disk is full" in told(app))
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await press(pilot, "escape")

    assert files(here) == []


async def test_a_person_without_a_folder_has_none(app: RegtuiApp, here: Path) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o")
        await rewrite(pilot, "~nobody-of-this-name/x", "enter")
        await until(pilot, lambda: "there is no folder ~nobody-of-this-name/x" in told(app))

    assert files(here) == []


async def test_intact_files_are_found_intact(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await mark(pilot, app, [SIX, "nlp/sentiment@5"])
        await press(pilot, "V")
        await until(pilot, lambda: "2 versions: 4 files, 1.2 KiB, all intact" in told(app))
        assert len(models_screen(app).versions.marks) == 2


async def test_damage_is_reported_with_what_needs_it(app: RegtuiApp, sample: Registry) -> None:
    stored = sample.path(SIX, "config.json")
    stored.chmod(0o644)
    stored.write_bytes(b"damaged here ")
    async with at_version(app, SIX) as pilot:
        await press(pilot, "V")
        await until(pilot, lambda: isinstance(app.screen, Report))
        assert "needed by nlp/sentiment@6 config.json" in screen_text(app)
        await press(pilot, "escape")
        assert app.screen is models_screen(app)
