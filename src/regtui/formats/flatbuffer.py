"""FlatBuffers without a schema: tables, texts and vectors by their place.

The buffer is held whole, which its caller bounds; every offset is checked against it. Many offsets
may lead to one text, so whoever takes texts counts them.
"""

import struct
from collections.abc import Iterator

from regtui.formats.cursor import Malformed


class Table:
    """One table of a buffer."""

    def __init__(self, buffer: bytes, at: int) -> None:
        self._buffer = buffer
        self._at = at
        self._fields = at - _number(buffer, at, "<i")
        self._size = _number(buffer, self._fields, "<H")

    @classmethod
    def root(cls, buffer: bytes) -> "Table":
        """Return the table that a buffer starts with.

        Raises:
            Malformed: It is outside of the buffer.
        """
        return cls(buffer, _number(buffer, 0, "<I"))

    def text(self, index: int) -> str | None:
        """Return the text of a field, None if it is not set.

        Raises:
            Malformed: It is outside of the buffer.
        """
        place = self._place(index)
        return None if place is None else _text(self._buffer, place)

    def tables(self, index: int) -> Iterator["Table"]:
        """Yield the tables of a vector, each when it is asked for.

        Raises:
            Malformed: One is outside of the buffer.
        """
        place, count = self._vector(index)
        for at in range(place, place + 4 * count, 4):
            yield Table(self._buffer, at + _number(self._buffer, at, "<I"))

    def count(self, index: int) -> int:
        """Return how many texts or tables a vector has.

        Raises:
            Malformed: It is outside of the buffer.
        """
        return self._vector(index)[1]

    def table(self, index: int) -> "Table | None":
        """Return the table of a field, None if it is not set.

        Raises:
            Malformed: It is outside of the buffer.
        """
        place = self._place(index)
        return None if place is None else Table(self._buffer, place)

    def length(self, index: int) -> int:
        """Return how many elements a vector has.

        Raises:
            Malformed: It is outside of the buffer.
        """
        place = self._place(index)
        return 0 if place is None else _number(self._buffer, place, "<I")

    def _place(self, index: int) -> int | None:
        """Return what the offset of a field leads to."""
        entry = 4 + 2 * index
        if entry + 2 > self._size:
            return None
        offset = _number(self._buffer, self._fields + entry, "<H")
        if not offset:
            return None
        place = self._at + offset
        return place + _number(self._buffer, place, "<I")

    def _vector(self, index: int) -> tuple[int, int]:
        """Return where the offsets of a vector start, and how many there are."""
        place = self._place(index)
        if place is None:
            return 0, 0
        count = _number(self._buffer, place, "<I")
        if place + 4 + 4 * count > len(self._buffer):
            raise Malformed("a vector reaches beyond its buffer")
        return place + 4, count


def _number(buffer: bytes, at: int, code: str) -> int:
    try:
        if at >= 0:
            return int(struct.unpack_from(code, buffer, at)[0])
    except struct.error:
        pass
    raise Malformed("an offset leads outside of its buffer")


def _text(buffer: bytes, at: int) -> str:
    length = _number(buffer, at, "<I")
    if at + 4 + length > len(buffer):
        raise Malformed("a text reaches beyond its buffer")
    return buffer[at + 4 : at + 4 + length].decode("utf-8", "replace")
