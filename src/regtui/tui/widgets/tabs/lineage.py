"""Lineage: what the version was made from, and what was made from it."""

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.lineage import lineage
from regtui.tui.lineage_rows import Row, lineage_rows
from regtui.tui.signs import signs
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import TableTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

UP, DOWN = 6, 2
"""Steps that are shown: a chain of training is long and narrow, what is made from one is wide."""

MOST = 500
"""Versions that are shown in either direction."""

LONGEST = 300
"""Cells of an address that can be scrolled to."""


class LineageTab(TableTab):
    """A tree of versions and datasets; opening a version goes there."""

    NAME = "lineage"

    _shown = ""

    def compose(self) -> ComposeResult:
        """Compose the table."""
        yield VirtualTable[Row](row_id=lambda row: row.key)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version."""
        rows = await self.read(lambda registry: _look(registry, version))
        width = max((cell_len(row.text) + 2 * row.depth + 2 for row in rows), default=8)
        note = max((cell_len(row.note) for row in rows), default=8)
        self.table.empty = "nothing is known of where it came from, or what was made from it"
        self.table.show_columns(
            [
                Column("version", "Made from, used to make", max(width, 24), _text),
                Column("note", "", min(max(note, 8), LONGEST), lambda row: (row.note, "dim")),
            ]
        )
        show_again(self.table, rows, lambda row: row.key, stay=self._shown == version.id)
        self._shown = version.id

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._shown = ""
        super().clear(note)

    @on(VirtualTable.Opened)
    async def _open(self, event: VirtualTable.Opened) -> None:
        row: Row = event.row
        if row.reference is not None:
            await self.regtui.go_to(row.reference)
        elif row.address:
            self.app.copy_to_clipboard(row.address)
            self.app.notify(f"copied {row.address}", timeout=4, markup=False)


def _look(registry: Registry, version: VersionAnswer) -> list[Row]:
    context, reference = registry.context, exact(version)
    return lineage_rows(
        lineage(context, reference, down=False, depth=UP, most=MOST),
        lineage(context, reference, up=False, depth=DOWN, most=MOST),
    )


def _text(row: Row) -> Painted:
    lead = f"{signs().closed if row.reference is not None else ' '} "
    return "  " * row.depth + lead + row.text, row.style
