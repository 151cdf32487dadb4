"""Tables of metrics: CSV and its like, and rows of JSON.

One column counts the steps (the first of `STEPS` that is there, else rows are counted from 0), one
may tell the time; every other column that holds numbers is a metric. A cell that is empty or no
number is no point. A last line without its end may still be being written and is left out.
"""

import csv
import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from regtui.capture.findings import CURVES_LIMIT
from regtui.capture.readers.numbers_in import number, step
from regtui.capture.readers.points import Points
from regtui.capture.readers.source_text import lines
from regtui.formats.cursor import Malformed
from regtui.formats.values import Source

STEPS: Final = (
    "step", "steps", "global_step", "trainer/global_step", "iteration", "iter", "round", "epoch",
)  # fmt: skip
TIMES: Final = ("wall_time", "timestamp", "_timestamp")
_MICROSECONDS: Final = 1_000_000
_LATEST: Final = 1 << 43
"""Seconds; a time beyond it is none."""

Row = Mapping[str, Any]


class Columns(Struct, frozen=True):
    """What the columns of a table mean.

    Attributes:
        steps: Names of the column that counts steps, the first that is there does.
        times: Names of the column that tells the time.
        others: Names of columns that are no metrics.
        shift: Added to the steps, where rows count from 0 and states from 1.
    """

    steps: Sequence[str] = STEPS
    times: Sequence[str] = TIMES
    others: Sequence[str] = ()
    shift: int = 0


def csv_rows(source: Source, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Yield the rows of a table with a header, cells by name; an empty cell may be missing.

    Raises:
        Malformed: A line can't be read, or there is more than can be read.
        OSError: The file could not be read.
    """
    reader = csv.reader(_whole(lines(source)), delimiter=delimiter, skipinitialspace=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(header) > CURVES_LIMIT:
            raise Malformed(f"it has {len(header):,} columns, more than can be read")
        for cells in reader:
            yield {name: cell for name, cell in zip(header, cells, strict=False) if name}
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num} can't be read: {error}") from None


def collect(rows: Iterable[Row], points: Points, columns: Columns, prefix: str = "") -> str | None:
    """Add the numbers of rows to curves, each named for its column behind `prefix`.

    Returns:
        The name of the column that counts the steps, in small letters; None where none does.
    """
    meant = _Meaning.of({}, columns)
    known: Row | None = None
    for index, row in enumerate(rows):
        if known is None or row.keys() != known.keys():
            meant, known = _Meaning.of(row, columns, meant.steps), row
        at = index if meant.steps is None else step(row.get(meant.steps))
        if at is None:
            continue
        time = None if meant.times is None else moment(row[meant.times])
        for name in meant.metrics:
            value = number(row[name])
            if value is not None:
                points.add(prefix + name, at + columns.shift, value, time)
    return None if meant.steps is None else _plain(meant.steps)


class _Meaning(Struct, frozen=True):
    """The names of the columns of each kind, as the table writes them."""

    steps: str | None
    times: str | None
    metrics: tuple[str, ...]

    @classmethod
    def of(cls, row: Row, columns: Columns, steps: str | None = None) -> "_Meaning":
        """Tell the columns of a row; the column that counted steps so far still does."""
        plain = {_plain(name): name for name in row}
        steps = steps or next((plain[name] for name in columns.steps if name in plain), None)
        times = next((plain[name] for name in columns.times if name in plain), None)
        others = {steps, times, *(plain.get(_plain(name)) for name in columns.others)}
        return cls(steps, times, tuple(name for name in plain.values() if name not in others))


def moment(value: Any) -> int | None:
    """Return the microseconds of seconds since the epoch, or of a date in ISO 8601."""
    seconds = number(value)
    if seconds is None and isinstance(value, str):
        try:
            found = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        seconds = found.replace(tzinfo=found.tzinfo or datetime.UTC).timestamp()
    if seconds is None or not 0 <= seconds < _LATEST:
        return None
    return round(seconds * _MICROSECONDS)


def _whole(found: Iterator[str]) -> Iterator[str]:
    """Pass on lines that have their end."""
    return (line for line in found if line.endswith(("\n", "\r")))


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
