"""Moving bytes between open files, with their digest.

A copy is one pass: the calling thread reads a piece and hashes it while a second thread writes the
piece before. Both work on a few reusable buffers, so memory is bounded by `PIECE * BUFFERS`
whatever the size of the file, and what is hashed is the very buffer that is written. Write-back of
each piece is started at once, so that the flush at the end finds little left to do.

A clone (reflink) shares the blocks of the source and costs nothing; where the file system has no
clones, or source and target lie on different ones, `clone` says no and the caller copies.

Read errors leave as OSError, since only the caller knows what was being read; write errors leave as
RegtuiError.
"""

import errno
import os
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from fcntl import ioctl
from types import TracebackType
from typing import Self, TypeAlias

from blake3 import blake3

from regtui.artifacts.faults import disk_errors

PIECE = 4 << 20
"""Bytes that are read, hashed and written at a time."""

BUFFERS = 4

Progress: TypeAlias = Callable[[int], None]
"""Is told how many bytes were done since it was last called."""

_FICLONE = 0x40049409
_NO_CLONE = {
    errno.EAGAIN,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTTY,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EXDEV,
}


def silent(_count: int) -> None:
    """Report progress to nobody."""


def clone(source: int, target: int) -> bool:
    """Make the empty target share the blocks of the source; False where that can't be.

    Raises:
        OSError: The file system has clones, but this one failed.
    """
    if sys.platform == "linux":
        try:
            ioctl(target, _FICLONE, source)
        except OSError as error:
            if error.errno in _NO_CLONE:
                return False
            raise
        return True
    else:  # noqa: RET505 - so that the type checker sees one branch on each platform
        return False


def read_into(source: int, buffer: memoryview) -> int:
    """Fill the buffer from the source's position, and return the bytes read: less only at its end.

    Raises:
        OSError: The source can't be read.
    """
    done = 0
    while done < len(buffer):
        count = os.readv(source, [buffer[done:]])
        if not count:
            break
        done += count
    return done


def write_all(target: int, piece: memoryview, offset: int) -> None:
    """Write all of the piece at the offset, and start write-back of a full one.

    Raises:
        OSError: It can't be written.
    """
    done = 0
    while done < len(piece):
        done += os.pwrite(target, piece[done:], offset + done)
    if sys.platform == "linux" and len(piece) == PIECE:
        # Starts asynchronous write-back of the dirty pages; they can't be dropped before it ends.
        # For less than a piece the flush that follows is soon enough.
        os.posix_fadvise(target, offset, len(piece), os.POSIX_FADV_DONTNEED)


def hash_file(source: int, buffer: memoryview, on_progress: Progress = silent) -> tuple[str, int]:
    """Return the blake3 digest and the number of the bytes from the source's position to its end.

    Raises:
        OSError: The source can't be read.
    """
    hasher, total = blake3(), 0
    while count := os.readv(source, [buffer]):
        hasher.update(buffer[:count])
        total += count
        on_progress(count)
    return hasher.hexdigest(), total


class Copier:
    """Copies files one after the other through the same buffers; use it as a context.

    Args:
        writing: What a write error is said to have stopped, such as `writing /data/store`.
    """

    def __init__(self, writing: str) -> None:
        self._writing = writing
        self._buffers: list[memoryview] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="copy")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.shutdown()

    def buffer(self, turn: int = 0) -> memoryview:
        """Return one of the buffers, `PIECE` bytes long; the next copy will overwrite it."""
        turn %= BUFFERS
        while len(self._buffers) <= turn:
            self._buffers.append(memoryview(bytearray(PIECE)))
        return self._buffers[turn]

    def copy(self, source: int, target: int, limit: int, on_progress: Progress) -> tuple[str, int]:
        """Copy the source into the target, and return digest and size of what was written.

        Args:
            source: Descriptor to read from its position on.
            target: Descriptor to write from offset 0 on.
            limit: Bytes after which a source that still has more is given up.
            on_progress: Is told the bytes of every piece.

        Raises:
            OSError: The source can't be read.
            RegtuiError: The target can't be written.
        """
        hasher, total = blake3(), 0
        writes: deque[Future[None]] = deque()
        try:
            for turn in range(limit // PIECE + 2):
                if len(writes) == BUFFERS:
                    writes.popleft().result()
                piece = self.buffer(turn)
                piece = piece[: read_into(source, piece)]
                if not piece:
                    break
                if len(piece) < PIECE:
                    self._write(target, piece, total)
                else:
                    writes.append(self._writer.submit(self._write, target, piece, total))
                hasher.update(piece)
                total += len(piece)
                on_progress(len(piece))
            for write in writes:
                write.result()
        finally:
            wait(writes)
        return hasher.hexdigest(), total

    def _write(self, target: int, piece: memoryview, offset: int) -> None:
        with disk_errors(self._writing):
            write_all(target, piece, offset)
