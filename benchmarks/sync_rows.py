"""The rows that a newcomer got, written once more by themselves: what a bootstrap can't beat."""

import contextlib
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.measuring import timed
from regtui.replica.database import Connection
from regtui.replica.rebuild import PROJECTED
from regtui.replica.tables import COLUMNS, Row, insert
from regtui.replica.unit import Replica

TABLES = ("actor", "document", *PROJECTED, "file", "text_of", "certificate", "operation", "log")
PAGE = 5_000


class Written(Struct):
    """Seconds of the writing alone, and the process's peak memory in MB."""

    seconds: float
    memory: float


def write_again(source: Path, target: Path) -> Written:
    """Write the rows of a replica into a new one, in one transaction."""
    seconds = 0.0
    with Replica(source).reading() as reader, contextlib.ExitStack() as writing:
        writer = writing.enter_context(Replica(target).changing())
        for table in TABLES:
            cursor = _opened(reader, table)
            while page := cursor.fetchmany(PAGE):
                seconds += _write(writer, table, page)
        seconds += timed(writing.close)  # the commit
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Written(seconds, peak * (1 if sys.platform == "darwin" else 1024) / 1e6)


def _write(writer: Connection, table: str, page: Sequence[Row]) -> float:
    return timed(lambda: insert(writer, table, page))


def _opened(connection: Connection, table: str) -> Connection:
    columns = ", ".join(_selected(name, kind) for name, kind in COLUMNS[table].items())
    return connection.execute(f"select {columns} from base.{table}")


def _selected(name: str, kind: str) -> str:
    if kind == "blob":
        return f"lower(hex({name}))"
    return f"{name}::varchar" if kind == "uuid" else name
