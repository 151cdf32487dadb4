"""A report: lines to read, such as what is damaged."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from regtui.tui.safe_text import safe

SHOWN = 1_000
"""Lines that are shown; the command tells them all."""


class Report(ModalScreen[None]):
    """Shows lines.

    Args:
        title: What they tell.
        lines: One each.
    """

    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [("escape,enter,q", "close", "Back")]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)

    def compose(self) -> ComposeResult:
        """Compose the lines."""
        left = len(self._lines) - SHOWN
        lines = [*self._lines[:SHOWN], *([f"and {left:,} more"] if left > 0 else [])]
        with Vertical(classes="prompt -report") as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "enter or esc goes back"
            with VerticalScroll():
                yield Static(Text(safe("\n".join(lines))))

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
