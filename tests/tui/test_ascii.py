"""ASCII alone: every screen is made of it, borders, scroll bars and keys too."""

import pytest
from rich.cells import cell_len

from regtui.tui.ascii_filter import TABLE
from regtui.tui.screens.first_steps import FirstSteps
from tests.depth import few_of
from tests.tui.conftest import MakeApp
from tests.tui.driving import at_rest, models_screen, press, screen_text
from tests.tui.watching import running

KEYS = {
    "models": (),
    "metrics": ("enter", "right_square_bracket", "j"),
    "context": ("enter", *["right_square_bracket"] * 5),
    "discussion": ("enter", "left_square_bracket", "left_square_bracket"),
    "filter": ("slash", *"metric."),
    "a prompt": ("t",),
    "a choice": ("a",),
    "a question": ("A",),
    "columns": ("v",),
    "compare": ("c",),
    "watch": ("5",),
    "a path": ("5", "n"),
    "activity": ("7",),
    "help": ("question_mark",),
    "the palette": ("ctrl+p",),
    "the editor": ("E",),
    "the form": ("e",),
    "jump": ("ctrl+o",),
}

OF_PEOPLE = {"名刺"}
"""What somebody wrote: it is shown as it is."""


def others(text: str) -> set[str]:
    for written in OF_PEOPLE:
        text = text.replace(written, "")
    return {char for char in text if not char.isascii()}


@pytest.mark.parametrize("name", few_of(KEYS, 5))
async def test_a_screen_is_ascii_alone(make_app: MakeApp, name: str) -> None:
    app = make_app(ascii=True)
    async with running(app, (100, 34)) as pilot:
        models_screen(app).go_to("nlp/sentiment@6")
        await at_rest(pilot)
        for key in KEYS[name]:
            await press(pilot, key)
        text = screen_text(app)

    assert others(text) == set()


async def test_the_first_steps_and_a_notice_are_ascii_alone(make_app: MakeApp) -> None:
    app = make_app(ascii=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await at_rest(pilot)
        app.push_screen(FirstSteps())
        app.notify("stopping …")
        await press(pilot)
        text = screen_text(app)

    assert "stopping ~" in text
    assert others(text) == set()


async def test_what_people_wrote_is_shown(make_app: MakeApp) -> None:
    app = make_app(ascii=True)
    async with running(app):
        assert "名刺" in screen_text(app)


def test_what_stands_for_a_character_is_as_wide() -> None:
    assert all(cell_len(chr(char)) == cell_len(str(shown)) for char, shown in TABLE.items())
