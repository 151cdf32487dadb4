"""The list of operations."""

from regtui.registry.figures import age_text
from regtui.tui.activity_feed import FeedRow
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable


class ActivityTable(VirtualTable[FeedRow]):
    """Operations, newest first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(COLUMNS, row_id=lambda row: str(row.seq), empty="reading …", id=id)

    def take(self, number: int, rows: list[FeedRow], total: int) -> None:
        """Take in a page, and how many rows there are as far as is known by now."""
        if total == self.total:
            self.put_page(number, rows)
        else:
            self.show(total, {**self._pages, number: rows}, cursor=self.cursor)


def _intent(row: FeedRow) -> Painted:
    if row.place == "alone":
        return ""
    return signs().intent[("first", "middle", "last").index(row.place)], "primary"


def _seq(row: FeedRow) -> Painted:
    return f"#{row.seq}", "dim"


def _who(row: FeedRow) -> Painted:
    return "" if row.operation is None else row.operation.actor


def _age(row: FeedRow) -> Painted:
    return ("" if row.operation is None else age_text(row.operation.time)), "dim"


def _via(row: FeedRow) -> Painted:
    return ("" if row.operation is None else row.operation.via), "dim"


def _what(row: FeedRow) -> Painted:
    operation = row.operation
    if operation is None:
        return "not in this registry", "dim"
    if operation.undone_by is not None:
        return f"(undone) {operation.summary}", "dim"
    return operation.summary


COLUMNS = (
    Column("intent", "", 1, _intent),
    Column("seq", "Seq", 7, _seq, "right"),
    Column("who", "Who", 9, _who),
    Column("age", "Age", 4, _age, "right"),
    Column("via", "Via", 7, _via),
    Column("what", "What", 24, _what, stretch=1),
)
