"""Leases: what long work holds so that a collection keeps what it may still need.

A lease is a session folder (`sessions`), whose lock the kernel drops with its process. It tells a
collection one thing, when it began, and that is enough: whoever needs an object read its name, or
touched the object, after taking the lease. So a collection removes nothing that was needed or
touched since a minute before the oldest lease began.

Times are those of the file system's clock. The minute is for a clock that is set back a little.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.layout import make_folders, temporary_folder
from regtui.artifacts.sessions import session
from regtui.core.errors import RegtuiError

_NAME = re.compile(r"[0-9a-f]{16}")


@contextmanager
def lease(root: Path) -> Iterator[Path]:
    """Hold a lease on the store at `root`, and return its folder for temporary files.

    Raises:
        RegtuiError: The store may not be written, or its disk is full.
    """
    with ExitStack() as holding:
        with disk_errors(f"writing to the store {root}"):
            make_folders(root)
            folder = holding.enter_context(session(temporary_folder(root)))
        yield folder


@contextmanager
def reader_lease(root: Path) -> Iterator[None]:
    """Hold a lease where the store may be written; who may only read it goes without."""
    with ExitStack() as holding:
        with suppress(RegtuiError):
            holding.enter_context(lease(root))
        yield


def oldest_lease(root: Path) -> int | None:
    """Return when the oldest lease began, in nanoseconds; None where there is none.

    Raises:
        RegtuiError: The folder can't be read.
    """
    with disk_errors(f"reading {temporary_folder(root)}"), _guarded(root):
        begun = [began for folder in _folders(root) if (began := _began(folder)) is not None]
    return min(begun, default=None)


def sweep(root: Path, *, dry_run: bool = False) -> tuple[int, int]:
    """Remove the folders of sessions that were killed; return their files and bytes.

    Raises:
        RegtuiError: They can't be removed.
    """
    count = size = 0
    with disk_errors(f"removing from {temporary_folder(root)}"), _guarded(root):
        for folder in _folders(root):
            if _began(folder) is not None:
                continue
            sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
            count, size = count + len(sizes), size + sum(sizes)
            if not dry_run:
                shutil.rmtree(folder)
    return count, size


@contextmanager
def _guarded(root: Path) -> Iterator[None]:
    """Keep new sessions from beginning: one without its lock would seem to be dead."""
    parent = temporary_folder(root)
    if not parent.is_dir():
        yield
        return
    guard = os.open(parent / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield
    finally:
        os.close(guard)


def _folders(root: Path) -> list[Path]:
    parent = temporary_folder(root)
    if not parent.is_dir():
        return []
    with os.scandir(parent) as entries:
        return [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]


def _began(folder: Path) -> int | None:
    """Return when a session began; None for one whose process is gone."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return os.fstat(lock).st_mtime_ns
    else:
        return None
    finally:
        os.close(lock)
