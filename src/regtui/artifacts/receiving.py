"""Receiving objects from elsewhere: written beside, named only when all of the source is verified.

The source yields the bytes of one object at a time and has checked, when they end, that they are
what the digest says. Objects lie under their digests in the folder of a session until `name_all`
gives them their names; a source that turns out to be damaged half-way leaves nothing in the store.
What the store holds already is read again: if its bytes are good nothing is written, and its mtime
is renewed so that no collection takes it; if they are not, the received ones take their place.
"""

import itertools
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from regtui.artifacts.copying import PIECE, hash_file
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.flushing import Flusher, flush_folder
from regtui.artifacts.layout import object_path, objects_folder

_PAGE = 10_000
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Receiver:
    """Takes objects into a store; use it as a context, inside a lease.

    Args:
        root: Folder of the store.
        folder: The lease's folder, on the same file system.
        dry_run: Whether to read only.
    """

    def __init__(self, root: Path, folder: Path, *, dry_run: bool = False) -> None:
        self._root = root
        self._folder = folder / "received"
        self._writing = f"writing to the store {root}"
        self._flusher = Flusher(self._writing)
        self._dry_run = dry_run
        self._buffer: memoryview | None = None
        self.files = 0
        self.size = 0

    def __enter__(self) -> Self:
        with disk_errors(self._writing):
            self._folder.mkdir(mode=0o700, exist_ok=True)
        self._flusher.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._flusher.__exit__(kind, error, trace)

    def take(self, digest: str, size: int, pieces: Iterable[memoryview]) -> None:
        """Take in an object, or let it pass where the store has it.

        Args:
            digest: Its digest, which `pieces` has checked when it ends.
            size: Bytes.
            pieces: Its bytes; all of them are read.

        Raises:
            RegtuiError: The store may not be written, or its disk is full.
        """
        if self.has(digest, size):
            for _ in pieces:
                pass
            return
        self.files, self.size = self.files + 1, self.size + size
        if self._dry_run:
            for _ in pieces:
                pass
            return
        with disk_errors(self._writing):
            descriptor = os.open(self._folder / digest, _CREATE, 0o444)
        try:
            for piece in pieces:
                done = 0
                with disk_errors(self._writing):
                    while done < len(piece):
                        done += os.write(descriptor, piece[done:])
            with disk_errors(self._writing):
                os.fchmod(descriptor, 0o444)
        except BaseException:
            os.close(descriptor)
            with suppress(OSError):  # half a file must not get a name with the others
                (self._folder / digest).unlink()
            raise
        self._flusher.add(descriptor, size)

    def has(self, digest: str, size: int) -> bool:
        """Tell whether the store holds an object's bytes; they are read again.

        Raises:
            RegtuiError: The store can't be read.
        """
        path = object_path(self._root, digest)
        with disk_errors(f"reading the store {self._root}"):
            try:
                if path.stat().st_size != size:
                    return False
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return False
            try:
                if hash_file(descriptor, self._spare())[0] != digest:
                    return False
            finally:
                os.close(descriptor)
            if not self._dry_run:
                os.utime(path)
        return True

    def renew(self, digest: str, size: int) -> bool:
        """Tell by its name and size whether the store holds an object; no collection takes it now.

        Raises:
            RegtuiError: The store can't be read.
        """
        path = object_path(self._root, digest)
        with disk_errors(f"reading the store {self._root}"):
            try:
                if path.stat().st_size != size:
                    return False
                if not self._dry_run:
                    os.utime(path)
            except FileNotFoundError:
                return False
        return True

    def name_all(self) -> None:
        """Give all objects their names, on the disk.

        Raises:
            RegtuiError: The disk is full or failed.
        """
        self._flusher.finish()
        buckets: set[Path] = set()
        with disk_errors(self._writing):
            while names := self._some():
                for name in names:
                    path = object_path(self._root, name)
                    if path.parent not in buckets:
                        path.parent.mkdir(mode=0o700, exist_ok=True)
                        buckets.add(path.parent)
                    (self._folder / name).rename(path)
            for bucket in buckets:
                flush_folder(bucket)
            if buckets:
                flush_folder(objects_folder(self._root))
                flush_folder(self._root)

    def _some(self) -> list[str]:
        with os.scandir(self._folder) as entries:
            return [entry.name for entry in itertools.islice(entries, _PAGE)]

    def _spare(self) -> memoryview:
        if self._buffer is None:
            self._buffer = memoryview(bytearray(PIECE))
        return self._buffer
