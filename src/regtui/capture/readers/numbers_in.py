"""Numbers in what trainers write: in cells of tables, in JSON, in flat names."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from regtui.formats.flat import Flat
from regtui.formats.values import LIMITS, Value

_DEPTH: Final = 8
_LONGEST: Final = 64
"""Characters of a number."""

_STEPS: Final = 1 << 53
_DIGITS: Final = 15
"""Characters of an integer that every reader of JSON counts by."""


def number(value: Any) -> float | None:
    """Return the number that a value is or spells; None for anything else, booleans too.

    >>> number(" 1e-3 "), number("nan"), number("1_000"), number(True), number("")
    (0.001, nan, None, None, None)
    """
    if isinstance(value, str):
        if len(value) > _LONGEST or "_" in value:
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def step(value: Any) -> int | None:
    """Return the step that a value is or spells; None where it is no whole number.

    >>> step("12"), step(3.0), step("0.5"), step("inf"), step(None)
    (12, 3, None, None, None)
    """
    found = number(value)
    if found is None or not math.isfinite(found) or not found.is_integer():
        return None
    return int(found) if abs(found) < _STEPS else None


def spelled(metadata: Mapping[str, Value]) -> dict[str, Value]:
    """Return entries whose texts are numbers as numbers, for those who write all as text.

    >>> spelled({"eta": "0.3", "max_depth": "6", "booster": "gbtree", "seed": 0})
    {'eta': 0.3, 'max_depth': 6, 'booster': 'gbtree', 'seed': 0}
    """
    return {
        key: spelled_value(value) if isinstance(value, str) else value
        for key, value in metadata.items()
    }


def spelled_value(text: str) -> str | int | float:
    """Return the number that a text is, else the text; words such as `nan` stay words.

    >>> spelled_value("-12"), spelled_value(".5"), spelled_value("nan"), spelled_value("1.2.0")
    (-12, 0.5, 'nan', '1.2.0')
    """
    if text.removeprefix("-").isdecimal() and len(text) <= _DIGITS:
        return int(text)
    found = number(text) if text[:1] in "-.0123456789" else None
    return text if found is None else found


def measured(tree: Any) -> dict[str, float]:
    """Return the numbers of nested maps under dotted names; texts and lists are left out."""
    return dict(_measured("", tree, 0))


def params(tree: Any, under: str = "") -> dict[str, Value]:
    """Return nested maps and lists as parameters under dotted names, those with a value.

    Short lists of plain values become JSON text; of long ones only the length is told.
    """
    flat = Flat(LIMITS)
    flat.tree(under, tree)
    return {key: value for key, value in flat.values.items() if key and value is not None}


def _measured(name: str, value: Any, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict) and depth < _DEPTH:
        for key, item in value.items():
            yield from _measured(f"{name}.{key}" if name else str(key), item, depth + 1)
    elif name and isinstance(value, int | float):
        found = number(value)
        if found is not None:
            yield name, found
