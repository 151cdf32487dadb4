"""Plots as text: braille in colours, or letters where there is no colour or no Unicode.

plotext draws the axes and lines; the legend stands below them, so that it hides no line. plotext
keeps one figure for the whole process, so one plot is drawn at a time, in whatever thread.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from regtui.registry.answers_compare import PlotAnswer
from regtui.registry.chart import LEGEND_LIMIT, parts, ranges, thinned, tick_label, ticks

Color = int | tuple[int, int, int]
"""Number of one of the terminal's 256 colours, or red, green and blue."""

COLORS: tuple[Color, ...] = (12, 9, 10, 13, 11, 14, 208, 7)
"""One a line; they start again where they end."""

MARKS = "*+ox#@%="
"""One a line where no colour tells them apart."""

_drawing = threading.Lock()

_ASCII = str.maketrans("─│┌┐└┘┤┬├┴┼", "-|+++++++++")


def visible(text: str) -> str:
    """Return a text with its control characters spelled out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def draw(  # noqa: PLR0913 -- everything that a terminal decides, by name
    answer: PlotAnswer,
    width: int,
    height: int,
    *,
    colors: Sequence[Color] = COLORS,
    simple: bool = False,
    show: Callable[[str], str] = visible,
) -> str:
    """Return a plot as lines of text, none of which is wider than `width`.

    Args:
        answer: What to draw.
        width: Columns.
        height: Lines, with the legend.
        colors: What tells lines apart; empty where nothing may be coloured.
        simple: Whether only ASCII can be shown.
        show: Returns a name as it can be shown.
    """
    plain = simple or (not colors and len(answer.lines) > 1)
    legend = _legend(answer, width, colors, plain=plain, show=show)
    with _drawing:
        picture = _picture(answer, (width, max(5, height - len(legend))), colors, plain, show)
    if not colors:
        picture = _uncolored(picture)
    return "\n".join([picture.translate(_ASCII) if simple else picture, *legend])


def _picture(
    answer: PlotAnswer,
    size: tuple[int, int],
    colors: Sequence[Color],
    plain: bool,
    show: Callable[[str], str],
) -> str:
    import plotext

    width, height = size
    across, along = ranges(answer)
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.title(_fitting(show(answer.metric), width - 10))
    plotext.xlabel(answer.x)
    plotext.xlim(*across)
    plotext.ylim(*along)
    _put_ticks(plotext.xticks, ticks(*across, max(2, width // 14), whole=True))
    _put_ticks(plotext.yticks, ticks(*along, max(2, height // 4)))
    column = (across[1] - across[0]) / (2 * width)  # braille has two dots a column
    for index, line in enumerate(answer.lines):
        look: dict[str, Any] = {
            "marker": MARKS[index % len(MARKS)] if plain else "braille",
            "color": _color(colors or COLORS, index),
        }
        for part in parts(line):
            points = thinned(part, column)
            xs, ys = [x for x, _ in points], [y for _, y in points]
            (plotext.plot if len(points) > 1 else plotext.scatter)(xs, ys, **look)
    return str(plotext.build()).rstrip("\n")


def _put_ticks(put: Callable[[list[float], list[str]], object], places: list[float]) -> None:
    put(places, [tick_label(place) for place in places])


def _legend(
    answer: PlotAnswer,
    width: int,
    colors: Sequence[Color],
    *,
    plain: bool,
    show: Callable[[str], str],
) -> list[str]:
    """Return a line for each curve; its mark and name."""
    lines: list[str] = []
    for index, line in enumerate(answer.lines[:LEGEND_LIMIT]):
        mark = MARKS[index % len(MARKS)] if plain else "--"
        if colors:
            mark = f"\x1b[{_foreground(_color(colors, index))}m{mark}\x1b[0m"
        lines.append(f"{mark} {_fitting(show(line.name), width - 3)}")
    if len(answer.lines) > LEGEND_LIMIT:
        lines.append(f"and {len(answer.lines) - LEGEND_LIMIT} more")
    return lines


def _color(colors: Sequence[Color], index: int) -> Color:
    return colors[index % len(colors)]


def _foreground(color: Color) -> str:
    return f"38;5;{color}" if isinstance(color, int) else f"38;2;{';'.join(map(str, color))}"


def _fitting(shown: str, width: int) -> str:
    """Return a text that can be printed in so many columns; some characters take two."""
    while len(shown) > 1 and _columns(shown) > max(1, width):
        shown = shown[:-1]
    return shown


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _uncolored(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
