"""The state machine of one watched folder: from files that appear to states that are ready.

Each `look` walks the folder once and decides by what is there alone, whatever events said:

    seen → pinned → ready → (taken by the caller: read, hashed, registered) → done
                 ↘ removed or replaced: what is pinned is still judged, and captured if it is whole

Invariants:

- A file is pinned in the same look that sees it first; nothing slow comes before.
- A state that shrinks is being removed: it is judged by what was pinned, never by what is left of
  it, and what is left is no new state until a file of it is written anew.
- A state is taken once. What is done is remembered by `stat`, so it is not read again; that two
  watchers or a lost memory make no second version is for the registry, by the content.

What is not promised: a state that comes and goes between two looks was never there, and a rewrite
that keeps size and date of every file is not seen.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from regtui.capture.beside import Beside
from regtui.capture.events import Event, happened
from regtui.capture.generation import SETTLED, Generation, Readiness, state_of
from regtui.capture.listing import Listing, list_folder
from regtui.capture.memory import Done, Memory
from regtui.capture.pins import Pins
from regtui.capture.recognise import Unit, recognise
from regtui.capture.recogniser import Recogniser

PATIENCE: Final = 5.0
"""Seconds after which it is told that a state waits."""

JUDGING: Final = 0.25
"""Seconds of one look that go into judging; the rest waits for the next look."""

Tell = Callable[[Event], None]


class Settings(Struct, frozen=True, kw_only=True):
    """How a folder is watched.

    Attributes:
        recognisers: In the order in which they are asked.
        exclude: Patterns of what is left out.
        skip: Folders that are left out wherever they turn up.
        network: Whether it is on a network mount.
        budget: Bytes that pins of removed files may hold; None for a fifth of what is free.
        ends: Whether it matters to what is kept that a run has ended.
    """

    recognisers: tuple[Recogniser, ...]
    exclude: tuple[str, ...] = ()
    skip: tuple[Path, ...] = ()
    network: bool = False
    budget: int | None = None
    ends: bool = False


class Watcher:
    """Watches one folder.

    Args:
        root: The folder; it need not be there yet.
        home: The registry's home.
        settings: How it is watched.
        tell: Is given each event.

    Attributes:
        root: As given.
        network: Whether it is on a network mount.
        ends: Whether it matters to what is kept that a run has ended.
        memory: What is done.

    Raises:
        RegtuiError: The home may not be written.
    """

    def __init__(self, root: Path, home: Path, settings: Settings, tell: Tell) -> None:
        self.root = root
        self.network = settings.network
        self.ends = settings.ends
        self.memory = Memory(home, root)
        self._settings = settings
        self._tell = tell
        self._pins = Pins(home, root, settings.budget)
        self._current: dict[str, Generation] = {}
        self._removed: list[Generation] = []
        self._taken: set[int] = set()
        self._rests: dict[str, Done] = {}
        self._listing: Listing | None = None
        self._units: list[Unit] = []
        self._was_there: bool | None = None
        self._unreadable: set[str] = set()
        self._relabelled: list[tuple[Unit, Done]] = []
        self._is_stale = True
        self.adopt()

    @property
    def is_there(self) -> bool:
        """Whether the folder was there at the last look."""
        return self._was_there is True

    def look(self, *, walk: bool = True) -> tuple[list[Generation], float | None]:
        """Walk the folder once.

        Args:
            walk: False to judge again what the last walk saw, without a new one.

        Returns:
            The states that are ready, oldest first, each given once; and the seconds after which it
            is worth judging again without any event, None for never.
        """
        if walk or self._listing is None:
            self._walk()
        if self._is_stale and self._listing is not None:
            self._is_stale = False
            self._see(self._listing)
        ready, again = self._judge()
        self._keep_budget()
        return ready, again

    def relabelled(self) -> list[tuple[Unit, Done]]:
        """Return the units, done before, that have names now which they had not; each once."""
        found, self._relabelled = self._relabelled, []
        return found

    def beside(self) -> Beside:
        """Return what lies beside the units of the last look."""
        return Beside(self._listing or Listing(), self._units)

    def newest_in(self, run: str) -> int:
        """Return when a file of a run was written last, in nanoseconds; 0 where there is none."""
        start = f"{run}/" if run else ""
        files = (self._listing or Listing()).files
        return max(
            (f.identity.mtime_ns for p, f in files.items() if p.startswith(start)), default=0
        )

    def done(self, generation: Generation, done: Done) -> None:
        """Take note that a state was dealt with.

        Raises:
            RegtuiError: The disk is full.
        """
        self._let_go(generation)
        self._is_stale = True
        newer = self.memory.of(generation.unit.path)
        if newer is None or newer.newest <= done.newest:
            self.memory.add(done)

    def again(self, generation: Generation) -> None:
        """Take back a state that could not be captured: it is judged anew."""
        self._taken.discard(generation.number)
        self._is_stale = True
        if generation.removed and generation not in self._removed:
            self._removed.append(generation)

    def waiting(self) -> list[tuple[Generation, str]]:
        """Return the states that are not ready, and why."""
        return [
            (one, one.reason)
            for one in (*self._current.values(), *self._removed)
            if self._is_free(one)
        ]

    def close(self) -> None:
        """End. What was removed before it was captured stays pinned for the next watcher."""
        for one in list(self._current.values()):
            if self._is_free(one):
                self._let_go(one)
        if self._removed or self._taken:
            self._pins.leave()
        else:
            self._pins.close()

    def _walk(self) -> None:
        settings = self._settings
        listing = list_folder(self.root, exclude=settings.exclude, skip=settings.skip)
        self._note_presence(listing is not None)
        listing = listing or Listing()
        if listing != self._listing:
            self._listing = listing
            self._units = recognise(listing, settings.recognisers)
            self._note_unreadable(listing)
            self._is_stale = True

    def _note_presence(self, is_there: bool) -> None:
        if is_there == self._was_there:
            return
        if not is_there:
            self._event("missing", f"there is no folder {self.root}")
        elif self._was_there is False:
            self._event("back", f"{self.root} is there")
        self._was_there = is_there

    def _note_unreadable(self, listing: Listing) -> None:
        for path, reason in listing.unreadable.items():
            if path not in self._unreadable:
                self._event("unreadable", f"{path or '.'} can't be read: {reason}", path=path)
        self._unreadable = set(listing.unreadable)

    def _see(self, listing: Listing) -> None:
        """Pin what is new, and part from what is gone."""
        units = {unit.path: unit for unit in self._units}
        for path, known in list(self._current.items()):
            unit_now = units.get(path)
            if unit_now is None or not known.goes_on(unit_now, listing):
                self._part(known, unit_now, listing)
        for unit in self._units:
            generation = self._current.get(unit.path)
            if generation is None and self._is_new(unit, listing):
                generation = Generation(unit, self._pins.new_generation())
                self._current[unit.path] = generation
            if generation is not None and generation.number not in self._taken:
                generation.see(unit, listing, self._pins)

    def _part(self, generation: Generation, unit: Unit | None, listing: Listing) -> None:
        """End a state whose files are removed or replaced; what is pinned of it stays."""
        del self._current[generation.unit.path]
        generation.part(unit, listing, self._pins)
        self._rests[generation.unit.path] = done_of(generation)
        if generation.number not in self._taken:
            self._removed.append(generation)

    def _is_new(self, unit: Unit, listing: Listing) -> bool:
        """Tell whether a unit is a state that was neither dealt with nor is a rest of one."""
        found = {path: listing.files[path].identity for path in unit.files}
        newest = max(one.mtime_ns for one in found.values())
        for done in (self.memory.of(unit.path), self._rests.get(unit.path)):
            if done is None:
                continue
            if done.state == state_of(found):
                if done.version is not None and set(unit.labels) - set(done.labels):
                    self._relabel(unit, done)
                return False
            if len(found) < done.files and newest <= done.newest:
                return False
        return True

    def _relabel(self, unit: Unit, done: Done) -> None:
        if (unit, done) not in self._relabelled:
            self._relabelled.append((unit, done))

    def _judge(self) -> tuple[list[Generation], float | None]:
        """Return the states that are ready, and when it is worth looking again."""
        until = time.monotonic() + JUDGING
        whole: list[Generation] = []
        pauses: list[float] = []
        nearly: list[Generation] = []
        waiting = [one for one in (*self._removed, *self._current.values()) if self._is_free(one)]
        for one in sorted(waiting, key=lambda one: (one.judged, one.order)):
            if time.monotonic() > until:
                pauses.append(0.0)
                break
            found = one.readiness(network=self._settings.network)
            if found.ready:
                whole.append(one)
                continue
            self._wait(one, found)
            pauses += [] if found.again is None else [found.again]
            nearly += [one] if found.again is not None and found.again <= SETTLED else []
        ready = [one for one in whole if not any(_comes_first(other, one) for other in nearly)]
        for one in ready:
            self._taken.add(one.number)
            self._tell_removed(one)
        return sorted(ready, key=lambda one: one.order), min(pauses, default=None)

    def _is_free(self, one: Generation) -> bool:
        return one.number not in self._taken

    def _wait(self, one: Generation, found: Readiness) -> None:
        """Tell why a state is not ready, or part from one that never will be."""
        if found.other:
            self._about("other", one, found.reason)
            self.done(one, done_of(one))
        elif found.hopeless and one.removed:
            self._about("lost", one, f"it was removed; {found.reason}")
            self._let_go(one)
        elif found.reason != one.told and time.monotonic() - one.first_seen >= PATIENCE:
            self._about("waiting", one, found.reason)
            one.told = found.reason
        one.reason = found.reason

    def _tell_removed(self, one: Generation) -> None:
        if one.replaced:
            self._about("superseded", one, "the next state has its place; it is kept by its pins")
        elif one.removed:
            self._about("rotated", one, "its trainer removed it; it is kept by its pins")

    def _keep_budget(self) -> None:
        """Release the oldest of what was removed where it holds too many bytes."""
        waiting = [one for one in self._removed if self._is_free(one)]
        if not waiting:
            return
        held, budget = sum(one.size for one in self._removed), self._pins.budget()
        for one in waiting:
            if held <= budget:
                return
            held -= one.size
            self._about("released", one, f"pins of removed files may hold {budget:,} bytes")
            self._let_go(one)

    def _let_go(self, generation: Generation) -> None:
        self._pins.release(generation.number, list(generation.pins.values()))
        self._taken.discard(generation.number)
        if self._current.get(generation.unit.path) is generation:
            del self._current[generation.unit.path]
        if generation in self._removed:
            self._removed.remove(generation)

    def adopt(self) -> None:
        """Judge what a watcher that ended had pinned and whose names are gone."""
        for number, folder in self._pins.adopted():
            listing = list_folder(folder) or Listing()
            for unit in recognise(listing, self._settings.recognisers):
                pins = {path: self._pins.adopt(path, folder / path) for path in unit.files}
                found = {path: pin for path, pin in pins.items() if pin is not None}
                generation = Generation(unit, number)
                generation.adopt(unit, found)
                if not _all_named(self.root, generation):
                    self._removed.append(generation)
                    break
            else:
                self._pins.release(number, [])

    def _about(self, event: str, one: Generation, message: str) -> None:
        self._event(
            event, message, path=one.unit.path,
            recogniser=one.unit.recogniser.name, step=one.unit.step,
        )  # fmt: skip

    def _event(self, event: str, message: str, **more: object) -> None:
        self._tell(happened(event, str(self.root), message, **more))


def done_of(generation: Generation, version: str | None = None, value: float | None = None) -> Done:
    """Return what is remembered of a state.

    Args:
        generation: The state.
        version: Id of the version that it became.
        value: Of the metric that decides which state is best.
    """
    unit = generation.unit
    return Done(
        path=unit.path,
        state=generation.state,
        files=len(unit.files),
        newest=generation.newest,
        version=version,
        labels=unit.labels,
        run=unit.run,
        step=unit.step,
        value=value,
    )


def _comes_first(one: Generation, other: Generation) -> bool:
    """Tell whether a state was written before another one of its run, which then waits for it."""
    return one.unit.run == other.unit.run and one.order < other.order


def _all_named(root: Path, generation: Generation) -> bool:
    """Tell whether the files of an adopted state are still where they were."""
    for path, pin in generation.pins.items():
        try:
            status = (root / path).stat()
        except OSError:
            return False
        if (status.st_dev, status.st_ino) != (pin.identity.device, pin.identity.inode):
            return False
    return True
