"""Taking files into the store: written once, hashed on the way, named last.

For each file: open it and compare its identity with the scan's; get its bytes into a temporary file
and their digest; compare its identity again. The bytes come by

1. taking over the file itself, where it is our own (`SourceFile.own`) and on the store's file
   system: its digest is read in place, and then it gets a name in the session's folder;
2. reflink, where the file system can; the digest is then read from the clone, which nobody
   rewrites;
3. one read into memory, for files of at most one piece: when the store has the object already,
   nothing is written at all;
4. one pass that copies and hashes, for larger ones.

A file that is met again under another name, as hard link or symbolic link, is read once.

An object that is there and still holds its bytes is not written again: the temporary file is
dropped unflushed, and the object's mtime is renewed so that the grace period of a collection starts
anew.
Everything else is flushed in the background, and meanwhile described (`describing`): what is new to
the store gets its layout from the bytes that were stored. Only when the last file is flushed do the
temporary files get their names, by rename, and then the folders are flushed.

Invariants: no object has its name before all its bytes are on the disk; a file that was rewritten
during its capture is refused, never stored as a mixture; a capture that raises has named nothing,
and one that is killed leaves nothing but its own folder under `tmp/`, which the next one sweeps.

Time stamps are as coarse as the kernel's clock tick, so a file that changed within the last 20 ms
is read only when they are over: any later change then shows. On file systems whose time stamps are
coarser still (FAT: 2 s) a change of the same size can pass unseen.
"""

import errno
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from blake3 import blake3
from msgspec.structs import replace

from regtui.artifacts.copying import (
    PIECE,
    Copier,
    Progress,
    clone,
    hash_file,
    read_into,
    write_all,
)
from regtui.artifacts.describing import Describer, Take
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.flushing import Flusher, flush_folder
from regtui.artifacts.layout import object_path, objects_folder
from regtui.artifacts.scan import Identity, SourceFile
from regtui.core.errors import RegtuiError
from regtui.core.manifest import FileEntry

_TICK_NS = 20_000_000
_WORTH_CLONING = 64 << 10
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE}


class Ingest:
    """One capture under way; use it as a context, inside its session.

    Args:
        root: Folder of the store.
        folder: Folder of this capture's temporary files, on the same file system.
        writing: What a write error is said to have stopped.
        on_progress: Is told the bytes done since the last call.
        on_layout: Is given the layouts of files that are new to the store; None to make none.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        writing: str,
        on_progress: Progress,
        on_layout: Take | None = None,
    ) -> None:
        self._root = root
        self._folder = folder
        self._writing = writing
        self._on_progress = on_progress
        self._copier = Copier(writing)
        self._flusher = Flusher(writing)
        self._describer = Describer(on_layout)
        self._closing = ExitStack()
        self._named: dict[str, int] = {}
        self._taken: dict[Identity, str] = {}
        self._buckets: set[Path] = set()
        self._unclonable: set[int] = set()
        self._numbers = itertools.count()
        self._spare: memoryview | None = None

    def __enter__(self) -> Self:
        self._closing.enter_context(self._copier)
        self._closing.enter_context(self._flusher)
        self._closing.enter_context(self._describer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def take(self, file: SourceFile) -> FileEntry:
        """Write one file into the session's folder, and return its manifest entry.

        Raises:
            RegtuiError: It changed or can't be read, or the store can't be written.
        """
        with _opened(file) as source:
            digest = self._taken.get(file.identity)
            if digest:
                self._on_progress(file.size)
                _check_unchanged(file, source)
            else:
                digest = self._take_over(file, source)
            if not digest:
                digest = self._store(file, source)
                _check_unchanged(file, source)
        if file.size > PIECE:
            self._taken[file.identity] = digest
        return FileEntry(file.path, file.size, file.executable, digest)

    def finish(self) -> None:
        """Give all files their names, when they are on the disk, and flush the names.

        Raises:
            RegtuiError: The disk is full or failed.
        """
        self._flusher.finish()
        self._describer.finish()
        with disk_errors(self._writing):
            for digest, number in self._named.items():
                path = object_path(self._root, digest)
                if path.parent not in self._buckets:
                    path.parent.mkdir(mode=0o700, exist_ok=True)
                    self._buckets.add(path.parent)
                self._path(number).rename(path)
            for bucket in self._buckets:
                flush_folder(bucket)
            if self._buckets:
                flush_folder(objects_folder(self._root))
                flush_folder(self._root)

    def _take_over(self, file: SourceFile, source: int) -> str | None:
        """Make an object of a file that is our own, without a copy; None where that can't be."""
        if not file.own or file.size <= PIECE or not self._is_near(file):
            return None
        digest, size = hash_file(source, self._copier.buffer(), self._on_progress)
        _check_size(file, size)
        _check_unchanged(file, source)
        if not self._has(digest, size):
            number = next(self._numbers)
            with disk_errors(self._writing):
                os.link(file.real_path, self._path(number))
                linked = os.open(self._path(number), os.O_RDONLY | os.O_CLOEXEC)
                os.fchmod(linked, 0o444)
                os.utime(linked)  # its age as an object begins now
            self._named[digest] = number
            self._flusher.add(linked, size)
            self._describer.large(digest, _name(file), self._path(number))
        return digest

    def _is_near(self, file: SourceFile) -> bool:
        """Tell whether a file can get a name in the store, and its mode be set."""
        owner = os.stat(file.real_path).st_uid  # noqa: PTH116 -- a str as elsewhere
        near = self._folder.stat().st_dev == file.identity.device
        return near and os.geteuid() in {0, owner}

    def _store(self, file: SourceFile, source: int) -> str:
        if self._may_clone(file):
            digest = self._store_clone(file, source)
            if digest:
                return digest
            self._unclonable.add(file.identity.device)
        if file.size <= PIECE:
            return self._store_small(file, source)
        with self._temporary() as temporary:
            digest, size = self._copier.copy(
                source, temporary.descriptor, file.size, self._on_progress
            )
            _check_size(file, size)
            if not self._has(digest, size):
                self._keep(temporary, digest, size)
                self._describer.large(digest, _name(file), self._path(temporary.number))
        return digest

    def _may_clone(self, file: SourceFile) -> bool:
        return file.size > _WORTH_CLONING and file.identity.device not in self._unclonable

    def _store_clone(self, file: SourceFile, source: int) -> str | None:
        with self._temporary() as temporary:
            with disk_errors(self._writing):
                if not clone(source, temporary.descriptor):
                    return None
            buffer = self._copier.buffer()
            digest, size = hash_file(temporary.descriptor, buffer, self._on_progress)
            _check_size(file, size)
            if not self._has(digest, size):
                self._keep(temporary, digest, size)
                self._describer.large(digest, _name(file), self._path(temporary.number))
        return digest

    def _store_small(self, file: SourceFile, source: int) -> str:
        buffer = self._copier.buffer()
        piece = buffer[: read_into(source, buffer)]
        _check_size(file, len(piece))
        digest = blake3(piece).hexdigest()
        if not self._has(digest, file.size):
            with self._temporary() as temporary:
                with disk_errors(self._writing):
                    write_all(temporary.descriptor, piece, 0)
                self._keep(temporary, digest, file.size)
            self._describer.small(digest, _name(file), piece)
        self._on_progress(file.size)
        return digest

    def _path(self, number: int) -> Path:
        return self._folder / str(number)

    @contextmanager
    def _temporary(self) -> Iterator["_Temporary"]:
        number = next(self._numbers)
        with disk_errors(self._writing):
            temporary = _Temporary(number, os.open(self._path(number), _CREATE, 0o444))
        try:
            yield temporary
        finally:
            if not temporary.kept:
                os.close(temporary.descriptor)
                self._path(number).unlink()

    def _keep(self, temporary: "_Temporary", digest: str, size: int) -> None:
        with disk_errors(self._writing):
            os.fchmod(temporary.descriptor, 0o444)
        self._named[digest] = temporary.number
        temporary.kept = True
        self._flusher.add(temporary.descriptor, size)

    def _has(self, digest: str, size: int) -> bool:
        if digest in self._named:
            return True
        path = object_path(self._root, digest)
        with disk_errors(self._writing):
            try:
                if path.stat().st_size != size or not self._intact(path, digest):
                    return False
                os.utime(path)
            except FileNotFoundError:
                return False
        self._buckets.add(path.parent)
        return True

    def _intact(self, path: Path, digest: str) -> bool:
        """Tell whether an object still holds what its name says: the good bytes are at hand now."""
        if self._spare is None:
            self._spare = memoryview(bytearray(PIECE))
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return hash_file(descriptor, self._spare)[0] == digest
        finally:
            os.close(descriptor)


class _Temporary:
    """A file under construction; the flusher closes its descriptor once it is kept."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self.descriptor = descriptor
        self.kept = False


@contextmanager
def _opened(file: SourceFile) -> Iterator[int]:
    with disk_errors(f"reading {file.real_path}"):
        try:
            source = os.open(file.real_path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _GONE:
                raise _changed(file) from error
            raise
        try:
            _check_unchanged(file, source)
            _wait_for_tick(file.identity)
            yield source
        finally:
            os.close(source)


def _name(file: SourceFile) -> str:
    return file.path or file.real_path


def _wait_for_tick(identity: Identity) -> None:
    age = time.time_ns() - identity.ctime_ns
    if 0 <= age < _TICK_NS:
        time.sleep((_TICK_NS - age) / 1e9)


def _check_unchanged(file: SourceFile, source: int) -> None:
    status = os.fstat(source)
    found = Identity.of(status)
    if file.names and status.st_nlink != file.names:
        found = replace(found, ctime_ns=file.identity.ctime_ns)
    if found != file.identity:
        raise _changed(file)


def _check_size(file: SourceFile, size: int) -> None:
    if size != file.size:
        raise _changed(file)


def _changed(file: SourceFile) -> RegtuiError:
    return RegtuiError(
        f"{file.real_path} changed while it was being captured",
        "capture it again when the writer has finished",
    )
