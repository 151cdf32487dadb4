"""The filter bar: the query language, with what it means shown as one types."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from regtui.core.query.errors import QueryError
from regtui.tui.acting import Acting
from regtui.tui.actions import bindings

if TYPE_CHECKING:
    from textual.timer import Timer

    from regtui.tui.app import RegtuiApp

TYPING = 0.08
"""Seconds without a key before the list follows."""


class FilterBar(Acting, Vertical):
    """One line to type in; errors show under their character.

    The filter stays until it is cleared: `esc` clears it, and leaves the bar when it is empty.
    """

    SCOPES = ("filter",)
    BINDINGS = bindings("filter", priority=True)
    DEFAULT_CSS = """
    FilterBar {
        height: auto;
        & Horizontal { height: 1; background: $panel; }
        & .filter--lead { width: 3; color: $text-muted; }
        & Input {
            width: 1fr; height: 1; border: none; padding: 0; background: $panel;
            &:focus { border: none; background: $surface; }
        }
        & .filter--count { width: auto; min-width: 12; color: $text-muted; text-align: right; }
        & .filter--error { display: none; height: 1; color: $text-error; padding: 0 0 0 3; }
        &.-faulty .filter--error { display: block; }
    }
    """

    @dataclass
    class Changed(Message):
        """Another filter is wanted."""

        text: str

    class Left(Message):
        """The bar was left with the filter kept."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._timer: Timer | None = None
        self._told = ""

    def compose(self) -> ComposeResult:
        """Compose the line and what is wrong with it."""
        with Horizontal():
            yield Static(" / ", classes="filter--lead")
            yield Input(placeholder="filter", select_on_focus=False)
            yield Static("", classes="filter--count")
        yield Static("", classes="filter--error")

    @property
    def input(self) -> Input:
        """The line."""
        return self.query_one(Input)

    @property
    def regtui(self) -> "RegtuiApp":
        """The app, as what it is."""
        return cast("RegtuiApp", self.app)

    def focus_input(self) -> None:
        """Go to the line."""
        self.input.focus()

    def clear(self) -> None:
        """Empty the line without telling."""
        self._told = ""
        with self.prevent(Input.Changed):
            self.input.value = ""
        self.show_error(None)

    def show_count(self, count: int | None) -> None:
        """Show how many versions there are; None while that is not known."""
        text = "…" if count is None else f"{count:,}"
        self.query_one(".filter--count", Static).update(Text(f"{text} versions "))

    def show_error(self, error: QueryError | None) -> None:
        """Show what is wrong under its character; None where nothing is."""
        self.set_class(error is not None, "-faulty")
        if error is not None:
            line = Text(" " * error.position + "^ " + error.message, no_wrap=True)
            self.query_one(".filter--error", Static).update(line)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING, self._tell)

    def _tell(self) -> None:
        text = self.input.value.strip()
        if text != self._told:
            self._told = text
            self.post_message(self.Changed(text))

    def do_apply(self) -> None:
        """Keep the filter and go to the versions."""
        self._tell()
        self.regtui.config.remember_filter(self.input.value.strip())
        self.post_message(self.Left())

    def do_clear(self) -> None:
        """Show everything again."""
        self.input.value = ""
        self._tell()

    def on_key(self, event: events.Key) -> None:
        """Clear on escape, and leave when there is nothing to clear."""
        if event.key == "escape":
            event.stop()
            if self.input.value:
                self.do_clear()
            else:
                self.post_message(self.Left())

    def drop_sort(self) -> None:
        """Take the order out of the filter, because a column was chosen."""
        words = [word for word in self.input.value.split() if not word.startswith("sort:")]
        with self.prevent(Input.Changed):
            self.input.value = " ".join(words)
        self._told = self.input.value
