"""Values edited in place: the form of a version and of a model, and tags of many versions."""

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.form import ValuesForm
from tests.tui.acts import at_model, at_version, mark, press, rewrite, told, write
from tests.tui.driving import Driven, models_screen, screen_text, settled, until

SIX = "nlp/sentiment@6"


def form(app: RegtuiApp) -> ValuesForm:
    assert isinstance(app.screen, ValuesForm)
    return app.screen


async def to_row(pilot: Driven, app: RegtuiApp, key: str) -> None:
    """Put the cursor of the form on a row."""
    table = form(app).table
    rows = (table.row(place) for place in range(table.total))
    table.go_to(str(next(n for n, row in enumerate(rows) if row and row.key == key) + 1))
    await settled(pilot)


async def test_values_are_changed_added_and_taken_away_at_once(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "enter")
        await rewrite(pilot, "Sweep 6, cold start", "tab")  # goes on to the next value
        await rewrite(pilot, "0.92@600", "enter")
        await to_row(pilot, app, "params/layers")
        await press(pilot, "x", "n")
        await write(pilot, "dropout=0.1", "enter")
        await to_row(pilot, app, "tags/env")
        await press(pilot, "e")
        await rewrite(pilot, "prod", "ctrl+s")

    version = sample.version(SIX)
    assert version.description == "Sweep 6, cold start"
    assert (version.metrics["f1"], version.steps["f1"]) == (0.92, 600)
    assert version.params == {"dropout": 0.1, "lr": 3e-4 / 6, "optimizer": "adamw"}
    assert version.tags == {"draft": "", "env": "prod"}
    assert "--description 'Sweep 6, cold start'" in told(app)
    assert "u takes it back" in told(app)


async def test_one_undo_takes_all_of_an_edit_back(app: RegtuiApp, sample: Registry) -> None:
    before = sample.version(SIX)
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "x", "j", "x", "ctrl+s")
        assert sample.version(SIX).description is None
        await press(pilot, "u")

    assert sample.version(SIX) == before


async def test_the_mouse_edits_and_saves(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e")
        await pilot.click("#values", offset=(40, 2))
        await settled(pilot)
        await rewrite(pilot, "0.93")
        footer = screen_text(app).splitlines()[-1]
        await pilot.click("ActionFooter", offset=(footer.index("Save"), 0))
        await settled(pilot)

    assert sample.version(SIX).metrics["f1"] == 0.93


async def test_what_is_no_value_is_said_while_one_types_and_not_saved(
    app: RegtuiApp, sample: Registry
) -> None:
    before = sample.version(SIX)
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "j", "e")
        await rewrite(pilot, "high")
        assert "is no number" in screen_text(app)
        await press(pilot, "ctrl+s")
        assert form(app).draft.changed
        await press(pilot, "r", "ctrl+s")  # as it was before: nothing to save
        assert app.screen is models_screen(app)

    assert sample.version(SIX) == before


async def test_leaving_asks_about_what_is_changed(app: RegtuiApp, sample: Registry) -> None:
    before = sample.version(SIX)
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "x", "escape")
        assert "Leave without saving?" in screen_text(app)
        await press(pilot, "n")
        assert len(form(app).draft.changed) == 1
        await press(pilot, "escape", "y")
        assert app.screen is models_screen(app)
        await press(pilot, "e", "escape")
        assert app.screen is models_screen(app)

    assert sample.version(SIX) == before


async def test_a_line_that_is_dropped_changes_nothing(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "e")
        await rewrite(pilot, "other", "escape")
        assert form(app).draft.changed == []
        await press(pilot, "n")
        await write(pilot, "no pair", "enter")
        assert "type name=value" in screen_text(app)
        await press(pilot, "escape", "escape")
        assert app.screen is models_screen(app)


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unseen(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e")
        await to_row(pilot, app, "tags/env")
        await press(pilot, "e")
        await rewrite(pilot, "mine", "enter")
        sample.edit(SIX, {"tags/env": "theirs", "tags/other": "1"})

        await press(pilot, "ctrl+s")
        assert sample.version(SIX).tags["env"] == "theirs"
        assert "somebody else changed tags.env of nlp/sentiment@6 meanwhile" in told(app)
        assert "was theirs" in screen_text(app)

        await press(pilot, "ctrl+s")  # seen by now
    assert sample.version(SIX).tags == {"draft": "", "env": "mine", "other": "1"}


async def test_a_text_of_several_lines_is_written_in_an_editor(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "E")
        assert isinstance(app.screen, Editor)
        await press(pilot, "end", "enter")
        await write(pilot, "second [red]line", "ctrl+s", "ctrl+s")

    assert sample.version(SIX).description == "Sweep 6, warm start\nsecond [red]line"


async def test_a_value_with_what_steers_a_terminal_opens_in_an_editor(
    app: RegtuiApp, sample: Registry
) -> None:
    sample.edit(SIX, {"description": "a\x1b]52;c;eA==\x07b\nc"})
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "e")
        assert isinstance(app.screen, Editor)
        assert "\x1b" not in screen_text(app)
        assert app.screen.text == "a\x1b]52;c;eA==\x07b\nc"


async def test_a_megabyte_that_is_pasted_into_a_line_is_refused(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "e")
        await write(pilot, "x" * 1_000_000, "enter")
        assert form(app).draft.changed == []
        assert "an editor holds more" in told(app)


async def test_a_value_that_the_registry_refuses_stays_in_the_form(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e", "n")
        await write(pilot, "k" * 600 + "=v", "enter", "ctrl+s")
        assert isinstance(app.screen, ValuesForm)
        assert "is no path" in told(app)

    assert len(sample.version(SIX).metrics) == 3


async def test_values_of_a_model_are_changed(app: RegtuiApp, sample: Registry) -> None:
    async with at_model(app, "nlp/sentiment") as pilot:
        await press(pilot, "e")
        await to_row(pilot, app, "primary_metric")
        await press(pilot, "e")
        await rewrite(pilot, "loss", "tab")
        await rewrite(pilot, "min", "tab", "tab")
        await write(pilot, "ben", "enter", "ctrl+s")

    model = sample.model("nlp/sentiment")
    assert (model.primary_metric, model.direction, model.owners) == ("loss", "min", ["ann", "ben"])
    assert "--set primary_metric=loss --set direction=min --set owner.ben=1" in told(app)


async def test_names_with_markup_are_shown_as_they_are(app: RegtuiApp, sample: Registry) -> None:
    sample.edit(SIX, {"tags/[red]": "[/bold]名刺"})
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e")
        await to_row(pilot, app, "tags/[red]")
        assert "[red]" in screen_text(app)
        await press(pilot, "x", "ctrl+s")

    assert sample.version(SIX).tags == {"draft": "", "env": "dev"}
    assert "tag.[red]" in told(app)


async def test_a_tag_is_set_on_all_marked_versions_as_one(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await mark(pilot, app, [SIX, "nlp/sentiment@5", "nlp/sentiment@1"])
        stood = models_screen(app).versions.cursor
        await press(pilot, "t")
        await write(pilot, "env=prod", "enter")

        tags = [sample.version(f"nlp/sentiment@{n}").tags["env"] for n in (6, 5, 1, 2)]
        assert tags == ["prod", "prod", "prod", "dev"]
        assert "tagged env=prod: 3 versions (2 changed)" in told(app)
        assert "do regtui edit $v --tag env=prod; done" in told(app)
        table = models_screen(app).versions
        assert (len(table.marks), table.cursor) == (3, stood)

        await press(pilot, "u")
    assert [sample.version(f"nlp/sentiment@{n}").tags["env"] for n in (6, 1)] == ["dev", "dev"]


async def test_a_tag_is_taken_away(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "t")
        await write(pilot, "-draft", "enter")

    assert sample.version(SIX).tags == {"env": "dev"}
    assert "regtui edit nlp/sentiment@6 --unset tag.draft" in told(app)


async def test_a_tag_that_can_not_be_set_everywhere_is_set_nowhere(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await mark(pilot, app, [SIX, "nlp/sentiment@2"])
        sample.change_state("version", "nlp/sentiment@2", "delete")
        await press(pilot, "t")
        await write(pilot, "env=prod", "enter")

    assert sample.version(SIX).tags["env"] == "dev"
    assert "can't edit nlp/sentiment@2: the version is deleted" in told(app)


async def test_a_key_that_is_pressed_twice_asks_once(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await pilot.press("t", "t")
        await until(pilot, lambda: app.screen.is_modal)
        await settled(pilot)
        await press(pilot, "escape")
        assert app.screen is models_screen(app)


async def test_a_value_that_is_not_there_is_an_empty_row(app: RegtuiApp, sample: Registry) -> None:
    sample.edit(SIX, {"description": None})
    async with at_version(app, SIX) as pilot:
        await press(pilot, "e")
        row = next(line for line in screen_text(app).splitlines() if "description" in line)
        assert row.split("description")[1].split("│")[0].strip() == ""
        await press(pilot, "x", "escape")
        assert not isinstance(app.screen, ValuesForm)
