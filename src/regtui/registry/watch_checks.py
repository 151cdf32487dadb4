"""Checks of what a watcher captures: one after the other, in a thread that nobody waits for.

Versions queue for their checks while the watcher looks, pins and captures as ever. When the watcher
is told to stop, what runs is killed and what queues is left: it waits as pending, and
`regtui check run --pending` or a later capture of the same content runs it. A watcher that ends by
itself (`--once`) runs all of them first.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from regtui.capture.events import Event, happened
from regtui.checks.command import Stopped
from regtui.registry.answers_checks import CheckRunAnswer
from regtui.registry.check_running import run_checks
from regtui.registry.context import Context

_TURN = 0.2


class CaptureChecks:
    """Runs the checks of captured versions.

    Args:
        context: The registry.
        tell: Is given events, in another thread than the watcher's.
        wanted: Whether any are to be run.
    """

    def __init__(
        self, context: Context, tell: Callable[[Event], object], *, wanted: bool = True
    ) -> None:
        self._wanted = wanted
        self._context = context
        self._tell = tell
        self._queue: SimpleQueue[Event | None] = SimpleQueue()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def heard(self, event: Event) -> None:
        """Take note of an event: a version that was captured queues for its checks."""
        if not self._wanted or event.event not in {"captured", "known"}:
            return
        self._queue.put(event)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="checks", daemon=True)
            self._thread.start()

    def close(self, stop: threading.Event, *, finish: bool) -> None:
        """End it.

        Args:
            stop: Ends it also while it finishes.
            finish: Whether what queues is run first.
        """
        self._queue.put(None)
        while self._thread is not None and self._thread.is_alive():
            if stop.is_set() or not finish:
                self._stop.set()
            self._thread.join(_TURN)

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            if self._stop.is_set():
                return
            try:
                self._check(event)
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 -- a check must not end the watcher
                what = str(error) or type(error).__name__
                self._tell(_told(event, f"the checks of {event.model} could not be run: {what}"))

    def _check(self, event: Event) -> None:
        found = run_checks(self._context, f":{event.version.id}", on="capture", stop=self._stop)
        for run in found.runs:
            self._tell(_told(event, _message(run)))
        for name in found.untrusted:
            hint = f"its command is not trusted here; `regtui check trust {name}`"
            self._tell(_told(event, f"{name} did not run: {hint}"))


def _message(run: CheckRunAnswer) -> str:
    if run.passed:
        return f"{run.check} of {run.reference} passed"
    hint = f"`regtui check log {run.reference} {run.check}` tells more"
    return f"{run.check} of {run.reference} ended as {run.outcome}; {hint}"


def _told(event: Event, message: str) -> Event:
    return happened(
        "checked",
        event.root,
        message,
        path=event.path,
        recogniser=event.recogniser,
        step=event.step,
        model=event.model,
        version=event.version,
    )
