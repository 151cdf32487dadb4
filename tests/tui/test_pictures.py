"""Pictures of every screen: small and large, dark and light. The documentation shows them too."""

from collections.abc import Callable

import pytest
from textual.widgets import Input, TextArea

from tests.tui.conftest import MakeApp
from tests.tui.driving import Driven, at_rest, press

SIZES = {"80x24": (80, 24), "160x48": (160, 48)}

SnapCompare = Callable[..., bool]

SCREENS: dict[str, tuple[str, ...]] = {
    "models": ("j", "j", "enter"),
    "metrics": ("j", "j", "enter", "enter", "]", "j", "j"),
    "file": ("j", "j", "enter", "enter", "]", "]", "]", "j", "enter"),
    "lineage": ("j", "j", "enter", "enter", "]", "]", "]", "]"),
    "discussion": ("j", "j", "enter", "enter", "[", "[", "z"),
    "compare": ("j", "j", "enter", "space", "space", "space", "c", *"jjjjjjjj"),
    "activity": ("7", *"jjjjjjjjjj"),
    "edit": ("j", "j", "enter", *"eje", "backspace", "2", "enter", *"jjxjj"),
    "card": ("j", "j", "enter", "E", "down", "down"),
    "help": ("j", "j", "enter", "question_mark"),
}
"""The keys that lead to each screen."""


_NAMES = {"[": "left_square_bracket", "]": "right_square_bracket"}


def pressing(keys: tuple[str, ...]) -> Callable[[Driven], object]:
    async def run(pilot: Driven) -> None:
        await at_rest(pilot)
        for key in keys:
            await press(pilot, _NAMES.get(key, key))
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False  # which shows the cursor
        for text in pilot.app.screen.query(TextArea):
            text.cursor_blink = False

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ("160x48", "regtui-dark"),
        ("80x24", "regtui-light"),
        pytest.param("160x48", "regtui-light", marks=pytest.mark.slow),
        pytest.param("80x24", "regtui-dark", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("screen", SCREENS)
def test_picture(
    snap_compare: SnapCompare, make_app: MakeApp, screen: str, size: str, theme: str
) -> None:
    run = pressing(SCREENS[screen])
    assert snap_compare(make_app(theme=theme), terminal_size=SIZES[size], run_before=run)
