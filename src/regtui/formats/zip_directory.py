"""The table of contents of a zip archive, and the bytes of one member.

Algorithm: the end record is looked for at the very end, then backwards through the longest possible
comment; zip64 records are followed; the central directory is read as one block; each member's local
header is read for where its data starts (torch pads there, so that storages are aligned).

Invariants: sizes are checked against the archive before anything is allocated; `content` inflates
no more than the member says and no more than `Limits.header_bytes`, and checks the CRC. Both tables
of an archive must tell the same: a local header with another name or method, bytes before the
archive or between its tables, and members outside of it are refused, for two readers could then see
two archives. So are names that some readers cut or replace (a control character, a second name
beside the first), sizes that are told twice, and members that overlap, which make an archive of any
size out of a few bytes. Names may repeat: whoever judges an archive judges every member.

Failure: `BadArchive` with one sentence, also for what is not supported (encryption, several disks,
other methods than stored and deflate when a member is read).
"""

import struct
import zlib
from itertools import pairwise
from typing import Final

from msgspec import Struct

from regtui.formats.values import LIMITS, Limits, Source

STORED: Final = 0
DEFLATED: Final = 8

MAGIC: Final = b"PK\x03\x04"

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 0x1
_UTF8 = 0x800
_FULL32 = 0xFFFFFFFF
_FULL16 = 0xFFFF
# Fields beside a member's entry.
_ZIP64 = 0x0001
_UNICODE_NAME = 0x7075


class BadArchive(Exception):
    """The archive is damaged, ambiguous, larger than the limits or of an unsupported kind.

    Attributes:
        truncated: Whether the archive just ends too early.
    """

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.truncated = truncated


class Member(Struct, frozen=True):
    """One file of an archive.

    Attributes:
        name: As the archive names it.
        offset: Where its stored bytes start in the archive.
        size: Its bytes once unpacked.
        compressed: Its bytes as stored.
        method: `STORED`, `DEFLATED` or another number of the zip format.
        crc: CRC-32 of its unpacked bytes.
        encrypted: Whether it needs a password.
    """

    name: str
    offset: int
    size: int
    compressed: int
    method: int
    crc: int
    encrypted: bool = False


class Part:
    """A window on a source, such as a stored member."""

    def __init__(self, source: Source, offset: int, size: int) -> None:
        self._source = source
        self._offset = offset
        self._size = max(0, min(size, source.size - offset))

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, at most `length`.

        Raises:
            OSError: The file below could not be read.
        """
        length = min(length, self._size - offset)
        return self._source.read(self._offset + offset, length) if min(offset, length) >= 0 else b""


class _Directory(Struct, frozen=True):
    """Where the central directory lies and how many members it tells of."""

    offset: int
    size: int
    count: int


def members(source: Source, limits: Limits = LIMITS) -> tuple[Member, ...]:
    """Return the members in the order of the central directory; names may repeat.

    Raises:
        BadArchive: See the module.
        OSError: The file could not be read.
    """
    directory = _find_directory(source)
    if directory.size > limits.header_bytes or directory.count > limits.tensors:
        raise BadArchive("the zip archive has more members than can be read")
    table = source.read(directory.offset, directory.size)
    found: list[Member] = []
    spans: list[tuple[int, int]] = []
    place = 0
    for _ in range(directory.count):
        member, start, place = _member(source, table, place, directory.offset)
        found.append(member)
        spans.append((start, member.offset + member.compressed))
    if place != len(table):
        raise BadArchive("the zip archive's table of contents has bytes that belong to no member")
    spans.sort()
    if any(after[0] < before[1] for before, after in pairwise(spans)):
        raise BadArchive("members of the zip archive overlap")
    return tuple(found)


def part(source: Source, offset: int, size: int) -> Source:
    """Return a window on `source`; the bytes of a stored member, for instance."""
    return Part(source, offset, size)


def content(source: Source, member: Member, limits: Limits = LIMITS) -> bytes:
    """Return the unpacked bytes of a member.

    Raises:
        BadArchive: It is too large, encrypted, packed by another method, or damaged.
        OSError: The file could not be read.
    """
    if member.encrypted or member.method not in {STORED, DEFLATED}:
        raise BadArchive(f"{member.name!r} in the zip archive is encrypted or packed unusually")
    if max(member.size, member.compressed) > limits.header_bytes:
        raise BadArchive(f"{member.name!r} in the zip archive is too large to read")
    data = source.read(member.offset, member.compressed)
    if member.method == DEFLATED:
        data = _inflate(data, member)
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise BadArchive(f"{member.name!r} in the zip archive is damaged")
    return data


def _inflate(data: bytes, member: Member) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than promised tells a member that holds more; 0 would mean "no limit".
        return inflater.decompress(data, member.size + 1)
    except zlib.error as error:
        raise BadArchive(f"{member.name!r} in the zip archive is damaged") from error


def _find_directory(source: Source) -> _Directory:
    place, end = _find_end(source)
    _, *told = _END.unpack(end)
    values = told[:6]
    wide = _zip64(source, place)
    if wide is not None:
        place, wide_values = wide
        # Torch writes the wide record always; where the short one says something, it must agree.
        if any(a not in {_FULL16, _FULL32, b} for a, b in zip(values, wide_values, strict=True)):
            raise BadArchive("the zip archive's two end records disagree")
        values = wide_values
    elif _FULL16 in values[2:4] or _FULL32 in values[4:]:
        raise BadArchive("the zip archive lacks its zip64 end record")
    disk, first_disk, here, count, size, offset = values
    if disk or first_disk or here != count:
        raise BadArchive("the zip archive is one of several parts")
    if offset + size != place:
        raise BadArchive("the zip archive's table of contents is not where it says")
    if count * _CENTRAL.size > size:
        raise BadArchive("the zip archive tells of more members than its table holds")
    return _Directory(offset, size, count)


def _find_end(source: Source) -> tuple[int, bytes]:
    """Return the end record and where it lies: the last that reaches exactly the end."""
    tail = source.read(*_tail(source, _END.size))
    if len(tail) == _END.size and tail[:4] == b"PK\x05\x06" and tail[-2:] == b"\0\0":
        return source.size - _END.size, tail
    start, length = _tail(source, _END.size + _LONGEST_COMMENT)
    tail = source.read(start, length)
    found = tail.rfind(b"PK\x05\x06")
    end = tail[found : found + _END.size]
    if found < 0 or len(end) < _END.size:
        raise BadArchive("the zip archive has no end record", truncated=True)
    if start + found + _END.size + int.from_bytes(end[-2:], "little") != source.size:
        raise BadArchive("the zip archive has bytes behind its end", truncated=True)
    return start + found, end


def _tail(source: Source, length: int) -> tuple[int, int]:
    length = min(length, source.size)
    return source.size - length, length


def _zip64(source: Source, end: int) -> tuple[int, list[int]] | None:
    """Return where the zip64 end record lies and what it says, None if there is none."""
    locator = source.read(max(0, end - _LOCATOR.size), _LOCATOR.size)
    if len(locator) < _LOCATOR.size or locator[:4] != b"PK\x06\x07":
        return None
    place = _LOCATOR.unpack(locator)[2]
    record = source.read(place, _END64.size) if place < end else b""
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise BadArchive("the zip archive lacks its zip64 end record")
    _, length, _, _, disk, first_disk, here, count, size, offset = _END64.unpack(record)
    if place + 12 + length != end - _LOCATOR.size:
        raise BadArchive("the zip archive's zip64 end record is not where it says")
    return place, [disk, first_disk, here, count, size, offset]


def _member(source: Source, table: bytes, place: int, limit: int) -> tuple[Member, int, int]:
    """Return the member at `place` of the table, where its header is, and where the next starts."""
    if len(table) - place < _CENTRAL.size or table[place : place + 4] != b"PK\x01\x02":
        raise BadArchive("the zip archive's table of contents is damaged")
    fields = _CENTRAL.unpack_from(table, place)
    _, _, _, flags, method, _, _, crc, compressed, size, names, extras, comments = fields[:13]
    start = place + _CENTRAL.size
    name = table[start : start + names]
    extra = table[start + names : start + names + extras]
    following = start + names + extras + comments
    if following > len(table):
        raise BadArchive("the zip archive's table of contents is damaged")
    wide = _zip64_field(extra)
    size, compressed, header = _widen(wide, size, compressed, fields[16])
    offset = _data_offset(source, header, name, method)
    if offset + compressed > limit:
        raise BadArchive("a member of the zip archive reaches beyond its end")
    encrypted = bool(flags & _ENCRYPTED)
    if method == STORED and size != compressed and not encrypted:
        raise BadArchive("a member of the zip archive has two sizes")
    member = Member(
        name=_name(name, utf8=bool(flags & _UTF8)),
        offset=offset,
        size=size,
        compressed=compressed,
        method=method,
        crc=crc,
        encrypted=encrypted,
    )
    return member, header, following


def _name(raw: bytes, *, utf8: bool) -> str:
    """Return a member's name, which must be the same to all readers: Python ends it at a zero."""
    try:
        name = raw.decode("utf-8" if utf8 else "cp437")
    except UnicodeDecodeError as error:
        raise BadArchive("a name in the zip archive is no text") from error
    if any(character < " " or character == "\x7f" for character in name):
        raise BadArchive("a name in the zip archive has characters that no name has")
    return name


def _widen(values: bytes, size: int, compressed: int, header: int) -> tuple[int, int, int]:
    """Replace the sizes that are too long for 32 bits by those of the zip64 field."""
    if _FULL32 not in {size, compressed, header}:
        return size, compressed, header
    wide = []
    for value in (size, compressed, header):
        if value == _FULL32:
            if len(values) < 8:  # noqa: PLR2004 - bytes of one zip64 number
                raise BadArchive("a member of the zip archive lacks its zip64 sizes")
            value, values = int.from_bytes(values[:8], "little"), values[8:]  # noqa: PLW2901
        wide.append(value)
    return wide[0], wide[1], wide[2]


def _zip64_field(extra: bytes) -> bytes:
    """Return the field with wide sizes, after a look at the others."""
    found = b""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        value = extra[place + 4 : place + 4 + length]
        twice = kind == _ZIP64 and found
        if len(value) < length or kind == _UNICODE_NAME or twice:
            raise BadArchive("a member of the zip archive has a second name or size")
        if kind == _ZIP64:
            found = value
        place += 4 + length
    return found


def _data_offset(source: Source, header: int, name: bytes, method: int) -> int:
    """Return where a member's data starts, which only its local header tells."""
    local = source.read(header, _LOCAL.size + len(name)) if header < source.size else b""
    if len(local) < _LOCAL.size + len(name) or local[:4] != MAGIC:
        raise BadArchive("a member of the zip archive has no header")
    fields = _LOCAL.unpack_from(local)
    if fields[9] != len(name) or local[_LOCAL.size :] != name or fields[3] != method:
        raise BadArchive("the zip archive's two tables of contents disagree")
    return header + _LOCAL.size + int(fields[9]) + int(fields[10])
