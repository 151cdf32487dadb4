"""Where the bytes of pieces lie: a local folder, or a bucket of S3.

A piece lies under the key of its *generation*: who uploads a piece that is about to be deleted
makes a new generation, so that no deletion ever meets a new upload. A key is written once.

Both stores keep the same promises: a key is there with all of its bytes or not at all, and when
`adopt` returns the bytes survive a power cut. A folder is read and written as plain files, because
obstore's local store flushes nothing and streams in blocks of 8 KiB (measured: 1 GiB in 2.2 s,
plain reads in 0.1 s).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import obstore
from blake3 import blake3
from obstore.exceptions import NotFoundError
from obstore.store import S3Store

from regtui.core.errors import BadInput

BLOCK = 1 << 20
"""Bytes that are read at a time."""

_PART = 8 << 20
_PARTS = 9_000  # a bucket takes 10,000 parts of one object


class Absent(Exception):
    """There are no bytes under a key."""


class ArtifactStore(Protocol):
    """The bytes of pieces by key."""

    def adopt(self, path: Path, key: str) -> None:
        """Store the bytes of a file, which may be moved.

        Raises:
            Exception: The store failed; then nothing has the key.
        """

    def size(self, key: str) -> int | None:
        """Return the bytes under a key; None where there are none."""

    def blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
        """Open what is under a key, and return an iterator over its bytes from start to before end.

        Raises:
            Absent: There is nothing; told before the first block is asked for.
        """

    def delete(self, key: str) -> None:
        """Remove what is under a key; nothing where there is nothing."""

    def link(self, key: str, seconds: int) -> str | None:
        """Return an address from which anybody may read a key for a while; None where none is."""


def open_store(url: str) -> ArtifactStore:
    """Return the store at a folder's path, `file://` or `s3://bucket/prefix`.

    Keys, region and endpoint of a bucket come from the environment (`AWS_ACCESS_KEY_ID`,
    `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, `AWS_ALLOW_HTTP`, …).

    Raises:
        BadInput: It is another kind of address.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return FolderStore(Path(url))
    if scheme == "file":
        return FolderStore(Path(rest))
    if scheme == "s3":
        return BucketStore(S3Store.from_url(url))
    raise BadInput(f"artifacts can't lie at {url!r}", "name a folder or s3://bucket/prefix")


def digest_of(blocks: Iterator[memoryview]) -> str:
    """Return the blake3 digest of blocks."""
    hasher = blake3()
    for block in blocks:
        hasher.update(block)
    return hasher.hexdigest()


class FolderStore:
    """Pieces as files below a folder, which need not exist yet.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def adopt(self, path: Path, key: str) -> None:
        """See `ArtifactStore`; the file is moved where it lies on the same disk."""
        target = self.root / key
        made = _make_folder(target.parent)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        try:
            path.rename(target)
        except OSError:
            self._copy(path, target)
        for folder in (target.parent, *made):
            _flush_folder(folder)

    def size(self, key: str) -> int | None:
        """See `ArtifactStore`."""
        try:
            return (self.root / key).stat().st_size
        except FileNotFoundError:
            return None

    def blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
        """See `ArtifactStore`."""
        blocks = _read(self.root / key, start, end)
        try:
            next(blocks)
        except FileNotFoundError:
            raise Absent(key) from None
        return blocks

    def delete(self, key: str) -> None:
        """See `ArtifactStore`."""
        (self.root / key).unlink(missing_ok=True)

    def link(self, key: str, seconds: int) -> str | None:  # noqa: ARG002
        """See `ArtifactStore`: a folder has none."""
        return None

    def _copy(self, path: Path, target: Path) -> None:
        beside = target.with_name(f".{uuid4().hex}")
        try:
            with path.open("rb") as source, beside.open("xb") as copy:
                shutil.copyfileobj(source, copy, BLOCK)
                copy.flush()
                os.fsync(copy.fileno())
            beside.rename(target)
        finally:
            beside.unlink(missing_ok=True)


class BucketStore:
    """Pieces as objects of a bucket.

    Args:
        store: An obstore store, with its prefix.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def adopt(self, path: Path, key: str) -> None:
        """See `ArtifactStore`; the file stays."""
        part = max(_PART, path.stat().st_size // _PARTS + 1)
        obstore.put(self._store, key, path, chunk_size=part, max_concurrency=4)

    def size(self, key: str) -> int | None:
        """See `ArtifactStore`."""
        try:
            return int(obstore.head(self._store, key)["size"])
        except (NotFoundError, FileNotFoundError):
            return None

    def blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[memoryview]:
        """See `ArtifactStore`."""
        options: Any = {}
        if end is not None and start >= end:
            return iter(())
        if start or end is not None:
            options = {"range": {"offset": start} if end is None else (start, end)}
        try:
            found = obstore.get(self._store, key, options=options)
        except (NotFoundError, FileNotFoundError):
            raise Absent(key) from None
        return (memoryview(block) for block in found.stream(min_chunk_size=BLOCK))

    def delete(self, key: str) -> None:
        """See `ArtifactStore`."""
        with suppress(NotFoundError, FileNotFoundError):
            obstore.delete(self._store, key)

    def link(self, key: str, seconds: int) -> str | None:
        """See `ArtifactStore`."""
        return obstore.sign(self._store, "GET", key, timedelta(seconds=seconds))


def _read(path: Path, start: int, end: int | None) -> Iterator[memoryview]:
    """Yield nothing once the file is open, and then its bytes.

    A generator that has begun closes its file whenever it is let go of.
    """
    with FileIO(path) as file:
        yield memoryview(b"")
        file.seek(start)
        left = os.fstat(file.fileno()).st_size - start if end is None else end - start
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield memoryview(block)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder, and return those that have a new name in them."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    return [one.parent for one in missing]


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
