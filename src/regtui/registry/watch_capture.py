"""Capturing what a watcher has found ready: read, decide by the keep rules, register.

It never raises: a state that can't be captured now is tried again, and what can't be captured at
all is told and left. A model is worth more than what is said of it: where a name or value beside it
can't be kept, it is registered without them.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from regtui.capture.context import RunContext, run_context
from regtui.capture.events import Event, happened
from regtui.capture.findings import Findings
from regtui.capture.generation import Generation
from regtui.capture.keep import KeepRule, State, kept, parse_keep
from regtui.capture.memory import Done
from regtui.capture.naming import model_name, run_name
from regtui.capture.recognise import Unit
from regtui.capture.recogniser import matches
from regtui.capture.sealing import findings_of, scan_of
from regtui.capture.watcher import Watcher, done_of
from regtui.capture.watching import ENDED_UNSEEN, Job, Outcome
from regtui.core.errors import BadInput, RegtuiError
from regtui.registry.answers import Captured
from regtui.registry.capture import CaptureRequest, register
from regtui.registry.context import Context
from regtui.registry.labels import note_labels
from regtui.registry.series import Series
from regtui.registry.watch_judging import Judged, judged_by
from regtui.registry.watch_rules import WatchRule

if TYPE_CHECKING:
    from pathlib import Path


class _Ready(Struct, frozen=True):
    """A state and what its files say."""

    watcher: Watcher
    generation: Generation
    rule: WatchRule
    found: Findings

    @property
    def unit(self) -> Unit:
        return self.generation.unit


class Capturer:
    """Captures the states of several watched folders, one after the other.

    Args:
        context: The registry.
        rules: How each folder is watched, by its watcher.
    """

    def __init__(self, context: Context, rules: dict[Watcher, WatchRule]) -> None:
        self._context = context
        self._rules = rules
        self._runs: dict[tuple[Path, str], RunContext] = {}
        self._memories: dict[tuple[Path, str], dict[str, Any]] = {}
        # What the watchers' memories learn only when the other thread comes to it.
        self._done: dict[tuple[Watcher, str], dict[str, Done]] = {}

    def capture(self, job: Job) -> Outcome:
        """Make a version of a state, where its rule keeps it."""
        unit = job.generation.unit
        try:
            ready = self._read(job)
            outcome = self._left_out(ready, job)
            return outcome or self._register(ready)
        except BadInput as error:
            event = _event("failed", job.watcher, unit, str(error))
            return Outcome(fate="done", done=done_of(job.generation), events=(event,))
        except RegtuiError as error:
            event = _event("failed", job.watcher, unit, f"{error}; it is tried again")
        except Exception as error:  # noqa: BLE001 -- a defect must not end the watcher
            what = f"something unforeseen happened ({type(error).__name__}: {error})"
            event = _event("failed", job.watcher, unit, f"{what}; it is tried again")
        return Outcome(fate="again", events=(event,))

    def relabel(self, watcher: Watcher, unit: Unit, done: Done) -> Outcome:
        """Note names that a version has now and had not."""
        new = sorted(set(unit.labels) - set(done.labels))
        run = run_name(unit, watcher.root, None)
        paths = [watcher.root / one for one in new]
        try:
            version = note_labels(self._context, str(done.version), paths, run=run)
        except RegtuiError as error:
            # It is noted with the next state, or by the next watcher.
            event = _event("failed", watcher, unit, str(error))
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
        found = findings_of(job.generation, job.watcher.root, job.beside, memory)
        return _Ready(job.watcher, job.generation, self._rules[job.watcher], found)

    def _left_out(self, ready: _Ready, job: Job) -> Outcome | None:
        """Return what becomes of a state that its rule does not keep; None for all others."""
        rules = parse_keep(ready.rule.keep)
        judged = judged_by(ready.found)
        known = {one.path: one for one in ready.watcher.memory.of_run(ready.unit.run)}
        known |= self._done.get((ready.watcher, ready.unit.run), {})
        states = _states(ready, known.values(), judged, job.later)
        highest = judged is None or judged.highest
        if ready.unit.path in kept(states, rules, highest=highest, ended=job.ended):
            return None
        is_last = not job.ended and not job.later
        if is_last and any(rule.kind == "final" for rule in rules):
            event = _event("held", ready.watcher, ready.unit, _why(rules))
            return Outcome(fate="hold", events=(event,))
        event = _event("skipped", ready.watcher, ready.unit, _why(rules))
        return Outcome(fate="done", done=done_of(ready.generation), events=(event,))

    def _register(self, ready: _Ready) -> Outcome:
        request = self._request(ready)
        scan = scan_of(ready.generation, ready.watcher.root)
        events = [_event("problem", ready.watcher, ready.unit, one) for one in ready.found.problems]
        count = ready.generation.count
        try:
            captured = register(self._context, scan, request, count)
        except BadInput as error:
            message = f"what is said of it can't be kept: {error}"
            events.append(_event("problem", ready.watcher, ready.unit, message))
            captured = register(self._context, scan, _bare(request), count)
        events += [_event("problem", ready.watcher, ready.unit, one) for one in captured.warnings]
        events.append(_told(ready, captured))
        judged = judged_by(ready.found)
        value = None if judged is None else judged.value
        done = done_of(ready.generation, captured.version.id, value)
        self._done.setdefault((ready.watcher, ready.unit.run), {})[done.path] = done
        return Outcome(fate="done", done=done, events=tuple(events))

    def _request(self, ready: _Ready) -> CaptureRequest:
        root, unit, found = ready.watcher.root, ready.unit, ready.found
        step = found.step if found.step is not None else unit.step
        primary = next(iter(found.directions.items()), None)
        return CaptureRequest(
            model=model_name(unit, root, ready.rule.model, found.model),
            metrics=found.metrics,
            params=found.params if step is None else {"step": step, **found.params},
            tags=found.tags,
            inputs=found.inputs,
            description=found.description,
            series={
                name: Series(curve.steps, curve.values, curve.times)
                for name, curve in found.series.items()
            },
            run=run_name(unit, root, found.run),
            run_context=self._of_run(ready),
            hints=found.parents,
            primary=primary if primary and primary[0] in found.metrics else None,
            labels=tuple(root / label for label in unit.labels),
            copies=_weights(unit) if unit.recogniser.final else (),
            restore=False,
        )

    def _of_run(self, ready: _Ready) -> RunContext:
        """Return what is known of a run, collected once, while its process can be seen."""
        key = ready.watcher.root, ready.unit.run
        if key not in self._runs:
            newest = max(ready.generation.newest, ready.watcher.newest_in(ready.unit.run))
            # Of a run that ended long ago, what is here now tells nothing.
            is_old = time.time() - newest / 1e9 > ENDED_UNSEEN
            parts = frozenset[str]() if is_old else ready.rule.parts
            folder = ready.watcher.root / ready.unit.run
            self._runs[key] = run_context(folder, parts=parts, ended=newest // 1_000_000)
        return self._runs[key]


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


def _states(
    ready: _Ready, done: Iterable[Done], judged: Judged | None, later: tuple[State, ...]
) -> list[State]:
    """Return what is known of the run's states: those that are kept, this one, and later ones."""
    generation = ready.generation
    known = [
        State(one.path, one.newest, one.step, one.value)
        for one in done
        if one.version is not None and one.path != ready.unit.path
    ]
    value = None if judged is None else judged.value
    is_final = ready.unit.recogniser.final
    own = State(ready.unit.path, generation.newest, ready.unit.step, value, is_final)
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
