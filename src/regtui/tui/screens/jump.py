"""Jumping: a letter on every pane, and the focus goes to the one that is typed."""

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual import events
    from textual.widget import Widget

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Letters in the order in which they are given: those under the fingers first."""


class JumpScreen(ModalScreen[None]):
    """Letters over the panes of a screen; `esc` goes back, and any other key does nothing.

    Args:
        screen: The screen whose panes are marked.
    """

    CSS_PATH = "../styles/jump.tcss"
    BINDINGS = [("escape,ctrl+o", "close", "Back")]

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        panes = [pane for pane in screen.focus_chain if pane.region.area]
        self.panes: dict[str, Widget] = dict(zip(LETTERS, panes, strict=False))
        """What each letter means."""

    def compose(self) -> ComposeResult:
        """Compose a letter over the upper left corner of each pane."""
        for letter, pane in self.panes.items():
            sign = Static(Text(f" {letter} "), classes="jump--letter")
            sign.styles.offset = (pane.region.x, pane.region.y)
            yield sign

    def on_key(self, event: "events.Key") -> None:
        """Go to the pane of a letter."""
        pane = self.panes.get((event.character or "").lower())
        if pane is not None:
            event.stop()
            self.dismiss(None)
            pane.focus()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
