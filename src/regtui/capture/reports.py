"""Reports: what watchers are doing, for whoever looks from another process.

Beside what a watcher remembers (`regtui.capture.memory`), in `watch/` of the registry's home:

    <16 hex>.<pid>.now      what one watcher of a folder is doing, written anew when that changes
    rules.<pid>.now         that a process watches by the rules, whatever folders these name
    <16 hex>.told           what was told of a folder, the newest last; older ones in `.told.old`

Nothing depends on them: where they can't be written, nothing is, and what can't be read is passed
over. A report counts while its process lives and renews it; a killed watcher's is swept away by the
next one.
"""

import datetime
import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from regtui.capture.events import Event, moment
from regtui.capture.memory import FOLDER, file_name, make_folder
from regtui.capture.processes import is_running

BEAT: Final = 5.0
"""Seconds after which a report is renewed though nothing has changed."""

LOST: Final = 4 * BEAT
"""Seconds without renewal after which a report does not count any more."""

LISTED: Final = 100
"""States that are listed of a folder; the others are counted."""

TOLD_BYTES: Final = 512 * 1024
"""Bytes after which what was told is put aside, and what was put aside before is dropped."""

Phase = Literal["waiting", "queued", "capturing", "held"]


class Doing(Struct, frozen=True, kw_only=True):
    """One state that is not captured yet.

    Attributes:
        path: Relative to the folder; empty for the folder itself.
        recogniser: Which trainer's it is.
        step: It was saved at; None where nobody says.
        phase: `waiting` until it is complete, `queued`, `capturing`, or `held` until its run ends.
        reason: Why it waits; empty where it does not.
        size: Bytes of its files.
        stored: Bytes of them that are in the store by now.
        removed: Whether its trainer has removed it: only pins keep it.
    """

    path: str
    recogniser: str
    step: int | None
    phase: Phase
    reason: str
    size: int
    stored: int
    removed: bool


class Report(Struct, frozen=True, kw_only=True):
    """What one watcher does in one folder.

    Attributes:
        root: The folder; empty for a watcher of the rules as such.
        pid: The watcher's process.
        host: Its machine.
        started: ISO 8601, UTC.
        at: When it was written, likewise.
        by_rules: Whether it watches what the rules say, rather than folders that were named.
        events: Whether the system tells it of changes; else it looks by a timer.
        is_there: Whether the folder is there.
        doing: Its states that are not captured yet, those that are being captured first.
        more: How many there are beside those.
        told: How often it told each kind of event since it started.
    """

    root: str
    pid: int
    host: str
    started: str
    at: str
    by_rules: bool
    events: bool
    is_there: bool
    doing: tuple[Doing, ...]
    more: int
    told: dict[str, int]


class Told(Struct, frozen=True, kw_only=True):
    """One thing that a watcher told.

    Attributes:
        event: What happened: `regtui.capture.events.KINDS`.
        at: ISO 8601, UTC.
        root: The folder.
        path: Relative to it; None where it is about the folder.
        message: One sentence.
        recogniser: Which trainer's files they are.
        step: Of the state.
        model: Name of the model at that time.
        version: Id of the version; None where there is none.
        reference: What the version was called at that time.
    """

    event: str
    at: str
    root: str
    path: str | None = None
    message: str = ""
    recogniser: str | None = None
    step: int | None = None
    model: str | None = None
    version: str | None = None
    reference: str | None = None


class Reporter:
    """Writes the report of one watcher on one folder.

    Args:
        home: The registry's home.
        root: The folder; None for a watcher of the rules as such.
        by_rules: Whether it is watched because a rule says so.
    """

    def __init__(self, home: Path, root: Path | None, *, by_rules: bool) -> None:
        self._root = "" if root is None else str(root)
        self._by_rules = by_rules
        make_folder(home)  # never later: of a home that is removed meanwhile nothing may come back
        name = "rules" if root is None else file_name(root)
        self._file = home / FOLDER / f"{name}.{os.getpid()}.now"
        self._told_file = home / FOLDER / f"{name}.told"
        self._started = moment()
        self._counts: Counter[str] = Counter()
        self._last: tuple[object, ...] = ()
        self._written = 0.0
        self._has_events = True

    def tell(self, event: Event) -> None:
        """Keep what was told."""
        self._counts[event.event] += 1
        if event.event == "timer":
            self._has_events = False
        version = event.version
        told = Told(
            event=event.event, at=event.at, root=event.root, path=event.path,
            message=event.message, recogniser=event.recogniser, step=event.step,
            model=event.model, version=None if version is None else version.id,
            reference=None if version is None else version.reference,
        )  # fmt: skip
        with suppress(OSError), self._told_file.open("ab") as file:
            if file.tell() > TOLD_BYTES:
                self._told_file.replace(self._told_file.with_suffix(".told.old"))
            file.write(msgspec.json.encode(told) + b"\n")

    def renew(
        self,
        doing: Sequence[Doing] = (),
        *,
        more: int = 0,
        events: bool = True,
        is_there: bool = True,
    ) -> None:
        """Write what it does now, where that is another thing or the report is getting old."""
        told = (tuple(doing), more, events, is_there, sum(self._counts.values()))
        if told == self._last and time.monotonic() - self._written < BEAT:
            return
        self._last, self._written = told, time.monotonic()
        report = Report(
            root=self._root, pid=os.getpid(), host=socket.gethostname(), started=self._started,
            at=moment(), by_rules=self._by_rules, events=events and self._has_events,
            is_there=is_there, doing=tuple(doing), more=more, told=dict(self._counts),
        )  # fmt: skip
        beside = self._file.with_suffix(".new")
        with suppress(OSError):
            beside.write_bytes(msgspec.json.encode(report))
            beside.replace(self._file)

    def close(self) -> None:
        """Take the report away: nobody watches any more."""
        for file in (self._file, self._file.with_suffix(".new")):
            with suppress(OSError):
                file.unlink()


def reports(home: Path) -> list[Report]:
    """Return what the living watchers of a registry do, by folder."""
    found = [report for _, report in _written(home) if is_alive(report)]
    return sorted(found, key=lambda one: (one.root, one.started))


def sweep(home: Path) -> None:
    """Remove reports of watchers that were killed."""
    for file, report in _written(home):
        if not is_alive(report):
            with suppress(OSError):
                file.unlink()


def is_alive(report: Report) -> bool:
    """Tell whether the watcher of a report still lives."""
    with suppress(ValueError):
        renewed = datetime.datetime.fromisoformat(report.at).timestamp()
        if abs(time.time() - renewed) > LOST:
            return False
    if report.host != socket.gethostname():
        return True  # its processes can't be seen from here
    return is_running(report.pid)


def told(home: Path, *, limit: int, root: Path | None = None) -> list[Told]:
    """Return what was told last, newest first.

    Args:
        home: The registry's home.
        limit: How many at most.
        root: Only of this folder; None for all.
    """
    found: list[Told] = []
    if not limit:
        return found
    for suffix in (".told", ".told.old"):
        for file in _files(home, suffix):
            if root is None or file.name.startswith(f"{file_name(root)}."):
                with suppress(OSError):
                    found = [*_lines(file.read_bytes(), limit), *found]
        if len(found) >= limit:
            break
    found.reverse()  # of the same moment, the later one comes first
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def marks(home: Path) -> tuple[tuple[str, int], ...]:
    """Return what changes whenever a report or what was told does: names and times of the files."""
    found = []
    with suppress(OSError), os.scandir(home / FOLDER) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.endswith((".now", ".told")):
                    found.append((entry.name, entry.stat().st_mtime_ns))
    return tuple(sorted(found))


def _written(home: Path) -> list[tuple[Path, Report]]:
    """Return the reports that can be read, of living watchers and others, with their files."""
    found = []
    for file in _files(home, ".now"):
        with suppress(OSError, msgspec.DecodeError):
            found.append((file, msgspec.json.decode(file.read_bytes(), type=Report)))
    return found


def _lines(text: bytes, limit: int) -> list[Told]:
    """Return the last lines that can be read; one that is being written has no end yet."""
    found = []
    for line in text.splitlines()[-limit:]:
        with suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(line, type=Told))
    return found


def _files(home: Path, suffix: str) -> list[Path]:
    with suppress(OSError):
        return sorted(one for one in (home / FOLDER).iterdir() if one.name.endswith(suffix))
    return []
