"""Folders for unfinished files that outlive nobody.

Each capture writes into a folder of its own, `tmp/<16 hex>/`, and holds a lock (`flock`) on the
file `lock` in it. The system drops the lock when the process ends in whatever way, `kill -9`
included, on this host or another; process numbers prove nothing. So a folder whose lock can be had
belongs to nobody, and the next capture removes it. Making a folder and looking for dead ones both
happen under `tmp/lock`: a folder is never seen before its own lock is held.

A session that ends removes its files first and its lock last. So whoever looks meanwhile finds it
living with fewer files, or dead without any; that it vanishes under his eyes is no error.

Where the file system has no locks nothing is swept, since nothing is known to be dead.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BYTES = 8
_NAME = re.compile(r"[0-9a-f]{16}")
_LOCK = "lock"


@contextmanager
def session(parent: Path) -> Iterator[Path]:
    """Make a folder in `parent` for the block, and remove it afterwards with all that is in it.

    Raises:
        OSError: The folder can't be made, or there is no `parent`.
    """
    folder = parent / secrets.token_hex(_BYTES)
    with _guarded(parent) as is_guarded:
        if is_guarded:
            with suppress(OSError):  # what can't be removed now is the next one's business
                _sweep(parent, dry_run=False)
        folder.mkdir(mode=0o700)
        own = _open(folder / _LOCK)
        _lock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield folder
    finally:
        with suppress(OSError):
            _remove(folder)
        os.close(own)


def sweep(parent: Path, *, dry_run: bool = False) -> tuple[int, int]:
    """Remove the folders of sessions that were killed; return their files and bytes.

    Raises:
        OSError: They can't be removed.
    """
    if not parent.is_dir():
        return 0, 0
    with _guarded(parent) as is_guarded:
        return _sweep(parent, dry_run=dry_run) if is_guarded else (0, 0)


def living(parent: Path) -> list[int]:
    """Return when each session that lives began, in nanoseconds.

    Raises:
        OSError: The folder can't be read.
    """
    if not parent.is_dir():
        return []
    with _guarded(parent):
        return [began for folder in _folders(parent) if (began := _began(folder)) is not None]


@contextmanager
def _guarded(parent: Path) -> Iterator[bool]:
    """Keep others from making and removing folders; False where there are no locks."""
    guard = _open(parent / _LOCK)
    try:
        yield _lock(guard, fcntl.LOCK_EX)
    finally:
        os.close(guard)


def _sweep(parent: Path, *, dry_run: bool) -> tuple[int, int]:
    count = size = 0
    for folder in _folders(parent):
        if _began(folder) is not None:
            continue
        sizes = list(_sizes(folder))
        count, size = count + len(sizes), size + sum(sizes)
        if not dry_run:
            _remove(folder)
    return count, size


def _folders(parent: Path) -> list[Path]:
    """Return the folders of sessions; others keep things here too, under names of their own."""
    with os.scandir(parent) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if _NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]


def _began(folder: Path) -> int | None:
    """Return when a session began, in nanoseconds; None for one whose process is gone."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _lock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB) else os.fstat(lock).st_mtime_ns
    finally:
        os.close(lock)


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes of each file of a session, its lock left out."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with suppress(FileNotFoundError):
                if path != folder / _LOCK:
                    yield path.lstat().st_size


def _remove(folder: Path) -> None:
    """Remove the folder of a session, its lock last; who does so as well is in nobody's way.

    Raises:
        OSError: Something can't be removed.
    """
    for parent, folders, names in os.walk(folder, topdown=False):
        for path in (Path(parent, name) for name in (*names, *folders)):
            if path != folder / _LOCK:
                _unlink(path)
    _unlink(folder / _LOCK)
    _unlink(folder)


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        return False
    return True
