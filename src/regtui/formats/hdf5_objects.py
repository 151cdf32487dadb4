"""The objects of an HDF5 file: superblock, object headers and the messages in them.

Addresses in a file count from its base (a user block may lie before it). An object header is a list
of messages, in version 1 or 2 of its layout, continued elsewhere, in blocks that don't overlap.
What a message means is `hdf5_messages`' and what the objects are to each other `hdf5`'s business.

Any number of addresses may lead to one place, so what is read is paid for each time: one object of
this class has the budgets of a whole file.
"""

from bisect import bisect, insort
from typing import Final

from msgspec import Struct

from regtui.formats.cursor import Cursor, Malformed, TooMuch, Truncated
from regtui.formats.values import Limits, Source

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"

CONTINUATION: Final = 0x0010

_FIRST_PLACES = (0, *(512 << power for power in range(20)))
_WIDTHS = {2, 4, 8}
_BEING_WRITTEN = 0x01
_MOST_BLOCKS = 1_000  # of one object header
_PLACE = 50  # steps that a new place costs, for a block of the file is read there
_HELD = 2  # bytes of messages, names and texts of a whole file, in header lengths


class Superblock(Struct, frozen=True):
    """What a file says about itself.

    Attributes:
        base: Where addresses count from.
        end: Where the file ends.
        root: Address of the root group's object header.
        offsets: Bytes of an address.
        lengths: Bytes of a length.
        being_written: Whether a writer has it open, or died.
    """

    base: int
    end: int
    root: int
    offsets: int
    lengths: int
    being_written: bool


class Message(Struct, frozen=True):
    """One message of an object header."""

    kind: int
    flags: int
    content: bytes

    @property
    def shared(self) -> bool:
        """Whether the content only says where the message is."""
        return bool(self.flags & 2)


def find(head: bytes, source: Source) -> int | None:
    """Return where the superblock is: at 0, or behind a user block of 512, 1024, … bytes."""
    if head.startswith(SIGNATURE):
        return 0
    for place in _FIRST_PLACES[1:]:
        if place >= source.size:
            return None
        if source.read(place, len(SIGNATURE)) == SIGNATURE:
            return place
    return None


def superblock(source: Source, place: int, limits: Limits) -> Superblock:
    """Read the superblock at `place`.

    Raises:
        Malformed: It is none of the versions 0 to 3, or cut.
    """
    cursor = Cursor(source, place, limits)
    if cursor.take(len(SIGNATURE)) != SIGNATURE:
        raise Malformed("there is no superblock")
    version = cursor.uint(1)
    if version in {0, 1}:
        cursor.skip(4)
        offsets, lengths = cursor.unpack("2B")
        # Reserved byte, two ranks, consistency flags; version 1 adds a rank and two bytes.
        cursor.skip(9 if version == 0 else 13)
        flags = 0
    elif version in {2, 3}:
        offsets, lengths, flags = cursor.unpack("3B")
    else:
        raise Malformed(f"version {version} of HDF5's superblock is not known")
    if offsets not in _WIDTHS or lengths not in _WIDTHS:
        raise Malformed("the widths of HDF5's addresses are not known")
    base = cursor.uint(offsets)
    cursor.skip(offsets)
    end = cursor.uint(offsets)
    if version in {0, 1}:
        cursor.skip(2 * offsets)
    root = cursor.uint(offsets)
    return Superblock(base, end, root, offsets, lengths, bool(flags & _BEING_WRITTEN))


class Objects:
    """Reads objects of one file by their address."""

    def __init__(self, source: Source, block: Superblock, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._steps = limits.steps
        self._held = _HELD * limits.header_bytes
        self.block = block

    def cursor(self, address: int) -> Cursor:
        """Return a cursor at an address.

        Raises:
            Truncated: It is beyond the end of the file.
            TooMuch: More places were visited than the limits allow.
        """
        self.step(_PLACE)
        if self.block.base + address > self._source.size:
            raise Truncated(f"an object is said to be at {address}, behind the file's end")
        return Cursor(self._source, self.block.base + address, self._limits)

    def step(self, count: int = 1) -> None:
        """Count parts.

        Raises:
            TooMuch: There are more than the limits allow.
        """
        self._steps -= count
        if self._steps < 0:
            raise TooMuch("the file has more parts than can be read")

    def hold(self, length: int) -> None:
        """Count bytes that are kept.

        Raises:
            TooMuch: There are more than the limits allow.
        """
        self._held -= length
        if self._held < 0:
            raise TooMuch("the file has more messages and names than can be read")

    def absent(self, address: int) -> bool:
        """Whether an address says that there is nothing."""
        return address == (1 << 8 * self.block.offsets) - 1

    def text(self, reference: bytes) -> bytes:
        """Return a text of variable length: its length, its collection's address, its index.

        Raises:
            Malformed: It is not there.
        """
        width = self.block.offsets
        length = int.from_bytes(reference[:4], "little")
        index = int.from_bytes(reference[4 + width : 8 + width], "little")
        if not length:
            return b""
        cursor = self.cursor(int.from_bytes(reference[4 : 4 + width], "little"))
        start = cursor.at
        if cursor.take(8)[:4] != b"GCOL":
            raise Malformed("a text's heap is missing")
        end = start + cursor.uint(self.block.lengths)
        while cursor.at < end:
            self.step()
            found = cursor.unpack("HH4x")[0]
            size = cursor.uint(self.block.lengths)
            if found == index:
                self.hold(min(size, length))
                return cursor.take(min(size, length))
            cursor.skip(-(-size // 8) * 8)
        raise Malformed("a text is missing in its heap")

    def messages(self, address: int) -> list[Message]:
        """Return the messages of the object header at an address.

        Raises:
            Malformed: It is none, or is cut.
        """
        cursor = self.cursor(address)
        first = cursor.take(4)
        if first == b"OHDR":
            return self._version_2(cursor)
        if first[0] == 1:
            return self._version_1(cursor)
        raise Malformed(f"there is no object at {address}")

    def _version_1(self, cursor: Cursor) -> list[Message]:
        cursor.skip(4)
        size = cursor.uint(4)
        cursor.skip(4)
        found: list[Message] = []
        blocks = _Blocks(cursor.at, size)
        for start, end in blocks.found:  # grows while it is walked
            cursor.at = start
            while cursor.at + 8 <= end:
                kind, length, flags = cursor.unpack("HHB3x")
                if cursor.at + length > end:
                    raise Malformed("a message reaches beyond its block")
                self._keep(Message(kind, flags, cursor.take(length)), found, blocks, 0)
        return found

    def _version_2(self, cursor: Cursor) -> list[Message]:
        _, flags = cursor.unpack("2B")
        cursor.skip((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
        size = cursor.uint(1 << (flags & 3))
        ordered = 2 if flags & 0x04 else 0
        found: list[Message] = []
        blocks = _Blocks(cursor.at, size)
        for start, end in blocks.found:  # grows while it is walked
            cursor.at = start
            while cursor.at + 4 + ordered <= end:
                kind, length, own = cursor.unpack("BHB")
                cursor.skip(ordered)
                if cursor.at + length > end:
                    raise Malformed("a message reaches beyond its block")
                self._keep(Message(kind, own, cursor.take(length)), found, blocks, 4)
        return found

    def _keep(self, message: Message, found: list[Message], blocks: "_Blocks", frame: int) -> None:
        """Keep a message; a continuation adds its block, less the signature and checksum."""
        self.step()
        self.hold(len(message.content))
        if len(found) > self._limits.tensors:
            raise TooMuch("an object has more messages than can be read")
        if message.kind != CONTINUATION:
            found.append(message)
            return
        self.step(_PLACE)
        width = self.block.offsets
        address = int.from_bytes(message.content[:width], "little")
        length = int.from_bytes(message.content[width : width + self.block.lengths], "little")
        start = self.block.base + address
        if start + length > self._source.size:
            raise Truncated("an object continues behind the file's end")
        blocks.add(start, length, frame)


class _Blocks:
    """The blocks of one object header, none of which lies on another.

    Attributes:
        found: Start and end of the messages in each, in the order found.
    """

    def __init__(self, start: int, size: int) -> None:
        self.found = [(start, start + size)]
        self._spans = [(start, start + size)]

    def add(self, start: int, length: int, frame: int) -> None:
        """Add a block.

        Args:
            start: Where it starts.
            length: Its bytes.
            frame: How many of them at either end belong to no message.

        Raises:
            Malformed: It is no block, or lies on another.
            TooMuch: There are too many.
        """
        if len(self.found) > _MOST_BLOCKS:
            raise TooMuch("an object continues more often than can be read")
        span = (start, start + length)
        place = bisect(self._spans, span)
        before = self._spans[place - 1][1] if place else 0
        after = self._spans[place][0] if place < len(self._spans) else span[1]
        if length <= 2 * frame or start < before or span[1] > after:
            raise Malformed("an object continues itself")
        insort(self._spans, span)
        self.found.append((start + frame, span[1] - frame))
