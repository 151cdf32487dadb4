"""Copies of the database file.

A copy is taken under the shared lock: writers wait, readers go on. It is the file and, where a
writer was killed, the log beside it; opened once, the copy takes its log in and is one file. The
kernel copies (`copy_file_range`), which shares blocks where the file system can.

`keep_daily_copy` is for the accident that destroys the database: the first writer of a day puts a
copy into `backups/`, and three are kept. A file above 64 MB is not copied so, since that would make
somebody wait; `regtui backup create` does it whenever one wants.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from regtui.replica.database import connected
from regtui.replica.home import Home
from regtui.replica.unit import Replica

DAILY_LIMIT = 64 << 20
"""Bytes up to which a database is copied every day: some 50 ms."""

DAILY_KEPT = 3

_PIECE = 1 << 30


def snapshot(replica: Replica, target: Path) -> None:
    """Copy the database as it is at one moment; the copy is one file without a log.

    Args:
        replica: What to copy.
        target: The new file.

    Raises:
        Busy: Writers held it past the deadline.
        Damaged: The database is damaged.
        OSError: The copy can't be written.
    """
    database = replica.home.database
    with replica.reading():
        copy_file(database, target)
        if log_of(database).exists():
            copy_file(log_of(database), log_of(target))
    with connected(target, read_only=False) as connection:
        connection.execute("checkpoint")


def keep_daily_copy(home: Home, now: int) -> bool:
    """Put a copy of the database into `backups/` if today has none; the caller holds the lock.

    A copy is a precaution, so what keeps it from being made stops nobody's work.

    Args:
        home: Of the replica.
        now: Microseconds.

    Returns:
        Whether one was made.
    """
    day = time.strftime("%Y%m%d", time.gmtime(now // 1_000_000))
    copy = home.backups / f"daily-{day}.duckdb"
    with contextlib.suppress(OSError):
        if copy.exists() or home.database.stat().st_size > DAILY_LIMIT:
            return False
        if log_of(home.database).exists():
            return False  # the file alone is older; the next writer finds it taken in
        home.backups.mkdir(mode=0o700, exist_ok=True)
        part = copy.with_suffix(".part")
        copy_file(home.database, part)
        part.replace(copy)
        for old in sorted(home.backups.glob("daily-*.duckdb"))[:-DAILY_KEPT]:
            old.unlink()
        return True
    return False


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, for its owner alone, and bring the copy to the disk.

    Raises:
        OSError: It can't be read or written.
    """
    with source.open("rb") as reading, _created(target) as writing:
        try:
            while os.copy_file_range(reading.fileno(), writing.fileno(), _PIECE):
                pass
        except (OSError, AttributeError):  # between file systems, or not on this system
            reading.seek(0)
            writing.seek(0)
            shutil.copyfileobj(reading, writing, 1 << 22)
        writing.flush()
        os.fsync(writing.fileno())


def log_of(database: Path) -> Path:
    """Return where DuckDB keeps the log of a database."""
    return database.with_name(database.name + ".wal")


def _created(target: Path) -> BinaryIO:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")
