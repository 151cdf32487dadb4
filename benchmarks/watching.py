"""`regtui watch` beside a trainer: what it costs the trainer, and how soon a state is a version.

The watcher is a process of its own, as a person has it, and so is the trainer. What is compared
alternates, in pairs; the load of the machine is printed with each group of rows, for both cores of
a small machine are soon busy. Everything lies on the disk of the cache; a fast one hides nothing,
for a version is told of only when it is flushed.
"""

import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import regtui
from benchmarks.bench import Bench
from benchmarks.folders import settle
from benchmarks.measuring import Series, apart, in_turns, run, timed
from benchmarks.table import Row, compared, time_text
from benchmarks.watched_trainer import MIB, blocks
from benchmarks.watcher_process import WatcherProcess, trainer

TITLE = "watching"

SAVES = 20
PAIRS = 5
SLOWER = 1.02

SIZES = {64: 7, 300: 7, 1024: 5}
"""Size of a checkpoint in MiB, and how often it is written."""
SOON = 2.0
LARGEST_SOON = 1024

STATES = int(os.environ.get("REGTUI_BENCH_STATES", "2000"))
"""Small checkpoints that come at once."""
A_RUN = 20
"""States of one run, where each has its own folder."""
BY_CALLS = 100
"""States that are captured by calls, as the baseline, before and after."""

FILES = 20_000
IDLE_SECONDS = 60.0
IDLE_CORE = 0.02
TIMER = 5.0
"""Seconds between two looks of an idle watcher."""
QUIET_SECONDS = 12.0

_HASH = "import blake3,sys; blake3.blake3(max_threads=blake3.blake3.AUTO).update_mmap(sys.argv[1])"


def rows(bench: Bench) -> Iterator[Row]:
    """Measure the trainer, large checkpoints, many small ones, and a watcher with nothing to do."""
    for part in (_trainers, _large, _many):
        yield from part(bench)
        print(f"load {os.getloadavg()}", file=sys.stderr)


def _trainers(bench: Bench) -> Iterator[Row]:
    """The trainer with and without a watcher: both anywhere, each on a core, both on one core."""
    yield from _trainer(bench, "on any core", None, None, SLOWER)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        yield from _trainer(bench, "each on a core of its own", cores[0], cores[1], SLOWER)
    yield from _trainer(bench, "both on one core", cores[0], cores[0], None)


def _trainer(
    bench: Bench, where: str, own: int | None, watchers: int | None, most: float | None
) -> Iterator[Row]:
    figures = ("wall", "processor", "saving")
    found: dict[bool, dict[str, Series]] = {
        with_it: {figure: Series([]) for figure in figures} for with_it in (False, True)
    }
    told: list[int] = []
    with _places(bench) as (home, new):

        def one(*, with_it: bool) -> dict[str, float]:
            root = new()
            settle()
            if not with_it:
                return trainer("loop", root, SAVES, core=own)
            with WatcherProcess(home, root, None if watchers is None else [watchers]) as watcher:
                used = trainer("loop", root, SAVES, core=own)
                watcher.wait_for("captured", SAVES)
                told.append(watcher.counts["captured"])
                return used

        for number in range(PAIRS + 1):
            for with_it in (True, False) if number % 2 else (False, True):
                used = one(with_it=with_it)
                if number:
                    for figure in figures:
                        found[with_it][figure].values.append(used[figure])
    names = {"wall": "clock", "processor": "processor time", "saving": "clock, of saving alone"}
    for figure in figures:
        yield compared(
            f"trainer, {where}: {names[figure]} with / without a watcher",
            found[True][figure],
            found[False][figure],
            None if figure == "saving" else most,
        )
    yield Row(f"trainer, {where}: states captured of {SAVES}, least", str(min(told)))


def _large(bench: Bench) -> Iterator[Row]:
    """From the last byte of a large checkpoint to the event that says that it is a version."""
    for mib, rounds in SIZES.items():
        with _places(bench) as (home, new):
            root = new()
            model = root.with_name("copied.safetensors")
            trainer("stream", model, mib)
            copy, flush = _copying(model, flush=False), _copying(model, flush=True)
            with WatcherProcess(home, root) as watcher:
                large = _Large(home, root, mib, watcher)
                found = in_turns({"captured": large, "copy": copy, "flush": flush}, rounds)
        captured = found["captured"]
        size, slowest = f"{mib:,} MiB", time_text(max(captured.values))
        reach = mib == LARGEST_SOON
        yield Row(
            f"{size}: from the last byte to the version (slowest: {slowest})",
            time_text(captured.median),
            reach=f"≤ {SOON:g} s" if reach else "",
            reached=captured.median <= SOON if reach else None,
        )
        yield compared(f"{size}: the same / cp + blake3", captured, found["copy"])
        yield compared(f"{size}: the same / cp + blake3 + sync", captured, found["flush"])
        yield Row(
            f"{size}: processor time of the watcher", time_text(statistics.median(large.used))
        )


class _Large:
    """Writes one large checkpoint beside a watcher, and waits for its version; called for each.

    The object is removed afterwards, as the baseline's copy is: so both find its memory at hand.
    """

    def __init__(self, home: Path, root: Path, mib: int, watcher: WatcherProcess) -> None:
        self._home = home
        self._root = root
        self._mib = mib
        self._watcher = watcher
        self._numbers = count()
        self.used: list[float] = []

    def __call__(self) -> float:
        path = self._root / f"model-{next(self._numbers)}.safetensors"
        before = self._watcher.used()
        settled = partial(settle, self._mib * MIB * 3 // 2)
        closed = trainer("stream", path, self._mib, before_last=settled)["closed"]
        seconds = self._watcher.wait_for("captured").at - closed
        self.used.append(self._watcher.used() - before)
        path.unlink()
        for one in (self._home / "objects").rglob("*"):
            if one.is_file():
                one.unlink()
        return seconds


def _copying(model: Path, *, flush: bool) -> Callable[[], float]:
    target = model.with_name("copy")
    script = 'cp "$1" "$2" && "$3" -c "$4" "$1"' + (' && sync "$2"' * flush)
    line = ["/bin/sh", "-c", script, "sh", str(model), str(target), sys.executable, _HASH]

    def copied() -> float:
        settle(model.stat().st_size * 3 // 2)
        used = run(line)
        target.unlink()
        return used.seconds

    return copied


def _many(bench: Bench) -> Iterator[Row]:
    """Many small states at once, in one folder and in many; then nothing to do."""
    for runs in (1, STATES // A_RUN):
        with _places(bench) as (home, new):
            root, others = new(), new()
            _write_states(others, 2 * BY_CALLS, 1)
            paths = sorted(others.rglob("*.safetensors"))
            calls = apart(_by_calls, home.with_name("calls"), paths[:BY_CALLS])
            with WatcherProcess(home, root) as watcher:
                before, started = watcher.used(), time.monotonic()
                _write_states(root, STATES, runs)
                written = time.monotonic()
                seconds = watcher.wait_for("captured", STATES).at - started
                used = watcher.used() - before
                calls += apart(_by_calls, home.with_name("calls"), paths[BY_CALLS:])
                where = "one folder" if runs == 1 else f"{runs:,} folders"
                each, call = seconds / STATES, statistics.median(calls)
                yield Row(
                    f"{STATES:,} states of 4 KiB at once in {where}, each / by a call each",
                    time_text(each),
                    time_text(call),
                    f"{each / call:.2f} x",
                )
                yield Row(
                    f"the same: states a second (written in {time_text(written - started)})",
                    f"{STATES / seconds:.1f}",
                )
                yield Row("the same: processor time of the watcher, each", time_text(used / STATES))
                if runs > 1:
                    yield from _idle(root, watcher)
            shutil.rmtree(home.with_name("calls"), ignore_errors=True)


def _idle(root: Path, watcher: WatcherProcess) -> Iterator[Row]:
    """The processor time of a watcher that has nothing to do; the least is a bare look."""
    states = sum(1 for _ in root.rglob("*.safetensors"))
    for number in range(FILES - states):
        path = root / f"logs-{number // 500}" / f"{number}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    time.sleep(QUIET_SECONDS)
    looks = Series([timed(lambda: _look(root)) for _ in range(9)])
    before, started = watcher.used(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    share = (watcher.used() - before) / (time.monotonic() - started)
    looks.values.extend(timed(lambda: _look(root)) for _ in range(9))
    least = looks.median / TIMER
    yield Row(
        f"idle over {FILES:,} files ({states:,} of them states): share of a core / bare scandir",
        f"{share:.2%}",
        f"{least:.2%}",
        f"{share / least:.2f} x",
        f"≤ {IDLE_CORE:.0%}",
        share <= IDLE_CORE,
    )


def _look(root: Path) -> int:
    """Ask for the status of all files: the least that a look is."""
    found, waiting = 0, [str(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    found += entry.stat().st_size >= 0
    return found


def _write_states(root: Path, states: int, runs: int) -> None:
    for number in range(states):
        path = root / f"run-{number % runs}" / f"model-{number}.safetensors"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(blocks(4096 - 128)))


def _by_calls(home: Path, paths: list[Path]) -> list[float]:
    registry = regtui.open(home)
    return [timed(partial(registry.capture, path, model="bench/calls")) for path in paths]


class _places:  # noqa: N801 -- used as a function
    """The home of a registry, and what makes new folders to watch; gone when it is left."""

    def __init__(self, bench: Bench) -> None:
        self._folder = bench.folder / "watch"

    def __enter__(self) -> tuple[Path, Callable[[], Path]]:
        self._folder.mkdir()
        numbers = count()

        def new() -> Path:
            folder = self._folder / f"root-{next(numbers)}"
            folder.mkdir()
            return folder

        return self._folder / "home", new

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder)
