"""Telling a regtui server what a process that serves a model does.

>>> from regtui.usage import Reporter
>>> reporter = Reporter(deployment, url, registry, token)
>>> reporter.count(latency=0.012)
>>> with reporter.timed():
...     answer()

The process comes first: nothing here waits for the network or raises, whatever happens. Calls only
add to counters in memory, by minute; a daemon thread sends what changed now and then. What it sends
are the counts so far of this process (its *incarnation*, an id of its own for each start and fork),
of which the server keeps the greatest, so that sending again does no harm. While no server answers,
up to a day of minutes is kept, the oldest are dropped beyond. At exit what is left is sent, for a
moment at most.

Importing this loads nothing of the rest of regtui.
"""

import atexit
import functools
import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from regtui.core.latency import SLOTS, slot

__all__ = ["Reporter", "Timing"]

KEPT = 1_440
"""Minutes that are kept while no server answers."""

REPORTS = 200
"""Minutes that are sent at once."""

LONGEST = 300.0
"""Seconds between two tries while no server answers."""

_MINUTE = 60_000_000
_COROUTINE = 0x80
"""The mark of functions that are awaited, in the flags of their code."""

_log = logging.getLogger("regtui.usage")

_F = TypeVar("_F", bound=Callable[..., Any])


class _Minute:
    """What was counted in one minute."""

    __slots__ = ("beat", "changes", "errors", "latency", "requests", "sent")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.latency = [0] * SLOTS
        self.beat = 0
        self.changes = 0
        self.sent = 0


class Timing:
    """A request that is being served: it is counted with its time when the block ends.

    Args:
        reporter: Where it is counted; an exception counts as an error and goes on.
    """

    def __init__(self, reporter: "Reporter") -> None:
        self._reporter = reporter
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reporter.count(latency=time.perf_counter() - self._began, error=kind is not None)


class Reporter:
    """Tells a server what this process does for a deployment.

    Args:
        deployment: Id of the deployment.
        url: Of the server.
        registry: Id of the registry.
        token: Of somebody who has the role `reporter` there.
        interval: Seconds between two reports.
        timeout: Seconds that one of them may take.
        exit_seconds: Seconds that the last one may hold up the end of the process.
        ca: File with the certificates (PEM) by which the server is known; None for the system's.
    """

    def __init__(  # noqa: PLR0913 -- each may be chosen
        self,
        deployment: str,
        url: str,
        registry: str,
        token: str,
        *,
        interval: float = 15.0,
        timeout: float = 10.0,
        exit_seconds: float = 2.0,
        ca: str | None = None,
    ) -> None:
        self._url = url
        self._path = f"/v1/registries/{registry}/deployments/{deployment}/usage"
        self._token = token
        self._interval = max(0.05, interval)
        self._timeout = timeout
        self._exit_seconds = exit_seconds
        self._ca = ca
        self._problem: str | None = None
        self._begin()
        _all.add(self)
        atexit.register(_close, weakref.ref(self))

    @property
    def incarnation(self) -> str:
        """The id of this process in its reports."""
        return self._incarnation

    @property
    def problem(self) -> str | None:
        """Why the last report was not taken; None where it was."""
        return self._problem

    def count(self, latency: float | None = None, *, error: bool = False) -> None:
        """Count a request.

        Args:
            latency: Seconds that it took; None where nobody measured.
            error: Whether it failed.
        """
        try:
            now = time.time_ns() // 1000
            with self._lock:
                minute = self._minute(now)
                minute.requests += 1
                minute.errors += bool(error)
                if latency is not None and latency >= 0:
                    minute.latency[slot(latency)] += 1
            self._start()
        except Exception:  # noqa: BLE001 -- who serves is not to be stopped by counting
            _log.debug("a request was not counted", exc_info=True)

    def beat(self) -> None:
        """Tell that the process lives, though nobody asks it anything."""
        try:
            with self._lock:
                self._minute(time.time_ns() // 1000)
            self._start()
        except Exception:  # noqa: BLE001 -- see `count`
            _log.debug("a beat was not counted", exc_info=True)

    @overload
    def timed(self) -> Timing: ...
    @overload
    def timed(self, function: _F) -> _F: ...
    def timed(self, function: Any = None) -> Any:
        """Count what a block, or each call of a function, takes, and whether it fails.

        Args:
            function: What is decorated, one that is awaited as well; None for `with`.
        """
        if function is None:
            return Timing(self)
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & _COROUTINE:

            @functools.wraps(function)
            async def awaited(*args: Any, **more: Any) -> Any:
                with Timing(self):
                    return await function(*args, **more)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **more: Any) -> Any:
            with Timing(self):
                return function(*args, **more)

        return called

    def flush(self, timeout: float | None = None) -> bool:
        """Ask for a report now, and wait for it.

        Args:
            timeout: Seconds to wait at most; None for as long as a report may take.

        Returns:
            Whether everything that was counted before is with the server.
        """
        self._start()
        end = time.monotonic() + (self._timeout if timeout is None else timeout)
        while self._is_behind() and (left := end - time.monotonic()) > 0:
            self._told.clear()
            self._wake.set()
            # What was under way may have begun before: then it is waited for once more.
            if not self._told.wait(left) or self._problem is not None:
                break
        return not self._is_behind()

    def close(self, timeout: float | None = None) -> None:
        """Send what is left and stop; nothing is sent afterwards.

        Args:
            timeout: Seconds to wait at most; None for `exit_seconds`.
        """
        self._stopping = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(self._exit_seconds if timeout is None else timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_behind(self) -> bool:
        with self._lock:
            return any(one.changes > one.sent for one in self._minutes.values())

    def _begin(self) -> None:
        """Begin as a process of its own."""
        self._incarnation = os.urandom(16).hex()
        self._lock = threading.RLock()  # a handler of signals may count while this thread does
        self._wake = threading.Event()
        self._told = threading.Event()
        self._minutes: dict[int, _Minute] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False

    def _minute(self, now: int) -> _Minute:
        bucket = now - now % _MINUTE
        minute = self._minutes.get(bucket)
        if minute is None:
            minute = self._minutes[bucket] = _Minute()
            while len(self._minutes) > KEPT:
                del self._minutes[min(self._minutes)]
        minute.beat = max(minute.beat, now)
        minute.changes += 1
        return minute

    def _start(self) -> None:
        if self._thread is not None or self._stopping:
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="regtui-usage", daemon=True)
                self._thread = thread
                thread.start()

    def _run(self) -> None:
        pause = self._interval
        while not self._stopping:
            self._wake.wait(pause)
            self._wake.clear()
            sent = self._send()
            pause = self._interval if sent else min(pause * 2, LONGEST)
            pause *= 0.9 + 0.2 * random.random()  # noqa: S311 -- not all processes at once
            self._told.set()
        self._send()  # what was counted while the last report was under way

    def _send(self) -> bool:
        """Send what changed; return whether all of it is with the server."""
        try:
            while True:
                some = self._changed()
                if not some:
                    return True
                problem, is_final = _post(self, [report for _, _, report in some])
                if problem != self._problem and problem is not None:
                    _log.warning("usage is not reported: %s", problem)
                self._problem = problem
                if problem is not None and not is_final:
                    return False
                self._done(some)
        except Exception as error:  # noqa: BLE001 -- the thread has to go on
            self._problem = f"{type(error).__name__}: {error}"
            _log.debug("usage was not reported", exc_info=True)
            return False

    def _changed(self) -> list[tuple[int, int, dict[str, Any]]]:
        """Return minutes to send: each with how often it had changed, and its report."""
        with self._lock:
            buckets = sorted(b for b, one in self._minutes.items() if one.changes > one.sent)
            return [
                (bucket, self._minutes[bucket].changes, self._report(bucket))
                for bucket in buckets[-REPORTS:]
            ]

    def _report(self, bucket: int) -> dict[str, Any]:
        minute = self._minutes[bucket]
        latency = list(minute.latency)
        while latency and not latency[-1]:
            latency.pop()
        return {
            "reporter": self._incarnation,
            "bucket": bucket,
            "requests": minute.requests,
            "errors": minute.errors,
            "latency": latency,
            "beat": minute.beat,
        }

    def _done(self, some: list[tuple[int, int, dict[str, Any]]]) -> None:
        """Note what is with the server; minutes that are over are forgotten with that."""
        now = time.time_ns() // 1000
        with self._lock:
            for bucket, changes, _ in some:
                minute = self._minutes.get(bucket)
                if minute is None:
                    continue
                minute.sent = changes
                if minute.changes == changes and bucket < now - 2 * _MINUTE:
                    del self._minutes[bucket]
            for bucket, minute in list(self._minutes.items()):
                if minute.changes == minute.sent and bucket < now - 2 * _MINUTE:
                    del self._minutes[bucket]


def _post(reporter: Reporter, reports: list[dict[str, Any]]) -> tuple[str | None, bool]:
    """Send reports; return why they were not taken, and whether they never will be.

    Redirects are not followed: the token is for nobody else.
    """
    import http.client
    import json
    from urllib.parse import urlsplit

    parts = urlsplit(reporter._url)  # noqa: SLF001 -- a part of it
    connection: http.client.HTTPConnection
    seconds = reporter._exit_seconds if reporter._stopping else reporter._timeout  # noqa: SLF001
    timeout = max(0.1, seconds)
    if parts.scheme == "https":
        import ssl

        context = ssl.create_default_context(cafile=reporter._ca)  # noqa: SLF001
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(
            "POST",
            parts.path.rstrip("/") + reporter._path,  # noqa: SLF001
            json.dumps({"reports": reports}),
            {
                "Authorization": f"Bearer {reporter._token}",  # noqa: SLF001
                "Content-Type": "application/json",
            },
        )
        answer = connection.getresponse()
        body = answer.read(1 << 20)
    except (OSError, http.client.HTTPException) as error:
        return f"the server does not answer ({type(error).__name__})", False
    finally:
        connection.close()
    if answer.status == http.client.OK:
        refused = json.loads(body)["refused"]
        minutes = "a minute" if len(refused) == 1 else f"{len(refused)} minutes"
        told = f"the server left out {minutes}: " if refused else None
        return (None if told is None else told + str(refused[0]["reason"])), True
    is_malformed = answer.status in {400, 413, 422}
    return f"the server answered {answer.status}", is_malformed


_all: "weakref.WeakSet[Reporter]" = weakref.WeakSet()


def _close(reference: "weakref.ref[Reporter]") -> None:
    reporter = reference()
    if reporter is not None:
        reporter.close()


def _forked() -> None:
    """Let what was forked report as a process of its own: the parent sends what it had counted."""
    for reporter in list(_all):
        reporter._begin()  # noqa: SLF001 -- a part of it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
