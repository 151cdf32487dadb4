"""Series: the course of a metric over the steps of a run.

A version's field `series` holds under `<run>/<tag>` the digest of a text in `base.text`: canonical
JSON `{"steps": [...], "times": [...] or null, "values": [...]}`, three lists of one length.

- `steps` are integers that increase; where a run wrote a step twice, as it does when it starts
  again from a checkpoint, the later value counts.
- `values` are numbers, or the strings `"NaN"`, `"Infinity"`, `"-Infinity"`.
- `times` are microseconds since the epoch.
- `<run>` is the run's name with `%` and `/` written as `%25` and `%2F`; empty where there is none.
  `<tag>` is the metric's name as it is, which may hold a `/`.

Texts are found by digest and never change, so the same curve is kept once.
"""

import csv
import datetime
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.errors import BadInput
from regtui.registry.context import Context
from regtui.registry.edit import submit_edit
from regtui.registry.references import find_version
from regtui.replica.database import Connection
from regtui.replica.texts import keep

BYTES_LIMIT = 4 << 20
"""Bytes of one series as text: some 150,000 points."""

STEPS = ("step", "steps", "global_step", "iteration", "epoch")
"""Columns that count the steps; the first of them that is there does."""

TIMES = ("wall_time", "timestamp")
"""Columns that hold seconds since the epoch, or ISO 8601."""

Row = tuple[int, dict[str, Any]]
"""Number of a line, and value by column."""


class Series(Struct, frozen=True):
    """The values of one metric.

    Attributes:
        steps: Increasing.
        values: One a step.
        times: Microseconds since the epoch, one a step; None where they are not known.
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]
    times: tuple[int, ...] | None = None


class _Text(Struct, frozen=True):
    steps: list[int]
    values: list[float | str]
    times: list[int] | None = None


def parse_series(text: str) -> dict[str, Series]:
    """Return the series of a CSV text with a header, or of JSON lines, by metric.

    Steps stand in a column of `STEPS`, else lines are counted from 0. Empty cells are no points,
    and columns without any number are no metrics.

    Raises:
        BadInput: The text is malformed, or holds no metric; the line is named.
    """
    rows = list(_json_rows(text) if text.lstrip()[:1] == "{" else _csv_rows(text))
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    counting = next((n for wanted in STEPS for n in names if _plain(n) == wanted), None)
    timing = next((n for wanted in TIMES for n in names if _plain(n) == wanted), None)
    moments = [
        (
            _step(number, index, row, counting),
            None if timing is None else _time(number, row, timing),
        )
        for index, (number, row) in enumerate(rows)
    ]
    found: dict[str, Series] = {}
    for name in names:
        if name not in {counting, timing}:
            points = _points(name, rows, moments)
            if points:
                found[name] = _series(points)
    if not found:
        raise BadInput("the series holds no metric", "give a header such as step,loss and numbers")
    return found


def encode_series(series: Series) -> str:
    """Return the canonical text of a series.

    Raises:
        BadInput: It is too long to be kept.
    """
    text = encoding.encode(
        {
            "steps": series.steps,
            "values": [encoding.tag_float(value) for value in series.values],
            "times": series.times,
        }
    ).decode()
    if len(text) > BYTES_LIMIT:
        raise BadInput(
            f"a series of {len(series.steps):,} points has {len(text):,} bytes, more than "
            f"{BYTES_LIMIT:,}",
            "keep every tenth step of it",
        )
    return text


def decode_series(text: str) -> Series:
    """Return the series of a text.

    Raises:
        BadInput: It is no series.
    """
    try:
        found = msgspec.json.decode(text, type=_Text)
        values = tuple(encoding.untag_float(value) for value in found.values)
    except (msgspec.DecodeError, KeyError) as error:
        raise BadInput(f"a kept series is malformed: {error}") from None
    lengths = {len(found.steps), len(values), len(found.times or found.steps)}
    if len(lengths) > 1:
        raise BadInput("a kept series is malformed: its lists differ in length")
    return Series(tuple(found.steps), values, None if found.times is None else tuple(found.times))


def series_key(run: str | None, tag: str) -> str:
    """Return the key of a series in a version's document.

    >>> series_key("runs/7", "eval/loss")
    'runs%2F7/eval/loss'
    """
    name = (run or "").replace("%", "%25").replace("/", "%2F")
    return f"{name}/{tag}"


def split_key(key: str) -> tuple[str | None, str]:
    """Return the run (None without one) and the tag behind a key."""
    run, _, tag = key.partition("/")
    return run.replace("%2F", "/").replace("%25", "%") or None, tag


def keep_series(
    connection: Connection, series: Mapping[str, Series], run: str | None = None
) -> dict[str, str]:
    """Keep the texts of series in a writing unit of work.

    Args:
        connection: Inside the transaction that also sets the values.
        series: By metric.
        run: Name of the training run.

    Returns:
        The values to set: digest by path of a version's document.

    Raises:
        BadInput: A series is too long.
    """
    wanted: dict[str, str] = {}
    texts: dict[str, str] = {}
    for tag, one in series.items():
        text = encode_series(one)
        digest = encoding.digest(text.encode())
        texts[digest] = text
        wanted[f"series/{series_key(run, tag)}"] = digest
    keep(connection, texts.items())
    return wanted


def attach_series(
    context: Context, reference: str, series: Mapping[str, Series], *, run: str | None = None
) -> bool:
    """Add series to a version; False where they are there already.

    Raises:
        NotFound: There is no such version, or it is deleted.
        BadInput: A name is malformed, or a series is too long.
    """
    with context.writing() as authority:
        _, document = find_version(authority.connection, reference)
        return submit_edit(authority, document, keep_series(authority.connection, series, run))


def read_series(connection: Connection, digests: Iterable[str]) -> dict[str, Series]:
    """Return the series with these digests that are here."""
    rows = connection.execute(
        "select distinct digest, value from base.text "
        "where digest in (select unnest(?::varchar[]))",
        [list(digests)],
    ).fetchall()
    return {digest: decode_series(value) for digest, value in rows}


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.reader(
        io.StringIO(text.removeprefix("\ufeff")), strict=True, skipinitialspace=True
    )
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header):
            raise BadInput("two columns of the series have one name", "name each column once")
        for cells in reader:
            if len(cells) > len(header):
                raise BadInput(f"line {reader.line_num} of the series has more cells than names")
            if any(cells):
                yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num} of the series is malformed: {error}") from None


def _json_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)  # which reads the bare NaN that Python writes
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise BadInput(f"line {number} of the series is no JSON object")
        yield number, found


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _number(value: Any) -> float | None:
    """Return the number that a cell holds; None where it is empty or holds something else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _step(number: int, index: int, row: Mapping[str, Any], column: str | None) -> int | None:
    """Return the step of a row; None where the row names none."""
    if column is None:
        return index
    value = row.get(column)
    if _is_empty(value):
        return None
    step = _number(value)
    if step is None or not step.is_integer() or abs(step) >= 2**53:
        raise BadInput(f"line {number} of the series: {value!r} is no step", "count in integers")
    return int(step)


def _time(number: int, row: Mapping[str, Any], column: str) -> int | None:
    value = row.get(column)
    seconds = _number(value)
    if seconds is None and isinstance(value, str) and value.strip():
        try:
            moment = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            raise BadInput(f"line {number} of the series: {value!r} is no time") from None
        zone = moment.tzinfo or datetime.UTC
        seconds = moment.replace(tzinfo=zone).timestamp()
    if seconds is None:
        return None
    if not math.isfinite(seconds) or not 0 <= seconds < 2**43:
        raise BadInput(f"line {number} of the series: {value!r} is no time")
    return round(seconds * 1_000_000)


def _points(
    name: str, rows: list[Row], moments: list[tuple[int | None, int | None]]
) -> list[tuple[int, float, int | None]]:
    """Return step, value and time of a column; none where it holds no numbers at all."""
    points: list[tuple[int, float, int | None]] = []
    wrong: tuple[int, Any] | None = None
    for (number, row), (step, time) in zip(rows, moments, strict=True):
        cell = row.get(name)
        if step is None or _is_empty(cell):
            continue
        value = _number(cell)
        if value is None:
            wrong = wrong or (number, cell)
        else:
            points.append((step, value, time))
    if points and wrong is not None:
        number, cell = wrong
        raise BadInput(f"line {number} of the series: {cell!r} in {name!r} is no number")
    return points


def _series(points: list[tuple[int, float, int | None]]) -> Series:
    latest = {step: (value, time) for step, value, time in points}
    steps = tuple(sorted(latest))
    times = tuple(time for step in steps if (time := latest[step][1]) is not None)
    return Series(
        steps,
        tuple(latest[step][0] for step in steps),
        times if len(times) == len(steps) else None,
    )
