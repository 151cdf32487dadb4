"""What a group of an HDF5 file links to, in both layouts.

The older: a symbol table message leads to a B-tree, whose leaves are nodes of symbols, and to a
heap with their names. The newer: one link message a member. Many members of the newer layout move
into a heap of its own kind, which is not read: `Malformed` says so.

Every node is visited once and the depth of a tree is bounded, so a cycle ends.
"""

from typing import Final

from regtui.formats import hdf5_messages as messages
from regtui.formats.cursor import Cursor, Malformed, TooMuch
from regtui.formats.hdf5_objects import Message, Objects
from regtui.formats.values import BytesSource, Limits

_SOFT: Final = 2  # how a symbol says that it is only a path


def links(objects: Objects, header: list[Message], limits: Limits) -> list[tuple[str, int]]:
    """Return the names and addresses of a group's members; paths to other places are left out.

    Raises:
        Malformed: The group is broken, or its layout is not understood.
    """
    found: list[tuple[str, int]] = []
    for message in header:
        if message.kind == messages.LINK:
            name, address = messages.link(message.content, objects.block.offsets, limits)
            if address is not None:
                found.append((name, address))
        elif message.kind == messages.LINK_INFO:
            if has_heap(objects, message, 8):
                raise Malformed("a large group is stored in a way that is not understood")
        elif message.kind == messages.SYMBOL_TABLE:
            found += _SymbolTable(objects, message, limits).links()
    return found


def has_heap(objects: Objects, message: Message, index: int) -> bool:
    """Whether an info message leads to a heap with the members.

    Args:
        objects: The file.
        message: Of links or of attributes: version, flags, an index if the first flag says so.
        index: Bytes of that index.
    """
    start = 2 + (index if message.content[1:2] and message.content[1] & 1 else 0)
    address = message.content[start : start + objects.block.offsets]
    return not objects.absent(int.from_bytes(address, "little"))


class _SymbolTable:
    """The older layout."""

    def __init__(self, objects: Objects, message: Message, limits: Limits) -> None:
        self._objects = objects
        self._limits = limits
        self._widths = objects.block.offsets, objects.block.lengths
        cursor = Cursor(BytesSource(message.content), 0, limits)
        self._tree, heap = (cursor.uint(self._widths[0]) for _ in range(2))
        self._names, self._names_size = self._heap(heap)

    def links(self) -> list[tuple[str, int]]:
        """Return all names and addresses, in the order of the names."""
        found: list[tuple[str, int]] = []
        seen: set[int] = set()
        waiting = [self._tree]
        while waiting:
            address = waiting.pop()
            if address in seen:
                raise Malformed("a group's tree leads back to itself")
            seen.add(address)
            if len(found) > self._limits.tensors:
                raise TooMuch("a group has more members than can be read")
            cursor = self._objects.cursor(address)
            kind = cursor.take(4)
            if kind == b"TREE":
                waiting += reversed(self._children(cursor))
            elif kind == b"SNOD":
                found += self._symbols(cursor)
            else:
                raise Malformed("a group's tree is broken")
        return found

    def _heap(self, address: int) -> tuple[int, int]:
        """Return the address and the size of the names."""
        cursor = self._objects.cursor(address)
        if cursor.take(8)[:4] != b"HEAP":
            raise Malformed("a group's names are missing")
        offsets, lengths = self._widths
        size = cursor.uint(lengths)
        cursor.skip(lengths)
        return cursor.uint(offsets), size

    def _children(self, cursor: Cursor) -> list[int]:
        offsets, lengths = self._widths
        _, _, count = cursor.unpack("BBH")
        cursor.skip(2 * offsets)
        found = []
        for _ in range(count):
            cursor.skip(lengths)
            found.append(cursor.uint(offsets))
        return found

    def _symbols(self, cursor: Cursor) -> list[tuple[str, int]]:
        offsets = self._widths[0]
        found = []
        for _ in range(cursor.unpack("BBH")[2]):
            name, address = cursor.uint(offsets), cursor.uint(offsets)
            kind = cursor.uint(4)
            cursor.skip(20)
            if kind != _SOFT:
                found.append((self._name(name), address))
        return found

    def _name(self, offset: int) -> str:
        if offset >= self._names_size:
            raise Malformed("a name is outside of its heap")
        cursor = self._objects.cursor(self._names + offset)
        length = min(self._names_size - offset, self._limits.text, cursor.size - cursor.at)
        name = cursor.take(length).split(b"\0", 1)[0].decode("utf-8", "replace")
        self._objects.hold(len(name))
        return name
