"""Help: what can be done on a screen, by the keys that do it here.

It comes from the table of actions and the keys that the person chose, so it tells no key that does
not work. Where the focus is comes first, then the other panes of the screen, then the app.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from regtui.tui.acting import Acting
from regtui.tui.actions import SCOPES, Action, of_scope
from regtui.tui.key_names import all_keys_of

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from regtui.tui.app import RegtuiApp

HARMS = {"none": "", "undoable": "undo takes it back", "lasting": "stays done"}
"""What is said of the harm of an action."""


class HelpLine(Struct, frozen=True):
    """One action.

    Attributes:
        action: What is done.
        keys: How the keys are spelled.
    """

    action: Action
    keys: str

    @property
    def beside(self) -> str:
        """What is said beside its sentence: the command that does the same, and its harm."""
        command = f"$ regtui {self.action.command}" if self.action.command else ""
        return ", ".join(part for part in (command, HARMS[self.action.harm]) if part)

    def matches(self, words: Iterable[str]) -> bool:
        """Tell whether all words stand in what it shows."""
        shown = f"{self.keys} {self.action.text} {self.action.help} {self.beside}".lower()
        return all(word in shown for word in words)


def scopes_of(screen: Screen[object]) -> list[str]:
    """Return the scopes that apply on a screen, the narrowest first."""
    start: DOMNode = screen.focused or screen
    beside = (node for node in screen.query("*") if node.display)
    nodes = [*start.ancestors_with_self, *beside, screen.app]
    found = [scope for node in nodes if isinstance(node, Acting) for scope in node.SCOPES]
    everywhere = [scope for scope in found if scope == "app"][:1]
    return [*dict.fromkeys(scope for scope in found if scope != "app"), *everywhere]


def sections(
    scopes: Sequence[str], keys: Mapping[str, str], typed: str = ""
) -> list[tuple[str, list[HelpLine]]]:
    """Return the actions of scopes, a title for each scope that has some.

    Args:
        scopes: In their order.
        keys: How the keys of each action are spelled, by its id.
        typed: Only what has these words.
    """
    words = typed.lower().split()
    found = []
    for scope in scopes:
        lines = [HelpLine(action, keys[action.id]) for action in of_scope(scope)]
        kept = [line for line in lines if line.matches(words)]
        if kept:
            found.append((SCOPES[scope], kept))
    return found


class HelpScreen(ModalScreen[None]):
    """The actions of a screen; typing narrows them down.

    Args:
        screen: The screen to tell of.
    """

    CSS_PATH = "../styles/help.tcss"
    BINDINGS = [
        Binding("escape,f1", "close", "Back"),
        Binding("down,ctrl+n", "scroll(1)", "Down", priority=True),
        Binding("up,ctrl+p", "scroll(-1)", "Up", priority=True),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", priority=True),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", priority=True),
        Binding("ctrl+home", "end(-1)", "Top", priority=True),
        Binding("ctrl+end", "end(1)", "Bottom", priority=True),
    ]

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        self._scopes = scopes_of(screen)

    def compose(self) -> ComposeResult:
        """Compose the line to type in and the list."""
        with Vertical(id="help") as box:
            box.border_title = Text("What can be done here")
            box.border_subtitle = "type to narrow down, esc goes back"
            yield Input(placeholder="a word, or a key")
            with VerticalScroll(can_focus=False):
                yield Static("", id="help-lines", markup=False)

    def on_mount(self) -> None:
        """Show everything."""
        self._show("")

    @property
    def _list(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)
        self._list.scroll_home(animate=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(None)

    def _show(self, typed: str) -> None:
        app = cast("RegtuiApp", self.app)
        spelled = {
            action.id: all_keys_of(app, action)
            for scope in self._scopes
            for action in of_scope(scope)
        }
        found = sections(self._scopes, spelled, typed)
        shown = self.query_one("#help-lines", Static)
        shown.update(_painted(found) if found else Text(f"nothing has {typed!r}", "dim"))

    def action_scroll(self, by: int) -> None:
        """Scroll by lines."""
        self._list.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        """Scroll by half of what is seen."""
        self._list.scroll_relative(y=by * max(self._list.size.height // 2, 1), animate=False)

    def action_end(self, to: int) -> None:
        """Scroll to the first or last line."""
        (self._list.scroll_home if to < 0 else self._list.scroll_end)(animate=False)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)


def _painted(found: Sequence[tuple[str, Sequence[HelpLine]]]) -> Group:
    parts: list[Text | Padding] = []
    for title, lines in found:
        parts.append(Text(title, "bold underline"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=12)
        grid.add_column(width=11)
        grid.add_column(ratio=1)
        grid.expand = True
        for line in lines:
            told = Text(line.action.help)
            if line.beside:
                told.append(f"  {line.beside}", "dim")
            grid.add_row(Text(line.keys, "bold"), line.action.text, told)
        parts.append(Padding(grid, (0, 0, 1, 1)))
    return Group(*parts)
