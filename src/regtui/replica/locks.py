"""Locks: many processes, one file, and nobody starves.

A shared lock alone starves writers: measured, one waited 14 s while three readers overlapped. So
everybody passes a *gate* first. Whoever waits for the lock holds the gate, and those behind him
queue at the gate instead of overtaking; a writer thereby waits for the readers that are inside
already and for nobody else.

Both are `flock` locks: the kernel drops them with the process, so a kill leaves nothing behind. A
wait is a blocking call in a thread, because polling has no queue; past its deadline the thread is
left behind and gives back whatever it gets.
"""

import contextlib
import errno
import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from regtui.core.errors import BadInput, Busy, RegtuiError

DEADLINE = 30.0
"""Seconds that a unit of work waits for its turn unless told otherwise (`REGTUI_WAIT`)."""


LONGEST = 1_000_000.0
"""The most seconds that can be asked for."""


class ReplicaLock:
    """The gate and the lock of one replica.

    Args:
        folder: Where the two lock files are; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._gate = folder / "gate"
        self._lock = folder / "lock"

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the lock together with other readers.

        Where it can only be read, as in a snapshot, a lock that is not there is not needed.

        Raises:
            Busy: The deadline passed; the message names the holder.
        """
        with self._held(fcntl.LOCK_SH, reads=True):
            yield

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock alone.

        Raises:
            Busy: The deadline passed; the message names the holder.
        """
        with self._held(fcntl.LOCK_EX) as descriptor:
            _sign(descriptor)
            yield

    def is_wanted(self) -> bool:
        """Tell whether somebody waits for the lock, or is just passing the gate."""
        try:
            gate = os.open(self._gate, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            fcntl.flock(gate, fcntl.LOCK_UN)
            return False
        finally:
            os.close(gate)

    @contextlib.contextmanager
    def _held(self, mode: int, *, reads: bool = False) -> Iterator[int]:
        deadline = time.monotonic() + _patience()
        gate = self._acquire(self._gate, fcntl.LOCK_EX, deadline, reads=reads)
        try:
            lock = self._acquire(self._lock, mode, deadline, reads=reads)
        except BaseException:
            _release(gate)
            raise
        try:
            _release(gate)
            yield lock
        finally:
            _release(lock)

    def _acquire(self, path: Path, mode: int, deadline: float, *, reads: bool) -> int:
        try:
            descriptor = _opened(path, reads=reads)
        except OSError as error:
            raise RegtuiError(
                f"can't open the lock {path}: {error.strerror}", "check its owner and mode"
            ) from error
        granted = False
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            mode = fcntl.LOCK_SH  # all that some file systems grant to who only reads
        try:
            granted = _lock(descriptor, mode, deadline)
        except OSError as error:
            raise RegtuiError(
                f"can't lock {path}: {error.strerror}", "keep the replica on a local disk"
            ) from error
        finally:
            if not granted:  # also after an interrupt: nobody would ever give it back
                os.close(descriptor)
        if not granted:
            raise Busy(
                f"the replica is in use by {_holders(self._lock) or 'another process'}",
                "wait for it to finish, or stop it",
            )
        return descriptor


def _opened(path: Path, *, reads: bool) -> int:
    """Open a lock file; where nothing can be written, one that is there, or one of nobody."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS or not reads:
            raise
    try:
        # Others may write to the same home through another mount: they go by the same lock.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        import tempfile

        with tempfile.TemporaryFile() as nobodys:
            return os.dup(nobodys.fileno())


def _release(descriptor: int) -> None:
    """Give a lock back, also where a forked child still holds a copy of the descriptor."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _lock(descriptor: int, mode: int, deadline: float) -> bool:
    """Lock an open file; False when the deadline passed.

    A thread blocks for it, through a second descriptor of the same open file. The lock belongs to
    the open file and is dropped with the last descriptor, so whichever of the two gives up or dies,
    the other one keeps it or gives it back.
    """
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        return True
    granted = threading.Event()
    second = os.dup(descriptor)

    def block() -> None:
        with contextlib.suppress(OSError):  # a lock that fails is one that is never granted
            fcntl.flock(second, mode)
            granted.set()
        os.close(second)

    threading.Thread(target=block, name="regtui-lock", daemon=True).start()
    return granted.wait(max(deadline - time.monotonic(), 0))


def _patience() -> float:
    chosen = os.environ.get("REGTUI_WAIT")
    try:
        seconds = float(chosen) if chosen else DEADLINE
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise BadInput(
            f"REGTUI_WAIT={chosen!r} is no number of seconds", f"give 0 to {LONGEST:.0f}"
        )
    return seconds


def _sign(descriptor: int) -> None:
    """Write down who holds the lock, for systems that can't tell."""
    holder = f"{_command(os.getpid())} (pid {os.getpid()})"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, holder.encode(errors="replace"), 0)


def _holders(lock: Path) -> str:
    """Return who holds a lock, such as `regtui watch runs (pid 812)`; empty if nobody can tell."""
    try:
        inode = lock.stat().st_ino
        table = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return _signed(lock)
    pids = set()
    for line in table.splitlines():
        fields = line.split()
        if "->" not in fields and fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            pids.add(int(fields[4]))
    named = [f"{_command(pid)} (pid {pid})" for pid in sorted(pids - {0})]
    return ", ".join(named) or _signed(lock)


def _signed(lock: Path) -> str:
    try:
        return lock.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = sys.argv if pid == os.getpid() else ["a process"]
    line = " ".join(" ".join(words).split())  # a script on the command line has lines of its own
    return line if len(line) <= 120 else line[:117] + "..."  # noqa: PLR2004 -- one line
