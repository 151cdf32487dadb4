"""A watcher in the background: a process of its own that goes on when its caller has ended."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from regtui.capture.processes import is_running
from regtui.capture.reports import reports
from regtui.core.errors import BadInput, RegtuiError
from regtui.registry.context import Context
from regtui.registry.watch_rules import rules

PATIENCE = 20.0
"""Seconds in which a watcher has to report."""

STOPPING = 90.0
"""Seconds in which a watcher that was told to end has to: it finishes what it has taken."""

_STEP = 0.05
_STARTED: list[subprocess.Popen[bytes]] = []


def start_watcher(context: Context) -> int:
    """Start a watcher by the rules, unless one is there, and wait until it watches.

    Returns:
        Its process.

    Raises:
        BadInput: There are no rules, or they are malformed.
        RegtuiError: It could not be started; the error tells what it said.
    """
    if not rules(context.home):
        raise BadInput("there is nothing to watch", "`regtui watch add PATH` keeps a folder")
    known = _by_rules(context)
    if known:
        return known[0]
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
