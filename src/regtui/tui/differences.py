"""Differences between two values of a metric: how much, which way, and whether that is better."""

import math
from collections.abc import Mapping

from regtui.core import encoding
from regtui.registry.figures import number_text
from regtui.tui.signs import signs


def metric_of(metrics: Mapping[str, float | str], name: str) -> float | None:
    """Return a metric's value as a number, which may be NaN; None without one."""
    value = metrics.get(name)
    return None if value is None else encoding.untag_float(value)


def difference(value: float | None, other: float | None, direction: str) -> tuple[str, str]:
    """Return by how much a value differs from another, and the name of the colour to say so in.

    The sign says which way, the colour whether that is better; neither where one of the values is
    missing or no number.

    Args:
        value: The value.
        other: What it is compared with.
        direction: `max` or `min`, whichever is better.
    """
    if value is None or other is None or not (math.isfinite(value) and math.isfinite(other)):
        return "", ""
    if value == other:
        return signs().same, "dim"
    is_more = value > other
    sign = signs().up if is_more else signs().down
    is_better = is_more == (direction == "max")
    amount = f"{abs(value - other):.3g}"
    return f"{sign} {'+' if is_more else '-'}{amount}", "success" if is_better else "error"


def place_words(place: int | None, of: int) -> str:
    """Return how a value stands among others: `best of 6`, `2nd of 6`; empty without a place."""
    if place is None or not of:
        return ""
    if place == 1:
        return "the only one" if of == 1 else f"best of {of:,}"
    teen = place % 100 in {11, 12, 13}
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending} of {of:,}"


def value_text(value: float | None) -> str:
    """Return a metric's value in few digits; empty without one."""
    return "" if value is None else number_text(value)
