"""A full disk, as SQLite, Postgres and the system tell of it."""

import errno

_SAID = ("database or disk is full", "No space left on device")


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that a disk is full."""
    return getattr(error, "errno", None) == errno.ENOSPC or any(one in str(error) for one in _SAID)
