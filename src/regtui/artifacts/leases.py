"""Leases: what long work holds so that a collection keeps what it may still need.

A lease is a session folder (`sessions`), whose lock the kernel drops with its process. It tells a
collection one thing, when it began, and that is enough: whoever needs an object read its name, or
touched the object, after taking the lease. So a collection removes nothing that was needed or
touched since a minute before the oldest lease began.

Times are those of the file system's clock. The minute is for a clock that is set back a little.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from regtui.artifacts import sessions
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.layout import make_folders, objects_folder, temporary_folder
from regtui.core.errors import RegtuiError

MINUTE = 60 * 10**9
"""Nanoseconds."""


@contextmanager
def lease(root: Path) -> Iterator[Path]:
    """Hold a lease on the store at `root`, and return its folder for temporary files.

    Raises:
        RegtuiError: The store may not be written, or its disk is full.
    """
    with ExitStack() as holding:
        with disk_errors(f"writing to the store {root}"):
            make_folders(root)
            folder = holding.enter_context(sessions.session(temporary_folder(root)))
        yield folder


@contextmanager
def reader_lease(root: Path) -> Iterator[None]:
    """Hold a lease where there is a store and it may be written; others need none or go without."""
    with ExitStack() as holding:
        with suppress(RegtuiError):
            if objects_folder(root).is_dir():
                holding.enter_context(lease(root))
        yield


def oldest_lease(root: Path) -> int | None:
    """Return when the oldest lease began, in nanoseconds; None where there is none.

    Raises:
        RegtuiError: The folder can't be read.
    """
    with disk_errors(f"reading {temporary_folder(root)}"):
        return min(sessions.living(temporary_folder(root)), default=None)


def before_leases(root: Path, limit: int) -> int:
    """Return the nanosecond since when everything is kept: a limit, or a lease's if that is before.

    Raises:
        RegtuiError: The folder can't be read.
    """
    lease = oldest_lease(root)
    return limit if lease is None else min(limit, lease - MINUTE)


def sweep(root: Path, *, dry_run: bool = False) -> tuple[int, int]:
    """Remove the folders of sessions that were killed; return their files and bytes.

    Raises:
        RegtuiError: They can't be removed.
    """
    with disk_errors(f"removing from {temporary_folder(root)}"):
        return sessions.sweep(temporary_folder(root), dry_run=dry_run)
