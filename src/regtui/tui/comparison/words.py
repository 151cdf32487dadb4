"""Words: what a cell of the comparison says, in full and without a sign."""

from collections.abc import Sequence

from regtui.tui.comparison.content import Verdict
from regtui.tui.comparison.rows import Cell, Row

WORDS: dict[Verdict, str] = {
    "": "",
    "same": "the same",
    "better": "better",
    "worse": "worse",
    "changed": "changed",
    "added": "added",
    "removed": "not there",
    "moved": "moved",
    "unknown": "not compared",
}
"""What a verdict says."""

SIGNS = {
    "+": "added", "~": "changed", "-": "removed",
    ">": "moved", "?": "not compared", "=": "the same",
}  # fmt: skip
"""What the counts of a heading say."""


def judged(cell: Cell) -> str:
    """Return what a cell is to the baseline's, and by how much; empty where it isn't judged."""
    parts = [WORDS[cell.verdict], cell.change, cell.more]
    if cell.is_best:
        parts.append("best")
    return ", ".join(part for part in parts if part)


def explained(row: Row, column: int, baseline: int, titles: Sequence[str]) -> list[str]:
    """Return a row in words: what one column has, what the baseline has.

    Args:
        row: The row.
        column: The column to tell of.
        baseline: The column that it is compared with.
        titles: What the columns are called.
    """
    if row.is_heading:
        return [_counted(row, place, title) for place, title in enumerate(titles)
                if place != baseline and row.cells[place].text]  # fmt: skip
    name = f"{row.section}  {row.name}"
    if row.direction:
        name += "  (less is better)" if row.direction == "min" else "  (more is better)"
    told = [name, _told(row.cells[column], titles[column])]
    if column != baseline:
        told.append(_told(row.cells[baseline], f"{titles[baseline]}, the baseline"))
    return told


def _told(cell: Cell, title: str) -> str:
    said = judged(cell)
    value = cell.text or ("as in the baseline" if cell.verdict == "same" else "nothing")
    return f"{title}: {value}" + (f"  ({said})" if said and cell.text else "")


def _counted(row: Row, place: int, title: str) -> str:
    parts = row.cells[place].text.split(" ")
    known = [f"{part[1:]} {SIGNS[part[0]]}" for part in parts if part[:1] in SIGNS and part[1:]]
    return f"{title}: {', '.join(known) or row.cells[place].text}"
