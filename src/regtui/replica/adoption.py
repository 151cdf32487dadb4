"""Adoption: a carried registry becomes the registry of a home that has none.

The database that was built beside takes the place of an empty one, by one rename under the
exclusive lock: a kill leaves either. The home's replica gets a key and id of its own and goes on
with the history; the replicas that made it stay who they are.
"""

import os
from pathlib import Path

from regtui.core.errors import BadInput
from regtui.replica.database import connected
from regtui.replica.home import Home
from regtui.replica.keys import make_key
from regtui.replica.locks import ReplicaLock


def adopt(home: Home, database: Path, now: int) -> None:
    """Let a database take the place of the empty one of a home.

    Args:
        home: It has a database without operations, of the present schema.
        database: The new one, on the same file system; nobody has it open.
        now: Milliseconds.

    Raises:
        BadInput: Somebody wrote to the home meanwhile.
        Busy: Others held it past the deadline.
        RegtuiError: The configuration folder can't be written.
        OSError: The home can't be written.
    """
    with ReplicaLock(home.path).exclusive():
        with connected(home.database, read_only=False) as connection:
            row = connection.execute("select seq from base.replica").fetchone()
            if row is None or row[0] != 0:
                raise BadInput(f"somebody wrote to {home.path} meanwhile", "import it again")
            connection.execute("checkpoint")  # its log must not meet the new database
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
