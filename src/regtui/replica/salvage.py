"""Getting a damaged database back.

The candidates, best first:

1. what the damaged file and its log still give, if that is everything: all operations, and
   documents and lists of files that are vouched for. The typed tables are made anew;
2. the same without the log, where the log is what is damaged. Its last changes are lost;
3. the newest copy in `backups/` that is whole and not of an empty registry, which would be no way
   back. What was done since is lost.

Nothing is deleted: the damaged file and its log are kept in `damaged/`. The new database is built
and flushed beside its name. Then the log is moved away, for it must never meet another database,
and the new one is renamed into place. A kill before that leaves the old one; a kill between the two
leaves the finished `registry.repaired`, which the next repair puts in place.

That the disk or the memory is full says nothing of a candidate: it ends the repair, so that no
older copy is taken for want of room. Rows are copied and made in pages, which fit the memory.

The caller holds the exclusive lock.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from regtui.core.errors import RegtuiError
from regtui.replica.backup import copy_file, flush_folder, log_of
from regtui.replica.database import Connection, NoRoom, connected, duckdb, quoted
from regtui.replica.examine import examine
from regtui.replica.home import REPAIRED, Home
from regtui.replica.migrate import apply_all, check
from regtui.replica.rebuild import PROJECTED, rebuild
from regtui.replica.tables import COLUMNS

_PART = "registry.salvage"
_OTHERS = (
    "replica", "shadow", "remote", "staged", "receipt", "unsent", "purged", "usage", "trusted",
    "hidden",
)  # fmt: skip
"""The tables that are no projection and are not written by `regtui.replica.tables`."""

_MADE_AGAIN = ("layout", "tensor", "piece")
_PAGE = 100_000
"""Rows that are copied in one transaction."""


class Salvaged(Struct, frozen=True):
    """What the new database was made from, and what it cost, in words for people."""

    source: str
    loss: str


def salvage(home: Home, now: int) -> Salvaged | None:
    """Put the best database that can be had in the place of a damaged or lost one.

    Args:
        home: Of the replica.
        now: Microseconds.

    Returns:
        What was done; None where there is nothing to make one from.

    Raises:
        NoRoom: The disk is full, or more memory is needed than it may use.
        OSError: The home can't be written.
    """
    repaired = home.path / REPAIRED
    _clear(home)
    if repaired.exists() and _is_whole(repaired):
        done = Salvaged("a repair that was interrupted", "")
    else:
        try:
            found = next(_candidates(home, now), None)
        except (NoRoom, OSError):
            _clear(home)
            raise
        if found is None:
            _clear(home)
            return None
        part, done = found
        part.replace(repaired)
    _set_aside(home, now)
    repaired.replace(home.database)
    _clear(home)
    flush_folder(home.path)
    return done


def set_log_aside(home: Home, now: int) -> None:
    """Move the log of a database that is gone into `damaged/`."""
    log = log_of(home.database)
    if log.exists():
        log.replace(_damaged(home) / f"registry-{now // 1000}.duckdb.wal")


def newest_copies(home: Home) -> list[Path]:
    """Return the copies of the database in `backups/`, newest first."""
    with contextlib.suppress(OSError):
        return sorted(home.backups.glob("*.duckdb"), key=lambda one: -one.stat().st_mtime_ns)
    return []


def _candidates(home: Home, now: int) -> Iterator[tuple[Path, Salvaged]]:
    part = home.path / _PART
    if home.database.is_file():
        if _extract(home.database, part, now):
            yield part, Salvaged("what the damaged file still held", "nothing is lost")
        if log_of(home.database).exists():
            alone = home.path / f"{_PART}.alone"
            copy_file(home.database, alone)
            if _extract(alone, part, now):
                yield part, Salvaged("the file without its log", "the last changes may be lost")
    for copy in newest_copies(home):
        part.unlink(missing_ok=True)
        log_of(part).unlink(missing_ok=True)
        copy_file(copy, part)
        if _is_whole(part) and not _is_empty(part):
            yield part, Salvaged(f"the copy {copy.name}", "what was done since is lost")


def _extract(source: Path, part: Path, now: int) -> bool:
    """Copy all that is no projection into a new database; False unless all of it is sound."""
    part.unlink(missing_ok=True)
    log_of(part).unlink(missing_ok=True)
    try:
        with connected(source, read_only=True) as connection:
            if not check(connection, source):
                return False
        with connected(part, read_only=False) as connection:
            apply_all(connection, now // 1000)
            connection.execute(f"attach {quoted(source)} as old (read_only)")
            _copy_tables(connection)
            connection.execute("detach old")
            rebuild(connection)
            connection.execute("checkpoint")
    except NoRoom:
        raise
    except (RegtuiError, duckdb.Error, ValueError, LookupError):
        return False
    part.chmod(0o600)
    return _is_whole(part)


def _copy_tables(connection: Connection) -> None:
    for table in (*_OTHERS, *(name for name in COLUMNS if name not in PROJECTED)):
        if table not in _MADE_AGAIN:
            _copy_table(connection, table)
    try:
        for table in _MADE_AGAIN:
            _copy_table(connection, table)
    except duckdb.Error:
        for table in _MADE_AGAIN:  # one without the others would tell of files without tensors
            connection.execute(f"delete from base.{table}")  # noqa: S608 -- a constant


def _copy_table(connection: Connection, table: str) -> None:
    row = connection.execute(f"select max(rowid) from old.base.{table}").fetchone()  # noqa: S608
    last = -1 if row is None or row[0] is None else int(row[0])
    for start in range(0, last + 1, _PAGE):
        connection.execute(
            f"insert into base.{table} select * from old.base.{table} "  # noqa: S608 -- constants
            f"where rowid >= {start} and rowid < {start + _PAGE}"
        )


def _is_whole(path: Path) -> bool:
    """Tell whether a database opens, reads to its end and fits together."""

    @contextlib.contextmanager
    def opening() -> Iterator[Connection]:
        with connected(path, read_only=True) as connection:
            yield connection

    try:
        with opening() as connection:
            if not check(connection, path):
                return True  # of an older schema; migrating it is the next unit of work's business
        found = examine(opening)
    except NoRoom:
        raise
    except (RegtuiError, duckdb.Error, ValueError, LookupError):
        return False
    return found.is_sound and not found.differing


def _is_empty(path: Path) -> bool:
    """Tell whether nothing was ever done in a registry."""
    with connected(path, read_only=True) as connection:
        row = connection.execute("select seq from base.replica").fetchone()
    return row is None or row[0] == 0


def _set_aside(home: Home, now: int) -> None:
    """Keep the damaged database and its log in `damaged/`; its name stays until it is replaced."""
    kept = _damaged(home) / f"registry-{now // 1000}.duckdb"
    if home.database.is_file():
        try:
            os.link(home.database, kept)
        except OSError:  # a file system without hard links
            copy_file(home.database, kept)
    elif home.database.exists():
        home.database.replace(kept)
    if log_of(home.database).exists():
        log_of(home.database).replace(log_of(kept))


def _damaged(home: Home) -> Path:
    folder = home.path / "damaged"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _clear(home: Home) -> None:
    for name in (_PART, f"{_PART}.alone"):
        part = home.path / name
        part.unlink(missing_ok=True)
        log_of(part).unlink(missing_ok=True)
