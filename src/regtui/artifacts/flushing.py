"""Bringing written files to the disk while the next ones are still being written.

One flush at a time would cost 100,000 small files a disk round trip each. So files are handed over
in groups, and several threads flush a group each: the file system's journal then commits many of
them at once. A file keeps the descriptor that it was written through until it is flushed, for only
that descriptor is sure to hear of a write error.

Nothing here promises an order; the caller names a file only after `finish` has returned.
"""

import errno
import os
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from regtui.artifacts.faults import disk_errors

_GROUP_FILES = 32
_GROUP_BYTES = 8 << 20
_THREADS = 4
_UNSYNCED_FOLDERS = {errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP}


def flush(descriptor: int) -> None:
    """Return when the bytes of the open file are on the disk.

    Raises:
        OSError: The disk is full or failed.
    """
    if sys.platform == "darwin":
        from fcntl import F_FULLFSYNC, fcntl

        fcntl(descriptor, F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def flush_folder(folder: Path) -> None:
    """Return when the names in the folder are on the disk, where the file system can do that.

    Raises:
        OSError: The folder is gone, or the disk is full or failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flush(descriptor)
    except OSError as error:
        if error.errno not in _UNSYNCED_FOLDERS:
            raise
    finally:
        os.close(descriptor)


class Flusher:
    """Flushes and closes the files that it is given, in the background; use it as a context.

    At most 160 files are open at a time.

    Args:
        writing: What an error is said to have stopped, such as `writing /data/store`.
    """

    def __init__(self, writing: str) -> None:
        self._writing = writing
        self._group: list[int] = []
        self._bytes = 0
        self._given_up = False
        self._groups: deque[Future[None]] = deque()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="flush")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._given_up = error is not None
        self._threads.shutdown()
        for descriptor in self._group:
            os.close(descriptor)

    def add(self, descriptor: int, size: int) -> None:
        """Take over a descriptor whose file is written, with its size in bytes.

        Raises:
            RegtuiError: An earlier file could not be flushed.
        """
        self._group.append(descriptor)
        self._bytes += size
        if len(self._group) >= _GROUP_FILES or self._bytes >= _GROUP_BYTES:
            self._send()
        while len(self._groups) > _THREADS:
            self._groups.popleft().result()

    def finish(self) -> None:
        """Return when every file that was handed over is on the disk.

        Raises:
            RegtuiError: One of them could not be flushed.
        """
        self._send()
        while self._groups:
            self._groups.popleft().result()

    def _send(self) -> None:
        group, self._group, self._bytes = self._group, [], 0
        if group:
            self._groups.append(self._threads.submit(self._flush, group))

    def _flush(self, group: list[int]) -> None:
        try:
            with disk_errors(self._writing):
                for descriptor in group:
                    if not self._given_up:
                        flush(descriptor)
        finally:
            for descriptor in group:
                os.close(descriptor)
