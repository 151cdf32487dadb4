"""Uploads under way: files of the data folder that grow until their piece is whole.

Each belongs to one user, stream and digest, so nobody can spoil another one's. One request writes
to it at a time: a newer one takes over, because the older one is then what a cut connection left
behind, which may wait for its client for ever. Once the bytes are being checked and stored, nobody
takes over any more. A lock of the system keeps processes of one server apart.

Bytes are hashed as they come where a request brings all of them; what was resumed is read again.
What nobody went on with for a week is swept.
"""

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from blake3 import blake3
from fastapi.concurrency import run_in_threadpool

from sync_server.artifacts import BLOCK
from sync_server.authority import Refused
from sync_server.pieces import Place

KEPT = 7 * 86_400
"""Seconds for which an upload waits for its client."""


class Upload:
    """One file that grows, while this request alone may write to it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._hasher = blake3()
        self._hashed = 0

    def restart(self) -> None:
        """Begin anew."""
        os.ftruncate(self._descriptor, 0)
        self._hasher.reset()
        self.size = self._hashed = 0

    def write(self, blocks: list[bytes]) -> None:
        """Write blocks at the end.

        Raises:
            OSError: The disk is full or failed.
        """
        for block in blocks:
            view, done = memoryview(block), 0
            while done < len(view):
                done += os.pwrite(self._descriptor, view[done:], self.size + done)
            if self._hashed == self.size:
                self._hasher.update(view)
                self._hashed += len(view)
            self.size += len(view)

    def digest(self) -> str:
        """Return the digest of all bytes, which are on the disk then.

        Raises:
            OSError: The disk is full or failed.
        """
        os.fsync(self._descriptor)
        while self._hashed < self.size:
            block = os.pread(self._descriptor, BLOCK, self._hashed)
            if not block:
                raise Refused(503, "again", "the upload was lost; send it again")
            self._hasher.update(block)
            self._hashed += len(block)
        return str(self._hasher.hexdigest())

    def drop(self) -> None:
        """Forget the file."""
        self.path.unlink(missing_ok=True)


class _Writer:
    """A request that writes: what receives its bytes, while that may be ended, and its end."""

    def __init__(self) -> None:
        self.work: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()


class Uploads:
    """The uploads under way, below one folder, which need not exist yet.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[Path, _Writer] = {}

    def path(self, place: Place, user: str, digest: str) -> Path:
        """Return where an upload lies."""
        whose = blake3(f"{place.registry}\0{place.stream}\0{user}".encode()).hexdigest()[:32]
        return self.folder / f"{digest}.{whose}"

    def size(self, path: Path) -> int:
        """Return the bytes of an upload that are here."""
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0

    def free(self) -> int:
        """Return the bytes that the disk has left."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(self.folder).free

    @asynccontextmanager
    async def writing(self, path: Path) -> AsyncIterator[Upload]:
        """Be the one that writes to an upload.

        Raises:
            Refused: It is being stored, or another process writes to it.
        """
        await self._take_over(path)
        writer = self._writers[path] = _Writer()
        try:
            descriptor = await run_in_threadpool(self._open, path)
            try:
                yield Upload(path, descriptor)
            finally:
                os.close(descriptor)
        finally:
            del self._writers[path]
            writer.ended.set()

    async def receive(self, upload: Upload, receiving: Coroutine[Any, Any, None]) -> None:
        """Wait for what receives the bytes of an upload; whoever takes over ends it.

        Raises:
            Refused: Somebody took over.
            Exception: Whatever the work raised.
        """
        writer = self._writers[upload.path]
        work = writer.work = asyncio.create_task(receiving)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled():
                raise Refused(409, "taken_over", "a newer request goes on with it") from None
            work.cancel()
            await asyncio.wait([work])
            raise
        finally:
            writer.work = None

    def sweep(self) -> tuple[int, int]:
        """Remove what nobody went on with; return files and bytes."""
        files = size = 0
        limit = time.time() - KEPT
        if not self.folder.is_dir():
            return 0, 0
        for path in self.folder.iterdir():
            status = path.stat()
            if status.st_mtime < limit:
                files, size = files + 1, size + status.st_size
                path.unlink(missing_ok=True)
        return files, size

    async def _take_over(self, path: Path) -> None:
        while (writer := self._writers.get(path)) is not None:
            if writer.work is None:
                raise _busy()
            writer.work.cancel()
            await writer.ended.wait()

    def _open(self, path: Path) -> int:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
                raise BlockingIOError  # it was stored between opening and locking
        except OSError:
            os.close(descriptor)
            raise _busy() from None
        return descriptor


def _busy() -> Refused:
    return Refused(409, "busy", "another request is at work on this file; ask again")
