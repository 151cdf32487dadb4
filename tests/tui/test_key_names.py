"""Sentences that name keys: they name those that a person chose."""

import ast
import re
from pathlib import Path

import regtui.tui
from regtui.registry import Registry
from regtui.tui import signs
from regtui.tui.actions import ACTIONS
from regtui.tui.key_names import all_keys_of, key_of
from tests.tui.acts import at_version, mark, told
from tests.tui.acts import press as press_each
from tests.tui.conftest import MakeApp
from tests.tui.driving import models_screen, press, screen_text
from tests.tui.watching import running

SIX = "nlp/sentiment@6"


async def test_a_key_is_spelled_as_the_footer_spells_it(make_app: MakeApp) -> None:
    app = make_app(keys={"app.undo": "ctrl+z,Z"})

    assert key_of(app, "app.undo") == "^z"
    assert key_of(app, "app.help") == "?"
    assert key_of(app, "table.open") == "⏎"
    assert key_of(app, "form.write", while_typing=True) == "f4"


async def test_an_action_without_a_key_is_called_by_its_name(make_app: MakeApp) -> None:
    app = make_app(keys={"app.undo": ""})
    async with running(app):
        assert key_of(app, "app.undo") == "Undo"


async def test_keys_are_spelled_in_ascii_where_nothing_else_is_shown(make_app: MakeApp) -> None:
    app = make_app(ascii=True)

    assert signs.signs() is signs.ASCII
    for action in ACTIONS:
        assert all_keys_of(app, action).isascii()
    assert key_of(app, "picker.earlier", while_typing=True) == "shift+up"


async def test_what_takes_an_act_back_is_told_by_its_key(
    make_app: MakeApp, sample: Registry
) -> None:
    app = make_app(keys={"app.undo": "ctrl+z", "versions.unmark": "M", "versions.tag": "T"})
    async with at_version(app, SIX) as pilot:
        await press_each(pilot, "T", *"a=b", "enter")
        assert "(^z takes it back)" in told(app)

        await mark(pilot, app, [SIX, "nlp/sentiment@5"])
        await press_each(pilot, "e")
        assert "take the marks away first (M)" in told(app)


async def test_empty_lists_tell_the_keys_that_a_person_chose(make_app: MakeApp) -> None:
    keys = {"browse.filter": "ctrl+f", "app.models": "f2", "versions.compare": "="}
    app = make_app(keys=keys)
    async with running(app) as pilot:
        await press(pilot, "ctrl+f", *"alias:none")
        assert "^f changes it" in screen_text(app)

        models_screen(app).versions.focus()
        await press(pilot, "2")
        lines = [line.split(maxsplit=1) for line in screen_text(app).splitlines()]
        assert ["f2", "go to the models"] in lines
        assert " f2 Models" in screen_text(app).splitlines()[0]


async def test_keys_that_can_not_be_used_are_not_shown(make_app: MakeApp) -> None:
    app = make_app(keys={"app.undo": "ctrl+r"})
    async with running(app, (160, 48)):
        assert " u Undo " in screen_text(app)


FIXED = re.compile(
    r"`(?:[^` ]|ctrl\+.|f\d+)`|\((?:[a-zA-Z]|space|f\d+)\)"
    r"|(?:^|[;:,] )(?:[a-zA-Z/?]|space|ctrl\+.|f\d+) (?:[a-z]+s|is|in|on|there)\b"
)
"""A key in a sentence, as one writes it in haste."""

ALLOWED = {
    "`?` and docs/app.md list them",  # said where no other keys are in use
    "y does it, n or esc goes back",  # which nobody chooses
}


def sentences(file: Path) -> list[str]:
    """Return the texts of a module that are no docstrings."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docs]
    return [node.value for node in constants if isinstance(node.value, str)]


def test_no_sentence_names_a_fixed_key() -> None:
    modules = Path(regtui.tui.__file__).parent.rglob("*.py")
    found = {text for module in modules for text in sentences(module) if FIXED.search(text)}

    assert found == ALLOWED
