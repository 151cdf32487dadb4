"""The filter of the activity: one line, with what is wrong under its character."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from regtui.core.query.errors import QueryError
from regtui.tui.acting import Acting
from regtui.tui.actions import bindings
from regtui.tui.widgets.filter_bar import LONGEST, FilterInput

if TYPE_CHECKING:
    from textual.timer import Timer

TYPING = 0.1
"""Seconds without a key before the list follows."""


class LogFilterBar(Acting, Vertical):
    """One line to type in; `esc` clears it, and leaves it when it is empty."""

    SCOPES = ("logfilter",)
    BINDINGS = bindings("logfilter", priority=True)
    DEFAULT_CSS = """
    LogFilterBar {
        height: auto;
        & Horizontal { height: 1; background: $panel; }
        & .logfilter--lead { width: 3; color: $text-muted; }
        & .logfilter--count { width: auto; min-width: 12; color: $text-muted; text-align: right; }
        & Input {
            width: 1fr; height: 1; border: none; padding: 0; background: $panel;
            &:focus { border: none; background: $surface; }
        }
        & .logfilter--error {
            display: none; height: auto; max-height: 3; padding: 0 0 0 3;
            color: $text-error; background: $surface;
        }
        &.-faulty .logfilter--error { display: block; }
    }
    """

    @dataclass
    class Changed(Message):
        """Another filter is wanted."""

        text: str

    class Left(Message):
        """The line was left with the filter kept."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._timer: Timer | None = None
        self._told = ""

    def compose(self) -> ComposeResult:
        """Compose the line and what is wrong with it."""
        with Horizontal():
            yield Static(" / ", classes="logfilter--lead")
            yield FilterInput(
                placeholder="filter: team/model@7 author:ann kind:version.edit since:7d",
                select_on_focus=False,
                max_length=LONGEST,
            )
            yield Static("", classes="logfilter--count", markup=False)
        yield Static("", classes="logfilter--error", markup=False)

    @property
    def input(self) -> Input:
        """The line."""
        return self.query_one(Input)

    @property
    def settles(self) -> bool:
        """Whether it waits for the typing to pause."""
        return self._timer is not None

    def show_count(self, count: str) -> None:
        """Show how many operations there are."""
        self.query_one(".logfilter--count", Static).update(Text(f"{count} operations "))

    def show_error(self, error: QueryError | None) -> None:
        """Show what is wrong under its character; None where nothing is."""
        self.set_class(error is not None, "-faulty")
        if error is not None:
            room = max(self.size.width - 5, 1)
            before = min(cell_len(error.query[: error.position]), room // 2)
            said = f"{error.message}; {error.hint}" if error.hint else error.message
            self.query_one(".logfilter--error", Static).update(Text(" " * before + "^ " + said))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        text = self.input.value
        if text != self._told:
            self._told = text
            self.post_message(self.Changed(text))

    def do_apply(self) -> None:
        """Keep the filter and go to the operations."""
        self._tell()
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
        elif event.key == "down":
            event.stop()
            self.do_apply()
