"""Curves: a metric over its steps, drawn for the room there is."""

import asyncio
import os

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from regtui.registry.answers_compare import PlotAnswer
from regtui.tui.background import start
from regtui.tui.curve_lines import CUTS, SMOOTHINGS, Piece, picture, prepared
from regtui.tui.signs import ASCII, signs

_COLORS = 8


class Curves(Widget):
    """A picture of one metric, of one curve or several.

    It is drawn in a thread. What was drawn before stays till then, cut where the room got smaller.
    """

    COMPONENT_CLASSES = {*(f"curves--{n}" for n in range(_COLORS)), "curves--dim"}
    DEFAULT_CSS = """
    Curves {
        background: $surface;
        color: $foreground;
        & > .curves--0 { color: $text-primary; }
        & > .curves--1 { color: $text-error; }
        & > .curves--2 { color: $text-success; }
        & > .curves--3 { color: $text-secondary; }
        & > .curves--4 { color: $text-accent; }
        & > .curves--5 { color: $foreground; text-style: bold; }
        & > .curves--6 { color: $primary; }
        & > .curves--7 { color: $text-muted; }
        & > .curves--dim { color: $text-muted; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self.smoothing = 0
        """Which of `SMOOTHINGS` it has."""
        self.cut = 0
        """How often its beginning was cut off."""
        self._answer: PlotAnswer | None = None
        self._lines: list[list[Piece]] = []

    def show(self, answer: PlotAnswer) -> None:
        """Show another plot, as soon as it is drawn."""
        self._answer = answer
        self._draw()

    def clear(self, note: str = "") -> None:
        """Show a sentence instead."""
        self._answer = None
        self._lines = [[(note, _COLORS)]]
        self.refresh()

    def smooth(self) -> None:
        """Smooth more, then not at all."""
        self.smoothing = (self.smoothing + 1) % len(SMOOTHINGS)
        self._draw()

    def zoom(self, by: int) -> None:
        """Cut more of the beginning off, or less."""
        self.cut = min(max(self.cut + by, 0), CUTS)
        self._draw()

    @property
    def look(self) -> str:
        """What was done to the curves, in words; empty for nothing."""
        parts = []
        if self.smoothing:
            parts.append(f"smoothed {SMOOTHINGS[self.smoothing]:g}")
        if self.cut:
            parts.append(f"last 1/{2**self.cut}")
        return ", ".join(parts)

    def on_resize(self) -> None:
        """Draw for other room."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """Paint a line of the picture."""
        base = self.rich_style
        pieces = self._lines[y] if y < len(self._lines) else []
        found = [Segment(text, self._style(base, number)) for text, number in pieces]
        return Strip(found).adjust_cell_length(self.size.width, base)

    def _style(self, base: Style, number: int | None) -> Style:
        if number is None:
            return base
        name = "dim" if number == _COLORS else str(number)
        return base + self.get_component_rich_style(f"curves--{name}", partial=True)

    def _draw(self) -> None:
        if self._answer is not None and self.size.area:
            start(self, self._drawn, self._answer, group="curves")

    async def _drawn(self, answer: PlotAnswer) -> None:
        size, cut, smoothing = self.size, self.cut, SMOOTHINGS[self.smoothing]
        title = f"{answer.metric} ({self.look})" if self.look else answer.metric
        colored, ascii_only = not os.environ.get("NO_COLOR"), signs() is ASCII

        def draw() -> list[list[Piece]]:
            shown = prepared(replace(answer, metric=title), smoothing=smoothing, cut=cut)
            return picture(shown, size.width, size.height, colored=colored, ascii_only=ascii_only)

        self._lines = await asyncio.to_thread(draw)
        self.refresh()
