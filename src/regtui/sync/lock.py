"""Who syncs a replica: one process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from regtui.core.errors import Busy
from regtui.replica.unit import Replica


@contextlib.contextmanager
def syncing_alone(replica: Replica) -> Iterator[None]:
    """Hold the lock of who syncs.

    Raises:
        Busy: Another process does.
    """
    path = replica.home.path / "sync.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another process syncs this registry", "wait for it") from None
        yield
    finally:
        os.close(descriptor)
