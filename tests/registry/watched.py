"""A watcher that runs beside a test, and trainers to watch."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regtui.capture.events import Event
from regtui.registry import Registry
from regtui.registry.watch import Stop, watch
from regtui.registry.watch_rules import WatchRule

WRITERS = Path(__file__).parents[1] / "capture" / "writers.py"
PATIENCE = float(os.environ.get("REGTUI_PATIENCE", "60"))


class Watch:
    """A running watcher and what it told."""

    def __init__(self, registry: Registry, root: Path) -> None:
        self.registry = registry
        self.root = root
        self.events: list[Event] = []
        self.stop = Stop()

    def told(self, *kinds: str) -> list[Event]:
        """Return the events of some kinds."""
        return [one for one in list(self.events) if one.event in kinds]

    def paths(self, kind: str) -> list[str | None]:
        return [one.path for one in self.told(kind)]

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something has come to be."""
        until = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < until, self.events
            time.sleep(0.02)

    def until_told(self, kind: str, count: int = 1) -> None:
        self.until(lambda: len(self.told(kind)) >= count)


@contextmanager
def watching(registry: Registry, root: Path, **rule: Any) -> Iterator[Watch]:
    """Watch a folder during a block."""
    found = Watch(registry, root)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            rules = [WatchRule(path=str(root), **rule)]
            watch(registry.context, rules, found.events.append, stop=found.stop, ended_after=0.5)
        except BaseException as error:  # noqa: BLE001 -- told in the thread of the test
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        found.until_told("watching")
        yield found
    finally:
        found.stop()
        thread.join(PATIENCE)
    assert not failures, failures
    assert not thread.is_alive()


def once(registry: Registry, root: Path, **rule: Any) -> list[Event]:
    """Capture what is in a folder, and return what was told between beginning and end."""
    events: list[Event] = []
    rules = [WatchRule(path=str(root), **rule)]
    watch(registry.context, rules, events.append, once=True, ended_after=0.5)
    assert (events[0].event, events[-1].event) == ("watching", "stopped")
    return events[1:-1]


def train(kind: str, folder: Path, count: int = 3, pause: float = 0.0) -> list[int]:
    """Let a trainer run to its end; return the numbers of the states that it finished."""
    arguments = [sys.executable, str(WRITERS), kind, str(folder), str(count), str(pause)]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=False)
    return [int(line) for line in done.stdout.split()]


def weights_of(registry: Registry) -> list[tuple[str, bytes]]:
    """Return the reference and the weights of each version, in the order of their capture."""
    found = []
    for version in registry.versions("sort:created", limit=10_000).versions:
        for file in registry.files(version.reference)[1]:
            if file.path.endswith(".safetensors") or not file.path:
                path = registry.path(version.reference, file.path or None)
                found.append((version.reference, path.read_bytes()))
    return found
