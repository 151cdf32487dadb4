"""The compare screen: what it shows, and what its keys do."""

from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.compare import CompareScreen
from regtui.tui.widgets.curves import Curves
from tests.tui.conftest import MakeApp
from tests.tui.driving import (
    Driven,
    at_rest,
    current,
    models_screen,
    press,
    screen_text,
    shows,
)
from tests.tui.watching import mark, rewrite, running, told


def compare_screen(app: RegtuiApp) -> CompareScreen:
    assert isinstance(app.screen, CompareScreen)
    return app.screen


async def compare(pilot: Driven, count: int) -> None:
    """Compare the newest versions of the sample's first model, the newest first."""
    app = pilot.app
    assert isinstance(app, RegtuiApp)
    found = app.registry.versions("model:nlp/sentiment sort:-number", limit=count)
    await app.compare(found.versions)
    await at_rest(pilot)


def names(app: RegtuiApp) -> list[str]:
    table = compare_screen(app).table
    rows = [table.row(place) for place in range(table.total)]
    return [row.name for row in rows if row is not None and row.name]


async def look_at(pilot: Driven, name: str) -> None:
    """Put the cursor on the row of a name."""
    app = pilot.app
    assert isinstance(app, RegtuiApp)
    table = compare_screen(app).table
    while (row := table.current) is None or row.name != name:
        assert table.cursor < table.total - 1, f"no row {name}"
        await press(pilot, "j")


async def test_without_versions_it_says_how_to_compare(app: RegtuiApp) -> None:
    async with running(app, (80, 24)) as pilot:
        await press(pilot, "2")

        assert "c      compare the marked ones" in screen_text(app)


async def test_marked_versions_stand_side_by_side_with_the_first_as_baseline(
    app: RegtuiApp,
) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/sentiment@6")
        await at_rest(pilot)
        await mark(pilot, app, "nlp/sentiment@6", "nlp/sentiment@5", "nlp/sentiment@4")
        await press(pilot, "c")

        text = screen_text(app)

    assert "@6 baseline" in text
    assert "@5 champion" in text
    assert "▼ 0.89 -0.02" in text
    assert "▲★16.5 -2" in text
    assert "~ float32 [32]" in text


async def test_one_version_alone_is_compared_with_the_one_before_it(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/sentiment@6")
        await at_rest(pilot)
        await press(pilot, "c")

        assert "@5 baseline" in screen_text(app)
        assert "@6 candidate" in screen_text(app)


async def test_the_first_version_alone_is_not_compared(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/sentiment@1")
        await at_rest(pilot)
        await press(pilot, "c")

        assert "is the first one of its model" in told(app)
        assert app.current_mode == "models"


async def test_more_than_eight_versions_are_too_many(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        models_screen(app).versions.focus()
        await press(pilot, *["space"] * 9, "c")

        assert "at most 8 can be compared" in told(app)
        assert app.current_mode == "models"


async def test_the_key_of_the_screen_compares_what_is_marked(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/sentiment@6")
        await at_rest(pilot)
        await mark(pilot, app, "nlp/sentiment@6", "nlp/sentiment@4")
        await press(pilot, "2")

        assert "@6 baseline" in screen_text(app)


async def test_d_shows_everything_and_only_differences_again(app: RegtuiApp) -> None:
    async with running(app, (100, 40)) as pilot:
        await compare(pilot, 2)
        assert "optimizer" not in names(app)

        await press(pilot, "d")
        assert {"optimizer", "host"} <= set(names(app))
        await press(pilot, "d")

        assert "optimizer" not in names(app)


async def test_b_makes_the_next_column_the_baseline(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await compare(pilot, 2)
        await press(pilot, "b")

        assert "@5 baseline" in screen_text(app)
        assert "▲★0.91 +0.02" in screen_text(app)
        await press(pilot, "b")
        assert "@6 baseline" in screen_text(app)


async def test_x_takes_out_the_column_that_is_looked_at(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await compare(pilot, 3)
        await press(pilot, "h", "x")

        text = screen_text(app)
        assert "@5 baseline" in text
        assert "@6" not in text
        await press(pilot, "x")
        assert "two versions are the least" in told(app)


@pytest.mark.parametrize(("left", "right"), [("h", "l"), ("left", "right")])
async def test_the_column_that_is_looked_at_is_said_in_words(
    app: RegtuiApp, left: str, right: str
) -> None:
    async with running(app) as pilot:
        await compare(pilot, 3)
        await look_at(pilot, "latency_ms")
        await press(pilot, right)

        assert "@4: 16.5  (better, -2, -10.8 %, best)" in screen_text(app)
        await press(pilot, left)

        assert "@5: 17.5  (better, -1, -5.41 %)" in screen_text(app)


async def test_names_stay_in_sight_when_one_goes_to_the_eighth_column(
    app: RegtuiApp, sample: Registry, tmp_path: Path
) -> None:
    for number in (7, 8):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(bytes([number]))
        sample.capture(file, model="nlp/sentiment", metrics={"f1": 0.5})
    async with running(app, (80, 24)) as pilot:
        await compare(pilot, 8)
        assert "@1" not in screen_text(app)

        await press(pilot, *["l"] * 7)

        lines = screen_text(app).splitlines()
        assert "@1" in lines[1]
        assert any(line.startswith("   latency_ms") and "13.5" in line for line in lines)


async def test_enter_goes_to_the_version_of_the_column(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await compare(pilot, 3)
        await press(pilot, "enter")

        assert current(app) == "nlp/sentiment@5"


async def test_an_edit_by_another_process_shows_and_the_cursor_stays(
    app: RegtuiApp, sample: Registry
) -> None:
    async with running(app) as pilot:
        await compare(pilot, 2)
        await look_at(pilot, "layers")

        sample.edit("nlp/sentiment@5", {"metrics/f1": {"value": 0.99}, "tags/a": "1"})
        await shows(pilot, "▲★0.99 +0.08")
        await at_rest(pilot)

        row = compare_screen(app).table.current
        assert row is not None
        assert row.name == "layers"


async def test_curves_show_and_hide_by_their_key(app: RegtuiApp) -> None:
    async with running(app, (100, 30)) as pilot:
        await compare(pilot, 2)
        curves = compare_screen(app).query_one(Curves)
        assert not curves.display

        await press(pilot, "C")
        await shows(pilot, "nlp/sentiment@5")

        await press(pilot, "C")
        assert not curves.display


async def test_the_curves_follow_the_metric_under_the_cursor(app: RegtuiApp) -> None:
    async with running(app, (100, 44)) as pilot:
        await compare(pilot, 2)
        await look_at(pilot, "loss")

        curves = compare_screen(app).query_one(Curves)
        await shows(pilot, "nlp/sentiment@5")
        assert "loss" in "".join(text for text, _ in curves._lines[0])


async def test_w_writes_a_markdown_file_and_says_where(app: RegtuiApp, tmp_path: Path) -> None:
    file = tmp_path / "out" / "compared.md"
    file.parent.mkdir()
    async with running(app) as pilot:
        await compare(pilot, 2)
        await press(pilot, "w")
        assert "compare-sentiment-6-5.md" in screen_text(app)
        await rewrite(pilot, str(file), "enter")

        assert told(app) == f"wrote {file}"

    text = file.read_text(encoding="utf-8")
    assert text.startswith("# nlp/sentiment@6 compared with nlp/sentiment@5\n")
    assert "| lr |" in text
    assert "optimizer" not in text


async def test_a_file_that_is_there_is_replaced_only_after_a_yes(
    app: RegtuiApp, tmp_path: Path
) -> None:
    file = tmp_path / "mine.md"
    file.write_text("mine", encoding="utf-8")
    async with running(app) as pilot:
        await compare(pilot, 2)
        for answer in ("n", "y"):
            await press(pilot, "w")
            await rewrite(pilot, str(file), "enter")
            assert "Replace it?" in screen_text(app)
            assert file.read_text(encoding="utf-8") == "mine"
            await press(pilot, answer)

    assert file.read_text(encoding="utf-8").startswith("# nlp/sentiment@6")


async def test_a_path_that_can_not_be_written_is_an_error_on_the_screen(
    app: RegtuiApp, tmp_path: Path
) -> None:
    async with running(app) as pilot:
        await compare(pilot, 2)
        await press(pilot, "w")
        await rewrite(pilot, str(tmp_path / "no" / "folder.md"), "enter")

        assert "No such file or directory" in told(app)


async def test_a_read_only_app_writes_no_file(make_app: MakeApp) -> None:
    app = make_app(read_only=True)
    async with running(app) as pilot:
        await compare(pilot, 2)
        await press(pilot, "w")

        assert "it writes no files" in told(app)


async def test_versions_that_do_not_differ_say_so(
    app: RegtuiApp, sample: Registry, tmp_path: Path
) -> None:
    file = tmp_path / "same.bin"
    file.write_bytes(b"same")
    made = [sample.capture(file, model="twins", new=True).version for _ in range(2)]
    async with running(app) as pilot:
        await app.compare(made)
        await at_rest(pilot)

        assert names(app) == []
        assert "these versions do not differ" in screen_text(app)
