"""Markdown: the comparison as a file that others can read, a table for each section.

What a person typed (names, values, paths) is escaped: it shows as it is and forms no markup.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from regtui.tui.comparison.rows import Cell, Row
from regtui.tui.comparison.words import WORDS

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&$!])")


def markdown(rows: Iterable[Row], references: Sequence[str], baseline: int) -> str:
    """Return the comparison as Markdown.

    Args:
        rows: Those that are shown.
        references: Of the versions, one a column.
        baseline: The column that the others are compared with.
    """
    others = [_escaped(name) for place, name in enumerate(references) if place != baseline]
    lines = [f"# {_escaped(references[baseline])} compared with {', '.join(others)}"]
    for section, group in groupby(rows, key=lambda row: row.section):
        lines += ["", f"## {section.capitalize()}", ""]
        lines += _table(list(group), references, baseline)
    return "\n".join(lines) + "\n"


def file_name(references: Sequence[str]) -> str:
    """Return a name for the file, of the first version and the numbers of the others."""
    model = references[0].partition("@")[0].rpartition("/")[2].strip(":")
    numbers = [name.partition("@")[2] or name.strip(":") for name in references]
    return "-".join(["compare", model, *numbers]) + ".md"


def _table(rows: Sequence[Row], references: Sequence[str], baseline: int) -> Iterator[str]:
    heads = [
        _escaped(name) + (" (baseline)" if place == baseline else "")
        for place, name in enumerate(references)
    ]
    yield _line(["", *heads])
    yield _line(["---"] * (len(heads) + 1))
    known: dict[int, str] = {}  # of a hundred thousand rows, most cells are the same few
    for row in rows:
        if row.is_heading:
            if any(cell.text for cell in row.cells):
                yield _line(["*in all*", *(_escaped(cell.text) for cell in row.cells)])
            continue
        for cell in row.cells:
            if id(cell) not in known:
                known[id(cell)] = _cell(cell)
        shown = [known[id(cell)] for cell in row.cells]
        yield _line([_escaped(row.name) + _direction(row), *shown])


def _cell(cell: Cell) -> str:
    said = [WORDS[cell.verdict] if cell.verdict != "same" or not cell.text else ""]
    said += [cell.change, cell.more]
    text = _escaped(cell.text)
    if cell.is_best:
        text = f"**{text}** best"
    beside = ", ".join(_escaped(part) for part in said if part)
    return f"{text} ({beside})" if text and beside else text or beside


def _direction(row: Row) -> str:
    return {"min": " (less is better)", "max": " (more is better)"}.get(row.direction, "")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
