"""Every key of the table of actions does its action where it says that it does."""

import pytest
from textual.command import CommandPalette

from regtui.tui.acting import Acting
from regtui.tui.actions import ACTIONS, BY_ID, SCOPES, of_scope
from regtui.tui.app import RegtuiApp
from tests.depth import few_of
from tests.tui.driving import at_rest, press

VERSIONS = ("j", "j", "enter")
DETAIL = (*VERSIONS, "enter")

WAYS: dict[str, tuple[str, ...]] = {
    "app": (),
    "table": (),
    "versions": VERSIONS,
    "browse": (),
    "models": (),
    "detail": DETAIL,
    "checks": (*DETAIL, *["right_square_bracket"] * 6),
    "discussion": (*DETAIL, "left_square_bracket", "left_square_bracket"),
    "filter": ("slash",),
    "compare": (*VERSIONS, "space", "space", "c"),
    "reviews": ("3",),
    "deployments": ("4",),
    "watch": ("5",),
    "conflicts": ("6",),
    "activity": ("7",),
    "logfilter": ("7", "slash"),
    "settings": ("8",),
    "picker": (*VERSIONS, "v"),
    "form": (*VERSIONS, "e"),
    "editor": (*VERSIONS, "E"),
}
"""The keys that lead from the start to where a scope is."""

BY_OTHERS = {"activity.go": "table.open"}
"""Actions that another one leads to, which has the same key there."""


def test_it_is_known_how_to_get_to_every_scope() -> None:
    assert set(WAYS) == set(SCOPES) == {action.scope for action in ACTIONS}


@pytest.mark.parametrize("scope", few_of(WAYS, 6))
async def test_every_key_does_its_action(
    app: RegtuiApp, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        for key in WAYS[scope]:
            await press(pilot, key)
        done: list[str] = []

        async def note(one: Acting, name: str) -> None:
            done.append(one.action_of(name).id)

        monkeypatch.setattr(Acting, "action_do", note)
        actions = [action for action in of_scope(scope) if action.id != "app.palette"]
        for action in actions:
            await pilot.press(*action.keys)

    assert done == [BY_OTHERS.get(one.id, one.id) for one in actions for _ in one.keys]


async def test_the_palette_opens_by_its_key(app: RegtuiApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        await pilot.press(*BY_ID["app.palette"].keys)
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette)
