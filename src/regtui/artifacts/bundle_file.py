"""The file of a bundle: a plain tar, written and read in one pass (`docs/bundles.md`).

    regtui.json              what it is
    <pages>/000001.jsonl     records, one JSON value a line; registries only
    texts/<64 hex>           texts by digest; versions only
    objects/ab/<62 hex>      the stored files, in the order of their digests
    digests.txt              `<blake3>  <name>` of everything before it, as `b3sum --check` reads it

The same content gives the same bytes: names are in a fixed order, and headers hold no time and no
owner. Nothing has to be sought in, so a pipe will do on either side. Memory is one buffer, and one
page at a time.

Reading trusts nothing. Only regular files with these names in this order are let through: no other
paths, links, devices, sparse files or extended headers, and nothing twice. A size is never
allocated, only counted down. The list at the end must be what was read; a bundle that was cut off
has none. What reads a bundle takes nothing from it for good before `finish` has returned.
"""

import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3
from msgspec import Struct

from regtui.artifacts.copying import PIECE, Progress, silent
from regtui.artifacts.faults import disk_errors
from regtui.core.bundle import DESCRIPTION_LIMIT, RECORDS, damaged
from regtui.core.errors import BadInput, Damaged, RegtuiError

DESCRIPTION = "regtui.json"
DIGESTS = "digests.txt"

PAGE_BYTES = 4 << 20
"""Bytes after which a page of records is full."""

PAGE_LIMIT = 64 << 20
"""The largest page or text that is read: a page has at least one record."""

_BLOCK = tarfile.BLOCKSIZE
_END = b"\0" * _BLOCK
_OBJECT = re.compile(r"objects/([0-9a-f]{2})/([0-9a-f]{62})")
_TEXT = re.compile(r"texts/([0-9a-f]{64})")
_PAGE = re.compile(r"([a-z]+)/([0-9]{6})\.jsonl")
_SECTIONS = ["", *RECORDS, "text", "object", DIGESTS]
_PACKED = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ", "xz", "unxz"),
    (b"PK\x03\x04", "zip", "unzip"),
)


class BundleWriter:
    """Writes entries one after the other.

    Args:
        file: Open for writing.
        list_file: Spools the list of digests; open for writing and reading.
        writing: What an error is said to have stopped.
        on_progress: Is told how many bytes of stored files were written since the last call.
    """

    def __init__(
        self, file: BinaryIO, list_file: BinaryIO, writing: str, on_progress: Progress = silent
    ) -> None:
        self._file = file
        self._list = list_file
        self._writing = writing
        self._on_progress = on_progress
        self._buffer = memoryview(bytearray(PIECE))
        self.size = 0

    def add(self, name: str, data: bytes) -> None:
        """Write a small entry.

        Raises:
            RegtuiError: The disk is full or failed.
        """
        with disk_errors(self._writing):
            self._begin(name, len(data))
            self._write(data)
            self._end(name, len(data), blake3(data).hexdigest())

    def add_page(self, section: str, number: int, lines: Sequence[bytes]) -> None:
        """Write a page of records; pages of a section are numbered from 1.

        Raises:
            BadInput: It is larger than any reader takes.
            RegtuiError: The disk is full or failed.
        """
        data = b"".join(lines)
        if len(data) > PAGE_LIMIT:
            raise BadInput(f"a record of {section} has {len(data):,} bytes, too many for a bundle")
        self.add(f"{section}/{number:06d}.jsonl", data)

    def add_object(self, path: Path, digest: str, size: int) -> None:
        """Write a stored file.

        Raises:
            Damaged: It is missing, or not what its name says.
            RegtuiError: The disk is full or failed.
        """
        name = f"objects/{digest[:2]}/{digest[2:]}"
        try:
            source = path.open("rb", buffering=0)
        except OSError as error:
            raise _lost(digest, error.strerror or "unreadable") from error
        with source:
            if os.fstat(source.fileno()).st_size != size:
                raise _lost(digest, "it has another size")
            hasher, left = blake3(), size
            with disk_errors(self._writing):
                self._begin(name, size)
                while left and (count := _read(source, self._buffer[: min(PIECE, left)])):
                    hasher.update(self._buffer[:count])
                    self._write(self._buffer[:count])
                    self._on_progress(count)
                    left -= count
                if left or hasher.hexdigest() != digest:
                    raise _lost(digest, "its bytes are not what they were")
                self._end(name, size, digest)

    def finish(self) -> None:
        """Write the list of digests and the end of the archive.

        Raises:
            RegtuiError: The disk is full or failed.
        """
        with disk_errors(self._writing):
            size = self._list.tell()
            self._list.seek(0)
            self._begin(DIGESTS, size)
            while piece := self._list.read(PIECE):
                self._write(piece)
            self._write(b"\0" * (-size % _BLOCK) + 2 * _END)

    def _begin(self, name: str, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = size
        self._write(entry.tobuf(tarfile.GNU_FORMAT))

    def _end(self, name: str, size: int, digest: str) -> None:
        self._write(b"\0" * (-size % _BLOCK))
        self._list.write(_line(digest, name))

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.size += len(data)


class Entry(Struct, frozen=True):
    """One entry that is about to be read.

    Attributes:
        name: Its name.
        section: `text`, `object`, or the kind of records that a page holds.
        size: Bytes that it says it has.
        digest: Of a text or object.
    """

    name: str
    section: str
    size: int
    digest: str = ""


class BundleReader:
    """Reads a bundle once, from its start to its end.

    Args:
        file: Open for reading at its start; a pipe will do.
        shown: What it is called in errors.
        on_progress: Is told how many bytes were read since the last call.
    """

    def __init__(self, file: BinaryIO, shown: str, on_progress: Progress = silent) -> None:
        self.shown = shown
        self._file = file
        self._on_progress = on_progress
        self._buffer = memoryview(bytearray(PIECE))
        self._entry = Entry("", "", 0)
        self._left = 0
        self._hasher = blake3()
        self._lines = blake3()
        self._lines_size = 0
        self._ended = False

    def description(self) -> bytes:
        """Return `regtui.json`; the first thing to be read.

        Raises:
            BadInput: It is no bundle; what it seems to be instead is named.
            Damaged: It is cut off or too large.
        """
        block = self._block()
        _refuse_others(block, self.shown)
        try:
            entry = self._header(block)
        except Damaged:
            raise BadInput(f"{self.shown} is no bundle", "`regtui export` makes one") from None
        if entry.name != DESCRIPTION:
            raise BadInput(f"{self.shown} is no bundle", "`regtui export` makes one")
        return self.content(DESCRIPTION_LIMIT)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries after the description; the caller reads each to its end.

        Raises:
            Damaged: It is cut off, tampered with, or not what its digests say.
        """
        while True:
            if self._left:
                raise self.damaged(f"{self._entry.name} was not read")
            before = self._entry
            entry = self._header(self._block())
            if (_rank(entry), entry.name) <= (_rank(before), before.name):
                raise self.damaged(f"{entry.name!r} is not where it belongs")
            if entry.section == DIGESTS:
                self._check_list(entry)
                return
            yield entry

    def content(self, limit: int = PAGE_LIMIT) -> bytes:
        """Return the bytes of the present entry.

        Raises:
            Damaged: It is cut off, or has more than `limit` bytes.
        """
        if self._left > limit:
            raise self.damaged(f"{self._entry.name} has {self._left:,} bytes, too many")
        return b"".join(bytes(piece) for piece in self.pieces())

    def pieces(self) -> Iterator[memoryview]:
        """Yield the bytes of the present entry; each piece is good until the next one.

        Raises:
            Damaged: It is cut off, or a text or object is not what its name says.
        """
        while self._left:
            count = self._read(self._buffer[: min(PIECE, self._left)])
            if not count:
                raise self.damaged("it is cut off")
            self._left -= count
            self._hasher.update(self._buffer[:count])
            yield self._buffer[:count]
        padding = -self._entry.size % _BLOCK
        if self._read(self._buffer[:padding]) != padding:
            raise self.damaged("it is cut off")
        if any(self._buffer[:padding]):
            raise self.damaged(f"something stands behind {self._entry.name}")
        digest = self._hasher.hexdigest()
        if self._entry.digest not in {"", digest}:
            raise self.damaged(f"{self._entry.name} is not what its name says")
        if self._entry.section != DIGESTS:
            line = _line(digest, self._entry.name)
            self._lines.update(line)
            self._lines_size += len(line)

    def finish(self) -> None:
        """Make sure that everything was read and nothing follows.

        Raises:
            Damaged: Something is left.
        """
        if not self._ended:
            raise self.damaged("it has no end")
        if self._block() != _END or self._block() != _END:
            raise self.damaged("it is cut off")
        while count := self._read(self._buffer):
            if any(self._buffer[:count]):
                raise self.damaged("something follows its end")

    def damaged(self, what: str) -> Damaged:
        """Return the error that says what is wrong with it."""
        return damaged(self.shown, what)

    def _block(self) -> bytes:
        count = self._read(self._buffer[:_BLOCK])
        if not count and not self._entry.name:
            raise BadInput(f"{self.shown} is empty", "`regtui export` makes a bundle")
        if count < _BLOCK:
            raise self.damaged("it is cut off")
        return bytes(self._buffer[:_BLOCK])

    def _read(self, buffer: memoryview) -> int:
        try:
            count = _read(self._file, buffer)
        except OSError as error:
            raise RegtuiError(f"can't read {self.shown}: {error.strerror}") from error
        self._on_progress(count)
        return count

    def _header(self, block: bytes) -> Entry:
        try:
            found = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise self.damaged("a header is malformed, or its end is missing") from None
        entry = _entry_of(found)
        if entry is None or found.type != tarfile.REGTYPE or not 0 <= found.size < 2**63:
            raise self.damaged(f"it holds {found.name[:100]!r}, which no bundle has")
        self._entry, self._left, self._hasher = entry, entry.size, blake3()
        return entry

    def _check_list(self, entry: Entry) -> None:
        if entry.size != self._lines_size:
            raise self.damaged("its list of digests is not that of its entries")
        for _ in self.pieces():
            pass
        if self._hasher.digest() != self._lines.digest():
            raise self.damaged("its list of digests is not that of its entries")
        self._ended = True


def _entry_of(found: tarfile.TarInfo) -> Entry | None:
    """Return the entry behind a header; None for a name that no bundle has."""
    if found.name == DESCRIPTION:
        return Entry(found.name, "", found.size)
    if found.name == DIGESTS:
        return Entry(found.name, DIGESTS, found.size)
    if match := _OBJECT.fullmatch(found.name):
        return Entry(found.name, "object", found.size, match[1] + match[2])
    if match := _TEXT.fullmatch(found.name):
        return Entry(found.name, "text", found.size, match[1])
    match = _PAGE.fullmatch(found.name)
    return Entry(found.name, match[1], found.size) if match and match[1] in RECORDS else None


def _rank(entry: Entry) -> int:
    return _SECTIONS.index(entry.section)


def _refuse_others(block: bytes, shown: str) -> None:
    """Name what a file is that is no bundle.

    Raises:
        BadInput: It is such.
    """
    for magic, name, program in _PACKED:
        if block.startswith(magic):
            raise BadInput(f"{shown} is compressed with {name}", f"unpack it first: `{program}`")
    if block.startswith(b"regtui-backup.json\0"):
        raise BadInput(
            f"{shown} is a backup, no bundle", f"`regtui backup restore {shown} --home DIR`"
        )


def _lost(digest: str, what: str) -> Damaged:
    return Damaged(
        f"the stored file {digest[:16]} can't be exported: {what}",
        "`regtui verify` says which versions need it; --no-artifacts leaves all files out",
    )


def _read(source: BinaryIO, buffer: memoryview) -> int:
    """Fill the buffer as far as the source goes, and return the bytes read."""
    done = 0
    while done < len(buffer):
        count = source.readinto(buffer[done:])  # type: ignore[attr-defined]
        if not count:
            break
        done += count
    return done


def _line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()
