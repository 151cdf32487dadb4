"""A writer among readers that come without pause: nobody overtakes him at the gate.

Three processes read pages, one after the other without pause, for a few seconds. Meanwhile a
writer edits. His wait for the lock should be no longer than one reader's *burst*, the time that a
reader holds it.
"""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.bench import Bench, size_text
from benchmarks.measuring import Series
from benchmarks.table import Row, time_text
from regtui.core.operations import EditBody
from regtui.registry.changes import changes
from regtui.registry.context import make_context
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import connected
from regtui.replica.home import Home
from regtui.replica.ids import uuid7
from regtui.replica.locks import ReplicaLock
from regtui.replica.query_sql import compile_query
from regtui.replica.unit import wall_clock

TITLE = "a writer among readers"

READERS = 3
SECONDS = 6.0
PAUSE = 0.05
"""Seconds between two edits."""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure the writer alone and among readers."""
    home = bench.writable(bench.largest)
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(READERS + 1, mp_context=spawning) as pool:
        alone, _ = pool.submit(_write, home, SECONDS / 2).result()
        readers = [pool.submit(_read, home, SECONDS + 2) for _ in range(READERS)]
        time.sleep(1)
        waits, works = pool.submit(_write, home, SECONDS).result()
        bursts = [burst for reader in readers for burst in reader.result()]
    size = size_text(bench.largest)
    worst, longest = max(waits), max(bursts)
    yield Row(
        f"worst wait of {len(waits)} writes at {size} / longest of {len(bursts)} bursts",
        time_text(worst),
        time_text(longest),
        f"{worst / longest:.2f} x",
        "≤ 1 x",
        worst <= longest,
    )
    yield Row(
        f"median wait at {size} / alone",
        time_text(Series(waits).median),
        time_text(Series(alone).median),
    )
    yield Row(f"a write itself at {size}", time_text(Series(works).median))


def _read(home: Path, seconds: float) -> list[float]:
    """Read pages for so long; return how long each held the lock."""
    from regtui.core.query import parse_query

    lock, database = ReplicaLock(home), Home(home).database
    statement = compile_query(parse_query(""), now=wall_clock() // 1000, limit=50)
    bursts, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        with lock.shared():
            started = time.perf_counter()
            with connected(database, read_only=True) as connection:
                connection.execute(statement.sql, statement.parameters).fetchall()
            bursts.append(time.perf_counter() - started)
    return bursts


def _write(home: Path, seconds: float) -> tuple[list[float], list[float]]:
    """Edit for so long; return how long each edit waited for the lock and then held it."""
    lock, database = ReplicaLock(home), Home(home).database
    waits, works, end = [], [], time.monotonic() + seconds
    while time.monotonic() < end:
        asked = time.perf_counter()
        with lock.exclusive():
            granted = time.perf_counter()
            _edit(home, database)
            works.append(time.perf_counter() - granted)
        waits.append(granted - asked)
        time.sleep(PAUSE)
    return waits, works


def _edit(home: Path, database: Path) -> None:
    actor, now = make_context(home, "api").actor, wall_clock()
    with connected(database, read_only=False) as connection:
        connection.execute("begin")
        authority = SoloAuthority(connection, actor, "api", uuid7(now), now, home)
        row = connection.execute(
            "select d.id::varchar from base.document d join base.version v on v.key = d.key "
            "where v.state = 'captured' order by v.key desc limit 1"
        ).fetchone()
        document = authority.view.document(str(row[0])) if row else None
        if document is not None:
            metric = {"metrics/bench": {"value": float(now), "step": None}}
            made = changes(metric, "version", document)
            authority.submit("version.edit", document.stream, document.id, EditBody(made))
        authority.flush()
        connection.execute("commit")
