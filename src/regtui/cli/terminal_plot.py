"""Plots on the terminal that the command runs in, whatever it can show."""

import sys
from typing import TYPE_CHECKING

from regtui.cli.output import printable
from regtui.registry import chart_text

if TYPE_CHECKING:
    from regtui.registry.answers_compare import PlotAnswer


def draw(answer: "PlotAnswer", width: int, height: int, *, colored: bool) -> str:
    """Return a plot as lines of text, none of which is wider than `width`.

    Args:
        answer: What to draw.
        width: Columns.
        height: Lines, with the legend.
        colored: Whether colours may tell lines apart.
    """
    return chart_text.draw(
        answer,
        width,
        height,
        colors=chart_text.COLORS if colored else (),
        simple=not _can_print("⣿─│"),
        show=printable,
    )


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
