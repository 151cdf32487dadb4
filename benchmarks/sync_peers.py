"""The same sync by other programs, where they are installed: so many documents up, and down again.

PouchDB talks to express-pouchdb in a process of its own, over loopback as everything here does.
TaskChampion's server for a single machine is a folder: no network, no second process, and no judge.
Both are looked for in the folder that `REGTUI_BENCH_PEERS` names; nothing is installed for them.
"""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.measuring import Series, apart
from benchmarks.sync_clients import Seen, join, make_waiting, sync
from benchmarks.sync_site import Site, serving
from benchmarks.table import Row, absent, compared

TITLE = "sync by peers"

DOCUMENTS = int(os.environ.get("REGTUI_BENCH_OPERATIONS", "10000"))
ROUNDS = 3
_HERE = Path(__file__).parent


class Took(Struct):
    """Seconds in which documents went up, and in which a newcomer had them."""

    push: float
    pull: float


def rows(bench: Bench) -> Iterator[Row]:
    """Measure against every peer that is there, in turns with it."""
    peers: dict[str, Callable[[Path], Took] | None] = {
        "PouchDB": _pouchdb(),
        "TaskChampion": _taskchampion(),
    }
    there = {"ours": _ours} | {name: one for name, one in peers.items() if one is not None}
    took: dict[str, list[Took]] = {name: [] for name in there}
    # A round more, of which nothing counts.
    for number in range(ROUNDS + 1 if len(there) > 1 else 0):
        for name, measure in there.items():
            with tempfile.TemporaryDirectory(prefix="peer-", dir=bench.folder) as folder:
                one = measure(Path(folder))
            if number:
                took[name].append(one)
    for name in peers:
        push = f"push of {DOCUMENTS:,} documents / {name}"
        pull = f"a newcomer reads {DOCUMENTS:,} documents / {name}"
        if name not in there:
            yield from (absent(push, name), absent(pull, name))
            continue
        ours, its = took["ours"], took[name]
        yield compared(push, Series([o.push for o in ours]), Series([i.push for i in its]))
        yield compared(pull, Series([o.pull for o in ours]), Series([i.pull for i in its]))


def _ours(folder: Path) -> Took:
    os.environ["REGTUI_CONFIG"] = str(folder / "config")
    with serving(folder / "data") as site:
        join(folder / "mine", site)
        apart(make_waiting, folder / "mine", DOCUMENTS, 0)
        pushed: Seen = apart(sync, folder / "mine", site)
        return Took(pushed.judged, _joined(folder / "newcomer", site))


def _joined(home: Path, site: Site) -> float:
    join(home, site)
    seen: Seen = apart(sync, home, site)
    return seen.seconds


def _folder() -> Path | None:
    chosen = os.environ.get("REGTUI_BENCH_PEERS")
    return None if chosen is None else Path(chosen)


def _pouchdb() -> Callable[[Path], Took] | None:
    """Return what measures PouchDB; None where it is not installed."""
    chosen = _folder()
    if chosen is None or not (chosen / "node_modules" / "express-pouchdb").exists():
        return None
    node = ["/usr/bin/env", "node", str(_HERE / "pouchdb_peer.js")]
    environment = {**os.environ, "NODE_PATH": str(chosen / "node_modules")}

    def measure(folder: Path) -> Took:
        with _served([*node, "server", str(folder)], environment) as port:
            url = f"http://127.0.0.1:{port}/bench"
            return _told([*node, "client", url, str(folder), str(DOCUMENTS)], environment)

    return measure


def _taskchampion() -> Callable[[Path], Took] | None:
    """Return what measures TaskChampion; None where it is not installed."""
    chosen = _folder()
    if chosen is None or not list(chosen.glob("lib/python*/site-packages/taskchampion")):
        return None
    line = [str(chosen / "bin" / "python"), str(_HERE / "taskchampion_peer.py")]
    return lambda folder: _told([*line, str(folder), str(DOCUMENTS)], dict(os.environ))


@contextlib.contextmanager
def _served(line: list[str], environment: dict[str, str]) -> Iterator[int]:
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _told(line: list[str], environment: dict[str, str]) -> Took:
    made = subprocess.run(line, check=True, capture_output=True, text=True, env=environment)
    took = json.loads(made.stdout)
    return Took(took["push"], took["pull"])
