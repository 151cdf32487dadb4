"""Texts of many lines: cards and comments, in the app and in the person's own editor."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.editor import Editor
from tests.tui.acts import at_model, at_version, press, told, write
from tests.tui.driving import models_screen, screen_text
from tests.tui.sample import CARD

SIX = "nlp/sentiment@6"


@pytest.fixture
def own_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let $EDITOR be a script, and the terminal be lent to it; return the script."""
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\necho "by hand" >> "$1"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr(RegtuiApp, "suspend", lend)
    return script


@contextmanager
def lend(app: RegtuiApp) -> Iterator[None]:
    """Lend the terminal as Textual does, which takes nothing back after an error."""
    yield
    app.notify("the terminal is back")


def editor(app: RegtuiApp) -> Editor:
    assert isinstance(app.screen, Editor)
    return app.screen


async def test_a_card_is_written_and_one_undo_takes_it_back(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E")
        await write(pilot, "[red]first[/red] 名刺\n", "ctrl+s")
        assert sample.card("nlp/sentiment") == "[red]first[/red] 名刺\n" + CARD
        assert "wrote the card of nlp/sentiment" in told(app)
        await press(pilot, "u")

    assert sample.card("nlp/sentiment") == CARD


async def test_the_card_of_a_model_in_the_tree_is_written(app: RegtuiApp, sample: Registry) -> None:
    async with at_model(app, "vision/digits") as pilot:
        await press(pilot, "E", "down")
        await write(pilot, "Ten digits.\n", "ctrl+s")

    assert sample.card("vision/digits") == "# vision/digits\nTen digits.\n"


async def test_a_card_that_nobody_touched_is_not_written(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, "vision/digits@3") as pilot:
        await press(pilot, "E", "ctrl+s")
        assert app.screen is models_screen(app)

    assert sample.card("vision/digits") == ""


async def test_an_empty_card_is_taken_away(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "f7", "delete", "ctrl+s")  # f7 selects all

    assert sample.card("nlp/sentiment") == ""
    assert "$ regtui edit nlp/sentiment --unset card" in told(app)


async def test_leaving_a_changed_text_asks(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "X", "escape", "n")
        assert editor(app).text == "X" + CARD
        await press(pilot, "escape", "y")
        assert app.screen is models_screen(app)

    assert sample.card("nlp/sentiment") == CARD


async def test_what_somebody_else_wrote_elsewhere_in_the_card_is_merged(
    app: RegtuiApp, sample: Registry
) -> None:
    theirs = CARD.replace("| test | 0.91 |", "| test | 0.92 |")
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E")
        await write(pilot, "mine\n")
        sample.edit("nlp/sentiment", {"card": theirs})
        await press(pilot, "ctrl+s")

    assert sample.card("nlp/sentiment") == "mine\n" + theirs


async def conflicting(app: RegtuiApp, sample: Registry, *keys: str) -> str:
    """Write over a line of the card that somebody else changes; return the card in the end."""
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E")
        await write(pilot, "mine ")
        sample.edit("nlp/sentiment", {"card": "theirs " + CARD})
        await press(pilot, "ctrl+s")
        assert sample.card("nlp/sentiment") == "theirs " + CARD
        assert "somebody else changed the card of 'nlp/sentiment' meanwhile" in screen_text(app)
        await press(pilot, *keys)
    return sample.card("nlp/sentiment")


async def test_mine_is_written_over_theirs_where_the_person_says_so(
    app: RegtuiApp, sample: Registry
) -> None:
    assert await conflicting(app, sample, "enter") == "mine " + CARD


async def test_theirs_stays_where_the_person_goes_on_with_it(
    app: RegtuiApp, sample: Registry
) -> None:
    card = await conflicting(app, sample, "down", "enter", "end", "!", "ctrl+s")
    assert card == "theirs ---!" + CARD.removeprefix("---")
    assert app.clipboard == "mine " + CARD


async def test_going_back_from_the_choice_keeps_the_text_in_the_editor(
    app: RegtuiApp, sample: Registry
) -> None:
    assert await conflicting(app, sample, "escape", "escape", "n") == "theirs " + CARD


async def test_the_own_editor_takes_over(
    app: RegtuiApp, sample: Registry, own_editor: Path
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "f4")
        assert editor(app).text == CARD + "by hand\n"
        await press(pilot, "ctrl+s")

    assert sample.card("nlp/sentiment") == CARD + "by hand\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sh -c 'exit 3'", "the editor ended with 3"),
        ("/nowhere/editor", "can't start the editor '/nowhere/editor'"),
        ("sh -c 'printf \"\\\\377\" > $0'", "the edited text is not UTF-8"),
        ("sh -c 'rm $0'", "can't read the edited text"),
        ("vi 'x", "can't read EDITOR"),
    ],
)
async def test_an_own_editor_that_fails_leaves_the_text_and_gives_the_terminal_back(
    app: RegtuiApp, own_editor: Path, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setenv("EDITOR", command)
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "X", "f4")
        assert editor(app).text == "X" + CARD
        assert said in told(app)
        assert "the terminal is back" in told(app)


async def test_without_a_terminal_there_is_no_other_editor(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "f4")
        assert "there is no terminal here for another editor" in told(app)


async def test_a_card_that_is_too_long_for_the_app_is_for_the_own_editor(
    app: RegtuiApp, sample: Registry, own_editor: Path
) -> None:
    card = "x" * 300_000 + "\n"
    sample.edit("nlp/sentiment", {"card": card})
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "y", "ctrl+s")  # it can't be typed into
        await press(pilot, "E", "f4", "ctrl+s")

    assert sample.card("nlp/sentiment") == card + "by hand\n"


@pytest.mark.parametrize("text", ["x" * 1_000_000, "x y\n" * 300_000], ids=["line", "lines"])
async def test_a_megabyte_that_is_pasted_is_refused(app: RegtuiApp, text: str) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "E")
        await write(pilot, text)
        assert editor(app).text == CARD
        assert "too many to paste here" in told(app)


async def test_a_card_that_the_disk_refuses_stays_in_the_editor(
    app: RegtuiApp, sample: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise OSError(28, "No space left on device")

    async with at_version(app, SIX) as pilot:
        await press(pilot, "E", "X")
        with monkeypatch.context() as patch:
            patch.setattr(Registry, "write_card", refuse)
            await press(pilot, "ctrl+s")
        assert editor(app).text == "X" + CARD
        assert "No space left on device" in told(app)
        await press(pilot, "ctrl+s")

    assert sample.card("nlp/sentiment") == "X" + CARD


async def test_a_comment_is_made_of_all_its_lines(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, "nlp/sentiment@2") as pilot:
        await press(pilot, "m")
        await write(pilot, "Slow,\nbut [bold]fine", "ctrl+s")
        (comment,) = sample.comments("nlp/sentiment@2")
        assert (comment.text, comment.author) == ("Slow,\nbut [bold]fine", "ann")
        assert "commented on nlp/sentiment@2" in told(app)
        await press(pilot, "u")

    assert sample.comments("nlp/sentiment@2") == []


async def test_a_comment_of_nothing_but_space_stays_in_the_editor(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, "nlp/sentiment@2") as pilot:
        await press(pilot, "m", "space", "ctrl+s")
        assert isinstance(app.screen, Editor)
        assert "there is nothing in the comment" in told(app)

    assert sample.comments("nlp/sentiment@2") == []
