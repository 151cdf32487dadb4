"""The app as a person has it: in a terminal, from its start to first rows, from a key to its paint.

The baseline is the least that an app made with Textual is (`hello_app.py`), in a terminal of its
own and in turns with the app. What a key should paint is known from the registry beforehand, read
in a process of its own; so a row of dots that stands in for a page is never taken for the row.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

import regtui
from benchmarks.bench import Bench, size_text
from benchmarks.measuring import ROUNDS, Series, apart, in_turns
from benchmarks.table import Row, compared, limited, time_text
from benchmarks.terminal import Terminal
from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer

TITLE = "the app in a terminal"

STEPS = 60
"""How often the cursor goes one row down, half a screen down, and down while the key is held."""
JUMPS = (50, 12, 87, 33, 66, 5, 95, 41, 78, 22, 59, 71)
"""Where it jumps to, as a percentage of all rows; every place is read anew."""
HALF_SCREEN = range(8, 24)
"""How many rows half a screen may have."""

HELD = 1 / 30
"""Seconds between two keys of one that is held down."""
TYPED = 0.12
"""Seconds between two keys of a quick typist."""

MOST_START = 1.5
MOST_STEP = 0.016
MOST_JUMP = 0.05
MOST_ECHO = 0.05
MOST_FILTER = 0.15
MOST_MEMORY = 120
MOST_BLOCK = 50

_HELLO = [sys.executable, str(Path(__file__).with_name("hello_app.py"))]
_ANY_ROW = r" @\d+\W+ \w+/"


class Expected(Struct, frozen=True):
    """What the registry holds, as patterns of the lines that show it.

    Attributes:
        total: How many versions there are.
        rows: Lines by the number of the row, from 0.
        filtered: The first line of each filter.
    """

    total: int
    rows: dict[int, str]
    filtered: dict[str, str]


def rows(bench: Bench) -> Iterator[Row]:
    """Measure start, keys, filter and memory on the largest registry."""
    home = bench.readable(bench.largest)
    size = size_text(bench.largest)
    environment = {"REGTUI_HOME": str(home), "REGTUI_CONFIG": str(bench.folder / "config")}
    yield _start(size, environment)
    expected = apart(_expected, home)
    with Terminal(_app(), environment) as app, Terminal(_HELLO, environment) as hello:
        app.paints(_ANY_ROW)
        hello.paints("hello, world")
        app.rest(1.0)
        app.press("\r")  # from the tree to the versions
        app.rest()
        yield from _keys(app, hello, expected, size)
        yield from _filters(app, expected, size)
        app.rest(2.0)
        for when, used, plain in (
            ("at its peak", app.peak, hello.peak),
            ("at rest, after all of that", app.resident, hello.resident),
        ):
            what = f"app memory at {size} {when}, above hello world ({plain:.0f} MiB)"
            yield limited(what, used - plain, MOST_MEMORY, "MiB")
    yield _longest_block(bench.folder / "block", size, environment)


def _app() -> list[str]:
    return [sys.executable, "-m", "regtui"]


def _start(size: str, environment: dict[str, str]) -> Row:
    def started(command: list[str], pattern: str) -> float:
        with Terminal(command, environment) as terminal:
            return terminal.paints(pattern)

    found = in_turns(
        {
            "app": lambda: started(_app(), _ANY_ROW),
            "hello": lambda: started(_HELLO, "hello, world"),
        }
    )
    what = f"app: start to first rows at {size} / Textual hello world"
    return compared(what, found["app"], found["hello"], MOST_START)


def _keys(app: Terminal, hello: Terminal, expected: Expected, size: str) -> Iterator[Row]:
    plain = Series([])
    found: dict[str, Series] = {}
    for number in range(STEPS):
        hello.press("j")
        plain.values.append(hello.paints(rf"step {number + 1}\."))
        app.press("j")
        _note(found, "j, a row down", app.paints(expected.rows[number + 1]))
        app.rest()
    app.press("g")
    app.rest()
    for number in range(STEPS):
        app.press("j")
        _note(found, "j held down", app.paints(expected.rows[number + 1]))
        app.wait(max(HELD - app.elapsed, 0))
    app.rest()
    app.press("g")
    app.rest()
    half = app.screen.count(_ANY_ROW) // 2
    for number in range(STEPS):
        app.press("\x04")
        _note(found, "ctrl+d, half a screen", app.paints(expected.rows[half * (number + 1)]))
        app.rest()
    last = expected.total - 1
    for _ in range(ROUNDS):
        for key, name, row in (("G", "G, to the end", last), ("g", "g, to the top", 0)):
            app.press(key)
            _note(found, name, app.paints(expected.rows[row]))
            app.rest()
    for part in JUMPS:
        app.press("\x07")
        app.paints("Go to row")
        app.rest()
        app.press(f"{part}%")
        app.rest()
        app.press("\r")
        name = "ctrl+g, to a place never seen"
        _note(found, name, app.paints(expected.rows[_index(part, expected.total)]))
        app.rest()
    for name, series in found.items():
        most = MOST_JUMP if name.startswith(("G", "g", "ctrl+g")) else MOST_STEP
        yield _latency(f"{name}, at {size}, p95 / a key of hello world", series, plain, most)


def _filters(app: Terminal, expected: Expected, size: str) -> Iterator[Row]:
    echoes, firsts = Series([]), Series([])
    app.press("/")
    app.rest(0.3)
    for _ in range(2):
        for text, pattern in expected.filtered.items():
            for count in range(1, len(text) + 1):
                app.press(text[count - 1])
                typed = re.escape(text[:count])
                echoes.values.append(app.until(lambda: app.screen.shows(f"^.*/ {typed}")))  # noqa: B023
                if count < len(text):
                    app.wait(max(TYPED - app.elapsed, 0))
            firsts.values.append(app.paints(pattern))
            app.rest(0.3)
            app.press("\x0c")
            app.rest(0.5)
    app.press("\x1b")
    app.rest()
    yield _latency(f"filter at {size}: a character echoes, p95", echoes, None, MOST_ECHO)
    yield _latency(f"filter at {size}: last key to first rows, p95", firsts, None, MOST_FILTER)


def _longest_block(file: Path, size: str, environment: dict[str, str]) -> Row:
    """Scroll, jump and filter in an app that watches its own event loop."""
    command = [sys.executable, str(Path(__file__).with_name("watched_app.py")), str(file)]
    with Terminal(command, environment) as app:
        app.paints(_ANY_ROW)
        app.rest(1.5)
        app.press("\r")
        app.rest()
        for keys in (
            "j" * 20,
            "\x04" * 10,
            "G",
            "g",
            "\x07",
            "50%",
            "\r",
            "/",
            *"loss",
            "\x1b",
            "7",
            "1",
        ):
            app.press(keys)
            app.rest(0.3)
        seconds = float(file.read_text(encoding="ascii"))
    return limited(
        f"app at {size}: the longest block of its event loop", seconds * 1_000, MOST_BLOCK, "ms"
    )


def _note(found: dict[str, Series], name: str, value: float) -> None:
    found.setdefault(name, Series([])).values.append(value)


def _latency(what: str, series: Series, plain: Series | None, most: float) -> Row:
    return Row(
        what,
        f"{time_text(series.median)} / {time_text(series.p95)}",
        "" if plain is None else f"{time_text(plain.median)} / {time_text(plain.p95)}",
        "" if plain is None else f"{series.p95 / plain.p95:.2f} x",
        f"≤ {most * 1_000:g} ms",
        series.p95 <= most,
    )


def _index(part: int, total: int) -> int:
    return round(part / 100 * (total - 1))


# What the registry holds


_FILTERS = ("metric.loss<0.3", "tag:env=staging", "author:ben", "alias:champion", "size>5GB")


def _expected(home: Path) -> Expected:
    registry = regtui.open(home)
    listing = registry.listing()
    page_size = len(registry.page(listing, 0))
    wanted = {*range(STEPS + 1), listing.total - 1}
    wanted |= {n * half for half in HALF_SCREEN for n in range(STEPS + 1)}
    wanted |= {_index(part, listing.total) for part in JUMPS}
    found: dict[int, str] = {}
    for number in sorted({index // page_size for index in wanted}):
        page = registry.page(listing, number)
        places = {index % page_size for index in wanted if index // page_size == number}
        found |= {number * page_size + at: _line(page[at]) for at in places if at < len(page)}
    names = [model.model.rpartition("/")[2] for model in registry.models()]
    texts = [*_FILTERS, *names[7 :: max(len(names) // 8, 1)]]
    filtered = {}
    for text in texts:
        first, before = registry.first_page(text)[:1], _before(registry, text[:-1])
        if first and first != before:
            filtered[text] = _line(first[0])
    return Expected(listing.total, found, filtered)


def _before(registry: Registry, text: str) -> list[VersionAnswer]:
    try:
        return registry.first_page(text)[:1]
    except RegtuiError:
        return []


def _line(version: VersionAnswer) -> str:
    name = version.short_id if version.number is None else f"@{version.number}"
    return rf" {re.escape(name)}\W+ {re.escape(version.model[:17])}"
