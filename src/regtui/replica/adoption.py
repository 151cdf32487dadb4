"""Adoption: a registry that was built beside becomes the registry of a home.

Its database takes the place of the one that is there, by one rename under the exclusive lock: a
kill leaves either. That one is empty, or is copied into `backups/` before. The home's replica gets
a key and id of its own and goes on with the history; the replicas that made it stay who they are.
"""

import os
from pathlib import Path

from regtui.core.errors import BadInput
from regtui.replica.backup import keep_replaced
from regtui.replica.database import connected
from regtui.replica.home import Home
from regtui.replica.keys import make_key
from regtui.replica.locks import ReplicaLock


def adopt(home: Home, database: Path, now: int, *, replacing: int = 0) -> None:
    """Let a database take the place of the one of a home.

    Args:
        home: It has a database of the present schema.
        database: The new one, on the same file system; nobody has it open.
        now: Milliseconds.
        replacing: The last operation of the one that is there; unless it has none, a copy of it is
            kept.

    Raises:
        BadInput: Somebody wrote to the home meanwhile.
        Busy: Others held it past the deadline.
        RegtuiError: The configuration folder can't be written.
        OSError: The home can't be written.
    """
    with ReplicaLock(home.path).exclusive():
        with connected(home.database, read_only=False) as connection:
            row = connection.execute("select seq from base.replica").fetchone()
            if row is None or row[0] != replacing:
                raise BadInput(f"somebody wrote to {home.path} meanwhile", "do it again")
            connection.execute("checkpoint")  # its log must not meet the new database
        if replacing:
            keep_replaced(home, now)
        key = make_key(home.path)
        with connected(database, read_only=False) as connection:
            connection.execute("update base.replica set id = ?, created = ?", [key.replica, now])
            connection.execute(
                "insert into base.enrolment values (?, ?, ?)", [key.replica, key.public, now]
            )
            connection.execute("checkpoint")
        database.chmod(0o600)
        _flush(database)
        database.replace(home.database)
        _flush(home.path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
