"""The reader: all reading of the registry for the screen, in one thread, one request at a time.

Opening a replica of a million versions costs more than a page of it, so the connection is kept for
the requests that follow: as long as nobody else waits for the registry, and for `PAUSE` without
work. A writer that waits is noticed within `TICK`; what is read just then is read to its end first.
Nothing holds the registry while the app only stands there.

A request may belong to a *lane*: a newer one of the same lane makes an older one pointless, which
is then dropped from the queue, or interrupted where it runs already. So typing in the filter bar
never waits for the query of the letter before. And a request may be *urgent*, because a person
looks at the place where its rows will stand: it goes before the others, one of which is interrupted
for it and begins anew afterwards.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from msgspec import Struct

from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.database import Connection, NoRoom, configuration, translated

PAUSE = 1.0
"""Seconds that a connection is kept without work."""

TICK = 0.02
"""Seconds between two looks whether somebody waits for the registry."""

SPARING = "32MB"
"""What a connection may use at first. Nearly everything does with that, and an app that stands in
a terminal all day should not take more; what needs it gets all that a reader may use."""

ENDING = 5.0
"""Seconds that the end of the app waits for what is read just then."""

T = TypeVar("T")


class Superseded(Exception):
    """A newer request of the same lane, or the end of the reader, made this one pointless."""


class _Kept(Context, frozen=True):
    """A context whose reading happens in a connection that is open already."""

    held: "_Held | None" = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give the connection that is held, opened now if it is not."""
        if self.held is None:
            with super().reading() as connection:
                yield connection
        else:
            yield self.held.connection()


class _Held:
    """A connection that is opened when it is first needed, and anew where another file stands."""

    def __init__(self, context: Context, alive: Callable[[], None]) -> None:
        self._context = context
        self._alive = alive
        self._stack = contextlib.ExitStack()
        self._connection: Connection | None = None
        self._file: tuple[int, ...] | None = None
        self._is_sparing = False

    def connection(self) -> Connection:
        self._alive()
        if self._connection is not None and self._file == self._present():
            return self._connection
        self.close()
        connection = self._stack.enter_context(self._context.reading())
        self._file = self._present()
        self._connection = connection
        self._is_sparing = "REGTUI_MEMORY" not in os.environ
        if self._is_sparing:
            connection.execute(f"set memory_limit = '{SPARING}'")
        return connection

    def give_room(self) -> bool:
        """Let the connection use all that a reader may; tell whether that is more than before."""
        if self._connection is None or not self._is_sparing:
            return False
        self._is_sparing = False
        self._connection.execute(f"set memory_limit = '{configuration()['memory_limit']}'")
        return True

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody else waits for the registry, or it is another one by now."""
        return self._context.replica.is_wanted() or self._file != self._present()

    def interrupt(self) -> None:
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def close(self) -> None:
        self._connection = None
        with contextlib.suppress(Exception):  # of a database that went away meanwhile
            self._stack.close()

    def _present(self) -> tuple[int, ...] | None:
        """Return what tells one file from another, or from what somebody made of it."""
        try:
            status = self._context.replica.home.database.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _Job(Struct, eq=False):
    run: Callable[[Registry], Any]
    lane: str
    is_urgent: bool
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    is_dropped: bool = False
    is_put_off: bool = False


class Reader:
    """Runs reading verbs for the screen.

    Args:
        context: The registry.
        alive: Is called before it is opened, and raises where it should not be.
    """

    def __init__(self, context: Context, alive: Callable[[], None] = lambda: None) -> None:
        self._held = _Held(context, alive)
        self._database = context.replica.home.database
        self._registry = Registry(
            _Kept(
                replica=context.replica,
                via=context.via,
                session=context.session,
                listener=context.listener,
                held=self._held,
            )
        )
        self._changed = threading.Condition()
        """Guards what follows; is told of new jobs and of the end."""
        self._urgent: deque[_Job] = deque()
        self._others: deque[_Job] = deque()
        self._latest: dict[str, _Job] = {}
        self._running: _Job | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="regtui-reader", daemon=True)
        self._thread.start()

    async def read(
        self, verb: Callable[[Registry], T], *, lane: str = "", urgent: bool = False
    ) -> T:
        """Run a verb that reads, and return what it gives.

        Args:
            verb: Is called with the registry, in the reader's thread; perhaps once more, where
                something urgent came between.
            lane: What a newer request makes it pointless for; empty for none.
            urgent: Whether a person looks at where it will show.

        Raises:
            Superseded: A newer request of its lane came, or the reader was closed.
            RegtuiError: Whatever the verb raises.
        """
        loop = asyncio.get_running_loop()
        job = _Job(verb, lane, urgent, loop.create_future(), loop)
        with self._changed:
            if self._is_closed:
                raise Superseded
            older = self._latest.get(lane) if lane else None
            if lane:
                self._latest[lane] = job
            if older is not None:
                self._drop(older)
            running = self._running
            if urgent and running is not None and not running.is_urgent:
                running.is_put_off = True
                self._held.interrupt()
            self._queue(job).append(job)
            self._changed.notify()
        try:
            while not (await asyncio.wait({job.future}, timeout=TICK))[0]:
                self._interrupt_again()
        except asyncio.CancelledError:
            with self._changed:
                self._drop(job)
            _give_up(job.future)
            raise
        answer: T = job.future.result()
        return answer

    def close(self) -> None:
        """Let the thread end, and a query that runs with it; nothing is read any more."""
        with self._changed:
            self._is_closed = True
            for job in (*self._urgent, *self._others):
                self._answer(job, None, Superseded())  # else who waits would do so for ever
            if self._running is not None:
                self._drop(self._running)
            self._changed.notify()
        for _ in range(round(ENDING / TICK)):
            self._thread.join(timeout=TICK)
            if not self._thread.is_alive():
                break
            self._interrupt_again()

    def _queue(self, job: _Job) -> "deque[_Job]":
        return self._urgent if job.is_urgent else self._others

    def _drop(self, job: _Job) -> None:
        job.is_dropped = True
        if self._running is job:
            self._held.interrupt()

    def _interrupt_again(self) -> None:
        """Interrupt what is pointless or put off: it may only have begun its query since."""
        with self._changed:
            running = self._running
            if running is not None and (running.is_dropped or running.is_put_off):
                self._held.interrupt()

    # In the thread

    def _work(self) -> None:
        while (job := self._next()) is not None:
            answer, error = self._run(job)
            if isinstance(error, NoRoom) and self._held.give_room():
                answer, error = self._run(job)
            self._finish(job, answer, error)
            if self._held.is_open and self._held.is_wanted:
                self._held.close()
        self._held.close()

    def _run(self, job: _Job) -> tuple[Any, BaseException | None]:
        try:
            if job.is_dropped:
                return None, None
            with translated(self._database):
                return job.run(self._registry), None
        except BaseException as raised:  # noqa: BLE001 -- raised again where it is waited for
            return None, raised

    def _next(self) -> _Job | None:
        """Wait for the next job and return it; the connection is closed where others want it."""
        until = time.monotonic() + PAUSE
        while True:
            with self._changed:
                if not (self._is_closed or self._urgent or self._others):
                    self._changed.wait(TICK if self._held.is_open else None)
                if self._is_closed:
                    return None
                if self._urgent or self._others:
                    self._running = (self._urgent or self._others).popleft()
                    return self._running
            if self._held.is_open and (time.monotonic() > until or self._held.is_wanted):
                self._held.close()

    def _finish(self, job: _Job, answer: Any, error: BaseException | None) -> None:
        """Answer a job, or put it back where something urgent came between."""
        was_interrupted = error is not None and _was_interrupted(error)
        with self._changed:
            self._running = None
            is_again = error is not None and not job.is_dropped
            if is_again and (job.is_put_off or was_interrupted):
                job.is_put_off = False
                self._queue(job).appendleft(job)
                return
        if error is not None and not was_interrupted:
            self._held.close()  # whatever happened, the next request starts afresh
        self._answer(job, answer, Superseded() if job.is_dropped else error)

    @staticmethod
    def _answer(job: _Job, answer: Any, error: BaseException | None) -> None:
        def give() -> None:
            if job.future.done():
                return
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(answer)

        with contextlib.suppress(RuntimeError):  # the app is gone
            job.loop.call_soon_threadsafe(give)


def _give_up(future: "asyncio.Future[Any]") -> None:
    """Let nothing come of a future any more; what it raised already would be reported as lost."""
    if not future.cancel() and not future.cancelled():
        future.exception()


def _was_interrupted(error: BaseException) -> bool:
    """Tell whether a query ended because it was interrupted, and for no fault of its own."""
    found = (error, error.__cause__)
    return any(type(one).__name__ == "InterruptException" for one in found) or isinstance(
        error, KeyboardInterrupt
    )
