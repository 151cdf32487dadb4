"""Output: one JSON document for scripts, aligned text for people."""

import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

from regtui.cli.settings import SETTINGS

GAP = "  "

CONTESTED = "??"
"""What stands after an alias whose conflict is open."""

KEPT = "\n\t\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""What people's texts hold and `str.isprintable` denies."""


def emit(answer: Any) -> None:
    """Print one JSON document on standard output."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(answer, enc_hook=str).decode() + "\n")


def say(line: str) -> None:
    """Tell a person what was done; scripts and `--quiet` hear nothing."""
    if not SETTINGS.quiet and not SETTINGS.json:
        sys.stdout.write(printable(line, keep=KEPT) + "\n")


def warn(line: str) -> None:
    """Tell a person something on standard error."""
    if not SETTINGS.quiet:
        sys.stderr.write(f"regtui: {printable(line)}\n")


def printable(text: str, *, keep: str = "") -> str:
    """Return a text that can't steer a terminal or break a line, whatever a name or value holds.

    Args:
        text: What to print.
        keep: Characters to leave as they are though they are not printable.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)
    encoding = sys.stdout.encoding or "utf-8"
    return kept.encode(encoding, "backslashreplace").decode(encoding)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> str:
    """Return rows as aligned columns.

    Args:
        headings: One a column.
        rows: Cells of one line each.
        right: The headings of columns that align right, separated by spaces.
    """
    cells = [[_one_line(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(headings))]
    _fit(cells, widths)
    aligned = set(right.split())
    return "\n".join(
        GAP.join(
            _pad(cell, width, right=heading in aligned)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        ).rstrip()
        for row in cells
    )


def _fit(cells: list[list[str]], widths: list[int]) -> None:
    """Shorten the widest columns until a line fits the terminal; a pipe gets everything."""
    if not sys.stdout.isatty():
        return
    import shutil

    room = shutil.get_terminal_size().columns - len(GAP) * (len(widths) - 1)
    # The first column names the thing; it stays whole, to be copied.
    while sum(widths) > room and max(widths[1:], default=0) > 4:  # noqa: PLR2004 -- still readable
        widths[widths.index(max(widths[1:]), 1)] -= 1
    for row in cells:
        for index, width in enumerate(widths):
            row[index] = _cut(row[index], width)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _one_line(text: str) -> str:
    kept = "".join(c if c.isprintable() else " " for c in text)
    return kept.encode(sys.stdout.encoding or "utf-8", "replace").decode(
        sys.stdout.encoding or "utf-8"
    )


def _width(text: str) -> int:
    return sum(_columns(char) for char in text) if not text.isascii() else len(text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
