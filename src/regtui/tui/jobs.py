"""Jobs: file work that takes a while, in a thread, which can be stopped.

The thread counts bytes into the job; whoever shows it looks at the count from time to time, so that
a fast disk doesn't flood the screen with messages. Stopping makes the next count raise: the work
ends as by an error, so it leaves behind what it leaves after one, which is nothing.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

Progress = Callable[[int], None]
"""Is told how many more bytes are done."""


class Stopped(Exception):
    """The person does not want it any more."""


class Job(Generic[T]):
    """One piece of work.

    Args:
        work: Does it, in a thread; is given what to count bytes with.
        total: Bytes that there are to do; None where that is not known.

    Attributes:
        done: Bytes that are done.
        is_stopped: Whether it is to end.
    """

    def __init__(self, work: Callable[[Progress], T], total: int | None) -> None:
        self._work = work
        self.total = total
        self.done = 0
        self.is_stopped = False
        self._since = time.monotonic()
        self._task: asyncio.Task[T] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(asyncio.to_thread(self._work, self._count))

    def stop(self) -> None:
        """Let it end at the next bytes."""
        self.is_stopped = True

    @property
    def is_over(self) -> bool:
        """Whether it has ended, however."""
        return self._task is not None and self._task.done()

    @property
    def rate(self) -> float:
        """Bytes a second so far."""
        return self.done / max(time.monotonic() - self._since, 0.001)

    async def wait(self, seconds: float) -> bool:
        """Wait for it for some seconds; tell whether it is over."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)
        return self.is_over

    async def result(self) -> T:
        """Return what it gave, once it is over.

        Raises:
            Stopped: It was stopped.
            Exception: Whatever it raised.
        """
        if self._task is None:
            self.start()
        assert self._task is not None  # noqa: S101 -- for the type checker
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            self.stop()  # nobody waits for it any more
            raise

    def _count(self, size: int) -> None:
        if self.is_stopped:
            raise Stopped
        self.done += size
