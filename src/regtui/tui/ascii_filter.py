"""ASCII alone: what Textual and Rich draw with other characters, drawn with those instead.

Signs with a meaning have their own (`regtui.tui.signs`). What is left are borders, scroll bars, cut
ends and the like; they are replaced where a line is painted, one cell by one cell, so that no style
and no widget has to know of it. What people wrote is shown as it is, but for these characters.
"""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SINGLE = "─━╌╍┄┅┈┉╴╶╸╺╼╾═▔▁"
_UPRIGHT = "│┃╎╏┆┇┊┋╵╷╹╻╽╿║▏▎▍▌▋▊▉▕▐"
_BLOCKS = "▂▃▄▅▆▇█▀▖▗▘▙▚▛▜▝▞▟░▒▓"
_BOX = {chr(code): "+" for code in range(0x2500, 0x2580)}  # corners, tees and crosses

TABLE = str.maketrans(
    _BOX
    | dict.fromkeys(_SINGLE, "-")
    | dict.fromkeys(_UPRIGHT, "|")
    | dict.fromkeys(_BLOCKS, " ")
    | {"…": "~", "·": "-", "•": "*", "●": "*", "○": "o", "✓": "+", "✗": "x", "✔": "+", "✘": "x"}
    | {"←": "<", "↑": "^", "→": ">", "↓": "v", "▲": "^", "▼": "v", "▶": ">", "◀": "<"}
    | {"🔎": "/ "}  # of the palette; two cells
)
"""What stands for each character."""


class AsciiFilter(LineFilter):
    """Replaces what is drawn in a line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Return segments that are drawn in ASCII."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(TABLE), segment.style, segment.control)
            for segment in segments
        ]
