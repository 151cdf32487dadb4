"""The table of a comparison: a column for each version, and a column that is looked at.

The names stay on the left when one scrolls sideways. The column that is looked at is the one whose
heading is reversed; it is always in sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from textual import events
from textual.message import Message

from regtui.tui.comparison.content import Verdict
from regtui.tui.comparison.rows import Cell, Row
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

NAME_WIDTH = 20
WIDTH = 17

STYLES: dict[Verdict, str] = {
    "": "",
    "same": "dim",
    "better": "success",
    "worse": "error",
    "changed": "warning",
    "added": "success",
    "removed": "error",
    "moved": "accent",
    "unknown": "dim",
}


class CompareTable(VirtualTable[Row]):
    """Rows of values, columns of versions."""

    @dataclass
    class ColumnChosen(Message):
        """Another column is looked at."""

        column: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(row_id=lambda row: row.id, id=id)
        self.fixed = 1
        self.column = 0
        """The column that is looked at, from 0."""
        self._titles: list[str] = []
        self._corner = ""

    def show_titles(self, corner: str, titles: Sequence[str], column: int) -> None:
        """Show columns under these headings.

        Args:
            corner: The heading of the names.
            titles: One a version.
            column: The one to look at.
        """
        self._corner, self._titles = corner, list(titles)
        self.column = min(max(column, 0), max(len(titles) - 1, 0))
        self._show_columns()

    def choose_column(self, column: int) -> None:
        """Look at another column."""
        column = min(max(column, 0), len(self._titles) - 1)
        if column == self.column or column < 0:
            return
        self.column = column
        self._show_columns()
        self._bring_into_sight()
        self.post_message(self.ColumnChosen(column))

    def do_left(self) -> None:
        """Look at the column on the left."""
        self.choose_column(self.column - 1)

    def do_right(self) -> None:
        """Look at the column on the right."""
        self.choose_column(self.column + 1)

    def on_click(self, event: events.Click) -> None:
        """Look at the column that was clicked on."""
        found = self.column_at(event.x - self.gutter.left)
        if found is not None and found.key.isdigit():
            self.choose_column(int(found.key))

    def _show_columns(self) -> None:
        versions = [
            Column(
                str(place),
                title,
                WIDTH,
                partial(_cell, place=place),
                stretch=1,
                title_style="accent" if place == self.column else "",
            )
            for place, title in enumerate(self._titles)
        ]
        self.show_columns([Column("name", self._corner, NAME_WIDTH, _name, stretch=1), *versions])

    def _bring_into_sight(self) -> None:
        place = self.column + self.fixed
        start = self.cells_before(place) - self.held
        end = self.cells_before(place + 1) - self.held
        room = self.scrollable_content_region.width - self.held
        left = round(self.scroll_x)
        if start < left or end - start > room:
            self.scroll_to(x=start, animate=False, force=True)
        elif end > left + room:
            self.scroll_to(x=end - room, animate=False, force=True)


def _name(row: Row) -> Painted:
    if row.is_heading:
        return row.section.upper(), "primary"
    arrow = {"max": signs().ascending, "min": signs().descending}.get(row.direction, "")
    return f"  {row.name} {arrow}"


def _cell(row: Row, *, place: int) -> Painted:
    cell = row.cells[place]
    if row.is_heading:
        return f"  {cell.text}", "dim"
    if row.section == "version":  # nothing is judged, so there is no sign
        return cell.text, STYLES[cell.verdict]
    star = signs().best if cell.is_best else " "
    text = f"{_sign(cell)}{star}{cell.brief or cell.text} {cell.change}".rstrip()
    return text, STYLES[cell.verdict]


def _sign(cell: Cell) -> str:
    known = signs()
    if cell.verdict == "same" and cell.text:
        return " "
    return {
        "": " ",
        "same": known.same,
        "better": known.up,
        "worse": known.down,
        "changed": "~",
        "added": "+",
        "removed": "-",
        "moved": ">",
        "unknown": known.unknown,
    }[cell.verdict]
