"""`regtui watch` as a process of its own, and what it tells, with the moment when it told it."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import Struct

from benchmarks.bench import command

PATIENCE = 1_800.0
"""Seconds after which something that is waited for is given up."""

_TICKS = os.sysconf("SC_CLK_TCK")


class Told(Struct, frozen=True):
    """One event.

    Attributes:
        at: When it was read, by `time.monotonic`.
        event: Its kind.
        path: Of the state; None where it is about the folder.
    """

    at: float
    event: str
    path: str | None


class WatcherProcess:
    """A watcher on one folder; use it as a context, in which it watches already.

    Args:
        home: The registry's home.
        root: The folder.
        cores: Those that it may use; None for all.

    Attributes:
        counts: How often each kind of event was told so far, as far as they were asked for.
    """

    def __init__(self, home: Path, root: Path, cores: Sequence[int] | None = None) -> None:
        self._command = command(home, "watch", "run", str(root), "--json")
        self._cores = cores
        self._told: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        if self._cores is not None:
            os.sched_setaffinity(self._process.pid, self._cores)
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("watching")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def wait_for(self, event: str, count: int = 1) -> Told:
        """Return the last of so many events of a kind, from now on.

        Raises:
            RuntimeError: They did not come.
        """
        until = time.monotonic() + PATIENCE
        while True:
            told = self._told.get(timeout=max(until - time.monotonic(), 0.01))
            if told is None:
                raise RuntimeError(f"the watcher ended: {dict(self.counts)}")
            self.counts[told.event] += 1
            count -= told.event == event
            if not count:
                return told

    def used(self) -> float:
        """Return the seconds of processor that it used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told: dict[str, Any] = json.loads(line)
            self._told.put(Told(time.monotonic(), told["event"], told["path"]))
        self._told.put(None)


def trainer(
    *arguments: object, core: int | None = None, before_last: Callable[[], object] | None = None
) -> dict[str, float]:
    """Run the trainer (`watched_trainer`) and return what it prints.

    Args:
        arguments: What it is to do.
        core: The only one that it may use; None for all.
        before_last: Is called before the last block of a large file is written.
    """
    program = Path(__file__).with_name("watched_trainer.py")
    line = [sys.executable, str(program), *map(str, arguments)]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if core is not None:
        os.sched_setaffinity(process.pid, [core])
    if before_last is not None and process.stdout is not None:
        process.stdout.readline()
        before_last()
    output, _ = process.communicate(b"\n")
    if process.returncode:
        raise RuntimeError(f"{' '.join(line)} failed ({process.returncode})")
    found: dict[str, float] = json.loads(output)
    return found
