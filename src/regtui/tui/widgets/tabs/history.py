"""History: what was done to the version, newest first; more comes as one goes on."""

from textual import on
from textual.app import ComposeResult

from regtui.core.errors import RegtuiError
from regtui.registry.answers import VersionAnswer
from regtui.registry.figures import age_text
from regtui.registry.history import LIMIT, OperationAnswer, OperationPage
from regtui.tui.background import start
from regtui.tui.reader import Superseded
from regtui.tui.safe_text import one_line
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import TableTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

AT_ONCE = 100
"""Operations that are read at once."""

AHEAD = 20
"""Rows before the end at which more is read."""


class HistoryTab(TableTab):
    """A table of operations."""

    NAME = "history"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._version: VersionAnswer | None = None
        self._rows: list[OperationAnswer] = []
        self._next: str | None = None
        self._is_reading = False

    def compose(self) -> ComposeResult:
        """Compose the table."""
        yield VirtualTable[OperationAnswer](COLUMNS, row_id=lambda row: row.id)

    def on_mount(self) -> None:
        """Follow how far one scrolled."""
        self.watch(self.table, "scroll_y", self._go_on, init=False)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version; of the same one, as many operations as before."""
        is_same = self._version is not None and self._version.id == version.id
        many = min(max(len(self._rows), AT_ONCE), LIMIT) if is_same else AT_ONCE
        page = await self._page(version, many)
        self._version, self._rows, self._next = version, list(page.operations), page.next
        self.table.empty = "nothing was done to it yet"
        show_again(self.table, self._rows, lambda row: row.id, stay=is_same)

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._version, self._rows, self._next = None, [], None
        super().clear(note)

    @on(VirtualTable.Highlighted)
    def _go_on(self) -> None:
        last = max(self.table.cursor, round(self.table.scroll_y) + self.table.lines)
        if self._next is not None and not self._is_reading and last + AHEAD >= len(self._rows):
            self._is_reading = True
            start(self, self._read_on, group="more", together=True)

    async def _read_on(self) -> None:
        version, after, rows = self._version, self._next, self._rows
        try:
            if version is None or after is None:
                return
            page = await self._page(version, AT_ONCE, after)
            if self._rows is rows:
                self._rows = [*rows, *page.operations]
                self._next = page.next
                show_again(self.table, self._rows, lambda row: row.id)
        except Superseded:
            return
        except RegtuiError as error:
            self.regtui.show_error(error, quiet=True)
        finally:
            self._is_reading = False

    async def _page(
        self, version: VersionAnswer, many: int, after: str | None = None
    ) -> OperationPage:
        return await self.read(
            lambda registry: registry.log(exact(version), limit=many, after=after),
            lane="more" if after else "",
        )


def _what(row: OperationAnswer) -> Painted:
    if row.undone_by is not None:
        return f"undone: {one_line(row.summary)}", "dim"
    return one_line(row.summary), ""


COLUMNS = (
    Column("age", "Age", 4, lambda row: (age_text(row.time), "dim"), "right"),
    Column("who", "Who", 8, lambda row: one_line(row.actor)),
    Column("what", "What", 24, _what, stretch=1),
    Column("via", "By", 7, lambda row: (row.via, "dim")),
    Column("seq", "#", 7, lambda row: (str(row.seq), "dim"), "right"),
)
