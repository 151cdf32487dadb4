"""Capturing what a watcher has found ready: read, decide by the keep rules, register.

It never raises: a state that can't be captured now is tried again, and what can't be captured at
all is told and left. A model is worth more than what is said of it: where a name or value beside it
can't be kept, it is registered without them.
"""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from regtui.capture.context import RunContext, run_context
from regtui.capture.events import Event, happened
from regtui.capture.findings import Findings, ParentHint
from regtui.capture.generation import Generation
from regtui.capture.keep import KeepRule, State, kept, parse_keep
from regtui.capture.memory import Done
from regtui.capture.naming import model_name, run_name
from regtui.capture.recognise import Unit
from regtui.capture.recogniser import matches
from regtui.capture.sealing import findings_of, scan_of
from regtui.capture.watcher import Watcher, done_of
from regtui.capture.watching import ENDED_UNSEEN, Job, Outcome
from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.registry.answers import Captured
from regtui.registry.capture import CaptureRequest, Stored, register_all, store
from regtui.registry.context import Context
from regtui.registry.labels import note_labels
from regtui.registry.series import Series
from regtui.registry.watch_judging import Judged, judged_by
from regtui.registry.watch_rules import WatchRule

if TYPE_CHECKING:
    from pathlib import Path


RUNS = 32
"""Runs of which it is remembered how far their logs were read."""

POINTS = 200_000
"""Points of curves that are held before what is ready is registered."""


class _Ready(Struct, frozen=True):
    """A state and what its files say."""

    watcher: Watcher
    generation: Generation
    rule: WatchRule
    found: Findings
    judged: Judged | None
    problems: list[str]

    @property
    def unit(self) -> Unit:
        return self.generation.unit

    @property
    def value(self) -> float | None:
        """The figure by which it is compared with others of its run."""
        return None if self.judged is None else self.judged.value


class Capturer:
    """Captures the states of several watched folders.

    Args:
        context: The registry.
        rules: How each folder is watched, by its watcher.
    """

    def __init__(self, context: Context, rules: dict[Watcher, WatchRule]) -> None:
        self._context = context
        self._rules = rules
        self._runs: dict[tuple[Path, str, frozenset[str]], tuple[RunContext, int]] = {}
        self._memories: dict[tuple[Path, str], dict[str, Any]] = {}
        # What the watchers' memories learn only when the other thread comes to it.
        self._done: dict[tuple[Watcher, str], dict[str, Done]] = {}

    def capture(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Make versions of states, where their rules keep them; an outcome for each.

        They are registered in one transaction, which costs what one of them alone would. Where
        that fails, each is registered alone, so that none keeps the others from being versions.
        """
        outcomes: dict[int, Outcome] = {}
        stored: dict[int, tuple[_Ready, Stored]] = {}
        points = 0
        for number, job in enumerate(jobs):
            try:
                ready = self._read(job)
                left_out = self._left_out(ready, job)
                if left_out is not None:
                    outcomes[number] = left_out
                    continue
                stored[number] = ready, self._store(ready)
                self._note(ready, "")
            except Exception as error:  # noqa: BLE001 -- told of it, whatever it is
                outcomes[number] = _failed(job, error)
                continue
            points += sum(len(curve.values) for curve in ready.found.series.values())
            if points > POINTS:
                outcomes |= self._register_all(stored)
                stored, points = {}, 0
        outcomes |= self._register_all(stored)
        return [outcomes[number] for number in range(len(jobs))]

    def _register_all(self, stored: dict[int, tuple[_Ready, Stored]]) -> dict[int, Outcome]:
        """Register states together, or each alone where that fails."""
        try:
            done = register_all(self._context, [one for _, one in stored.values()])
        except (BadInput, NotFound):
            return {number: self._register(*one) for number, one in stored.items()}
        except Exception as error:  # noqa: BLE001 -- told of each: it would stop each alone, too
            for ready, _ in stored.values():
                self._forget(ready)
            return {number: _failed(ready, error) for number, (ready, _) in stored.items()}
        return {
            number: self._done_with(ready, captured)
            for (number, (ready, _)), captured in zip(stored.items(), done, strict=True)
        }

    def relabel(self, watcher: Watcher, unit: Unit, done: Done) -> Outcome:
        """Note names that a version has now and had not."""
        new = sorted(set(unit.labels) - set(done.labels))
        run = run_name(unit, watcher.root, None)
        paths = [watcher.root / one for one in new]
        try:
            version = note_labels(self._context, str(done.version), paths, run=run)
        except Exception as error:  # noqa: BLE001 -- a defect must not end the watcher
            # It is noted with the next state, or by the next watcher.
            event = _event("failed", watcher, unit, str(error) or type(error).__name__)
            return Outcome(fate="again", events=(event,))
        done = structs.replace(done, labels=unit.labels)
        if version is None:
            return Outcome(fate="done", done=done)
        message = f"{', '.join(new)} is {version.reference}"
        event = _event("labelled", watcher, unit, message, version=version, model=version.model)
        return Outcome(fate="done", done=done, events=(event,))

    def _read(self, job: Job) -> _Ready:
        key = job.watcher.root, job.generation.unit.run
        memory = self._memories.setdefault(key, {})
        while len(self._memories) > RUNS:
            self._memories.pop(next(one for one in self._memories if one != key))
        found = findings_of(job.generation, job.watcher.root, job.beside, memory)
        rule = self._rules[job.watcher]
        return _Ready(job.watcher, job.generation, rule, found, judged_by(found), [])

    def _left_out(self, ready: _Ready, job: Job) -> Outcome | None:
        """Return what becomes of a state that its rule does not keep; None for all others."""
        rules = parse_keep(ready.rule.keep)
        known = {one.path: one for one in ready.watcher.memory.of_run(ready.unit.run)}
        known |= self._done.get((ready.watcher, ready.unit.run), {})
        states = _states(ready, known.values(), job.later)
        highest = ready.judged is None or ready.judged.highest
        if ready.unit.path in kept(states, rules, highest=highest, ended=job.ended):
            return None
        is_last = not job.ended and not job.later
        if is_last and any(rule.kind == "final" for rule in rules):
            event = _event("held", ready.watcher, ready.unit, _why(rules))
            return Outcome(fate="hold", events=(event,))
        event = _event("skipped", ready.watcher, ready.unit, _why(rules))
        return Outcome(fate="done", done=done_of(ready.generation), events=(event,))

    def _store(self, ready: _Ready) -> Stored:
        """Take the files of a state into the store."""
        scan = scan_of(ready.generation, ready.watcher.root)
        request = self._request(ready)
        try:
            return store(self._context, scan, request, ready.generation.count)
        except BadInput as error:
            ready.problems.append(f"what is said of it can't be kept: {error}")
            return store(self._context, scan, _bare(request), ready.generation.count)

    def _register(self, ready: _Ready, stored: Stored) -> Outcome:
        """Register a state alone; without what is said of it, where that can't be kept."""
        try:
            try:
                (captured,) = register_all(self._context, [stored])
            except BadInput as error:
                ready.problems.append(f"what is said of it can't be kept: {error}")
                bare = structs.replace(stored, request=_bare(stored.request))
                (captured,) = register_all(self._context, [bare])
        except Exception as error:  # noqa: BLE001 -- told of it, whatever it is
            self._forget(ready)
            return _failed(ready, error)
        return self._done_with(ready, captured)

    def _forget(self, ready: _Ready) -> None:
        """Take back that a state is kept."""
        self._done[ready.watcher, ready.unit.run].pop(ready.unit.path, None)

    def _done_with(self, ready: _Ready, captured: Captured) -> Outcome:
        told = [*ready.found.problems, *ready.problems, *captured.warnings]
        events = [_event("problem", ready.watcher, ready.unit, one) for one in told]
        events.append(_told(ready, captured))
        done = self._note(ready, captured.version.id)
        return Outcome(fate="done", done=done, events=tuple(events))

    def _note(self, ready: _Ready, version: str) -> Done:
        """Take note that a state is kept: the rules judge later ones by it."""
        done = done_of(ready.generation, version, ready.value)
        self._done.setdefault((ready.watcher, ready.unit.run), {})[done.path] = done
        return done

    def _request(self, ready: _Ready) -> CaptureRequest:
        root, unit, found = ready.watcher.root, ready.unit, ready.found
        step = found.step if found.step is not None else unit.step
        primary = next(iter(found.directions.items()), None)
        return CaptureRequest(
            model=model_name(unit, root, ready.rule.model, found.model),
            metrics=found.metrics,
            params=found.params if step is None else {"step": step, **found.params},
            tags=found.tags,
            inputs={**ready.rule.datasets, **found.inputs},
            description=found.description,
            series={
                name: Series(curve.steps, curve.values, curve.times)
                for name, curve in found.series.items()
            },
            run=run_name(unit, root, found.run),
            run_context=self._of_run(ready),
            hints=(*(ParentHint(one, "base") for one in ready.rule.parents), *found.parents),
            primary=primary if primary and primary[0] in found.metrics else None,
            labels=tuple(root / label for label in unit.labels),
            copies=_weights(unit) if unit.recogniser.final else (),
            run_folder=root / unit.run,
            restore=False,
        )

    def _of_run(self, ready: _Ready) -> RunContext:
        """Return what is known of a run, collected once, while its process can be seen."""
        key = ready.watcher.root, ready.unit.run, ready.rule.parts
        known = self._runs.get(key)
        newest = max(ready.generation.newest, ready.watcher.newest_in(ready.unit.run))
        # A folder that is no run of its own may see another one each day.
        gap = 0 if known is None or ready.unit.run else newest - known[1]
        if known is None or gap / 1e9 > ENDED_UNSEEN:
            # Of a run that ended long ago, what is here now tells nothing.
            is_old = time.time() - newest / 1e9 > ENDED_UNSEEN
            parts = frozenset[str]() if is_old else ready.rule.parts
            folder = ready.watcher.root / ready.unit.run
            found = run_context(folder, parts=parts, ended=newest // 1_000_000)
            self._runs[key] = found, newest
        return self._runs[key][0]


def _failed(job: "Job | _Ready", error: Exception) -> Outcome:
    """Return what becomes of a state that could not be captured."""
    unit = job.generation.unit
    if isinstance(error, BadInput):
        event = _event("failed", job.watcher, unit, str(error))
        return Outcome(fate="done", done=done_of(job.generation), events=(event,))
    what = str(error)
    if not isinstance(error, RegtuiError):  # a defect must not end the watcher
        what = f"something unforeseen happened ({type(error).__name__}: {error})"
    event = _event("failed", job.watcher, unit, f"{what}; it is tried again")
    return Outcome(fate="again", events=(event,))


def _event(kind: str, watcher: Watcher, unit: Unit, message: str, **more: Any) -> Event:
    return happened(
        kind,
        str(watcher.root),
        message,
        path=unit.path,
        recogniser=unit.recogniser.name,
        step=unit.step,
        **more,
    )


def _told(ready: _Ready, captured: Captured) -> Event:
    version = captured.version
    if version.state != "captured":
        kind, message = "deleted", f"{version.reference} is {version.state}; it stays so"
    elif captured.created:
        kind, message = "captured", f"{version.reference} {version.short_id}"
    else:
        kind, message = "known", f"it is {version.reference} already"
    return _event(kind, ready.watcher, ready.unit, message, version=version, model=version.model)


def _states(ready: _Ready, done: Iterable[Done], later: tuple[State, ...]) -> list[State]:
    """Return what is known of the run's states: those that are kept, this one, and later ones."""
    generation = ready.generation
    known = [
        State(one.path, one.newest, one.step, one.value)
        for one in done
        if one.version is not None and one.path != ready.unit.path
    ]
    is_final = ready.unit.recogniser.final
    own = State(ready.unit.path, generation.newest, ready.unit.step, ready.value, is_final)
    others = [one for one in later if one.key != ready.unit.path]
    return [*known, own, *others]


def _weights(unit: Unit) -> tuple[str, ...]:
    """Return the files of weights of a state, by their paths in the version."""
    paths = [unit.inner(path) for path in unit.files]
    return tuple(path for path in paths if matches(path, unit.recogniser.weights))


def _why(rules: tuple[KeepRule, ...]) -> str:
    return f"the rule is to keep {', '.join(map(str, rules))}"


def _bare(request: CaptureRequest) -> CaptureRequest:
    """Return a request that holds nothing that a file could have said wrong."""
    return CaptureRequest(
        model=request.model, run=request.run, labels=request.labels, restore=request.restore
    )
