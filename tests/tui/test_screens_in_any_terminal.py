"""Comparison, activity, help and jump where there is hardly any room, no colour and no Unicode."""

import pytest

from regtui.tui import signs
from tests.depth import few_of
from tests.tui.conftest import MakeApp
from tests.tui.driving import at_rest, models_screen, press, screen_text
from tests.tui.watching import mark, running

KEYS = {
    "compare": ("c",),
    "compare with curves": ("c", "C"),
    "activity": ("7",),
    "help": ("question_mark",),
    "jump": ("ctrl+o",),
}


@pytest.mark.parametrize("keys", few_of(KEYS.values(), 3), ids=KEYS)
async def test_a_terminal_may_shrink_and_grow_again(
    make_app: MakeApp, keys: tuple[str, ...]
) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        await mark(pilot, app, "nlp/sentiment@6", "nlp/sentiment@5")
        await press(pilot, *keys)
        before = screen_text(app)

        await pilot.resize_terminal(20, 5)
        await at_rest(pilot)
        await press(pilot, "down")
        await pilot.resize_terminal(80, 24)
        await press(pilot, "up")

        assert [line[:60] for line in screen_text(app).splitlines()][1:4] == [
            line[:60] for line in before.splitlines()
        ][1:4]


@pytest.mark.parametrize("name", ["compare with curves", "activity"])
async def test_ascii_alone_says_the_same(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(ascii=True)
    try:
        async with running(app, (100, 40)) as pilot:
            await mark(pilot, app, "nlp/sentiment@6", "nlp/sentiment@5")
            await press(pilot, *KEYS[name])
            body = "\n".join(line for line in screen_text(app).splitlines()[1:-1])
    finally:
        signs.choose(ascii_only=False)

    expected = {"compare with curves": "v 0.89 -0.02", "activity": "/      #18"}[name]
    assert expected in body
    assert "▼" not in body
    assert "╭" not in body


@pytest.mark.parametrize("name", few_of(KEYS, 3))
async def test_without_colour_everything_is_in_that_of_the_terminal(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    async with running(app, (100, 40)) as pilot:
        await mark(pilot, app, "nlp/sentiment@6", "nlp/sentiment@5")
        await press(pilot, *KEYS[name])
        strips = app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        colors = {color for style in styles for color in (style.color, style.bgcolor)}

    assert {color for color in colors if color is not None and not color.is_default} == set()


async def test_without_colour_the_rows_under_the_cursors_are_seen(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    async with running(app, (100, 40)) as pilot:
        models_screen(app).go_to("nlp/sentiment@4")
        await at_rest(pilot)
        strips = app.screen._compositor.render_strips()
    styles = {s.text.strip(): s.style for strip in strips for s in strip if s.style}

    assert styles["@4"].reverse
    assert not styles["@5"].reverse
    assert styles["sentiment"].underline
    assert not styles["digits"].underline
