"""Checks of what is around the database: folder, locks, disk, leftovers, copies, foreign files."""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from regtui.artifacts.leases import sweep
from regtui.capture.mounts import NETWORK, file_system_of
from regtui.replica.backup import DAILY_LIMIT, log_of
from regtui.replica.home import DATABASE, Home
from regtui.replica.locks import ReplicaLock
from regtui.replica.salvage import newest_copies

RESTORE = "restore a backup: `regtui backup restore FILE --home DIR`"
"""What to do where nothing else helps."""

_OWN = re.compile(
    r"\.gitignore|gate|lock|sync\.lock|remote\.url|objects|tmp|damaged|backups|pins|watch|hooks"
    r"|.*\.toml|(watch|retention|hooks)\.new"
    rf"|{re.escape(DATABASE)}(\.wal)?(\.tmp)?|registry\.(new|repaired|salvage)(\..*)?"
)
_BUCKET = re.compile(r"[0-9a-f]{2}")
_LEAST_FREE = 1 << 30
_COPY_AGE = 7 * 86_400 * 10**9


class Finding(Struct, frozen=True):
    """What one check found.

    Attributes:
        check: Its name.
        status: `ok`; `repaired`; `warning`, for what nobody has to mend now; `problem`.
        message: One sentence.
        hint: What to do about it.
    """

    check: str
    status: str
    message: str
    hint: str = ""


def check_home(home: Home, now: int, *, repair: bool) -> Iterator[Finding]:
    """Yield what every check around the database finds.

    Args:
        home: Of the replica; its folder is there.
        now: Microseconds.
        repair: Whether to mend modes and to remove what killed commands left.
    """
    yield _modes(home, repair=repair)
    yield _locks(home)
    yield _file_system(home)
    yield _space(home)
    yield _unfinished(home, repair=repair)
    yield _copies(home, now)
    yield _foreign(home)


def _modes(home: Home, *, repair: bool) -> Finding:
    wrong, strangers = [], []
    for path in _private(home):
        status = path.lstat()
        if status.st_uid != os.geteuid() and os.geteuid() != 0:
            strangers.append(path)
        elif stat.S_IMODE(status.st_mode) & 0o077:
            wrong.append(path)
    if strangers:
        return Finding(
            "modes", "warning", f"{_some(strangers)} belong to somebody else",
            "let one user own the home, or give each a home of their own",
        )  # fmt: skip
    if not wrong:
        return Finding("modes", "ok", "the home is private")
    if not repair:
        return Finding(
            "modes", "warning", f"others may look into {_some(wrong)}", "`regtui doctor --repair`"
        )
    for path in wrong:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & 0o700)
    return Finding("modes", "repaired", f"{_some(wrong)} are private again")


def _private(home: Home) -> Iterator[Path]:
    yield home.path
    for name in ("objects", "tmp", "damaged", "backups", DATABASE, "gate", "lock"):
        path = home.path / name
        if path.exists() and not path.is_symlink():
            yield path


def _locks(home: Home) -> Finding:
    """A lock is never stale, since the kernel drops it; but its file may be out of reach."""
    for name in ("gate", "lock"):
        path = home.path / name
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return Finding(
                "locks", "problem", f"can't open {path}: {error.strerror}",
                "make it writable for who uses the registry",
            )  # fmt: skip
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                return Finding(
                    "locks", "problem", f"{path} can't be locked: {error.strerror}",
                    "move the home to a local disk",
                )  # fmt: skip
        finally:
            os.close(descriptor)
    return Finding("locks", "ok", "both locks can be had")


def _file_system(home: Home) -> Finding:
    found = file_system_of(home.path.resolve())
    if found in NETWORK:
        return Finding(
            "file system", "warning", f"{home.path} is on a network file system ({found})",
            "move the home to a local disk, and give it with --home or REGTUI_HOME",
        )  # fmt: skip
    return Finding("file system", "ok", f"local ({found})" if found else "nobody says which")


def _space(home: Home) -> Finding:
    disk = os.statvfs(home.path)
    free = disk.f_bavail * disk.f_frsize
    database = home.database.stat().st_size if home.database.exists() else 0
    shown = f"{free / 2**30:.1f} GiB are free"
    if free < max(_LEAST_FREE, 2 * database):
        return Finding("space", "warning", f"only {shown}", "`regtui gc --dry-run`, `regtui du`")
    return Finding("space", "ok", shown)


def _unfinished(home: Home, *, repair: bool) -> Finding:
    count, size = sweep(home.path, dry_run=not repair)
    names = [home.path / "registry.new", log_of(home.path / "registry.new")]
    names += [*home.path.glob("registry.salvage*"), *home.backups.glob("*.part")]
    names += (home.path / f"{DATABASE}.tmp").glob("*")  # what did not fit the memory
    with ReplicaLock(home.path).exclusive():  # whoever makes one of these holds it
        for path in filter(Path.is_file, names):
            count, size = count + 1, size + path.stat().st_size
            if repair:
                path.unlink()
    if not count:
        return Finding("unfinished", "ok", "nothing was left behind")
    shown = f"{count} files with {size:,} bytes"
    if repair:
        return Finding("unfinished", "repaired", f"removed {shown} that killed commands left")
    return Finding(
        "unfinished", "warning", f"killed commands left {shown}", "`regtui doctor --repair`"
    )


def _copies(home: Home, now: int) -> Finding:
    copies = newest_copies(home)
    if not home.database.exists() or home.database.stat().st_size <= DAILY_LIMIT:
        return Finding(
            "copies", "ok", f"{len(copies)} copies of the database are in {home.backups}"
        )
    if copies and now * 1000 - copies[0].stat().st_mtime_ns < _COPY_AGE:
        return Finding("copies", "ok", f"the newest is {copies[0].name}")
    return Finding(
        "copies", "warning", "the database is too large to be copied by itself",
        "`regtui backup create FILE --no-artifacts` now and then, onto another disk",
    )  # fmt: skip


def _foreign(home: Home) -> Finding:
    found = [path for path in sorted(home.path.iterdir()) if not _OWN.fullmatch(path.name)]
    objects = home.path / "objects"
    if objects.is_dir():
        found += [path for path in sorted(objects.iterdir()) if not _BUCKET.fullmatch(path.name)]
    if found:
        return Finding(
            "foreign files", "warning", f"{_some(found)} do not belong here", "move them away"
        )
    return Finding("foreign files", "ok", "none")


def _some(paths: list[Path]) -> str:
    names = ", ".join(path.name for path in paths[:5])
    return f"{names} and {len(paths) - 5} more" if len(paths) > 5 else names  # noqa: PLR2004
