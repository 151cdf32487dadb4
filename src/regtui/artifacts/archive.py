"""The file of a backup: a plain tar that is written and read in one pass.

    regtui-backup.json    what it is: format, when, of which registry, how much
    registry.duckdb       the database
    objects/ab/<62 hex>   the stored files, in the order of their digests
    missing.txt           digests of objects that the store had not or had damaged, if any
    digests.txt           `<blake3>  <name>` of everything before it, as `b3sum --check` reads it

`tar xf` unpacks it and `b3sum --check digests.txt` checks it, so nobody depends on this program.
Memory is one buffer, whatever the number and size of files.

Reading trusts nothing. Only regular files with these names in this order are let through: no other
paths, links, devices or extended headers. A size is never allocated, only counted down. Each object
must have the digest that names it, and the list at the end must be what was read, byte by byte; a
file that was cut off has no list. Between and behind the entries are zeros and nothing else.
"""

import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3
from msgspec import Struct

from regtui.artifacts.copying import PIECE, Progress, silent
from regtui.artifacts.faults import disk_errors
from regtui.core.errors import BadInput, Damaged

HEADER = "regtui-backup.json"
DATABASE = "registry.duckdb"
MISSING = "missing.txt"
DIGESTS = "digests.txt"

_BLOCK = tarfile.BLOCKSIZE
_OBJECT = re.compile(r"objects/([0-9a-f]{2})/([0-9a-f]{62})")
_LARGEST_HEADER = 1 << 16


class ArchiveWriter:
    """Writes entries one after the other.

    Args:
        file: Open for writing at its start, and seekable.
        list_file: Spools the list of digests; open for writing and reading.
        writing: What an error is said to have stopped.
    """

    def __init__(self, file: BinaryIO, list_file: BinaryIO, writing: str) -> None:
        self._file = file
        self._list = list_file
        self._writing = writing
        self._buffer = memoryview(bytearray(PIECE))

    def add_text(self, name: str, text: str) -> None:
        """Write a small entry.

        Raises:
            RegtuiError: The disk is full or failed.
        """
        data = text.encode()
        with disk_errors(self._writing):
            self._begin(name, len(data))
            self._file.write(data)
            self._end(name, len(data), blake3(data).hexdigest())

    def add_file(self, name: str, path: Path, on_progress: Progress = silent) -> None:
        """Write a file that nobody changes meanwhile.

        Raises:
            RegtuiError: It can't be read, or the disk is full or failed.
        """
        with disk_errors(self._writing), path.open("rb", buffering=0) as source:
            size = os.fstat(source.fileno()).st_size
            self._begin(name, size)
            digest, copied = self._copy(source, on_progress)
            if copied != size:
                raise Damaged(f"{path} changed while it was being copied")
            self._end(name, size, digest)

    def add_object(self, path: Path, digest: str, size: int, on_progress: Progress) -> bool:
        """Write an object; False, and nothing is written, where it is not what its name says.

        Raises:
            RegtuiError: The disk of the backup is full or failed.
        """
        name = object_name(digest)
        with disk_errors(self._writing):
            start = self._file.tell()
        try:
            source = path.open("rb", buffering=0)
        except OSError:
            return False
        with source:
            if os.fstat(source.fileno()).st_size != size:
                return False
            with disk_errors(self._writing):
                self._begin(name, size)
                if self._copy(source, on_progress) == (digest, size):
                    self._end(name, size, digest)
                    return True
                self._file.seek(start)
                self._file.truncate()
        return False

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
                self._file.write(piece)
            self._file.write(b"\0" * (-size % _BLOCK + 2 * _BLOCK))

    def _begin(self, name: str, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self._file.write(entry.tobuf(tarfile.GNU_FORMAT))

    def _copy(self, source: BinaryIO, on_progress: Progress) -> tuple[str, int]:
        hasher, total = blake3(), 0
        while count := _read(source, self._buffer):
            hasher.update(self._buffer[:count])
            self._file.write(self._buffer[:count])
            total += count
            on_progress(count)
        return hasher.hexdigest(), total

    def _end(self, name: str, size: int, digest: str) -> None:
        self._file.write(b"\0" * (-size % _BLOCK))
        self._list.write(_line(digest, name))


class Entry(Struct, frozen=True):
    """One entry that is about to be read: its name and its bytes; `digest` names an object."""

    name: str
    size: int
    digest: str = ""


class ArchiveReader:
    """Reads a backup once, from its start to its end.

    Args:
        file: Open for reading at its start.
        shown: What it is called in errors.
        on_progress: Is told how many bytes were read since the last call.
    """

    def __init__(self, file: BinaryIO, shown: str, on_progress: Progress = silent) -> None:
        self._file = file
        self._shown = shown
        self._on_progress = on_progress
        self._buffer = memoryview(bytearray(PIECE))
        self._lines = blake3()
        self._lines_size = 0
        self._left = 0
        self._last = ""
        self._entry = Entry("", 0)
        self._hasher = blake3()

    def header(self) -> dict[str, object]:
        """Return what the backup says of itself; the first thing to be read.

        Raises:
            BadInput: It is no backup.
            Damaged: It is cut off or malformed.
        """
        try:
            entry = self._next()
        except Damaged:
            entry = None
        if entry is None or entry.name != HEADER or entry.size > _LARGEST_HEADER:
            raise BadInput(f"{self._shown} is no backup of a registry", f"it begins with {HEADER}")
        data = b"".join(bytes(piece) for piece in self.pieces())
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("format"), int):
            raise self._damaged(f"{HEADER} is malformed")
        return found

    def entries(self) -> Iterator[Entry]:
        """Yield the entries after the header; the caller reads `pieces` of each to its end.

        Raises:
            Damaged: It is cut off, tampered with, or not what its digests say.
        """
        names = self._expect(self._next(), DATABASE)
        yield names
        while (entry := self._next()) is not None:
            if entry.name == DIGESTS:
                self._check_list(entry)
                self._check_end()
                return
            if self._last == MISSING or not (entry.digest or entry.name == MISSING):
                raise self._damaged(f"it holds {entry.name!r} where that does not belong")
            if entry.digest and entry.name <= self._last:
                raise self._damaged("its objects are not in order")
            self._last = entry.name
            yield entry
        raise self._damaged("it has no list of digests")

    def pieces(self) -> Iterator[memoryview]:
        """Yield the bytes of the present entry; each piece is good until the next one.

        Raises:
            Damaged: It is cut off, or an object is not what its name says.
        """
        while self._left:
            count = _read(self._file, self._buffer[: min(PIECE, self._left)])
            if not count:
                raise self._damaged("it is cut off")
            self._left -= count
            self._hasher.update(self._buffer[:count])
            self._on_progress(count)
            yield self._buffer[:count]
        padding = self._file.read(-self._entry.size % _BLOCK)
        if len(padding) != -self._entry.size % _BLOCK:
            raise self._damaged("it is cut off")
        if any(padding):
            raise self._damaged(f"something stands behind {self._entry.name}")
        digest = self._hasher.hexdigest()
        if self._entry.digest not in {"", digest}:
            raise self._damaged(f"the object {self._entry.digest} is not what its name says")
        if self._entry.name != DIGESTS:
            line = _line(digest, self._entry.name)
            self._lines.update(line)
            self._lines_size += len(line)

    def _next(self) -> Entry | None:
        block = self._file.read(_BLOCK)
        if len(block) < _BLOCK:
            raise self._damaged("it is cut off")
        if block == b"\0" * _BLOCK:
            return None
        try:
            found = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise self._damaged("a header is malformed") from None
        match = _OBJECT.fullmatch(found.name)
        known = match or found.name in {HEADER, DATABASE, MISSING, DIGESTS}
        if not known or found.type != tarfile.REGTYPE or found.size < 0:
            raise self._damaged(f"it holds {found.name[:100]!r}, which no backup has")
        self._left, self._hasher = found.size, blake3()
        self._entry = Entry(found.name, found.size, match[1] + match[2] if match else "")
        return self._entry

    def _expect(self, entry: Entry | None, name: str) -> Entry:
        if entry is None or entry.name != name:
            raise self._damaged(f"it holds no {name}")
        return entry

    def _check_list(self, entry: Entry) -> None:
        if entry.size != self._lines_size:
            raise self._damaged("its list of digests is not that of its files")
        for _ in self.pieces():
            pass
        if self._hasher.digest() != self._lines.digest():
            raise self._damaged("its list of digests is not that of its files")

    def _check_end(self) -> None:
        if self._file.read(2 * _BLOCK) != b"\0" * (2 * _BLOCK):
            raise self._damaged("its end is missing")
        while count := _read(self._file, self._buffer):
            if any(self._buffer[:count]):
                raise self._damaged("something follows its end")

    def _damaged(self, what: str) -> Damaged:
        return Damaged(f"the backup {self._shown} is damaged: {what}", "use another copy of it")


def object_name(digest: str) -> str:
    """Return the name of an object in a backup."""
    return f"objects/{digest[:2]}/{digest[2:]}"


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
