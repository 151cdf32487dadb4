"""What `regtui-server` prints: one JSON document for scripts, lines for people."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec


def emit(answer: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")


def say(line: str) -> None:
    """Print a line for a person on standard output."""
    sys.stdout.write(printable(line) + "\n")


def warn(line: str) -> None:
    """Tell a person something on standard error."""
    sys.stderr.write(f"regtui-server: {printable(line)}\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns."""
    cells = [[printable(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(headings))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


def printable(text: str) -> str:
    """Return a text that can't steer a terminal or break a line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def day(microseconds: int | None, absent: str = "never") -> str:
    """Return a time as people read it, in UTC."""
    if microseconds is None:
        return absent
    return f"{datetime.fromtimestamp(microseconds / 1e6, UTC):%Y-%m-%d %H:%M}"
