"""What keys do that no other test presses: to look around, in the lists and in the app."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from regtui.tui.app import RegtuiApp
from regtui.tui.screens.columns import ColumnsChooser
from regtui.tui.screens.models import ModelsScreen
from regtui.tui.version_columns import DEFAULT
from tests.tui.driving import models_screen, press, screen_text
from tests.tui.watching import mark, running, told


def paths(app: RegtuiApp) -> list[str]:
    """Return what the tree shows."""
    tree = models_screen(app).model_tree
    return [branch.path for branch in map(tree.row, range(tree.total)) if branch is not None]


def branch(app: RegtuiApp) -> str:
    """Return what is under the cursor of the tree."""
    found = models_screen(app).model_tree.current
    assert found is not None
    return found.path


async def choose_columns(app: RegtuiApp, keys: Sequence[str]) -> list[str]:
    """Return the columns after some keys in their choice."""
    async with running(app) as pilot:
        models_screen(app).versions.focus()
        await press(pilot, "v", *keys)
        assert isinstance(app.screen, ColumnsChooser)
        return app.screen.chosen


@pytest.mark.parametrize("elsewhere", ["2", "5", "7"])
async def test_1_goes_to_the_models(app: RegtuiApp, elsewhere: str) -> None:
    async with running(app) as pilot:
        await press(pilot, elsewhere)
        assert not isinstance(app.screen, ModelsScreen)

        await press(pilot, "1")

        assert isinstance(app.screen, ModelsScreen)


async def test_f12_saves_the_screen_as_a_picture(
    app: RegtuiApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(app) as pilot:
        await press(pilot, "f12")

    file = Path(told(app).removeprefix("wrote "))
    assert file.parent == tmp_path
    assert file.suffix == ".svg"
    assert "nlp/sentiment" in file.read_text(encoding="utf-8")  # noqa: ASYNC240 -- the app has ended


async def test_ctrl_t_changes_the_theme_and_keeps_it(app: RegtuiApp, tmp_path: Path) -> None:
    async with running(app) as pilot:
        await press(pilot, "ctrl+t")

        assert app.theme == "regtui-light"
        assert told(app) == "theme regtui-light"

    assert 'theme = "regtui-light"' in (tmp_path / "app.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_leaves_the_app(app: RegtuiApp, key: str) -> None:
    async with running(app) as pilot:
        await pilot.press(key)
        await pilot.pause()

        assert not app.is_running


@pytest.mark.parametrize(("typed", "row"), [("7", 6), ("50%", 4)])
async def test_ctrl_g_asks_for_a_row_and_goes_there(app: RegtuiApp, typed: str, row: int) -> None:
    async with running(app) as pilot:
        models_screen(app).versions.focus()
        await press(pilot, "ctrl+g")
        assert "1 to 9, or 50%" in screen_text(app)

        await press(pilot, *typed, "enter")

        assert models_screen(app).versions.cursor == row
        assert app.focused is models_screen(app).versions


async def test_right_and_left_scroll_sideways(app: RegtuiApp) -> None:
    app.config.columns = [*DEFAULT, "param.lr", "param.layers", "tag.env"]
    async with running(app, (60, 24)) as pilot:
        table = models_screen(app).versions
        table.focus()
        await press(pilot, "right")
        assert table.scroll_x > 0

        await press(pilot, "left")

        assert table.scroll_x == 0


async def test_h_folds_a_branch_or_goes_to_what_holds_it_and_l_unfolds(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        models_screen(app).model_tree.go_to("nlp/sentiment")
        await press(pilot, "h")
        assert branch(app) == "nlp"
        assert "nlp/sentiment" in paths(app)

        await press(pilot, "h")
        assert branch(app) == "nlp"
        assert "nlp/sentiment" not in paths(app)
        assert "vision/digits" in paths(app)

        await press(pilot, "l")
        assert branch(app) == "nlp"
        assert "nlp/sentiment" in paths(app)


@pytest.mark.parametrize("key", ["U", "ctrl+space"])
async def test_all_marks_are_taken_away_at_once(app: RegtuiApp, key: str) -> None:
    async with running(app) as pilot:
        table = models_screen(app).versions
        await mark(pilot, app, "nlp/sentiment@6", "vision/digits@3")
        assert len(table.marks) == 2
        cursor = table.cursor

        await press(pilot, key)

        assert not table.marks
        assert table.cursor == cursor


async def test_z_gives_the_list_the_whole_screen_and_back(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        screen = models_screen(app)
        screen.versions.focus()
        await press(pilot)
        before = screen.versions.size
        await press(pilot, "z")
        assert screen.versions.size.width == app.size.width
        assert screen.versions.size.height > before.height
        assert screen.model_tree.region.area == screen.detail.region.area == 0

        await press(pilot, "z")

        assert screen.versions.size == before
        assert screen.model_tree.region.area
        assert screen.detail.region.area


@pytest.mark.parametrize(("later", "earlier"), [("J", "K"), ("shift+down", "shift+up")])
async def test_a_column_is_moved_down_and_up_again(
    app: RegtuiApp, later: str, earlier: str
) -> None:
    first, second, third, *others = DEFAULT

    moved = await choose_columns(app, [later, later, earlier])

    assert moved == [second, first, third, *others]


async def test_the_first_column_stays_the_first(app: RegtuiApp) -> None:
    assert await choose_columns(app, ["K"]) == list(DEFAULT)
