"""The choice of columns: which, and in what order."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from regtui.tui.acting import Acting
from regtui.tui.actions import bindings
from regtui.tui.key_names import key_of
from regtui.tui.signs import signs
from regtui.tui.widgets.action_footer import ActionFooter
from regtui.tui.widgets.virtual_table import Column, VirtualTable

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


class Choosable(Struct, frozen=True):
    """A row: one column, and whether it is chosen."""

    key: str
    title: str
    is_chosen: bool


class ChoiceTable(VirtualTable[Choosable]):
    """The columns there are."""


class ColumnsChooser(Acting, ModalScreen[list[str] | None]):
    """Asks for columns in an order; None where the person went back.

    Args:
        titles: What each is called, by key.
        chosen: Keys of those that are shown, in their order.
        default: Keys of those that are shown at first.
    """

    SCOPES = ("picker",)
    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [("escape", "leave", "Back"), *bindings("picker")]

    def __init__(
        self, titles: Mapping[str, str], chosen: Sequence[str], default: Sequence[str]
    ) -> None:
        super().__init__()
        self._titles = dict(titles)
        self._default = list(default)
        self._rows = self._ordered(chosen)

    def compose(self) -> ComposeResult:
        """Compose the list."""
        with Vertical(classes="prompt") as box:
            box.border_title = Text("Columns")
            takes = key_of(cast("RegtuiApp", self.app), "table.open")
            box.border_subtitle = f"{takes} takes them, esc goes back"
            yield ChoiceTable(COLUMNS, row_id=lambda row: row.key, id="columns")
        yield ActionFooter()

    def on_mount(self) -> None:
        """Show what there is."""
        self._show(0)
        self.table.focus()

    @property
    def table(self) -> ChoiceTable:
        """The list."""
        return self.query_one(ChoiceTable)

    @property
    def chosen(self) -> list[str]:
        """Keys of what is chosen, in its order."""
        return [row.key for row in self._rows if row.is_chosen]

    def do_toggle(self) -> None:
        """Choose the column, or leave it out."""
        at = self.table.cursor
        row = self._rows[at]
        self._rows[at] = Choosable(row.key, row.title, not row.is_chosen)
        self._show(min(at + 1, len(self._rows) - 1))

    def do_earlier(self) -> None:
        """Move the column to the left."""
        self._move(-1)

    def do_later(self) -> None:
        """Move the column to the right."""
        self._move(1)

    def do_default(self) -> None:
        """Choose what is chosen at first."""
        self._rows = self._ordered(self._default)
        self._show(0)

    def do_take(self) -> None:
        """Take what is chosen."""
        if not self.chosen:
            self.notify("choose one column at least", severity="warning")
            return
        self.dismiss(self.chosen)

    def action_leave(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)

    @on(VirtualTable.Opened, "#columns")
    def _opened(self) -> None:
        self.do_take()

    def _ordered(self, chosen: Sequence[str]) -> list[Choosable]:
        """Return the chosen columns in their order, and then the others."""
        titles = self._titles | {key: key for key in chosen if key not in self._titles}
        rows = [Choosable(key, titles[key], is_chosen=True) for key in dict.fromkeys(chosen)]
        return rows + [
            Choosable(key, title, is_chosen=False)
            for key, title in titles.items()
            if key not in set(chosen)
        ]

    def _move(self, by: int) -> None:
        at = self.table.cursor
        to = at + by
        if 0 <= to < len(self._rows):
            self._rows[at], self._rows[to] = self._rows[to], self._rows[at]
            self._show(to)

    def _show(self, cursor: int) -> None:
        self.table.show_rows(self._rows, cursor=cursor)


COLUMNS = (
    Column("chosen", "", 1, lambda row: (signs().passed, "success") if row.is_chosen else " "),
    Column("title", "Column", 20, lambda row: row.title, stretch=1),
    Column("key", "in config.toml", 24, lambda row: (row.key, "dim")),
)
