"""What a transfer has done so far, told to whoever watches it."""

import threading
from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Is told the bytes and files done since the last call, by one thread at a time."""


class Tally:
    """Counts what several threads do.

    Args:
        progress: Is told of it.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self.files = 0
        self.size = 0
        self.absent: list[str] = []

    def report(self, size: int, files: int) -> None:
        """Tell what is done."""
        with self._lock:
            if self._progress is not None:
                self._progress(size, files)

    def note_done(self, size: int) -> None:
        """Count a file that went over the network, whose bytes were reported."""
        with self._lock:
            self.files, self.size = self.files + 1, self.size + size
        self.report(0, 1)

    def note_absent(self, digest: str) -> None:
        """Note a file that was not to be had."""
        with self._lock:
            self.absent.append(digest)


class Mark:
    """How far one file got: what goes over the network again is not reported again.

    Args:
        tally: Is told of it.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._reached = 0

    def reach(self, position: int) -> None:
        """Note that all bytes before a position are done."""
        if position > self._reached:
            self._tally.report(position - self._reached, 0)
            self._reached = position
