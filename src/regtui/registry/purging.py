"""Purging: what only versions named that may not be read any more goes from the disk, too.

What has to go is noted with the purge itself, so that a kill in between costs nothing. A file that
a version still names stays, and so does one that somebody works on; that one goes later.
"""

import time

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.garbage import Stored, remove
from regtui.artifacts.leases import before_leases
from regtui.registry.context import Context
from regtui.replica.backup import remove_own_copies
from regtui.replica.database import Connection
from regtui.replica.tables import PAGE


def purge_files(context: Context) -> int:
    """Remove stored files and copies of the database that have to go; return how many files went.

    Raises:
        Busy: Others held the replica past the deadline.
        RegtuiError: The disk refuses.
    """
    with context.reading() as connection:
        rows = connection.execute("select distinct digest from base.purged").fetchall()
    if not rows:
        return 0
    digests = sorted(digest for (digest,) in rows if digest is not None)
    gone = 0
    for start in range(0, len(digests), PAGE):
        with context.replica.changing() as connection:
            gone += _remove(context, connection, digests[start : start + PAGE])
    if len(digests) < len(rows):
        _remove_copies(context)
    return gone


def _remove(context: Context, connection: Connection, digests: list[str]) -> int:
    named = {
        row[0]
        for row in connection.execute(
            "select distinct lower(hex(digest)) from base.file "
            "where digest in (select unhex(unnest(?::varchar[])))",
            [digests],
        ).fetchall()
    }
    limit = before_leases(context.home, time.time_ns())  # what is touched later is somebody's
    unneeded = [Stored(digest, 0, 0) for digest in digests if digest not in named]
    removed = remove(context.home, unneeded, limit)
    with disk_errors("removing damaged copies"):
        for one in unneeded:
            (context.home / "damaged" / one.digest).unlink(missing_ok=True)
    done = [digest for digest in digests if digest in named or not context.store.has(digest)]
    connection.execute(
        "delete from base.purged where digest in (select unnest(?::varchar[]))", [done]
    )
    return len(removed)


def _remove_copies(context: Context) -> None:
    """Remove the copies of the database that were made by themselves."""
    home = context.replica.home
    with disk_errors(f"removing from {home.backups}"):
        remove_own_copies(home)
    with context.replica.changing() as connection:
        connection.execute("delete from base.purged where digest is null")
