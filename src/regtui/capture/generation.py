"""Generations: one state of a unit, from its first file to the moment when it is ready.

A path has many states: `last.ckpt` is written anew, `checkpoint-3` is removed and made again. Each
is a generation with pins of its own, so that an old one can still be captured from its pins while
the next one is being written.

*Ready* takes three tests together, for none is enough alone: nobody has a file open for writing;
the formats say that nothing is missing; and what `stat` says has not changed for a moment. Where
the kernel can't tell about writers, or the formats about the end, quiet time has to do. Times are
those of a clock that only goes forward; the dates of files are looked at too, and a date in the
future counts as now.
"""

import time
from typing import Final

from blake3 import blake3
from msgspec import Struct, structs

from regtui.artifacts.scan import Identity
from regtui.capture.complete import Completeness, completeness
from regtui.capture.listing import Listing
from regtui.capture.pins import Pin, Pins
from regtui.capture.recognise import Unit, lacking
from regtui.capture.run_files import RunFiles
from regtui.capture.writers import ends_in_hole, is_written

SETTLED: Final = 0.05
"""Seconds since the last change of a file, below which a later change might not show."""

WRITING: Final = 0.1
"""Seconds after which it is asked again whether somebody writes; closing a file is no event."""

QUIET: Final = 2.0
"""Seconds without change that have to do where nothing else can tell, on a local disk."""

QUIET_NETWORK: Final = 120.0
"""The same on a network mount: twice as long as attributes are cached."""


class Readiness(Struct, frozen=True):
    """What is known of a generation.

    Attributes:
        ready: Whether it can be captured.
        reason: Why not, one sentence.
        again: Seconds after which it is worth looking again without any event; None for never.
        other: Whether it is no unit at all, by its bytes.
        hopeless: Whether it can't become ready any more, as its files are removed.
    """

    ready: bool
    reason: str = ""
    again: float | None = None
    other: bool = False
    hopeless: bool = False


class Generation:
    """One state of a unit.

    Attributes:
        unit: What it is, as last seen.
        number: Of its pins.
        removed: Whether its names are gone, or are going: it grows no more.
        replaced: Whether that is because the trainer wrote something else there.
        reason: Why it is not ready, as last seen.
        told: The last reason that was told of it.
        judged: When it was looked at last.
        first_seen: When it was seen first; both by a clock that only goes forward.
        stored: Bytes of it that are in the store by now.
    """

    def __init__(self, unit: Unit, number: int) -> None:
        self.unit = unit
        self.number = number
        self.removed = False
        self.replaced = False
        self.reason = "it is being looked at"
        self.told = ""
        self.judged = 0.0
        self.first_seen = time.monotonic()
        self.stored = 0
        self.pins: dict[str, Pin] = {}
        self._identities: dict[str, Identity] = {}
        self._changed = time.monotonic()
        self._touched_ns = 0
        self._steady: float | None = None
        self._rests_until = 0.0
        self._known: tuple[str, Completeness] | None = None

    def see(self, unit: Unit, listing: Listing, pins: Pins) -> None:
        """Take in what a walk saw of it, and pin what is new."""
        found = {path: listing.files[path].identity for path in unit.files}
        for path in unit.files:
            if path not in self.pins and (pin := pins.pin(self.number, path)) is not None:
                self.pins[path] = pin
        if state_of(found) != state_of(self._identities) or unit.lacks != self.unit.lacks:
            self._changed = time.monotonic()
        self.unit = unit
        self._identities = found
        folders = [listing.folders.get(unit.path, 0)] if unit.is_folder else []
        self._touched_ns = max([*folders, *(one.mtime_ns for one in found.values())])

    def count(self, stored: int) -> None:
        """Take note that so many more bytes are in the store."""
        self.stored += stored

    def rest(self, seconds: float) -> None:
        """Let some time pass before it is judged again: it could not be captured."""
        self.stored = 0
        self._rests_until = time.monotonic() + seconds

    def part(self, unit: Unit | None, listing: Listing, pins: Pins) -> None:
        """Take note that its files are being removed, or replaced by those of another state.

        Args:
            unit: What is there now; None for nothing.
            listing: The walk that saw it.
            pins: Where to keep what came since the last walk.
        """
        self.removed = True
        self._steady = time.monotonic() - self._changed
        if unit is None:
            return
        found = {path: listing.files[path].identity for path in unit.files}
        self.replaced = any(
            not _same_file(found[path], one)
            for path, one in self._identities.items()
            if path in found
        )
        if not self.replaced:
            self._see_rest(found, pins)

    def _see_rest(self, found: dict[str, Identity], pins: Pins) -> None:
        """Take in files that were written after the last walk, before others were removed."""
        for path in found.keys() - self.pins.keys():
            if (pin := pins.pin(self.number, path)) is not None:
                self.pins[path] = pin
                self._identities[path] = pin.identity
                self._steady = 0.0
        files = tuple(sorted(self.pins))
        names = [self.unit.inner(path) for path in files]
        lacks = tuple(lacking(self.unit.recogniser, names)) if self.unit.is_folder else ()
        self.unit = structs.replace(self.unit, files=files, lacks=lacks)

    def adopt(self, unit: Unit, found: dict[str, Pin]) -> None:
        """Take in what a killed watcher left of it."""
        self.unit = unit
        self.pins = dict(found)
        self._identities = {path: pin.identity for path, pin in found.items()}
        self.removed = True
        self._steady = 0.0

    @property
    def state(self) -> str:
        """Digest of what `stat` says of its files, names of links left out."""
        return state_of(self._identities)

    @property
    def newest(self) -> int:
        """When the newest of its files was written, in nanoseconds."""
        return max((one.mtime_ns for one in self._identities.values()), default=0)

    def goes_on(self, unit: Unit, listing: Listing) -> bool:
        """Tell whether what a walk saw is this state still, perhaps grown: no file has gone."""
        found = listing.files
        return all(
            path in unit.files and path in found and _same_file(found[path].identity, one)
            for path, one in self._identities.items()
        )

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.size for one in self._identities.values())

    @property
    def order(self) -> tuple[int, int, str]:
        """By what states of a run come one after the other."""
        return self.newest, self.unit.step or 0, self.unit.path

    @property
    def files(self) -> RunFiles:
        """Its files as readers see them, wherever they are now."""
        places = {path: pin.place for path, pin in self.pins.items()}
        return RunFiles(self.unit.path, places, run=self.unit.run, step=self.unit.step)

    def readiness(self, *, network: bool) -> Readiness:
        """Tell whether it can be captured now."""
        self.judged = time.monotonic()
        if self.judged < self._rests_until:
            return Readiness(False, "it is tried again", again=self._rests_until - self.judged)
        lost = [path for path in self.unit.files if path not in self.pins]
        if lost:
            reason = f"{self._name(lost[0])} went before it could be kept"
            return Readiness(False, reason, hopeless=True)
        try:
            return self._readiness(network=network)
        except OSError as error:
            reason = f"a file can't be read: {error.strerror or error}"
            return Readiness(False, reason, hopeless=self.removed)

    def _readiness(self, *, network: bool) -> Readiness:
        self._refresh()
        writers = [(path, is_written(pin.place)) for path, pin in self.pins.items()]
        written = next((path for path, answer in writers if answer), None)
        if written is not None:
            return Readiness(False, f"{self._name(written)} is being written", again=WRITING)
        known = self._completeness()
        if not known.whole:
            return Readiness(False, known.reason, other=known.other, hopeless=self.removed)
        if network or any(answer is None for _, answer in writers):
            return self._after(QUIET_NETWORK if network else QUIET, "nobody can tell who writes it")
        if not known.certain:
            return self._after(QUIET, "its format does not tell where it ends")
        return self._after(SETTLED, "it has just changed")

    def _refresh(self) -> None:
        """Look at the pins themselves: a file may still be written though its name is gone."""
        found = {path: Identity.of(pin.status()) for path, pin in self.pins.items()}
        if state_of(found) != state_of(self._identities):
            self._changed = time.monotonic()
            self._identities = found
            self._touched_ns = max(one.mtime_ns for one in found.values())

    def _completeness(self) -> Completeness:
        """Read what the files say of their end, once for each state."""
        state = self.state
        if self._known is None or self._known[0] != state:
            known = completeness(self.unit, self.files)
            hollow = [p for p in known.reserved if ends_in_hole(self.pins[p].place)]
            if known.whole and hollow:
                reason = f"the end of {self._name(hollow[0])} was never written"
                known = Completeness(whole=False, reason=reason)
            self._known = (state, known)
        return self._known[1]

    def _after(self, seconds: float, reason: str) -> Readiness:
        """Tell that it is ready when it has not changed for some time."""
        steady = time.monotonic() - self._changed
        if self._steady is not None and seconds != SETTLED:
            if self._steady >= seconds:
                return Readiness(True)
            return Readiness(False, f"it went too soon, and {reason}", hopeless=True)
        age = (time.time_ns() - self._touched_ns) / 1e9
        # A walk sees a file that is long done for the first time: its date says so. For quiet time
        # only what was seen counts, for dates come from clocks that may have been set.
        quiet = age if seconds == SETTLED and age > 0 else steady
        if quiet >= seconds:
            return Readiness(True)
        return Readiness(False, reason, again=seconds - quiet)

    def _name(self, path: str) -> str:
        return self.unit.inner(path) or path.rpartition("/")[2]


def _same_file(one: Identity, other: Identity) -> bool:
    return (one.device, one.inode) == (other.device, other.inode)


def state_of(identities: dict[str, Identity]) -> str:
    """Return a digest of what `stat` says of files.

    The time of the last change of the inode is left out: pins of ours and names that a trainer
    gives or takes change it, and the bytes stay the same.
    """
    told = [
        (path, one.device, one.inode, one.size, one.mtime_ns)
        for path, one in sorted(identities.items())
    ]
    return blake3(repr(told).encode()).hexdigest()
