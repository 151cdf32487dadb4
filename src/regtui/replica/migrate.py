"""Migrations: numbered SQL files, each applied once, a copy of the database taken before each.

A replica is made beside its final name and renamed when it is whole, so that a kill leaves either
no replica or one that opens. A migration runs in one transaction; the copy before it stays in
`backups/` until the person removes it.
"""

import functools
import os
import shutil
from pathlib import Path

from regtui.core.errors import Damaged, RegtuiError
from regtui.replica.database import REPAIR, Connection, connected, duckdb

MIGRATIONS = Path(__file__).parent / "migrations"


@functools.cache
def latest() -> int:
    """Return the schema version that this program writes."""
    return max(number for number, _ in _scripts())


def schema_version(connection: Connection) -> int:
    """Return the schema version of a replica; 0 for an empty database."""
    row = connection.execute(
        "select count(*) from duckdb_tables() where table_name = 'schema_version'"
    ).fetchone()
    if row is None or row[0] == 0:
        return 0
    row = connection.execute("select max(version) from base.schema_version").fetchone()
    return 0 if row is None else int(row[0])


def check(connection: Connection, path: Path) -> bool:
    """Tell whether a replica has the present schema; False if it needs to be migrated.

    Raises:
        RegtuiError: A newer program made it.
        Damaged: It is another program's database, or does not say which registry it holds.
    """
    try:
        row = connection.execute(
            "select max(version), (select count(*) from base.replica) from base.schema_version"
        ).fetchone()
    except duckdb.CatalogException:
        raise Damaged(
            f"{path} is no registry", "move it away, or choose another folder with --home"
        ) from None
    found, replicas = (0, 0) if row is None or row[0] is None else row
    if found > latest():
        raise RegtuiError(
            f"the replica {path} has schema {found}, this regtui knows up to {latest()}",
            "upgrade regtui",
        )
    if found == latest() and replicas != 1:
        raise Damaged(
            f"the replica {path} is damaged: it does not say which registry it holds", REPAIR
        )
    return bool(found == latest())


def migrate(path: Path, backups: Path, now: int) -> None:
    """Bring an existing replica to the present schema; the caller holds the exclusive lock.

    Args:
        path: The database file.
        backups: Folder for the copies.
        now: Milliseconds.
    """
    with connected(path, read_only=False) as connection:
        found = schema_version(connection)
        connection.execute("checkpoint")  # a copy of the file has to hold what the log holds
    for number, script in _scripts():
        if number > found:
            _back_up(path, backups / f"before-{number:04d}-{now}.duckdb")
            with connected(path, read_only=False) as connection:
                apply(connection, number, script, now)


def apply(connection: Connection, number: int, script: Path, now: int) -> None:
    """Run one migration in one transaction."""
    connection.execute("begin")
    _run(connection, number, script, now)
    connection.execute("commit")


def apply_all(connection: Connection, now: int) -> None:
    """Run every migration on an empty database, in one transaction."""
    connection.execute("begin")
    for number, script in _scripts():
        _run(connection, number, script, now)
    connection.execute("commit")


def _run(connection: Connection, number: int, script: Path, now: int) -> None:
    connection.execute(script.read_text(encoding="utf-8"))
    connection.execute("insert into base.schema_version values (?, ?)", [number, now])


def _scripts() -> list[tuple[int, Path]]:
    return sorted((int(path.name[:4]), path) for path in MIGRATIONS.glob("[0-9]*.sql"))


def _back_up(path: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    beside = copy.with_suffix(".part")
    shutil.copyfile(path, beside)
    beside.chmod(0o600)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(copy)
