"""What everyday work costs in a large registry, against a small one."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import regtui
from benchmarks.bench import Bench, command, size_text
from benchmarks.measuring import Series, apart, in_turns, run, timed
from benchmarks.table import Row, compared
from regtui.registry import Registry

TITLE = "everyday work in the largest registry / in the smallest"

MOST = 1.25
CALLS = 21
FILES = 40
"""Files to capture; more than there are rounds."""


class Target(NamedTuple):
    """What a kind of work is done to.

    Attributes:
        number: A version from the middle of the registry by number.
        first: The first version of the same model.
        short: The former by short id.
        folder: Holds files to capture.
        numbers: Counts what has to differ each time.
    """

    number: str
    first: str
    short: str
    folder: Path
    numbers: Iterator[int]

    def file(self) -> str:
        """Return a file that was not captured before."""
        return str(self.folder / f"{next(self.numbers)}.bin")

    def value(self) -> float:
        """Return a figure that was not there before."""
        return next(self.numbers) / 1_000 + 1_000

    def version(self) -> str:
        """Return one version and the other in turns."""
        return self.number if next(self.numbers) % 2 else self.first


_CALLS: dict[str, Callable[[Registry, Target], object]] = {
    "capture a small file": lambda r, t: r.capture(t.file(), model="bench/small"),
    "edit a metric": lambda r, t: r.edit(
        t.number, {"metrics/bench": {"value": t.value(), "step": None}}
    ),
    "set an alias": lambda r, t: r.set_alias(t.version(), "bench"),
    "page": lambda r, _: r.versions(),
    "version by number": lambda r, t: r.version(t.number),
    "version by short id": lambda r, t: r.version(t.short),
}

_COMMANDS: dict[str, Callable[[Target], list[str]]] = {
    "capture a small file": lambda t: ["capture", t.file(), "--model", "bench/small"],
    "edit a metric": lambda t: ["edit", t.number, "--metric", f"bench={t.value()}"],
    "set an alias": lambda t: ["alias", "set", t.version(), "bench"],
    "page": lambda _: ["ls"],
    "version by number": lambda t: ["show", t.number],
    "version by short id": lambda t: ["show", t.short],
}


def rows(bench: Bench) -> Iterator[Row]:
    """Measure each kind of work as a call and as a cold command."""
    small, large = bench.writable(bench.smallest), bench.writable(bench.largest)
    sizes = f"{size_text(bench.largest)} / {size_text(bench.smallest)}"
    for name, (of_small, of_large) in apart(_calls, small, large, bench.folder).items():
        yield compared(f"{name}, call, {sizes}", Series(of_large), Series(of_small), MOST)
    targets = {home: apart(_target, home, bench.folder) for home in (small, large)}
    for name, arguments in _COMMANDS.items():
        found = in_turns(
            {str(home): _runner(home, arguments, target) for home, target in targets.items()}
        )
        yield compared(f"{name}, cold, {sizes}", found[str(large)], found[str(small)], MOST)


def _calls(small: Path, large: Path, folder: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Return the rounds of each kind of call in both registries."""
    opened = {home: regtui.open(home) for home in (small, large)}
    targets = {home: _target(home, folder) for home in opened}
    found = {}
    for name, call in _CALLS.items():
        series = in_turns(
            {str(home): _caller(call, opened[home], targets[home]) for home in opened}, CALLS
        )
        found[name] = series[str(small)].values, series[str(large)].values
    return found


def _caller(
    call: Callable[[Registry, Target], object], registry: Registry, target: Target
) -> Callable[[], float]:
    return lambda: timed(lambda: call(registry, target))


def _runner(
    home: Path, arguments: Callable[[Target], list[str]], target: Target
) -> Callable[[], float]:
    return lambda: run(command(home, *arguments(target), "--json")).seconds


def _target(home: Path, folder: Path) -> Target:
    table = regtui.open(home).sql(
        "select model, number, short_id from versions where state = 'captured' and version_key >= "
        "(select (max(version_key) + min(version_key)) // 2 from versions) "
        "order by version_key limit 1"
    )
    model, number, short = table.rows[0]
    files = folder / f"small-{os.getpid()}-{home.name}"
    files.mkdir()
    for one in range(FILES):
        (files / f"{one}.bin").write_bytes(os.urandom(2_000))
    return Target(f"{model}@{number}", f"{model}@1", str(short), files, itertools.count())
