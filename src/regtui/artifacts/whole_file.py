"""Files that are written whole or not at all, such as backups and bundles.

A file is written beside its name, flushed and renamed. A kill leaves `.<name>.part`, which the next
one to that name takes over, and never half a file. Who writes holds a lock on it, so of two at once
the second one is refused; where the file system has no locks, nobody is.

Once the first one has its name, the file that a second one opened before is the finished one: it
is looked up again under the lock, and never cut.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.flushing import flush_folder
from regtui.core.errors import BadInput, Busy, NotFound

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def free_target(target: Path, home: Path, *, replace: bool) -> Path:
    """Return where a file is to be written; a link stays a link.

    Args:
        target: Its name.
        home: Of the registry that it is made of; it lies elsewhere.
        replace: Whether a file of that name may be replaced.

    Raises:
        NotFound: There is no folder for it.
        BadInput: It lies inside the home, is taken, or is no regular file.
        RegtuiError: It can't be looked at.
    """
    with disk_errors(f"writing {target}"):
        path = Path(os.path.realpath(target.expanduser()))
        if path.is_relative_to(home.resolve()):
            raise BadInput(
                f"{target} lies inside the registry", "name a file elsewhere, best on another disk"
            )
        if not path.parent.is_dir():
            raise NotFound(f"there is no folder {path.parent}", "make it first")
        if path.exists() and not path.is_file():
            raise BadInput(f"{target} is no regular file", "name a new file")
        if path.exists() and not replace:
            raise BadInput(f"{target} exists already", "name a new file, or replace it with --yes")
    return path


@contextmanager
def whole_file(target: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a file that has its name when the block ends and all is on the disk, and not before.

    Args:
        target: As `free_target` returned it.
        mode: Who may read it, less what the umask takes.

    Raises:
        Busy: Somebody else is writing it.
        RegtuiError: It can't be written, or the disk is full.
    """
    part = target.with_name(f".{target.name}.part")
    with disk_errors(f"writing {target}"):
        with os.fdopen(_taken(part, target, mode), "wb", buffering=1 << 20) as file:
            try:
                file.truncate(0)  # what a killed one left
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.replace(target)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                    file.truncate(0)  # what is buffered has nowhere to go
                raise
        flush_folder(target.parent)


def _taken(part: Path, target: Path, mode: int) -> int:
    """Open and lock the file that is written."""
    while True:
        descriptor = os.open(part, _FLAGS, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Busy(f"somebody else is writing {target}", "wait for it") from None
        except OSError:
            return descriptor  # a file system without locks
        if _is_at(descriptor, part):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
