"""The first steps: what one does first, on a registry that holds nothing yet."""

from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

STEPS = (
    ("capture", "c", "Capture something", "a file or folder becomes the first version of a model"),
    ("watch", "w", "Watch a folder", "what trainers finish there becomes versions by itself"),
    (
        "connect",
        "n",
        "Connect to a server",
        "what your team has there comes here, and yours goes there",
    ),
    ("demo", "d", "Try the demo", "small models, really trained, in a registry of their own"),
    ("skip", "s", "Look around", "{help} tells everywhere what can be done"),
    ("quit", "q", "Leave", ""),
)
"""Each step: its id, its key, what it is called, and what it does; `help` is the key of that."""


class FirstSteps(ModalScreen[str | None]):
    """Asks which step to take; None and `skip` for none.

    Args:
        without: Steps that can't be taken here.
    """

    CSS_PATH = "../styles/first_steps.tcss"
    BINDINGS = [
        ("escape", "take('skip')", "Look around"),
        ("j", "move(1)", "Down"),
        ("k", "move(-1)", "Up"),
        *((key, f"take('{identity}')", text) for identity, key, text, _ in STEPS),
    ]

    def __init__(self, *, without: Collection[str] = ()) -> None:
        super().__init__()
        self._steps = [step for step in STEPS if step[0] not in without]

    def compose(self) -> ComposeResult:
        """Compose the question and the steps."""
        with Vertical(classes="steps") as box:
            box.border_title = Text("This registry is empty")
            box.border_subtitle = "enter takes it, esc looks around"
            yield Static(Text("What do you want to do first?"), classes="steps--hint")
            key = key_of(cast("RegtuiApp", self.app), "app.help")
            options = ((i, k, text, note.format(help=key)) for i, k, text, note in self._steps)
            yield OptionList(*(self._option(*step) for step in options))

    @staticmethod
    def _option(identity: str, key: str, text: str, note: str) -> Option:
        line = Text.assemble((key, "bold"), "  ", text)
        if note:
            line.append(f"\n   {note}", "dim")
        return Option(line, id=identity)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option.id)

    def action_take(self, identity: str) -> None:
        """Take a step by its key."""
        if any(step[0] == identity for step in self._steps):
            self.dismiss(identity)

    def action_move(self, by: int) -> None:
        """Go to the next step, or the one before."""
        steps = self.query_one(OptionList)
        (steps.action_cursor_down if by > 0 else steps.action_cursor_up)()
