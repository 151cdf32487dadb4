"""Backups: one SQLite file with every row, whichever database they come from and go to.

A server may run meanwhile: SQLite copies page by page what was committed, Postgres is read at one
moment. What is restored begins a new epoch, so that replicas that were ahead bring back what is
missing. The file holds the server's key and nobody else may read it.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from regtui.core.errors import BadInput, Damaged, NotFound
from sync_server import schema
from sync_server.authority import Authority, registry_row
from sync_server.database import Database
from sync_server.healing import RESTORED, new_epoch
from sync_server.migrate import upgrade
from sync_server.secrets import Secrets

ROWS = 1_000
"""Rows that are carried at a time."""

_MAGIC = b"SQLite format 3\0"


def create_backup(database: Database, file: Path) -> int:
    """Write everything into a new file, durable when this returns; return its bytes.

    Raises:
        BadInput: The file is there already.
    """
    if file.exists():
        raise BadInput(f"{file} is there already", "choose another name")
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        if database.is_sqlite:
            _copy_pages(database, partial)
        else:
            _copy_rows(database, partial)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        os.link(partial, file)  # unlike a rename, it never takes the place of another file
    except FileExistsError:
        raise BadInput(f"{file} is there already", "choose another name") from None
    finally:
        partial.unlink(missing_ok=True)
    _flush_folder(file.parent)
    return file.stat().st_size


def open_backup(file: Path, scratch: Path) -> Database:
    """Open a copy of a backup, brought up to this program.

    Args:
        file: The backup; it is not changed.
        scratch: Where the copy goes; not there yet.

    Raises:
        NotFound: There is no such file.
        Damaged: It is no backup, or was damaged.
        BadInput: It is of a newer program.
    """
    try:
        with file.open("rb") as read:
            is_ours = read.read(len(_MAGIC)) == _MAGIC
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    if not is_ours:
        raise Damaged(f"{file} is no backup of a server")
    os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(scratch)) as target,
        ):
            source.backup(target)
            told = target.execute("pragma integrity_check").fetchone()[0]
            found = target.execute(
                "select count(*) from sqlite_master where name in ('registry', 'alembic_version')"
            ).fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{file} is damaged: {error}") from None
    if told != "ok" or found != len(("registry", "alembic_version")):
        raise Damaged(f"{file} is no backup of a server, or is damaged")
    database = Database(f"sqlite:///{scratch.absolute()}")
    upgrade(database)
    return database


def load_rows(source: Database, target: Database) -> None:
    """Put all rows of a database into another one, whose own rows go, in one transaction."""
    with source.reading() as reading, target.writing() as writing:
        for table in reversed(schema.metadata.sorted_tables):
            writing.execute(sa.delete(table))
        _carry(reading, writing)


def begin_epochs(
    database: Database, clock: Callable[[], int], seed: Callable[[], bytes]
) -> list[str]:
    """Begin a new epoch in each registry, as a restore demands; return their names."""
    c = schema.registry.c
    with database.writing() as connection:
        secrets = stored_secrets(connection)
        names = []
        for identity in connection.execute(sa.select(c.id).order_by(c.key)).scalars().all():
            row = registry_row(connection, identity, lock=True)
            if row is not None:
                authority = Authority(connection, row, clock())
                new_epoch(connection, authority, RESTORED, secrets, seed())
                authority.flush()
                names.append(row.name)
    return names


def stored_secrets(connection: Connection) -> Secrets:
    """Return the key that a database holds.

    Raises:
        Damaged: It holds none.
    """
    c = schema.setting.c
    found = connection.execute(sa.select(c.value).where(c.name == "key")).scalar()
    if found is None:
        raise Damaged("the server's key is missing")
    return Secrets(bytes(found))


def _copy_pages(database: Database, file: Path) -> None:
    with (
        closing(sqlite3.connect(sa.make_url(database.url).database or "")) as source,
        closing(sqlite3.connect(file)) as target,
    ):
        source.backup(target)
        # One file, without a journal beside it.
        target.execute("pragma journal_mode = delete")


def _copy_rows(database: Database, file: Path) -> None:
    target = Database(f"sqlite:///{file.absolute()}")
    try:
        upgrade(target)
        with database.reading() as reading, target.writing() as writing:
            _carry(reading, writing)
    finally:
        target.close()
    with closing(sqlite3.connect(file)) as target_file:
        target_file.execute("pragma journal_mode = delete")


def _carry(reading: Connection, writing: Connection) -> None:
    for table in schema.metadata.sorted_tables:
        rows = reading.execution_options(yield_per=ROWS).execute(sa.select(table)).mappings()
        for part in rows.partitions(ROWS):
            writing.execute(sa.insert(table), [dict(row) for row in part])


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
