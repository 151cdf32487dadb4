"""A watcher in the background: a process of its own that goes on when its caller has ended."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from regtui.artifacts.faults import disk_errors
from regtui.capture.memory import FOLDER
from regtui.capture.processes import is_running
from regtui.capture.reports import reports
from regtui.core.errors import BadInput, Busy, RegtuiError
from regtui.registry.context import Context
from regtui.registry.watch_rules import rules

PATIENCE = 20.0
"""Seconds in which a watcher has to report."""

STOPPING = 90.0
"""Seconds in which a watcher that was told to end has to: it finishes what it has taken."""

_STEP = 0.05
_STARTED: list[subprocess.Popen[bytes]] = []


class Started(NamedTuple):
    """A watcher by the rules.

    Attributes:
        pid: Its process.
        is_new: Whether it was started now; else it ran already.
    """

    pid: int
    is_new: bool


def start_watcher(context: Context) -> Started:
    """Start a watcher by the rules, unless one is there, and wait until it watches.

    Of several who ask at once, one starts it and the others wait for that.

    Raises:
        BadInput: There are no rules, or they are malformed.
        Busy: Somebody else has been starting one for too long.
        RegtuiError: It could not be started; the error tells what it said.
    """
    if not rules(context.home):
        raise BadInput("there is nothing to watch", "`regtui watch add PATH` keeps a folder")
    with _starting_alone(context.home):
        known = _by_rules(context)
        return Started(known[0], is_new=False) if known else Started(_start(context), is_new=True)


@contextlib.contextmanager
def _starting_alone(home: Path) -> Iterator[None]:
    """Let others wait who would start a watcher too: until it reports, they see none."""
    folder = home / FOLDER
    with disk_errors(f"writing to {folder}"):
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / "starting", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + 2 * PATIENCE
        while not _is_locked(lock):
            if time.monotonic() > until:
                raise Busy("somebody else is starting a watcher", "try again")
            time.sleep(_STEP)
        yield
    finally:
        os.close(lock)


def _is_locked(descriptor: int) -> bool:
    """Lock a file, if nobody else has it."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _start(context: Context) -> int:
    """Start a watcher and wait until it watches; return its process."""
    command = [sys.executable, "-m", "regtui", "watch", "--quiet", "--home", str(context.home)]
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(  # noqa: S603 -- this program itself
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # it goes on when the terminal is closed
            cwd="/",
        )
        _STARTED.append(started)
        until = time.monotonic() + PATIENCE
        while started.poll() is None and time.monotonic() < until:
            if started.pid in _by_rules(context):
                return started.pid
            time.sleep(_STEP)
        if started.poll() is None:
            started.terminate()
            raise RegtuiError(f"the watcher did not begin within {PATIENCE:.0f} s", "try again")
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    raise RegtuiError(f"the watcher ended at once: {lines[-1] if lines else 'it said nothing'}")


def stop_watchers(context: Context) -> list[int]:
    """Stop the watchers by the rules that run on this machine, and wait for their end.

    Returns:
        Their processes.

    Raises:
        RegtuiError: One belongs to somebody else, or does not end in time.
    """
    running = _by_rules(context)
    for pid in running:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
        except OSError as error:
            raise RegtuiError(f"process {pid} can't be stopped: {error.strerror}") from None
    until = time.monotonic() + STOPPING
    while left := [pid for pid in running if _lives(pid)]:
        if time.monotonic() > until:
            raise RegtuiError(
                f"process {left[0]} has not ended yet", "it finishes what it has taken"
            )
        time.sleep(_STEP)
    return running


def _by_rules(context: Context) -> list[int]:
    """Return the processes on this machine that watch by the rules."""
    _take_leave()
    host = socket.gethostname()
    found = {one.pid for one in reports(context.home) if not one.root and one.host == host}
    return sorted(pid for pid in found if _is_ours(pid))


def _take_leave() -> None:
    """Ask after those started here: one that ended would stay a process with nothing left of it."""
    _STARTED[:] = [one for one in _STARTED if one.poll() is None]


def _lives(pid: int) -> bool:
    """Tell whether a process has not ended."""
    _take_leave()
    return is_running(pid) and _is_ours(pid)


def _is_ours(pid: int) -> bool:
    """Tell whether a process is a program of ours, where the system shows it: ids are reused."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").exists()
    return b"regtui" in command
