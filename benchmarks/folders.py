"""Capture of folders, beside a copy and a digest of the same files.

`regtui capture` flushes what it stored before it says so; `cp` does not, so one row lets it.

A virtual machine gives freed memory back to its host, and to get it again costs several times the
copy. So each candidate starts right after as much memory as it needs was used and freed.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.bench import Bench, command
from benchmarks.measuring import Series, Used, in_turns, run
from benchmarks.table import Row, absent, compared, limited

TITLE = "capture of folders, cold"

MOST = 1.3
MOST_MEMORY = 125.8  # 120 MiB
ROUNDS = 5
PIECE = 1 << 20
AT_HAND = 1_500_000_000
"""Bytes of memory that every candidate finds at hand."""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure 1 GiB in four files, and 10,000 small files."""
    b3sum = shutil.which("b3sum")
    if b3sum is None:
        yield absent("capture of 1 GiB / cp -r + b3sum", "b3sum")
        return
    large = bench.folder / "large"
    _write_files(large, files=4, pieces=256, size=PIECE)
    yield from _rows(bench, large, "1 GiB in 4 files", b3sum)
    small = bench.folder / "small"
    _write_files(small, files=10_000, pieces=1, size=4_096)
    yield from _rows(bench, small, "10,000 files of 4 KiB", b3sum)


def _rows(
    bench: Bench,
    folder: Path,
    name: str,
    b3sum: str,
) -> Iterator[Row]:
    peaks: list[float] = []

    def capture() -> float:
        used = _capture(bench, folder)
        peaks.append(used.memory)
        return used.seconds

    def copy(*, flush: bool) -> Callable[[], float]:
        script = 'cp -r "$1" "$2" && find "$1" -type f -print0 | xargs -0 "$3"'
        return lambda: _copy(bench, folder, script + (' && sync -f "$2"' * flush), b3sum)

    found = in_turns(
        {"capture": capture, "copy": copy(flush=False), "flush": copy(flush=True)}, ROUNDS
    )
    yield compared(f"{name} / cp -r + b3sum", found["capture"], found["copy"], MOST)
    yield compared(f"{name} / cp -r + b3sum + sync", found["capture"], found["flush"])
    yield limited(f"{name}, memory", Series(peaks).median, MOST_MEMORY, "MB")


def _capture(bench: Bench, folder: Path) -> Used:
    """Capture into a registry that holds nothing of it yet."""
    home = bench.folder / "fresh"
    run(command(home, "model", "create", "bench/folder"))
    settle()
    used = run(command(home, "capture", str(folder), "--model", "bench/folder", "--json"))
    shutil.rmtree(home)
    return used


def _copy(bench: Bench, folder: Path, script: str, b3sum: str) -> float:
    target = bench.folder / "copy"
    settle()
    used = run(["/bin/sh", "-c", script, "sh", str(folder), str(target), b3sum])
    shutil.rmtree(target)
    return used.seconds


def settle(memory: int = AT_HAND) -> None:
    """Let the disk come to rest, and so many bytes of memory be at hand."""
    os.sync()
    run([sys.executable, "-c", f"b'x' * {memory}"])


def _write_files(folder: Path, *, files: int, pieces: int, size: int) -> None:
    for number in range(files):
        path = folder / f"{number // 100:03d}" / f"{number:05d}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for _ in range(pieces):
                file.write(os.urandom(size))
    print(f"wrote {files:,} files", file=sys.stderr)
