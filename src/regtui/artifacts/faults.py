"""Errors of the operating system, told in words that a person can act on.

Every call that touches a disk runs inside `disk_errors`, so that a full disk reads the same whether
it was met while copying, flushing or renaming, and whatever the file system calls it (no space,
over quota, file too large).
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from regtui.core.errors import RegtuiError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn an OSError of the block into one RegtuiError; other errors pass.

    Args:
        doing: What was going on, as a participle that names the path: `writing /data/store`.

    Raises:
        RegtuiError: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise explain(error, doing) from error


def explain(error: OSError, doing: str) -> RegtuiError:
    """Return the error that a person reads for an OSError met while `doing`."""
    if error.errno in _FULL:
        return RegtuiError(
            f"the disk is full while {doing}",
            "make room, or raise the quota or file size limit, and try again",
        )
    if error.errno in _REFUSED:
        return RegtuiError(f"no permission for {doing}", "check its owner and mode")
    if error.errno == errno.EIO:
        return RegtuiError(f"the disk failed while {doing}", "the system's log says more")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return RegtuiError(f"{doing} failed: {reason}")
