"""Protocol buffers without a schema: the fields of a message, one after another.

Nothing is held but the field at hand: a payload is skipped, and a message in a message is read in
place, down to where its parent says that it ends. A group (two wire types that were given up long
ago) is malformed.
"""

from collections.abc import Iterator
from typing import Final

from regtui.formats.cursor import Cursor, Malformed, TooMuch

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_LONGEST_VARINT = 10
_MORE = 0x80  # the bit that says: more follows
_MASK = (1 << 64) - 1
_SIGN = 1 << 63


class Field:
    """One field of a message.

    Attributes:
        number: Its number in the schema.
        wire: `VARINT`, `FIXED64`, `BYTES` or `FIXED32`.
        value: Of a varint, else 0.
        start: Where its payload starts.
        end: Where it ends.
    """

    __slots__ = ("end", "number", "start", "value", "wire")

    def __init__(self, number: int, wire: int, value: int, start: int, end: int) -> None:
        self.number = number
        self.wire = wire
        self.value = value
        self.start = start
        self.end = end

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return self.end - self.start


def fields(cursor: Cursor, end: int) -> Iterator[Field]:
    """Yield the fields from the cursor's place to `end`.

    The cursor may be moved within a field while the caller has it; it goes on behind it.

    Raises:
        Malformed: A field is broken or reaches beyond `end`.
    """
    while cursor.at < end:
        cursor.step()
        key = varint(cursor)
        field = _field(cursor, key >> 3, key & 7)
        if field.end > end:
            raise Malformed("a field reaches beyond its message")
        yield field
        cursor.at = field.end


def varint(cursor: Cursor) -> int:
    """Return the next number of variable length.

    Raises:
        Malformed: It is longer than any may be, or the file ends.
    """
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        byte = cursor.take(1)[0]
        if byte < _MORE:
            return (value | byte << shift) & _MASK
        value |= (byte - _MORE) << shift
    raise Malformed("a number is longer than any may be")


def signed(value: int) -> int:
    """Return a varint as the int64 that it stands for."""
    return value - 2 * _SIGN if value >= _SIGN else value


def text(cursor: Cursor, field: Field) -> str:
    """Return the payload as text.

    Raises:
        Malformed: It is none, or larger than the limits allow.
    """
    if field.wire != BYTES:
        raise Malformed("a text has the wrong wire type")
    cursor.at = field.start
    if field.size > cursor.limits.header_bytes:
        raise TooMuch("a text is longer than can be read")
    return cursor.take(field.size).decode("utf-8", "replace")


def numbers(cursor: Cursor, field: Field, most: int) -> list[int]:
    """Return the signed numbers of a repeated field, packed or one by one.

    Raises:
        Malformed: They are broken, or more than `most`.
    """
    if field.wire == VARINT:
        return [signed(field.value)]
    if field.wire != BYTES:
        raise Malformed("a list of numbers has the wrong wire type")
    cursor.at = field.start
    found = []
    while cursor.at < field.end:
        cursor.step()
        found.append(signed(varint(cursor)))
        if len(found) > most:
            raise TooMuch("a list of numbers is longer than can be read")
    return found


def _field(cursor: Cursor, number: int, wire: int) -> Field:
    if number == 0:
        raise Malformed("a field has the number 0")
    value = 0
    start = cursor.at
    if wire == VARINT:
        value = varint(cursor)
    elif wire == BYTES:
        length = varint(cursor)
        start = cursor.at
        cursor.skip(length)
    elif wire in {FIXED32, FIXED64}:
        cursor.skip(4 if wire == FIXED32 else 8)
    else:
        raise Malformed(f"the wire type {wire} is not known")
    return Field(number, wire, value, start, cursor.at)
