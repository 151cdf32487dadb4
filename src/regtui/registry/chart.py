"""Chart: the shapes of a plot, for every writer of pictures alike.

Points become pixels here, once: axes with ticks at 1, 2 or 5 times a power of ten, lines broken
where a value is no number, and at most four points of a line in one column of pixels, its first,
lowest, highest and last, so that a million points look the same and draw at once.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from regtui.core import encoding
from regtui.registry.answers_compare import Curve, PlotAnswer

COLORS = (
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2",
)  # fmt: skip
"""Colours of the lines; they start again where they end."""

LEGEND_LIMIT = 20
LEGEND_ROW = 18
NAME_LIMIT = 90
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 36, 44
"""Pixels around the area of the lines, without the legend."""

DOTTED = 100
"""Points of a line up to which each is marked."""

LARGEST = 1e300
"""What lies beyond is drawn as infinity: nowhere."""

Point = tuple[float, float]
Placing = Callable[[Point], Point]


class Tick(Struct, frozen=True):
    """A place on an axis, in pixels, and its label."""

    at: float
    label: str


class Line(Struct, frozen=True):
    """A line: its name, colour, the parts in which it is drawn, and points to mark."""

    name: str
    color: str
    parts: list[list[Point]]
    dots: list[Point]


class Chart(Struct, frozen=True):
    """Shapes in pixels from the upper left corner.

    Attributes:
        width: Of the picture.
        height: Of the picture, with its legend.
        title: Name of the metric.
        x_label: What the horizontal axis counts.
        area: Left, top, right and bottom of the lines.
        x_ticks: On the horizontal axis.
        y_ticks: On the vertical axis.
        lines: The lines.
        unnamed: How many lines have no room in the legend.
    """

    width: int
    height: int
    title: str
    x_label: str
    area: tuple[float, float, float, float]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    unnamed: int


def make_chart(answer: PlotAnswer, width: int, height: int) -> Chart:
    """Return the shapes of a plot.

    Args:
        answer: What to draw.
        width: Of the picture, in pixels.
        height: Of the picture without its legend, in pixels.
    """
    area = (float(LEFT), float(TOP), float(width - RIGHT), float(height - BOTTOM))
    across, along = ranges(answer)
    named = min(len(answer.lines), LEGEND_LIMIT)

    def place(point: Point) -> Point:
        return (
            _scaled(point[0], across, area[0], area[2]),
            _scaled(point[1], along, area[3], area[1]),
        )

    return Chart(
        width=width,
        height=height + LEGEND_ROW * (named + (named < len(answer.lines))),
        title=answer.metric[:NAME_LIMIT],
        x_label=answer.x,
        area=area,
        x_ticks=[
            Tick(_scaled(at, across, area[0], area[2]), tick_label(at))
            for at in ticks(*across, max(2, width // 110), whole=True)
        ],
        y_ticks=[
            Tick(_scaled(at, along, area[3], area[1]), tick_label(at))
            for at in ticks(*along, max(2, height // 60))
        ],
        lines=[
            _line(line, COLORS[index % len(COLORS)], place)
            for index, line in enumerate(answer.lines)
        ],
        unnamed=len(answer.lines) - named,
    )


def points(line: Curve) -> Iterator[Point]:
    """Return the points of a line that can be drawn."""
    return (point for part in parts(line) for point in part)


def parts(line: Curve) -> list[list[Point]]:
    """Return the points of a line, cut where a value is no number."""
    found: list[list[Point]] = [[]]
    for x, tagged in zip(line.x, line.y, strict=True):
        value = encoding.untag_float(tagged)
        if abs(value) <= LARGEST:  # false for NaN
            found[-1].append((float(x), value))
        elif found[-1]:
            found.append([])
    return [part for part in found if part]


def thinned(part: list[Point], width: float) -> list[Point]:
    """Keep first, lowest, highest and last point of each column, in their order.

    Args:
        part: Points of a line, from left to right.
        width: Of a column, in the unit of the points.
    """
    kept: list[Point] = []
    column: list[Point] = []
    for point in part:
        if column and point[0] // width != column[0][0] // width:
            kept += _extremes(column)
            column = []
        column.append(point)
    return kept + _extremes(column)


def ranges(answer: PlotAnswer) -> tuple[Point, Point]:
    """Return what the horizontal and the vertical axis reach over."""
    xs = [x for line in answer.lines for x, _ in points(line)]
    ys = [y for line in answer.lines for _, y in points(line)]
    return _padded(xs, 0.0), _padded(ys, 0.05)


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Return round numbers from low to high, about as many as `most`.

    >>> ticks(0.0, 1.0, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = high / most - low / most
    if rough < sys.float_info.min:
        return [low, high]  # so near to each other there are no round numbers in between
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{at * step:.12g}") for at in range(first, last + 1)]


def tick_label(value: float) -> str:
    """Return a tick's number in few characters.

    >>> tick_label(0.25), tick_label(1000000.0), tick_label(1e-09)
    ('0.25', '1e+06', '1e-09')
    """
    return f"{value:.0f}" if value.is_integer() and abs(value) < 10**6 else f"{value:.6g}"


def _line(line: Curve, color: str, place: Placing) -> Line:
    placed = [[place(point) for point in part] for part in parts(line)]
    count = sum(map(len, placed))
    alone = [part[0] for part in placed if len(part) == 1]
    dots = [point for part in placed for point in part] if count <= DOTTED else alone
    return Line(
        line.name[:NAME_LIMIT],
        color,
        [thinned(part, 1.0) for part in placed if len(part) > 1],
        dots,
    )


def _extremes(column: list[Point]) -> list[Point]:
    if len(column) <= 4:  # noqa: PLR2004 -- nothing to leave out
        return column
    heights = [y for _, y in column]
    chosen = {0, heights.index(min(heights)), heights.index(max(heights)), len(column) - 1}
    return [column[index] for index in sorted(chosen)]


def _padded(values: Sequence[float], share: float) -> Point:
    """Return the range of an axis, never empty."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high:
        room = abs(low) * 0.5 or 1.0
        return low - room, high + room
    room = (high - low) * share
    return low - room, high + room


def _scaled(value: float, across: Point, start: float, end: float) -> float:
    return start + (value - across[0]) / (across[1] - across[0]) * (end - start)
