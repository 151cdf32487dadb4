"""Cold commands beside the least that a process of their kind has to do."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, command, size_text
from benchmarks.measuring import in_turns, run
from benchmarks.table import Row, compared

TITLE = "cold commands"

_BARE = str(Path(__file__).with_name("bare_page.py"))


def rows(bench: Bench) -> Iterator[Row]:
    """Measure `ls` at every size, and `--help`."""
    for size in bench.sizes:
        home = bench.readable(size)
        database = str(home / "registry.duckdb")
        found = in_turns(
            {
                "ls": lambda: run(command(home, "ls", "--json")).seconds,  # noqa: B023 -- run now
                "bare": lambda: run([sys.executable, _BARE, database]).seconds,  # noqa: B023
            }
        )
        what = f"ls --json at {size_text(size)} / bare script"
        yield compared(what, found["ls"], found["bare"], 1.25)
    found = in_turns(
        {
            "help": lambda: run([sys.executable, "-m", "regtui", "--help"]).seconds,
            "typer": lambda: run([sys.executable, "-c", "import typer"]).seconds,
        }
    )
    yield compared("--help / import typer", found["help"], found["typer"], 1.3)
