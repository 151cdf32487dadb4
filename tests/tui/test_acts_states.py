"""States: versions archived, deleted and restored, many at once."""

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from tests.tui.acts import at_version, mark, press, told
from tests.tui.driving import models_screen, screen_text, settled, shows

ONE, TWO, FIVE = "nlp/sentiment@1", "nlp/sentiment@2", "nlp/sentiment@5"


def states(registry: Registry, *references: str) -> list[str]:
    return [registry.version(reference).state for reference in references]


@pytest.mark.parametrize(
    ("key", "state", "words"),
    [("A", "archived", "Archive 2 versions?"), ("D", "deleted", "Delete 2 versions?")],
)
async def test_marked_versions_leave_together_and_come_back_together(
    app: RegtuiApp, sample: Registry, key: str, state: str, words: str
) -> None:
    async with at_version(app, ONE) as pilot:
        await mark(pilot, app, [ONE, TWO])
        await press(pilot, key)
        assert words in screen_text(app)
        assert "undo" in screen_text(app)
        await press(pilot, "y")
        assert states(sample, ONE, TWO) == [state, state]
        assert f"{state} 2 versions" in told(app)
        assert len(models_screen(app).versions.marks) == 2
        await press(pilot, "u", *("y" if key == "D" else ""))

    assert states(sample, ONE, TWO) == ["captured", "captured"]


async def test_archived_versions_are_restored(app: RegtuiApp, sample: Registry) -> None:
    sample.change_states([ONE, TWO], "archive")
    async with at_version(app, FIVE) as pilot:
        screen = models_screen(app)
        screen.filter_bar.input.value = "state:archived"
        await shows(pilot, " 2 versions")
        await settled(pilot)
        screen.versions.focus()
        await mark(pilot, app, [ONE, TWO])
        await press(pilot, "A")

    assert states(sample, ONE, TWO) == ["captured", "captured"]
    assert "do regtui version restore $v; done" in told(app)


async def test_a_version_with_an_alias_is_told_of_and_stays(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, FIVE) as pilot:
        await mark(pilot, app, [FIVE, TWO])
        await press(pilot, "D")
        assert "nlp/sentiment@champion" in screen_text(app)
        await press(pilot, "y")

    assert states(sample, FIVE, TWO) == ["captured", "captured"]
    assert "can't delete nlp/sentiment@5: the alias champion points to it" in told(app)


async def test_a_marked_version_that_somebody_deleted_meanwhile_is_left_alone(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, ONE) as pilot:
        await mark(pilot, app, [ONE])
        sample.change_state("version", ONE, "delete")
        await press(pilot, "D")
        assert app.screen is models_screen(app)
        assert "nlp/sentiment@1: deleted already" in told(app)
