"""Folders for unfinished files that outlive nobody.

Each capture writes into a folder of its own, `tmp/<16 hex>/`, and holds a lock (`flock`) on the
file `lock` in it. The system drops the lock when the process ends in whatever way, `kill -9`
included, on this host or another; process numbers prove nothing. So a folder whose lock can be had
belongs to nobody, and the next capture removes it. Making a folder and looking for dead ones both
happen under `tmp/lock`: a folder is never seen before its own lock is held.

Where the file system has no locks nothing is swept, since nothing is known to be dead.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BYTES = 8
_NAME = re.compile(r"[0-9a-f]{16}")


@contextmanager
def session(parent: Path) -> Iterator[Path]:
    """Make a folder in `parent` for the block, and remove it afterwards with all that is in it.

    Raises:
        OSError: The folder can't be made, or there is no `parent`.
    """
    folder = parent / secrets.token_hex(_BYTES)
    guard = _open(parent / "lock")
    try:
        if _lock(guard, fcntl.LOCK_EX):
            _sweep(parent)
        folder.mkdir(mode=0o700)
        own = _open(folder / "lock")
        _lock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(guard)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(own)


def _sweep(parent: Path) -> None:
    with os.scandir(parent) as entries:
        folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    for folder in folders:
        # Others keep things here too, under names that say whose they are.
        if _NAME.fullmatch(folder.name) and _is_dead(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_dead(folder: Path) -> bool:
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        return _lock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        return False
    return True
