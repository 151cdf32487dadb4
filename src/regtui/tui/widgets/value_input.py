"""A line to type a value in, laid over the cell that shows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events
from textual.message import Message
from textual.widgets import Input

from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

LIMIT = 4_000
"""Characters that fit into a line; a longer value is for an editor."""


class ValueInput(Input):
    """Tells what to do with what is typed: take it, take it and go on, or drop it."""

    DEFAULT_CSS = """
    ValueInput {
        height: 1;
        border: none;
        padding: 0;
        background: $panel;
        &:focus { border: none; background: $boost; }
        &.-problem, &.-problem:focus { color: $text-error; }
    }
    """
    BINDINGS = [
        ("escape", "drop", "Drop"),
        ("up,shift+tab", "step(-1)", "Take it and go up"),
        ("down,tab", "step(1)", "Take it and go down"),
    ]

    @dataclass
    class Stepped(Message):
        """What is typed is taken, and another line is wanted."""

        by: int

    class Dropped(Message):
        """What is typed is not wanted."""

    class Left(Message):
        """The focus went elsewhere."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id, max_length=LIMIT, select_on_focus=False)
        self.cursor_blink = False

    def action_step(self, by: int) -> None:
        """Take what is typed, and go on."""
        self.post_message(self.Stepped(by))

    def action_drop(self) -> None:
        """Take nothing."""
        self.post_message(self.Dropped())

    @property
    def _editor(self) -> str:
        return key_of(cast("RegtuiApp", self.app), "form.write", while_typing=True)

    def restricted(self) -> None:
        """Say why what was pasted is not taken."""
        self.app.notify(
            f"a line holds {LIMIT:,} characters; an editor holds more ({self._editor})",
            severity="warning",
        )

    def on_paste(self, event: events.Paste) -> None:
        """Say that lines after the first are left out."""
        if len(event.text.splitlines()) > 1:
            self.app.notify(
                f"only the first line was taken; an editor takes them all ({self._editor})",
                severity="warning",
            )

    def on_blur(self) -> None:
        """Tell that the focus went elsewhere."""
        self.post_message(self.Left())
