"""Showing other rows without losing one's place: the cursor stays on its row, that on its line."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from regtui.tui.widgets.virtual_table import VirtualTable

T = TypeVar("T")


def show_again(
    table: VirtualTable[T], rows: Sequence[T], key: Callable[[T], Any], *, stay: bool = True
) -> None:
    """Show other rows.

    Args:
        table: The table.
        rows: All of its rows.
        key: What a row is known by.
        stay: Whether the cursor stays on its row where that is still there; else, and where it is
            not, it goes to the first one.
    """
    current = table.current if stay else None
    line = table.cursor - round(table.scroll_y)
    wanted = None if current is None else key(current)
    cursor = next((n for n, row in enumerate(rows) if key(row) == wanted), 0)
    table.show_rows(rows, cursor=cursor)
    top = max(cursor - line, 0) if stay else 0
    table.scroll_to(y=min(top, max(len(rows) - table.lines, 0)), animate=False, force=True)
