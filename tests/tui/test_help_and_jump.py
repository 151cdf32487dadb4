"""Help on any screen, and jumping to a pane by its letter."""

import pytest

from regtui.tui.actions import SCOPES, of_scope
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.help import HelpScreen, scopes_of, sections
from regtui.tui.screens.jump import JumpScreen
from regtui.tui.widgets.filter_bar import FilterBar
from tests.tui.conftest import MakeApp
from tests.tui.driving import models_screen, press, screen_text
from tests.tui.watching import running


def spelled(*scopes: str) -> dict[str, str]:
    return {action.id: action.keys[0] for scope in scopes for action in of_scope(scope)}


def test_every_action_of_the_scopes_is_told_once() -> None:
    scopes = list(SCOPES)

    found = sections(scopes, spelled(*scopes))

    told = [line.action.id for _, lines in found for line in lines]
    assert told == [action.id for scope in scopes for action in of_scope(scope)]


@pytest.mark.parametrize("typed", ["markdown FILE", "w export", "WRITE comparison"])
def test_words_are_looked_for_in_keys_names_and_sentences(typed: str) -> None:
    found = sections(["app", "compare"], spelled("app", "compare"), typed)

    assert [line.action.id for _, lines in found for line in lines] == ["compare.export"]


def test_what_undo_takes_back_and_the_command_can_be_looked_for() -> None:
    found = sections(["versions"], spelled("versions"), "regtui alias set, undo takes it back")

    assert [line.action.id for _, lines in found for line in lines] == ["versions.alias"]


async def test_where_the_focus_is_comes_first_and_the_app_last(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        models_screen(app).versions.focus()
        await pilot.pause()

        scopes = scopes_of(app.screen)

    assert scopes[:2] == ["versions", "table"]
    assert {"models", "filter", "detail"} <= set(scopes)
    assert scopes[-1] == "app"
    assert len(scopes) == len(set(scopes))


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_shows_the_keys_of_the_screen_and_esc_goes_back(
    app: RegtuiApp, key: str
) -> None:
    async with running(app) as pilot:
        await press(pilot, "2", key)
        text = screen_text(app)
        assert "On the compare screen" in text
        assert "Write the comparison as a Markdown file." in text
        assert "In the tree of models" not in text

        await press(pilot, "escape")

        assert not isinstance(app.screen, HelpScreen)
        assert app.current_mode == "compare"


async def test_help_tells_the_keys_that_a_person_chose(make_app: MakeApp) -> None:
    app = make_app(keys={"compare.export": "ctrl+e"})
    async with running(app) as pilot:
        await press(pilot, "2", "question_mark", *"export")

        assert "^e" in screen_text(app)


async def test_typing_narrows_the_help_down(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await press(pilot, "question_mark", *"your last change")

        text = screen_text(app)
        assert "Take back your last change." in text
        assert "Leave the app." not in text
        await press(pilot, *"zzz")
        assert "nothing has 'your last changezzz'" in screen_text(app)


@pytest.mark.parametrize(
    ("down", "up"), [("pagedown", "pageup"), ("down", "up"), ("ctrl+end", "ctrl+home")]
)
async def test_the_help_scrolls_by_keys(app: RegtuiApp, down: str, up: str) -> None:
    async with running(app, (80, 24)) as pilot:
        await press(pilot, "question_mark")
        first = screen_text(app)
        await press(pilot, down)
        assert screen_text(app) != first

        await press(pilot, up)

        assert screen_text(app) == first


async def test_jumping_shows_a_letter_on_each_pane_and_focuses_the_one_typed(
    app: RegtuiApp,
) -> None:
    async with running(app) as pilot:
        versions = models_screen(app).versions
        await press(pilot, "ctrl+o")
        screen = app.screen
        assert isinstance(screen, JumpScreen)
        letter = next(key for key, pane in screen.panes.items() if pane is versions)
        line = screen_text(app).splitlines()[versions.region.y]
        assert line[versions.region.x + 1] == letter

        await press(pilot, letter)

        assert app.focused is versions


async def test_jumping_to_the_filter_takes_what_is_typed_next(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        bar = models_screen(app).query_one(FilterBar)
        await press(pilot, "ctrl+o")
        assert isinstance(app.screen, JumpScreen)
        letter = next(key for key, pane in app.screen.panes.items() if pane is bar.input)
        await press(pilot, letter, "x")

        assert bar.input.value == "x"


@pytest.mark.parametrize("key", ["escape", "ctrl+o"])
async def test_a_jump_is_left_with_the_focus_where_it_was(app: RegtuiApp, key: str) -> None:
    async with running(app) as pilot:
        before = app.focused
        await press(pilot, "ctrl+o", "1")
        assert isinstance(app.screen, JumpScreen)

        await press(pilot, key)

        assert app.focused is before


@pytest.mark.parametrize("keys", [(), ("slash",), ("2",), ("5",), ("7",)])
async def test_the_footer_shows_the_key_of_help_however_narrow(
    app: RegtuiApp, keys: tuple[str, ...]
) -> None:
    async with running(app, (80, 24)) as pilot:
        await press(pilot, *keys)
        assert screen_text(app).endswith(" f1 Help" if keys == ("slash",) else " ? Help")

        footer = screen_text(app).splitlines()[-1]
        await pilot.click("ActionFooter", offset=(footer.index("Help"), 0))
        await press(pilot)

        assert isinstance(app.screen, HelpScreen)


async def test_the_footer_shows_no_key_that_would_be_typed(app: RegtuiApp) -> None:
    async with running(app, (160, 48)) as pilot:
        await press(pilot, "slash")
        footer = screen_text(app).splitlines()[-1].split()

        assert {"^q", "f1", "^s", "tab"} <= set(footer)
        assert not {"q", "?", "/", "1", "u"} & set(footer)
