"""A grid of facts: labels and values, in two columns where there is room for them."""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

TWO = 76
"""Cells from which on facts stand in two columns."""


class FactGrid:
    """Facts to be painted; those without a value are left out.

    Args:
        facts: Label and value of each, the most important first.
    """

    def __init__(self, facts: Sequence[tuple[str, str | Text]]) -> None:
        self._facts = [(label, value) for label, value in facts if value]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._facts:
            return
        is_two = options.max_width >= TWO and len(self._facts) > 1
        label = max(len(name) for name, _ in self._facts)
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        for _ in range(1 + is_two):
            grid.add_column(width=label, style="label", no_wrap=True)
            grid.add_column(ratio=1, overflow="fold")
        cells = [
            (Text(name), value if isinstance(value, Text) else Text(value))
            for name, value in self._facts
        ]
        if not is_two:
            for left in cells:
                grid.add_row(*left)
        else:
            half = -(-len(cells) // 2)
            blank = (Text(""), Text(""))
            rights = [*cells[half:], *[blank] * (2 * half - len(cells))]
            for left, right in zip(cells[:half], rights, strict=True):
                grid.add_row(*left, *right)
        yield grid
