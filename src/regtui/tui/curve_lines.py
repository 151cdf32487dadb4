"""Curves as lines of text: smoothed, cut, and drawn for a size in cells.

All of it takes and returns values, so that it can run in any thread: the longest series there are
take some tenths of a second.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from regtui.core import encoding
from regtui.registry.answers_compare import Curve, PlotAnswer
from regtui.registry.chart import LEGEND_LIMIT, points
from regtui.registry.chart_text import COLORS, draw
from regtui.registry.figures import number_text
from regtui.tui.safe_text import one_line
from regtui.tui.signs import sparkline

SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
"""Weights of what came before, from one press of the key to the next."""

CUTS = 6
"""How often the beginning can be cut off: half of what is left each time."""

LEAST = (28, 6)
"""Cells that a picture with axes takes at least; in less room there is a sparkline."""

TITLED = 11
"""Lines from which on there is room for a title and a name of the axis."""

Piece = tuple[str, int | None]
"""Some characters, and the number of the curve whose colour they have."""

_CODE = re.compile(r"\x1b\[([0-9;]*)m")


def prepared(answer: PlotAnswer, *, smoothing: float = 0.0, cut: int = 0) -> PlotAnswer:
    """Return a plot with its curves smoothed, and without their beginning.

    Args:
        answer: What to draw.
        smoothing: Weight of what came before, 0 to 1.
        cut: How often to halve the steps: only the last half, quarter, … of them is kept.
    """
    steps = [x for line in answer.lines for x in line.x]
    low, high = min(steps, default=0), max(steps, default=0)
    first = high - (high - low) / 2**cut
    return replace(answer, lines=[_prepared(line, smoothing, first) for line in answer.lines])


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Return a moving average that forgets exponentially, true from the first value on.

    What is no number stays as it is, and the average goes on behind it.

    >>> smoothed([1.0, 1.0, 1.0], 0.9)
    [1.0, 1.0, 1.0]
    """
    found: list[float] = []
    average, rest = 0.0, 1.0
    for value in values:
        if not math.isfinite(value):
            found.append(value)
            continue
        average = weight * average + (1 - weight) * value
        rest *= weight
        found.append(average / (1 - rest))
    return found


def picture(
    answer: PlotAnswer, width: int, height: int, *, colored: bool, ascii_only: bool
) -> list[list[Piece]]:
    """Return a plot as lines of pieces; a sparkline a curve where there is no room for axes.

    Args:
        answer: What to draw.
        width: Cells.
        height: Lines.
        colored: Whether colours tell curves apart.
        ascii_only: Whether only ASCII can be shown.
    """
    if not any(True for line in answer.lines for _ in points(line)):
        return [[("no value of it can be drawn", None)]]
    if width < LEAST[0] or height < LEAST[1]:
        return [_spark(line, number, width) for number, line in enumerate(answer.lines[:height])]
    if height < TITLED:  # lines of the curve matter more than what they are called
        answer = replace(answer, metric="" if height < TITLED - 2 else answer.metric, x="")
    named = min(len(answer.lines), LEGEND_LIMIT + 1)  # lines that their names take
    room = 0 if len(answer.lines) == 1 else min(named, height // 3, height - 5)
    text = draw(
        answer, width, height - room + named, colors=COLORS if colored else (), simple=ascii_only,
        show=one_line,
    )  # fmt: skip
    lines = [_pieces(line) for line in text.split("\n")]
    names = lines[-named:][:room]
    if 0 < room < named:
        names[-1] = [(f"and {len(answer.lines) - room + 1} more", None)]
    return [*lines[:-named], *names]


def _prepared(line: Curve, smoothing: float, first: float) -> Curve:
    values = [encoding.untag_float(value) for value in line.y]
    if smoothing:
        values = smoothed(values, smoothing)
    kept = [(x, y) for x, y in zip(line.x, values, strict=True) if x >= first]
    return replace(line, x=[x for x, _ in kept], y=[encoding.tag_float(y) for _, y in kept])


def _spark(line: Curve, number: int, width: int) -> list[Piece]:
    values = [value for _, value in points(line)]
    if not values:
        return [(one_line(line.name)[:width], None)]
    ends = f" {number_text(values[0])} to {number_text(values[-1])}"
    room = max(width - len(ends) - 1, 0)
    return [(sparkline(_thinned(values, room)), number), (ends[:width], None)]


def _thinned(values: list[float], most: int) -> list[float]:
    """Return the means of as many parts as there are cells."""
    if len(values) <= most or not most:
        return values[:most]
    edges = [len(values) * n // most for n in range(most + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges) if b > a]


def _pieces(line: str) -> list[Piece]:
    """Return a line with colour sequences as pieces with the number of their curve."""
    found: list[Piece] = []
    parts = _CODE.split(line)
    color: int | None = None
    for place in range(0, len(parts), 2):
        if place:
            code = parts[place - 1].rpartition(";")[2]
            color = COLORS.index(int(code)) if code.isdigit() and int(code) in COLORS else None
        if parts[place]:
            found.append((parts[place], color))
    return found
