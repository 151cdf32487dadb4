"""Who acts: every action has a method that does it, and a read-only app refuses what does harm."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from regtui import tui
from regtui.tui.acting import READ_ONLY, Acting
from regtui.tui.actions import ACTIONS, SCOPES, of_scope
from regtui.tui.widgets.document import DocumentView
from tests.tui.conftest import MakeApp

REFUSED: dict[type[Acting], set[str]] = {DocumentView: {"do_left", "do_right", "do_goto"}}
"""What somebody never does, and always says why not."""


def actors() -> Iterator[type[Acting]]:
    """Return every class that names scopes of its own."""
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        import_module(module.name)
    left = list(Acting.__subclasses__())
    while left:
        found = left.pop()
        left += found.__subclasses__()
        if found.__module__.startswith(tui.__name__) and "SCOPES" in vars(found):
            yield found


def test_who_names_a_scope_does_all_of_its_actions_and_nothing_that_is_none() -> None:
    scopes = set()
    for actor in actors():
        scopes |= set(actor.SCOPES)
        wanted = {f"do_{action.name}" for scope in actor.SCOPES for action in of_scope(scope)}
        methods = {name for name in dir(actor) if name.startswith("do_")} - {"do_action"}
        assert methods == wanted - REFUSED.get(actor, set()), actor.__name__

    assert scopes == set(SCOPES)


def test_a_read_only_app_refuses_every_action_that_does_harm(make_app: MakeApp) -> None:
    app = make_app(read_only=True)

    harmful = [action for action in ACTIONS if action.harm != "none"]

    assert {app.refusal(action) for action in harmful} == {READ_ONLY}
    assert make_app().refusal(harmful[0]) is None
