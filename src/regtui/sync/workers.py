"""Several threads that work off one list, and stop at once when asked to.

The threads are daemons: one that waits for a silent network keeps nobody from leaving. The first
error stops the others, and so does Ctrl-C, which the waiting thread gets; a thread that has stopped
has tidied up.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

from regtui.sync.retrying import Stopped

_LEAVE = 2.0

Body: TypeAlias = Callable[[Iterator[str], threading.Event], None]
"""What each thread does: works off what the iterator gives, until the event is set."""


def work_off(items: Iterable[str], body: Body, threads: int) -> None:
    """Work items off in threads, and return when all are done.

    Raises:
        BaseException: The first one that a thread raised, or that interrupted the waiting.
    """
    crew = _Crew(items, body, threads)
    try:
        crew.work()
    except BaseException:
        crew.leave()
        raise
    if crew.errors:
        raise crew.errors[0]


class _Crew:
    """The threads at work on one list."""

    def __init__(self, items: Iterable[str], body: Body, threads: int) -> None:
        self.errors: list[BaseException] = []
        self._pending = deque(items)
        self._body = body
        self._stop = threading.Event()
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, daemon=True, name=f"transfer-{number}")
            for number in range(min(threads, len(self._pending)))
        ]

    def work(self) -> None:
        """Start the threads, and wait for their ends."""
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._ended.get()

    def leave(self) -> None:
        """Stop the threads, and wait for a moment."""
        self._stop.set()
        until = time.monotonic() + _LEAVE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        try:
            self._body(self._take(), self._stop)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 -- raised where it is waited for
            self.errors.append(error)
            self._stop.set()
        finally:
            self._ended.put(None)

    def _take(self) -> Iterator[str]:
        while not self._stop.is_set():
            try:
                yield self._pending.popleft()
            except IndexError:
                return
