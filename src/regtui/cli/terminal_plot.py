"""Plots as text: braille in colours, or letters where there is no colour or no Unicode.

plotext draws the axes and lines; the legend stands below them, so that it hides no line.
"""

import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

from regtui.cli.output import printable
from regtui.registry.chart import LEGEND_LIMIT, parts, ranges, thinned, tick_label, ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.registry.answers_compare import PlotAnswer

COLORS = (12, 9, 10, 13, 11, 14, 208, 7)
"""Numbers of the terminal's colours, one a line; they start again where they end."""

MARKS = "*+ox#@%="
"""One a line where no colour tells them apart."""

_ASCII = str.maketrans("─│┌┐└┘┤┬├┴┼", "-|+++++++++")


def draw(answer: "PlotAnswer", width: int, height: int, *, colored: bool) -> str:
    """Return a plot as lines of text, none of which is wider than `width`.

    Args:
        answer: What to draw.
        width: Columns.
        height: Lines, with the legend.
        colored: Whether colours may tell lines apart.
    """
    simple = not _can_print("⣿─│")
    plain = simple or (not colored and len(answer.lines) > 1)
    legend = _legend(answer, width, colored=colored, plain=plain)
    picture = _picture(answer, width, max(5, height - len(legend)), plain=plain)
    if not colored:
        picture = _uncolored(picture)
    return "\n".join([picture.translate(_ASCII) if simple else picture, *legend])


def _picture(answer: "PlotAnswer", width: int, height: int, *, plain: bool) -> str:
    import plotext

    across, along = ranges(answer)
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.title(_fitting(answer.metric, width - 10))
    plotext.xlabel(answer.x)
    plotext.xlim(*across)
    plotext.ylim(*along)
    _put_ticks(plotext.xticks, ticks(*across, max(2, width // 14), whole=True))
    _put_ticks(plotext.yticks, ticks(*along, max(2, height // 4)))
    column = (across[1] - across[0]) / (2 * width)  # braille has two dots a column
    for index, line in enumerate(answer.lines):
        look: dict[str, Any] = {
            "marker": MARKS[index % len(MARKS)] if plain else "braille",
            "color": COLORS[index % len(COLORS)],
        }
        for part in parts(line):
            points = thinned(part, column)
            xs, ys = [x for x, _ in points], [y for _, y in points]
            (plotext.plot if len(points) > 1 else plotext.scatter)(xs, ys, **look)
    return str(plotext.build()).rstrip("\n")


def _put_ticks(put: "Callable[[list[float], list[str]], object]", places: list[float]) -> None:
    put(places, [tick_label(place) for place in places])


def _legend(answer: "PlotAnswer", width: int, *, colored: bool, plain: bool) -> list[str]:
    """Return a line for each curve; its mark and name."""
    lines: list[str] = []
    for index, line in enumerate(answer.lines[:LEGEND_LIMIT]):
        mark = MARKS[index % len(MARKS)] if plain else "--"
        if colored:
            mark = f"\x1b[38;5;{COLORS[index % len(COLORS)]}m{mark}\x1b[0m"
        lines.append(f"{mark} {_fitting(line.name, width - 3)}")
    if len(answer.lines) > LEGEND_LIMIT:
        lines.append(f"and {len(answer.lines) - LEGEND_LIMIT} more")
    return lines


def _fitting(text: str, width: int) -> str:
    """Return a text that can be printed in so many columns; some characters take two."""
    shown = printable(text)
    while len(shown) > 1 and _columns(shown) > max(1, width):
        shown = shown[:-1]
    return shown


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _uncolored(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
