"""Universal Binary JSON, reduced to what a model says about itself.

Maps and single values are kept. Of an array only the length is kept (`Elements`), unless it is a
short one of plain values; a typed array of numbers is skipped in one step, whatever it claims. So
the memory is that of the keys, not of the trees.
"""

from typing import Any, Final

from msgspec import Struct

from regtui.formats.cursor import Cursor, Malformed, TooMuch

_NUMBERS: Final = {
    b"i": "b",
    b"U": "B",
    b"I": "h",
    b"u": "H",
    b"l": "i",
    b"m": "I",
    b"L": "q",
    b"M": "Q",
    b"d": "f",
    b"D": "d",
}
_WIDTHS: Final = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
_CONSTANTS: Final = {b"Z": None, b"T": True, b"F": False}
_KEPT = 64
_KEY = 4  # steps that a key costs beside its value


class Elements(Struct, frozen=True):
    """An array of which only the length was kept."""

    count: int


def value(cursor: Cursor) -> Any:
    """Return the next value; its numbers are big-endian, which the cursor must be set to.

    Raises:
        Malformed: It is broken, cut, or more than the limits allow.
    """
    return _value(cursor, _marker(cursor), 0)


def _marker(cursor: Cursor) -> bytes:
    """Return the next marker; `N` means nothing and is passed over."""
    while (marker := cursor.take(1)) == b"N":
        cursor.step()
    return marker


def _value(cursor: Cursor, marker: bytes, depth: int) -> Any:
    cursor.step()
    if marker in _NUMBERS:
        return cursor.number(_NUMBERS[marker])
    if marker in _CONSTANTS:
        return _CONSTANTS[marker]
    if marker in {b"S", b"H"}:
        return _text(cursor)
    if marker == b"C":
        return cursor.take(1).decode("latin-1")
    if depth > cursor.limits.depth:
        raise TooMuch("the values are nested too deeply")
    if marker == b"{":
        return _map(cursor, depth)
    if marker == b"[":
        return _array(cursor, depth)
    raise Malformed(f"the marker {marker!r} is not known")


def _count(cursor: Cursor, marker: bytes) -> int:
    code = _NUMBERS.get(marker)
    if code is None or code in "fd":
        raise Malformed(f"a length has the marker {marker!r}")
    count: int = cursor.number(code)
    if count < 0:
        raise Malformed("a length is negative")
    return count


def _text(cursor: Cursor) -> str:
    return cursor.take(_count(cursor, cursor.take(1))).decode("utf-8", "replace")


def _heading(cursor: Cursor) -> tuple[bytes | None, int | None, bytes]:
    """Return the type and count of a container, if it has them, and else its first marker."""
    kind = None
    marker = _marker(cursor)
    if marker == b"$":
        kind, marker = cursor.take(1), cursor.take(1)
        if marker != b"#":
            raise Malformed("a container of one type has no count")
    if marker != b"#":
        return kind, None, marker
    return kind, _count(cursor, cursor.take(1)), b""


def _array(cursor: Cursor, depth: int) -> Any:
    kind, count, marker = _heading(cursor)
    if count is not None and kind in _NUMBERS:
        cursor.skip(_WIDTHS[_NUMBERS[kind]] * count)
        return Elements(count)
    if count is not None and kind in _CONSTANTS:
        return Elements(count)
    kept: list[Any] = []
    found = 0
    while count is None or found < count:
        if kind is None and (count is not None or found):
            marker = _marker(cursor)
        if count is None and marker == b"]":
            break
        item = _value(cursor, kind or marker, depth + 1)
        if found < _KEPT and not isinstance(item, dict | list | Elements):
            kept.append(item)
        found += 1
    return kept if len(kept) == found else Elements(found)


def _map(cursor: Cursor, depth: int) -> dict[str, Any]:
    kind, count, marker = _heading(cursor)
    found: dict[str, Any] = {}
    steps = 0
    while count is None or steps < count:
        if count is not None or steps:
            marker = _marker(cursor)
        if count is None and marker == b"}":
            break
        cursor.step(_KEY)
        name = cursor.take(_count(cursor, marker)).decode("utf-8", "replace")
        found[name] = _value(cursor, kind or _marker(cursor), depth + 1)
        steps += 1
    return found
