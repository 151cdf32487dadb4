"""What the messages of HDF5's object headers say: types, shapes, places, links and attributes.

Each function takes the content of one message. Only what a tensor table and a Keras file need is
understood: a type that is not is named by its class, an attribute's value that is not is None.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from regtui.formats.cursor import Cursor, Malformed
from regtui.formats.hdf5_objects import Message
from regtui.formats.values import BytesSource, Limits

DATASPACE: Final = 0x0001
LINK_INFO: Final = 0x0002
DATATYPE: Final = 0x0003
LINK: Final = 0x0006
LAYOUT: Final = 0x0008
ATTRIBUTE: Final = 0x000C
SYMBOL_TABLE: Final = 0x0011
ATTRIBUTE_INFO: Final = 0x0015

_CONTIGUOUS = 1
_INTEGER, _FLOAT, _TEXT, _ENUM, _VARIABLE = 0, 1, 3, 8, 9
_CLASSES: Final = {
    2: "time",
    3: "string",
    4: "bitfield",
    5: "opaque",
    6: "compound",
    7: "reference",
    9: "variable",
    10: "array",
}
_MOST_DIMENSIONS = 32
_BFLOAT16_EXPONENT = 8


class Datatype(Struct, frozen=True):
    """A type: its name, its bytes, its class, and whether it is a text of variable length."""

    name: str
    size: int
    kind: int
    text: bool = False


class Attribute(Struct, frozen=True):
    """An attribute; `value` is None where it is not understood."""

    name: str
    value: Any


def _cursor(content: bytes, limits: Limits) -> Cursor:
    return Cursor(BytesSource(content), 0, limits)


def datatype(content: bytes) -> Datatype:
    """Return what a datatype message tells.

    Raises:
        Malformed: It is cut.
    """
    if len(content) < 8:  # noqa: PLR2004 - class, bits and size
        raise Malformed("a type is cut")
    kind = content[0] & 0x0F
    bits = content[1]
    size = int.from_bytes(content[4:8], "little")
    if kind == _INTEGER:
        return Datatype(f"{'' if bits & 0x08 else 'u'}int{size * 8}", size, kind)
    if kind == _FLOAT:
        brain = size == 2 and content[13:14] == bytes([_BFLOAT16_EXPONENT])  # noqa: PLR2004
        return Datatype("bfloat16" if brain else f"float{size * 8}", size, kind)
    if kind == _ENUM:
        truth = b"FALSE\0" in content and b"TRUE\0" in content and size == 1
        return Datatype("bool" if truth else "enum", size, kind)
    text = kind == _TEXT or (kind == _VARIABLE and bits & 0x0F == 1)
    return Datatype("string" if text else _CLASSES.get(kind, f"class-{kind}"), size, kind, text)


def shape(content: bytes, lengths: int) -> tuple[int, ...]:
    """Return the dimensions of a dataspace message.

    Raises:
        Malformed: It is cut, or of an unknown version.
    """
    version, rank = content[0:1], content[1] if len(content) > 1 else 0
    start = {b"\1": 8, b"\2": 4}.get(version)
    if start is None or rank > _MOST_DIMENSIONS or len(content) < start + rank * lengths:
        raise Malformed("a shape is not understood")
    return tuple(
        int.from_bytes(content[start + i * lengths : start + (i + 1) * lengths], "little")
        for i in range(rank)
    )


def place(content: bytes, offsets: int, lengths: int, limits: Limits) -> tuple[int, int] | None:
    """Return address and size of contiguous data, None for data that lies otherwise.

    Raises:
        Malformed: The layout message is cut.
    """
    cursor = _cursor(content, limits)
    version, kind = cursor.unpack("2B")
    if version in {3, 4, 5}:
        if kind != _CONTIGUOUS:
            return None
        return cursor.uint(offsets), cursor.uint(lengths)
    rank = kind
    if version not in {1, 2} or cursor.uint(1) != _CONTIGUOUS:
        return None
    cursor.skip(5)
    address = cursor.uint(offsets)
    return address, math.prod(cursor.uint(4) for _ in range(rank))


def link(content: bytes, offsets: int, limits: Limits) -> tuple[str, int | None]:
    """Return a link's name and the address that it leads to, None for a soft or external one.

    Raises:
        Malformed: The message is cut.
    """
    cursor = _cursor(content, limits)
    _, flags = cursor.unpack("2B")
    kind = cursor.uint(1) if flags & 0x08 else 0
    cursor.skip((8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0))
    name = cursor.take(cursor.uint(1 << (flags & 3))).decode("utf-8", "replace")
    return name, cursor.uint(offsets) if kind == 0 else None


def attribute(
    message: Message, lengths: int, limits: Limits, variable: Callable[[bytes], bytes]
) -> Attribute:
    """Return an attribute.

    Args:
        message: An attribute message, versions 1 to 3.
        lengths: Bytes of a length.
        limits: The bounds to keep.
        variable: Fetches a text of variable length by its reference.

    Raises:
        Malformed: It is cut, or shared with other objects.
    """
    cursor = _cursor(message.content, limits)
    version, flags, *sizes = cursor.unpack("BBHHH")
    if version not in {1, 2, 3} or message.shared:
        raise Malformed("an attribute is stored in a way that is not understood")
    if version == 3:  # noqa: PLR2004 - it adds the name's encoding
        cursor.skip(1)
    name, kind, space = (cursor.take(_padded(size) if version == 1 else size) for size in sizes)
    named = name.split(b"\0", 1)[0].decode("utf-8", "replace")
    if version > 1 and flags & 3:
        return Attribute(named, None)
    value = message.content[cursor.at :]
    return Attribute(named, _value(datatype(kind), shape(space, lengths), value, variable))


def _value(
    kind: Datatype,
    dimensions: tuple[int, ...],
    value: bytes,
    variable: Callable[[bytes], bytes],
) -> Any:
    """Return a single text or number, None for arrays and all else."""
    if math.prod(dimensions) != 1 or kind.size > len(value):
        return None
    own = value[: kind.size]
    if kind.kind == _INTEGER:
        return int.from_bytes(own, "little", signed=not kind.name.startswith("u"))
    if not kind.text:
        return None
    text = variable(own) if kind.kind == _VARIABLE else own.rstrip(b"\0")
    return text.decode("utf-8", "replace")


def _padded(size: int) -> int:
    return -(-size // 8) * 8
