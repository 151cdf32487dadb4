"""Listing: the order and the columns that a person chooses, and that are kept."""

from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from regtui.tui.version_columns import DEFAULT
from tests.tui.acts import at_version, mark, press, told, write
from tests.tui.driving import models_screen

SIX = "nlp/sentiment@6"


def kept(app: RegtuiApp) -> AppConfig:
    return AppConfig(app.config.file)


def columns(app: RegtuiApp) -> list[str]:
    return [column.key for column in models_screen(app).versions.columns]


async def test_a_column_is_sorted_by_and_again_the_other_way(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "S")
        await write(pilot, "loss", "enter")
        assert kept(app).sort == "-metric.loss"
        first = models_screen(app).versions.row(0)
        assert first is not None
        assert first.version.reference == "nlp/sentiment@1"
        await press(pilot, "S")
        await write(pilot, "again", "enter")
        assert kept(app).sort == "metric.loss"


async def test_columns_are_chosen_and_moved(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await mark(pilot, app, [SIX])
        table = models_screen(app).versions
        stood = table.cursor
        await press(pilot, "v", "space", "J", "enter")  # no number; the model after the aliases

        assert kept(app).columns == ["aliases", "model", *DEFAULT[3:]]
        assert columns(app)[0] == "aliases"
        assert (len(table.marks), table.cursor) == (1, stood)


async def test_the_default_is_not_kept_as_a_choice(app: RegtuiApp) -> None:
    app.config.choose(columns=["number", "tag.env"])
    async with at_version(app, SIX) as pilot:
        assert columns(app) == ["number", "tag.env"]
        await press(pilot, "v", "r", "ctrl+s")

    assert kept(app).columns == []


async def test_one_column_has_to_stay(app: RegtuiApp) -> None:
    app.config.choose(columns=["number"])
    async with at_version(app, SIX) as pilot:
        await press(pilot, "v", "space", "enter")
        assert "one column at least" in told(app)
        await press(pilot, "escape")

    assert kept(app).columns == ["number"]


async def test_going_back_keeps_order_and_columns(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        before = columns(app)
        await press(pilot, "v", "space", "escape", "S", "escape")
        assert columns(app) == before

    assert (kept(app).columns, kept(app).sort) == ([], "")


async def test_choices_that_can_not_be_kept_hold_for_now(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        app.config.file.mkdir()
        await press(pilot, "v", "space", "enter")
        assert columns(app)[0] == "aliases"
        assert "can't be written" in told(app)
