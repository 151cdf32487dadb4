"""Copies of the database file.

A copy is taken under the shared lock: writers wait, readers go on. It is the file and, where a
writer was killed, the log beside it; opened once, the copy takes its log in and is one file. The
kernel copies (`copy_file_range`), which shares blocks where the file system can.

`keep_daily_copy` is for the accident that destroys the database: the first writer of a day puts the
database, as it found it, into `backups/`, and three are kept. All others pay one look at the name.
A file above 64 MB is not copied so, since that would make somebody wait; `regtui backup create`
does it whenever one wants. A copy is written and flushed beside its name: a kill leaves `.part`,
which the next writer takes over, and never a half copy.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from regtui.replica.database import connected

if TYPE_CHECKING:
    from regtui.replica.home import Home
    from regtui.replica.unit import Replica

DAILY_LIMIT = 64 << 20
"""Bytes up to which a database is copied every day: some 50 ms."""

DAILY_KEPT = 3

_ROOM = 4
"""How many times its size has to be free for a copy: one for itself, the rest for the work."""

_PIECE = 1 << 30


def snapshot(replica: "Replica", target: Path) -> None:
    """Copy the database as it is at one moment; the copy is one file without a log.

    It is not brought to the disk, since that would make writers wait: it is for who reads it now.

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
        copy_file(database, target, flush=False)
        if log_of(database).exists():
            copy_file(log_of(database), log_of(target), flush=False)
    with connected(target, read_only=False) as connection:
        connection.execute("checkpoint")


def keep_replaced(home: "Home", now: int) -> None:
    """Copy the database that is about to be replaced into `backups/`, where it stays.

    The caller holds the exclusive lock, and nobody in this process has the database open.

    Args:
        home: Of the replica.
        now: Milliseconds.

    Raises:
        OSError: The disk is full.
    """
    _put(home, home.backups / f"solo-{now}.duckdb")


def remove_own_copies(home: "Home") -> None:
    """Remove the copies of the database that were made by themselves, of days and before upgrades.

    Args:
        home: Of the replica.

    Raises:
        OSError: The folder can't be written.
    """
    for pattern in ("daily-*", "before-*"):
        for copy in home.backups.glob(pattern):
            copy.unlink(missing_ok=True)


def keep_daily_copy(home: "Home", now: int) -> bool:
    """Put a copy of the database into `backups/` if today has none.

    The caller holds the exclusive lock, and nobody in this process has the database open: closing a
    copied file would drop DuckDB's own lock on it. A copy is a precaution, so what keeps it from
    being made stops nobody's work, and it takes no room that the work itself may need.

    Args:
        home: Of the replica.
        now: Microseconds.

    Returns:
        Whether one was made.
    """
    day = time.strftime("%Y%m%d", time.gmtime(now // 1_000_000))
    copy = home.backups / f"daily-{day}.duckdb"
    if os.path.exists(copy):  # noqa: PTH110 -- every write passes here
        return False
    try:
        if not _is_worth_copying(home):
            return False
        _put(home, copy)
        for old in sorted(home.backups.glob("daily-*.duckdb"))[:-DAILY_KEPT]:
            old.unlink()
    except OSError:
        with contextlib.suppress(OSError):
            _part(copy).unlink(missing_ok=True)
        return False
    return True


def _put(home: "Home", copy: Path) -> None:
    """Put a copy of the database under a name that it has when it is whole."""
    home.backups.mkdir(mode=0o700, exist_ok=True)
    copy_file(home.database, _part(copy))
    _part(copy).replace(copy)
    flush_folder(home.backups)


def _part(copy: Path) -> Path:
    return copy.with_suffix(".part")


def copy_file(source: Path, target: Path, *, flush: bool = True) -> None:
    """Copy a file, for its owner alone.

    Args:
        source: The file.
        target: The copy; what is there is overwritten.
        flush: Whether to bring the copy to the disk.

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
        if flush:
            os.fsync(writing.fileno())


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk.

    Raises:
        OSError: The folder can't be opened or the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def log_of(database: Path) -> Path:
    """Return where DuckDB keeps the log of a database."""
    return database.with_name(database.name + ".wal")


def _is_worth_copying(home: "Home") -> bool:
    """Tell whether a copy is whole, cheap, and leaves room on the disk."""
    if os.path.exists(log_of(home.database)):  # noqa: PTH110
        return False  # the file alone is older; the next writer finds it taken in
    size = home.database.stat().st_size
    disk = os.statvfs(home.path)
    return size <= DAILY_LIMIT and size * _ROOM <= disk.f_bavail * disk.f_frsize


def _created(target: Path) -> BinaryIO:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")
