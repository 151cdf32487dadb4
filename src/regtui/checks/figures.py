"""Figures that a check tells: in a file that it writes, or in lines that it prints.

A line is `regtui:figure NAME=VALUE`; the file is a JSON object of numbers by name, in which `NaN`
and `Infinity` may stand as Python writes them. Where there is a file the lines don't count.
"""

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from regtui.core import encoding

Figures = dict[str, float | str]
"""Figure by name; NaN and infinities as tagged strings."""

MARK = b"regtui:figure "

COUNT_LIMIT = 1_000
NAME_LIMIT = 100
_FILE_LIMIT = 1 << 20
_LINE_LIMIT = 1024


class Told(Struct, frozen=True):
    """Figures, and a sentence for each thing that is none."""

    figures: Figures
    problems: list[str]


class FigureLines:
    """Finds figures in what is printed, however it is cut into pieces."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: dict[str, str] = {}

    def add(self, data: bytes) -> None:
        """Take what was printed next."""
        data = self._rest + data
        whole, newline, rest = data.rpartition(b"\n")
        self._rest = rest[:_LINE_LIMIT]
        if newline and MARK in whole:
            for line in whole.splitlines():
                self._take(line)

    def told(self) -> Told:
        """Return the figures."""
        self._take(self._rest)
        return figures_of(self._lines)

    def _take(self, line: bytes) -> None:
        line = line.strip()
        if line.startswith(MARK) and len(self._lines) <= COUNT_LIMIT and len(line) < _LINE_LIMIT:
            name, _, value = line[len(MARK) :].decode("utf-8", "replace").partition("=")
            self._lines[name.strip()] = value.strip()


def read_figures(path: Path) -> Told | None:
    """Return what a file of figures tells; None where there is none."""
    try:
        data = _content(path)
        return figures_of(_object(data)) if data.strip() else None
    except FileNotFoundError:
        return None
    except OSError as error:
        return Told({}, [f"the file of figures can't be read: {error.strerror}"])
    except _NoFigures as error:
        return Told({}, [str(error)])


class _NoFigures(Exception):
    """What stands there can't be a file of figures."""


def _content(path: Path) -> bytes:
    """Read a file; what a check leaves may be a pipe without a writer, or a link to anything."""
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise _NoFigures("the file of figures is no file")
    with os.fdopen(opened, "rb") as file:
        data = file.read(_FILE_LIMIT + 1)
    if len(data) > _FILE_LIMIT:
        raise _NoFigures(f"the file of figures has more than {_FILE_LIMIT:,} bytes")
    return data


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _NoFigures(f"the file of figures is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise _NoFigures("the file of figures is no JSON object")
    return found


def _finite(text: str) -> float | str:
    """Return a number, or its text where it is larger than any that can be kept."""
    number = float(text)
    return text if math.isinf(number) else number


def figures_of(values: Mapping[str, Any]) -> Told:
    """Return those of some values that are figures, and what is wrong with the others."""
    figures: Figures = {}
    problems: list[str] = []
    for name, value in values.items():
        number = _number(value)
        if len(figures) == COUNT_LIMIT:
            problems.append(f"only {COUNT_LIMIT:,} figures are kept")
            break
        if not name or len(name) > NAME_LIMIT or not name.isprintable():
            problems.append(f"the figure {name[:NAME_LIMIT]!r} has no name that can be kept")
        elif number is None:
            problems.append(f"the figure {name!r} is no number: {str(value)[:NAME_LIMIT]!r}")
        else:
            figures[name] = encoding.tag_float(number)
    return Told(figures, problems)


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    is_written = isinstance(value, str) and any(one.isdigit() for one in value)
    return None if is_written and math.isinf(number) else number  # such as 1e999
