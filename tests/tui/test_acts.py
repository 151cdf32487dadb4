"""What holds for every action that changes something: read-only apps, and people who go back."""

from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.actions import of_scope
from regtui.tui.acts import contents, values
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.prompt import Confirm
from tests.tui.acts import at_model, at_version, mark, press, told, write
from tests.tui.conftest import MakeApp
from tests.tui.driving import models_screen, screen_text, until

SIX = "nlp/sentiment@6"
CHANGING = [action.keys[0] for action in of_scope("versions") if action.harm != "none"]
FILES = ["o", "V", "f12"]
OF_MODELS = [action.keys[0] for action in of_scope("models") if action.harm != "none"]


def newest(registry: Registry) -> int:
    return registry.log(limit=1).operations[0].seq


async def test_a_read_only_app_refuses_whatever_changes_a_version_or_writes_files(
    make_app: MakeApp, sample: Registry
) -> None:
    app = make_app(read_only=True)
    before = newest(sample)
    async with at_version(app, SIX) as pilot:
        for told_before, key in enumerate([*CHANGING, *FILES]):
            await press(pilot, key)
            assert app.screen is models_screen(app), key
            assert told(app).count("read-only") == told_before + 1, key

    assert newest(sample) == before


async def test_a_read_only_app_refuses_whatever_changes_a_model(
    make_app: MakeApp, sample: Registry
) -> None:
    app = make_app(read_only=True)
    before = newest(sample)
    async with at_model(app, "nlp/sentiment") as pilot:
        for told_before, key in enumerate(OF_MODELS):
            await press(pilot, key)
            assert app.screen is models_screen(app), key
            assert told(app).count("read-only") == told_before + 1, key

    assert newest(sample) == before


async def test_who_goes_back_changes_nothing(
    app: RegtuiApp, sample: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = newest(sample)
    async with at_version(app, SIX) as pilot:
        for key in [*CHANGING, "o", "y"]:
            await press(pilot, key)
            assert app.screen.is_modal, key
            await press(pilot, "escape")
            assert app.screen is models_screen(app), key
        for key in ("A", "D"):
            for answer in ("n", "enter", "q", "escape"):  # no more than one of them is a no
                await press(pilot, key, answer, "escape")
        await press(pilot, "t", "enter")

    assert newest(sample) == before
    assert app.clipboard == ""
    assert list(here.iterdir()) == []


async def test_marks_and_cursor_stay_where_they_were(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await mark(pilot, app, [SIX, "nlp/sentiment@2"])
        table = models_screen(app).versions
        marks, cursor = list(table.marks), table.cursor
        sample.capture(sample.home / "registry.duckdb", model="nlp/sentiment")
        await press(pilot, "t", "escape", "A", "n", "D", "n")
        assert list(table.marks) == marks
        row = table.current
        assert row is not None
        assert (table.cursor, row.version.number) == (cursor + 1, 1)


async def test_the_palette_asks_too(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, "nlp/sentiment@4") as pilot:
        await press(pilot, "ctrl+p")
        await write(pilot, "Archive the marked versions")
        await until(pilot, lambda: "(A)" in screen_text(app))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "y")

    assert sample.version("nlp/sentiment@4").state == "archived"


async def test_what_nobody_foresaw_is_a_message(
    app: RegtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("a [red] surprise")

    monkeypatch.setattr(contents, "suggested", fail)
    monkeypatch.setattr(values, "edit_model", fail)
    async with at_version(app, SIX) as pilot:
        await press(pilot, "o")
        models_screen(app).model_tree.focus()
        await press(pilot, "e")

    assert told(app).count("something unforeseen happened") == 2


async def test_what_was_undone_and_redone_is_told_once(app: RegtuiApp, sample: Registry) -> None:
    sample.edit(SIX, {"description": "first"})
    async with at_version(app, SIX) as pilot:
        await press(pilot, "u", "ctrl+r")

    assert "undid set description" in told(app)
    assert "\nredid #" in f"\n{told(app)}"
    assert "redid redid" not in told(app)
