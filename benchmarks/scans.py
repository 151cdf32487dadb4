"""Questions that have to look at every version, above the floor: a page that need not.

Cold, with the limits on time and memory that hold for a million versions.

What keeps a registry looks at every row as well, in pages: its time is told once, its memory is
limited. Nearly no bytes are stored here, so `verify` and `doctor` end with 8, and the answer of
`verify` names every file, which takes more memory than the work.
"""

from collections.abc import Iterator
from pathlib import Path

import regtui
from benchmarks.bench import Bench, command, size_text
from benchmarks.measuring import ROUNDS, Series, Used, apart, run
from benchmarks.registry_story import METRIC, WORD
from benchmarks.table import Row, limited, time_text

TITLE = "scans, cold, above a plain page"

MOST_SECONDS = 0.25
MOST_MEMORY = 140

KEEPING = {"du": 140, "gc --dry-run": 140, "verify": None, "doctor": 250}
"""Commands that keep a registry, and the most memory that each may take in MB."""

_DAMAGED = 8

_FLOOR = ["ls"]


def rows(bench: Bench) -> Iterator[Row]:
    """Measure time above the floor and peak memory of each question."""
    home = bench.readable(bench.largest)
    after = apart(_end_of_first_page, home, f"sort:metric.{METRIC}")
    questions = {
        f"sort:-metric.{METRIC}": ["ls", f"sort:-metric.{METRIC}"],
        f"sort:metric.{METRIC}, second page": ["ls", f"sort:metric.{METRIC}", "--after", after],
        f"text: {WORD}": ["ls", WORD],
        "text that nothing holds": ["ls", "unheard-of"],
        f"metric.{METRIC}<0.5": ["ls", f"metric.{METRIC}<0.5"],
        "--count": ["ls", "--count"],
        f"--count metric.{METRIC}<0.5": ["ls", "--count", f"metric.{METRIC}<0.5"],
    }
    used: dict[str, list[Used]] = {name: [] for name in ("", *questions)}
    for number in range(ROUNDS + 1):
        for name, arguments in {"": _FLOOR, **questions}.items():
            once = run(command(home, *arguments, "--json"))
            if number:
                used[name].append(once)
    floor = [once.seconds for once in used.pop("")]
    size = size_text(bench.largest)
    for name, all_used in used.items():
        yield _time(f"{name} at {size}", [once.seconds for once in all_used], floor)
        yield limited(
            f"{name} at {size}, memory", max(one.memory for one in all_used), MOST_MEMORY, "MB"
        )

    yield from _keeping(home, size)


def _keeping(home: Path, size: str) -> Iterator[Row]:
    for name, most in KEEPING.items():
        used = run(command(home, *name.split(), "--json"), codes=(0, _DAMAGED))
        yield Row(f"{name} at {size}", time_text(used.seconds))
        if most is None:
            yield Row(f"{name} at {size}, memory", f"{used.memory:.0f} MB")
        else:
            yield limited(f"{name} at {size}, memory", used.memory, most, "MB")


def _end_of_first_page(home: Path, query: str) -> str:
    return regtui.open(home).versions(query).next or ""


def _time(what: str, seconds: list[float], floor: list[float]) -> Row:
    above = Series([mine - its for mine, its in zip(seconds, floor, strict=True)]).median
    return Row(
        what,
        time_text(Series(seconds).median),
        time_text(Series(floor).median),
        f"{above * 1_000:+.0f} ms",
        f"≤ {MOST_SECONDS * 1_000:+.0f} ms",
        above <= MOST_SECONDS,
    )
