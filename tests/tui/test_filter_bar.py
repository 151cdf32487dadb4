"""The filter bar: typing, completion, errors, history and saved filters."""

from textual import events

from regtui.tui.app import RegtuiApp
from tests.tui.conftest import MakeApp
from tests.tui.driving import at_rest, models_screen, press, screen_text, shows

SIZE = (120, 36)


def filter_text(app: RegtuiApp) -> str:
    return models_screen(app).filter_bar.input.value


async def test_the_list_follows_what_is_typed(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"metric.f1>0.85")

        await shows(pilot, "2 versions")


async def test_tab_takes_a_completion_and_the_next_one(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"alias:ca", "tab")
        bar = models_screen(app).filter_bar
        assert bar.input.value == "alias:candidate"
        await press(pilot, "ctrl+l", *"model:vision/", "tab")
        assert bar.input.value == "model:vision/digits"
        await press(pilot, "tab")
        assert bar.input.value == "model:vision/名刺"

        await shows(pilot, " 1 version")


async def test_an_error_stands_under_its_character_and_the_list_stays(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash")
        models_screen(app).filter_bar.input.value = "metric.f1>high"
        await at_rest(pilot)

        lines = screen_text(app).splitlines()

    line = next(line for line in lines if "metric.f1>high" in line)
    below = lines[lines.index(line) + 1]
    assert below.index("^") == line.index("high")
    assert "is no number" in below
    assert "nlp/sentiment" in "\n".join(lines)


async def test_escape_clears_the_filter_and_then_leaves(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"alias:champion")
        await shows(pilot, " 1 version")
        await press(pilot, "escape")
        await shows(pilot, "9 versions")
        await press(pilot, "escape")

        assert app.focused is models_screen(app).versions


async def test_enter_keeps_the_filter_and_goes_to_the_versions(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"alias:champion", "enter")

        assert app.focused is models_screen(app).versions
        await shows(pilot, " 1 version")
        assert app.config.history == ["alias:champion"]


async def test_the_history_gives_filters_back(make_app: MakeApp) -> None:
    app = make_app()
    app.config.history = ["alias:champion", "alias:candidate"]
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", "up")
        assert filter_text(app) == "alias:candidate"
        await press(pilot, "up", "up")
        assert filter_text(app) == "alias:champion"
        await press(pilot, "down")
        assert filter_text(app) == "alias:candidate"
        await press(pilot, "down")
        assert filter_text(app) == ""


async def test_a_filter_is_saved_chosen_and_removed(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"alias:champion", "ctrl+s", *"prod", "enter")
        assert app.config.filters == {"prod": "alias:champion"}
        await press(pilot, "ctrl+l", "ctrl+f", *"pro", "enter")
        assert models_screen(app).filter_bar.input.value == "alias:champion"
        await press(pilot, "ctrl+l", "ctrl+s", *"prod", "enter")

        assert app.config.filters == {}


async def test_a_pasted_megabyte_is_cut_and_nothing_breaks(app: RegtuiApp) -> None:
    from textual import events

    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash")
        bar = models_screen(app).filter_bar
        bar.input.post_message(events.Paste("x\n" * 500_000))
        await at_rest(pilot)

        assert 0 < len(bar.input.value) <= 10_000
        await press(pilot, "escape")
        await shows(pilot, "9 versions")


async def test_a_filter_that_sorts_wins_over_the_column(app: RegtuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"model:nlp sort:metric.f1", "enter")

        row = models_screen(app).versions.row(0)
        assert row is not None
        assert row.version.metrics["f1"] == 0.71


async def test_what_is_pasted_stands_there_once_as_one_line(app: RegtuiApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await at_rest(pilot)
        bar = models_screen(app).filter_bar
        bar.focus_input()
        bar.input.post_message(events.Paste("tag:env=prod\nauthor:ann"))
        await at_rest(pilot)

        assert bar.input.value == "tag:env=prod author:ann"
