"""Undo by its key: an edit at once, what makes or deletes a version after a yes."""

from pathlib import Path

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.prompt import Confirm
from tests.tui.acts import at_version, press, told
from tests.tui.driving import screen_text, shows
from tests.tui.joined import Lab, app_on

FOUR, SIX = "nlp/sentiment@4", "nlp/sentiment@6"


def states(sample: Registry) -> list[str]:
    return [version.state for version in sample.versions("state:any model:new/one").versions]


async def test_a_capture_is_taken_back_after_a_yes(app: RegtuiApp, sample: Registry) -> None:
    sample.capture(sample.home / "registry.duckdb", model="new/one")
    async with at_version(app, "new/one@1") as pilot:
        await press(pilot, "u")
        assert isinstance(app.screen, Confirm)
        line = next(row for row in screen_text(app).splitlines() if "It takes back" in row)
        assert "It takes back: captured new/one@1" in line
        assert states(sample) == ["captured"]

        await press(pilot, "n")
        assert states(sample) == ["captured"]
        assert "undid" not in told(app)

        await press(pilot, "u")
        await press(pilot, "y")
        assert states(sample) != ["captured"]
        assert "$ regtui undo" in told(app)


async def test_a_deletion_is_taken_back_after_a_yes(app: RegtuiApp, sample: Registry) -> None:
    sample.change_state("version", FOUR, "delete")
    async with at_version(app, "nlp/sentiment@5") as pilot:
        await press(pilot, "u")
        assert isinstance(app.screen, Confirm)
        assert f"deleted {FOUR}" in screen_text(app)

        await press(pilot, "y")

        assert sample.version(FOUR).state == "captured"


async def test_what_somebody_does_before_the_yes_stays(app: RegtuiApp, sample: Registry) -> None:
    sample.capture(sample.home / "registry.duckdb", model="new/one")
    async with at_version(app, "new/one@1") as pilot:
        await press(pilot, "u")
        sample.edit(SIX, {"description": "done meanwhile"})
        await press(pilot, "y")

    assert sample.version(SIX).description == "done meanwhile"
    assert states(sample) != ["captured"]


async def test_the_key_pressed_twice_takes_back_two_edits_at_once(
    app: RegtuiApp, sample: Registry
) -> None:
    before = sample.version(SIX).description
    sample.edit(SIX, {"description": "first"})
    sample.edit(SIX, {"description": "second"})
    async with at_version(app, SIX) as pilot:
        await pilot.press("u", "u")
        await press(pilot)

    assert sample.version(SIX).description == before
    assert told(app).count("undid") == 2


async def test_what_the_server_accepted_before_the_key_or_before_the_yes_is_taken_back(
    lab: Lab, tmp_path: Path
) -> None:
    lab.capture(lab.ann, "ann's")
    lab.ann.sync()
    lab.ann.edit("nlp/bert@1", {"tags/a": "1"})
    lab.ann.sync()
    app = app_on(lab.ann, tmp_path)
    async with at_version(app, "nlp/bert@1") as pilot:
        await press(pilot, "u")
        assert lab.ann.version("nlp/bert@1").tags == {}
        lab.capture(lab.ann, "more")
        await press(pilot, "u")
        await shows(pilot, "It takes back: captured")
        lab.ann.sync()
        await press(pilot, "y")

    assert lab.ann.version("nlp/bert@2").state == "deleted"
