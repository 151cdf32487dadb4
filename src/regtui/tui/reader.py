"""The reader: all reading of the registry for the screen, in one thread, in short bursts.

Opening a replica of a million versions costs as much as a page of it, so a connection is kept for
the requests that follow at once: for a burst of at most `BURST` seconds in all, and no longer than
`PAUSE` without work, because writers wait for it. Nothing holds the registry while the app only
stands there.

A request may belong to a *lane*: a newer one of the same lane makes an older one pointless, which
is then dropped from the queue, or interrupted where it runs already. So typing in the filter bar
never waits for the query of the letter before.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from msgspec import Struct

from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.database import Connection

BURST = 0.25
"""Seconds that a connection is kept in all."""

PAUSE = 0.03
"""Seconds that a connection is kept without work."""

T = TypeVar("T")


class Superseded(Exception):
    """A newer request of the same lane made this one pointless."""


class _Kept(Context, frozen=True):
    """A context whose reading happens in a connection that is open already."""

    burst: "_Burst | None" = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give the connection of the burst, opened now if it is not."""
        if self.burst is None:
            with super().reading() as connection:
                yield connection
        else:
            yield self.burst.connection()


class _Burst:
    """A connection that is opened when it is first needed, and closed soon after."""

    def __init__(self, context: Context, alive: Callable[[], None]) -> None:
        self._context = context
        self._alive = alive
        self._stack = contextlib.ExitStack()
        self._connection: Connection | None = None
        self.until = 0.0

    def connection(self) -> Connection:
        if self._connection is None:
            self._alive()
            self._connection = self._stack.enter_context(self._context.reading())
            self.until = time.monotonic() + BURST
        return self._connection

    def is_open(self) -> bool:
        return self._connection is not None

    def interrupt(self) -> None:
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def close(self) -> None:
        self._connection = None
        self._stack.close()


class _Job(Struct, eq=False):
    run: Callable[[Registry], Any]
    lane: str
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    dropped: bool = False


class Reader:
    """Runs reading verbs for the screen.

    Args:
        context: The registry.
        alive: Is called before it is opened, and raises where it should not be.
    """

    def __init__(self, context: Context, alive: Callable[[], None] = lambda: None) -> None:
        self._burst = _Burst(context, alive)
        self._registry = Registry(
            _Kept(
                replica=context.replica,
                via=context.via,
                session=context.session,
                listener=context.listener,
                burst=self._burst,
            )
        )
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._latest: dict[str, _Job] = {}
        self._running: _Job | None = None
        self._thread = threading.Thread(target=self._work, name="regtui-reader", daemon=True)
        self._thread.start()

    async def read(self, verb: Callable[[Registry], T], *, lane: str = "") -> T:
        """Run a verb that reads, and return what it gives.

        Args:
            verb: Is called with the registry, in the reader's thread.
            lane: What a newer request makes it pointless for; empty for none.

        Raises:
            Superseded: A newer request of its lane came.
            RegtuiError: Whatever the verb raises.
        """
        loop = asyncio.get_running_loop()
        job = _Job(verb, lane, loop.create_future(), loop)
        if lane:
            older = self._latest.get(lane)
            self._latest[lane] = job
            if older is not None and not older.future.done():
                older.dropped = True
                if self._running is older:
                    self._burst.interrupt()
        self._jobs.put(job)
        try:
            answer: T = await job.future
        except asyncio.CancelledError:
            job.dropped = True
            raise
        return answer

    def close(self) -> None:
        """Let the thread end, and a query that runs with it."""
        self._jobs.put(None)
        running = self._running
        if running is not None:
            running.dropped = True
            self._burst.interrupt()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            if job.dropped:
                self._answer(job, Superseded(), failed=True)
                continue
            self._running = job
            try:
                answer, failed = job.run(self._registry), False
            except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
                was_dropped: bool = job.dropped  # by the other thread, while it ran
                answer, failed = (Superseded() if was_dropped else error), True
                self._close()  # whatever happened, the next request starts afresh
            finally:
                self._running = None
            self._answer(job, answer, failed=failed)
        self._close()

    def _next(self) -> _Job | None:
        """Return the next job; the connection is closed before a wait that is too long."""
        if self._burst.is_open():
            left = min(PAUSE, self._burst.until - time.monotonic())
            with contextlib.suppress(queue.Empty):
                if left > 0:
                    return self._jobs.get(timeout=left)
            self._close()
        return self._jobs.get()

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # of a database that went away meanwhile
            self._burst.close()

    @staticmethod
    def _answer(job: _Job, answer: Any, *, failed: bool) -> None:
        def give() -> None:
            if job.future.done():
                return
            if failed:
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)

        with contextlib.suppress(RuntimeError):  # the app is gone
            job.loop.call_soon_threadsafe(give)
