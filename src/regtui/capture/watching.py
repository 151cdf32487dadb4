"""The loop of a watcher: look, capture what is ready, sleep until something may have happened.

One thread looks and pins, for that must never wait; another one reads, hashes and registers. What
is ready is captured in the order in which it was written. When the watcher is told to stop it
finishes what it has taken, for a minute at most, and leaves the rest to the next one: files that
are gone by then stay pinned.

Which folders are watched may change while it runs; it asks before each turn.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Final, Literal

from msgspec import Struct

from regtui.capture.events import Event, happened
from regtui.capture.generation import QUIET_NETWORK, Generation
from regtui.capture.keep import State
from regtui.capture.memory import Done
from regtui.capture.processes import writing_process
from regtui.capture.recognise import Unit
from regtui.capture.reports import LISTED, Doing, Phase
from regtui.capture.waking import TIMER, TIMER_MISSING, TIMER_NETWORK, Waker
from regtui.capture.watcher import Tell, Watcher, done_of
from regtui.core.errors import RegtuiError

FINISHING: Final = 60.0
"""Seconds that a watcher that was stopped goes on with what it has taken."""

ENDED: Final = 60.0
"""Seconds without change after which a run has ended, if nobody is seen to write there."""

ENDED_UNSEEN: Final = 600.0
"""The same where somebody is there who might write."""

LINGER: Final = 3.0
"""Seconds that `--once` waits for what is nearly ready."""

TOGETHER: Final = 50
"""States that are registered together, where so many are ready: each transaction costs as much."""

TOGETHER_BYTES: Final = 64 * 2**20
"""Bytes above which a state is captured alone: nobody waits long for another one's."""

_SHARE: Final = 60
"""A look may take this part of the time between two looks."""

_TURN: Final = 1.0
"""Seconds after which it is asked what is to be watched, and reported, though nothing happened."""

_TURN_CAPTURING: Final = 0.25
"""The same while something is being captured, whose progress people look at."""

_CALM: Final = 0.2
"""Seconds between two walks that nothing but finished captures asks for."""

_LEAST: Final = 0.02
_NICE: Final = 5
_BACKOFF: Final = (0.1, 1.0, 5.0, 15.0, 60.0)


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a state.

    Attributes:
        fate: `done`: it is dealt with; `hold`: its run has to end first; `again`: try it later.
        done: What is remembered of it.
        events: What is told.
    """

    fate: Literal["done", "hold", "again"]
    done: Done | None = None
    events: tuple[Event, ...] = ()


class Job(Struct, frozen=True):
    """A state to capture.

    Attributes:
        watcher: Whose it is.
        generation: The state.
        beside: What lies beside it.
        ended: Whether its run has ended, where that matters.
        later: What is ready of the same run too, and was written later.
    """

    watcher: Watcher
    generation: Generation
    beside: tuple[str, ...]
    ended: bool
    later: tuple[State, ...] = ()


Folders = Callable[[], Sequence[Watcher]]
Capture = Callable[[Sequence[Job]], list[Outcome]]
Relabel = Callable[[Watcher, Unit, Done], Outcome]
Report = Callable[[Watcher, Sequence[Doing], int], None]


class Watching:
    """Watches folders until it is stopped, or once.

    Args:
        folders: Gives a watcher for each folder; asked again and again. Those that it gives no
            more, and all at the end, are closed.
        capture: Captures states that are ready, in a thread of its own; gives an outcome for each
            and raises nothing that it can tell.
        relabel: Notes new names of a version, in that thread too.
        report: Is given what is being done in a folder, and how much more there is.
        waker: What wakes it.
        tell: Is given each event, in the calling thread.
        stop: Ends it when set; whoever sets it wakes the waker.
        once: Whether to end when nothing is ready any more.
        ended_after: Seconds without change after which a run has ended.
    """

    def __init__(  # noqa: PLR0913 -- the parts of a watcher, by name
        self,
        folders: Folders,
        *,
        capture: Capture,
        relabel: Relabel,
        report: Report,
        waker: Waker,
        tell: Tell,
        stop: threading.Event,
        once: bool = False,
        ended_after: float = ENDED,
    ) -> None:
        self._folders = folders
        self._watchers: Sequence[Watcher] = ()
        self._leaving: list[Watcher] = []
        self._capture = capture
        self._relabel = relabel
        self._report = report
        self._waker = waker
        self._tell = tell
        self._stop = stop
        self._once = once
        self._ended_after = ended_after
        self._worker = ThreadPoolExecutor(
            1, thread_name_prefix="capture", initializer=_give_way_to_trainers
        )
        self._queue: deque[Job] = deque()
        self._running: dict[Future[list[Outcome]], list[tuple[Watcher, Generation | None]]] = {}
        self._held: dict[tuple[Watcher, str], Generation] = {}
        self._failures: dict[tuple[Watcher, int], int] = {}
        self._relabelling: set[tuple[Watcher, str, tuple[str, ...]]] = set()
        self._told: dict[Watcher, str] = {}
        self._busy_at = time.monotonic()
        self._reported = 0.0

    def run(self) -> None:
        """Watch until the end."""
        try:
            woken, walked, took = True, 0.0, 0.0
            judge: float | None = 0.0
            is_first = True
            while True:
                started, used = time.monotonic(), time.thread_time()
                age = started - walked
                is_done = any(one.done() for one in self._running)
                # Events get lost while the machine is busy, so what is captured is a reason to look
                # as well; but not each of thousands.
                walk = (
                    self._follow() or woken or age >= self._timer(took) or (is_done and age > _CALM)
                )
                is_due = judge is not None and started >= judge
                if walk or is_due or is_done:
                    again = self._round(walk=walk)
                    judge = None if again is None else time.monotonic() + again
                    if walk:
                        # Of this thread alone: a machine on which others work is no reason to
                        # look away for longer.
                        walked, took = started, time.thread_time() - used
                    if is_first:
                        is_first, self._busy_at = False, time.monotonic()
                    if self._once and self._is_finished(again):
                        return
                self._report_all()
                if self._stop.is_set():
                    return
                until = walked + self._timer(took)
                until = until if judge is None else min(judge, until)
                pause = max(0.0, until - time.monotonic())
                turn = _TURN_CAPTURING if self._running else _TURN
                woken = self._waker.wait(
                    min(pause, turn), least=max(_LEAST, 2 * took if walk else 0.0)
                )
        finally:
            self._end()

    def _follow(self) -> bool:
        """Watch what is to be watched now; tell whether something new is."""
        wanted = self._folders()
        new = [one for one in wanted if one not in self._watchers]
        self._leaving += [one for one in self._watchers if one not in wanted]
        self._watchers = wanted
        for one in list(self._leaving):
            if all(watcher is not one for watcher, _ in self._taken):
                self._leaving.remove(one)
                self._held = {key: held for key, held in self._held.items() if key[0] is not one}
                one.close()
                self._waker.forget(one.root)
                for other in wanted:
                    if other.root == one.root:
                        other.adopt()  # what was removed before it was captured
        return bool(new)

    def _report_all(self) -> None:
        """Report what is being done in each folder, now and then."""
        if time.monotonic() - self._reported < _TURN_CAPTURING:
            return
        self._reported = time.monotonic()
        running = [one for of in self._running.values() for one in of]
        for watcher in self._watchers:
            states: list[tuple[Generation, Phase, str]] = [
                (one, "capturing", "") for of, one in running if of is watcher and one is not None
            ]
            states += [(j.generation, "queued", "") for j in self._queue if j.watcher is watcher]
            states += [(one, "held", "") for (of, _), one in self._held.items() if of is watcher]
            states += [(one, "waiting", why) for one, why in watcher.waiting()]
            doing = [_doing(*state) for state in states[:LISTED]]
            self._report(watcher, doing, len(states) - len(doing))

    def _round(self, *, walk: bool) -> float | None:
        """Look at all folders once; return after what time to judge again without an event."""
        self._collect()
        soonest: list[float] = []
        for watcher in self._watchers:
            try:
                soonest += self._look(watcher, walk=walk)
            except Exception as error:  # noqa: BLE001 -- nothing about one folder ends the others
                self._tell_failure(watcher, error)
        return min(soonest, default=None)

    def _look(self, watcher: Watcher, *, walk: bool) -> list[float]:
        """Look at one folder; return after what times to judge again without an event."""
        if not watcher.network:
            self._waker.watch(watcher.root)
        ready, again = watcher.look(walk=walk)
        self._submit(watcher, ready)
        for unit, done in watcher.relabelled():
            key = watcher, unit.path, unit.labels
            if key in self._relabelling:
                continue
            self._relabelling.add(key)
            self._start([(watcher, None)], self._relabelled, watcher, unit, done)
        return [*([] if again is None else [again]), *self._release_held(watcher)]

    def _relabelled(self, watcher: Watcher, unit: Unit, done: Done) -> list[Outcome]:
        try:
            return [self._relabel(watcher, unit, done)]
        finally:
            self._relabelling.discard((watcher, unit.path, unit.labels))

    def _tell_failure(self, watcher: Watcher, error: Exception) -> None:
        """Tell what went wrong with a folder or with what is remembered of it, once."""
        known = isinstance(error, RegtuiError | OSError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        if self._told.get(watcher) != message:
            self._told[watcher] = message
            self._tell(happened("failed", str(watcher.root), message))

    def _submit(
        self, watcher: Watcher, ready: Sequence[Generation], *, ended: bool = False
    ) -> None:
        """Hand states over to be captured, in their order."""
        if not ready:
            return
        beside = watcher.beside()
        runs: dict[str, list[State]] = {}
        for one in ready:
            state = State(one.unit.path, one.newest, one.unit.step)
            runs.setdefault(one.unit.run, []).append(state)
        for one in ready:
            run = one.unit.run
            runs[run].pop(0)
            may_end = watcher.ends and not runs[run]
            has_ended = ended or (may_end and self._has_ended(watcher, run))
            job = Job(watcher, one, beside.of(one.unit), has_ended, tuple(runs[run]))
            self._queue.append(job)
        self._capture_next()

    def _capture_next(self) -> None:
        """Hand over what is ready, several states at once, once the last ones are done."""
        if any(generation is not None for of in self._running.values() for _, generation in of):
            return
        jobs: list[Job] = []
        size = 0
        while self._queue and len(jobs) < TOGETHER:
            size += self._queue[0].generation.size
            if jobs and size > TOGETHER_BYTES:
                break
            jobs.append(self._queue.popleft())
        if jobs:
            self._start([(one.watcher, one.generation) for one in jobs], self._capture, jobs)

    def _start(
        self,
        of: list[tuple[Watcher, Generation | None]],
        work: Callable[..., list[Outcome]],
        *arguments: object,
    ) -> None:
        running = self._worker.submit(work, *arguments)
        self._running[running] = of
        running.add_done_callback(self._waker.nudge)

    def _collect(self) -> None:
        """Take in what the other thread has finished."""
        for running in [one for one in self._running if one.done()]:
            of = self._running.pop(running)
            if running.cancelled():
                continue
            try:
                outcomes = running.result()
            except Exception as error:  # noqa: BLE001 -- a defect must not end the watcher
                outcomes = [Outcome(fate="again")] * len(of)
                self._tell_failure(of[0][0], error)
            for (watcher, generation), outcome in zip(of, outcomes, strict=True):
                self._finish(watcher, generation, outcome)
        self._capture_next()

    def _finish(self, watcher: Watcher, generation: Generation | None, outcome: Outcome) -> None:
        """Tell what became of a state, and take it in."""
        if outcome.fate != "again":
            self._busy_at = time.monotonic()
        for event in outcome.events:
            self._tell(event)
        try:
            self._take_in(watcher, generation, outcome)
        except RegtuiError as error:  # it could not be written down, and is known till the end
            self._tell_failure(watcher, error)

    def _take_in(self, watcher: Watcher, generation: Generation | None, outcome: Outcome) -> None:
        if generation is None:
            if outcome.done is not None:
                watcher.memory.add(outcome.done)
        elif outcome.fate == "again":
            failures = self._failures.get((watcher, generation.number), 0)
            self._failures[watcher, generation.number] = failures + 1
            generation.rest(_BACKOFF[min(failures, len(_BACKOFF) - 1)])
            watcher.again(generation)
        elif outcome.fate == "hold":
            self._hold(watcher, generation)
        else:
            self._failures.pop((watcher, generation.number), None)
            watcher.done(generation, outcome.done or done_of(generation))

    def _hold(self, watcher: Watcher, generation: Generation) -> None:
        """Let a state wait for the end of its run; the one before it is not the last any more."""
        key = watcher, generation.unit.run
        before = self._held.get(key)
        self._held[key] = generation
        if before is not None:
            self._tell_of(watcher, before, "skipped", "a later state has come")
            watcher.done(before, done_of(before))

    def _release_held(self, watcher: Watcher) -> list[float]:
        """Capture the last states of runs that have ended; return when to look at the others."""
        waiting = []
        for key, generation in list(self._held.items()):
            if key[0] is not watcher:
                continue
            if self._is_busy_with(watcher, generation.unit.run):
                continue  # what comes of it decides here too
            if self._has_ended(watcher, generation.unit.run):
                del self._held[key]
                self._submit(watcher, [generation], ended=True)
            else:
                waiting.append(self._ended_after)
        return [] if self._once else waiting

    def _is_busy_with(self, watcher: Watcher, run: str) -> bool:
        return any(
            one is watcher and generation is not None and generation.unit.run == run
            for one, generation in self._taken
        )

    @property
    def _taken(self) -> list[tuple[Watcher, Generation | None]]:
        """What waits to be captured or is being captured, and whose it is."""
        queued = [(job.watcher, job.generation) for job in self._queue]
        return [*queued, *(one for of in self._running.values() for one in of)]

    def _has_ended(self, watcher: Watcher, run: str) -> bool:
        age = time.time() - watcher.newest_in(run) / 1e9
        if age < self._ended_after:
            return False
        return age >= ENDED_UNSEEN or writing_process(watcher.root / run) is None

    def _is_finished(self, again: float | None) -> bool:
        if self._running or self._queue:
            return False
        linger = LINGER
        if any(watcher.network for watcher in self._watchers):
            linger += QUIET_NETWORK  # before which nothing is ready there
        return again is None or time.monotonic() - self._busy_at > linger

    def _timer(self, took: float) -> float:
        """Return the seconds between two walks without any event."""
        if not all(watcher.is_there for watcher in self._watchers):
            return TIMER_MISSING
        network = all(watcher.network for watcher in self._watchers)
        return max(TIMER_NETWORK if network else TIMER, _SHARE * took)

    def _end(self) -> None:
        """Finish what was taken, and leave the rest to the next watcher."""
        until = time.monotonic() + FINISHING
        while self._running and time.monotonic() < until:
            wait(self._running, timeout=_TURN)
            self._collect()
            self._report_all()  # or it would be taken for dead
        self._queue.clear()
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._collect()
        for watcher in (*self._watchers, *self._leaving):
            if self._once:
                self._tell_waiting(watcher)
            watcher.close()
        self._waker.end()

    def _tell_waiting(self, watcher: Watcher) -> None:
        for generation, reason in watcher.waiting():
            if generation.told != reason:
                self._tell_of(watcher, generation, "waiting", reason)

    def _tell_of(self, watcher: Watcher, one: Generation, event: str, message: str) -> None:
        unit = one.unit
        name, root = unit.recogniser.name, str(watcher.root)
        self._tell(happened(event, root, message, path=unit.path, recogniser=name, step=unit.step))


def _doing(one: Generation, phase: Phase, reason: str) -> Doing:
    return Doing(
        path=one.unit.path,
        recogniser=one.unit.recogniser.name,
        step=one.unit.step,
        phase=phase,
        reason=reason,
        size=one.size,
        stored=min(one.stored, one.size),
        removed=one.removed,
    )


def _give_way_to_trainers() -> None:
    """Lower the priority of this thread, and of those that it starts, where threads have one."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
