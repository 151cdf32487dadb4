"""A file's own metadata as flat keys, kept within the limits.

Keys are joined by dots. A list of a few plain values becomes its JSON text; of a longer list only
the length is kept (`<key>.length`): vocabularies and tables of nodes are data, not facts.
"""

import math
from typing import Any, Final

import msgspec

from regtui.formats.values import Limits, Value

_LONGEST_LIST: Final = 64
_LARGEST_INT: Final = 1 << 64  # beyond it, no reader of JSON agrees with another


class Flat:
    """Metadata while it grows.

    Attributes:
        values: The entries so far.
        cut: Whether a limit was reached.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.values: dict[str, Value] = {}
        self.cut = False

    def add(self, key: str, value: Value) -> None:
        """Add one entry; long texts are cut, and entries beyond the limit are left out."""
        if len(self.values) >= self._limits.metadata or len(key) > self._limits.text:
            self.cut = True
            return
        if isinstance(value, str) and len(value) > self._limits.text:
            self.cut = True
            value = value[: self._limits.text]
        self.values[_clean(key)] = _plain(value)

    def tree(self, key: str, value: Any, depth: int = 0) -> None:
        """Add nested maps and lists, as JSON has them."""
        if depth > self._limits.depth or len(self.values) >= self._limits.metadata:
            self.cut = True
        elif isinstance(value, dict):
            for name, item in value.items():
                self.tree(f"{key}.{name}" if key else str(name), item, depth + 1)
        elif isinstance(value, list | tuple):
            self._list(key, value, depth)
        elif value is None or isinstance(value, str | int | float | bool):
            self.add(key, value)

    def _list(self, key: str, items: list[Any] | tuple[Any, ...], depth: int) -> None:
        if len(items) > _LONGEST_LIST:
            self.add(f"{key}.length", len(items))
        elif any(isinstance(item, dict | list | tuple) for item in items):
            for index, item in enumerate(items):
                self.tree(f"{key}.{index}", item, depth + 1)
        else:
            self.add(key, msgspec.json.encode([_plain(item) for item in items]).decode())


def _plain(value: Value) -> Value:
    """Return what JSON can carry: no lone surrogates, no infinite or endless numbers."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not -_LARGEST_INT < value < _LARGEST_INT:
        return hex(value)[:64]
    return value


def _clean(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
