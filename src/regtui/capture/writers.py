"""Does a process still write a file? Asked of the kernel, without opening anything for writing.

Linux refuses a read lease (`F_SETLEASE`, `F_RDLCK`) on a file that any process has open, or mapped,
for writing. The answer takes some microseconds; a trainer that opens the file for writing within
them waits for just as long. It is given for one's own files on local file systems; elsewhere nobody
can tell, and only time does.

Who opens a leased file makes the kernel send a signal to the holder. It is told to send `SIGURG`,
which does nothing unless asked to, so that no handler has to be set.
"""

import fcntl
import os
import signal
import stat
import sys
from pathlib import Path

from regtui.capture.run_files import Place


def is_written(place: Place) -> bool | None:
    """Tell whether a process has a file open, or mapped, for writing; None where nobody can tell.

    Args:
        place: Its path, or an open descriptor.

    Raises:
        OSError: It can't be opened, or is no regular file.
    """
    path = Path(f"/proc/self/fd/{place}") if isinstance(place, int) else place
    # Of a file that we hold open ourselves, the lease needs a description of its own.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(22, "it is no regular file", str(place))
        return _is_written(descriptor)
    finally:
        os.close(descriptor)


def _is_written(descriptor: int) -> bool | None:
    if sys.platform != "linux":
        return None
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def ends_in_hole(place: Place) -> bool:
    """Tell whether the end of a file was never written: its size was set, its bytes were not.

    Where the file system can't tell, or makes holes of zeros itself (ZFS), the answer is False.

    Raises:
        OSError: It can't be opened.
    """
    path = Path(f"/proc/self/fd/{place}") if isinstance(place, int) else place
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size = os.fstat(descriptor).st_size
        if not size or not hasattr(os, "SEEK_DATA"):
            return False
        os.lseek(descriptor, size - 1, os.SEEK_DATA)
    except OSError as error:
        return error.errno == 6  # noqa: PLR2004 -- ENXIO: nothing but a hole from there on
    finally:
        os.close(descriptor)
    return False
