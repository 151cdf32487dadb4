"""An open file as the readers of formats want it: bytes at any place, of a size that stays.

Reads go by `pread`, so one open file serves several threads. The size is that of the moment of
opening: stored files never change, and one that is cut meanwhile answers fewer bytes.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def _never() -> bool:
    return False


class FileSource:
    """The bytes of an open file.

    Args:
        descriptor: The open file; it is not closed here.
        given_up: Tells whether nobody wants the bytes any more; the next read then fails.
    """

    def __init__(self, descriptor: int, given_up: Callable[[], bool] = _never) -> None:
        self._descriptor = descriptor
        self._given_up = given_up
        self._size = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, at most `length`; fewer only where the file ends.

        Raises:
            OSError: The file could not be read.
        """
        length = min(length, self._size - offset)
        if offset < 0 or length <= 0:
            return b""
        self._check()
        found = os.pread(self._descriptor, length, offset)
        while len(found) < length:
            more = os.pread(self._descriptor, length - len(found), offset + len(found))
            if not more:
                break
            found += more
        return found

    def fill(self, offset: int, buffer: memoryview) -> None:
        """Fill the buffer with the bytes from `offset`.

        Raises:
            OSError: The file could not be read, or ends before.
        """
        self._check()
        done = 0
        while done < len(buffer):
            count = os.preadv(self._descriptor, [buffer[done:]], offset + done)
            if not count:
                raise OSError(errno.EIO, "the file ends too early")
            done += count

    def _check(self) -> None:
        if self._given_up():
            raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))


@contextmanager
def opened(path: Path, given_up: Callable[[], bool] = _never) -> Iterator[FileSource]:
    """Open a file for the block.

    Args:
        path: The file.
        given_up: See `FileSource`.

    Raises:
        OSError: It can't be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield FileSource(descriptor, given_up)
    finally:
        os.close(descriptor)
