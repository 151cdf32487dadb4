"""A line in which a filter is typed: the list follows, `esc` clears it and then leaves it.

What it shows below the line is for those who build on it, as is what the text means.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from regtui.tui.acting import Acting

if TYPE_CHECKING:
    from textual.timer import Timer

LONGEST = 10_000
"""Characters of a filter; a paste beyond that is cut."""


class FilterInput(Input):
    """The line; it leaves to those who hold it what they have keys for."""

    BINDINGS = [("ctrl+a", "select_all", "Select all")]

    def _on_paste(self, event: events.Paste) -> None:
        """Make one line of it; Textual then calls the method of `Input` itself."""
        event.text = " ".join(event.text[:LONGEST].split())


class FilterLine(Acting, Vertical):
    """One line to type in, how much it finds beside it, and room for words below."""

    EXAMPLE: ClassVar[str]
    """What stands in the empty line."""

    COUNTED: ClassVar[str]
    """What is counted, such as versions."""

    TYPING: ClassVar[float]
    """Seconds without a key before the list follows."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto;
        & Horizontal { height: 1; background: $panel; }
        & .filter--lead { width: 3; color: $text-muted; }
        & .filter--count { width: auto; min-width: 12; color: $text-muted; text-align: right; }
        & .filter--below {
            display: none; height: auto; padding: 0 0 0 3;
            color: $text-muted; background: $surface;
        }
        & Input {
            width: 1fr; height: 1; border: none; padding: 0; background: $panel;
            &:focus { border: none; background: $surface; }
        }
        &.-faulty .filter--below { display: block; color: $text-error; }
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
        """Compose the line and what stands below it."""
        with Horizontal():
            yield Static(" / ", classes="filter--lead")
            yield FilterInput(
                placeholder=f"filter: {self.EXAMPLE}", select_on_focus=False, max_length=LONGEST
            )
            yield Static("", classes="filter--count", markup=False)
        yield Static("", classes="filter--below", markup=False)

    @property
    def input(self) -> Input:
        """The line."""
        return self.query_one(Input)

    @property
    def below(self) -> Static:
        """The words below the line."""
        return self.query_one(".filter--below", Static)

    @property
    def settles(self) -> bool:
        """Whether it waits for the typing to pause."""
        return self._timer is not None

    def show_count(self, count: str) -> None:
        """Show how many there are."""
        counted = self.COUNTED.removesuffix("s") if count == "1" else self.COUNTED
        self.query_one(".filter--count", Static).update(Text(f"{count} {counted} "))

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

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._follow()

    def _follow(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(self.TYPING, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        text = self.input.value.strip()
        if text != self._told:
            self._told = text
            self.post_message(self.Changed(text))
