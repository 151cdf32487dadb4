"""One run of a hook: a command that gets its input, is bounded in time and output, and ends.

It runs in a process group of its own, so that Ctrl-C at a command does not reach it; when its time
is over, the whole group is told to end, and killed two seconds later. Its input is a file, so that
one that does not read holds up nobody; of its output the last part is kept, however much it prints.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

OUTPUT = 16 * 1024
"""Bytes of output that are kept, the last ones."""

GENTLE = 2.0
"""Seconds between being told to end and being killed."""

_READ = 1 << 16
_TURN = 0.05
_LEFT = 64
"""Reads of what is left in the pipe once the command has ended."""


class Ran(Struct, frozen=True):
    """How it ended.

    Attributes:
        outcome: `done`; `failed`, with its exit code or the signal that ended it (negative);
            `timeout`; or `error` where it could not be started.
        code: The exit code.
        output: What it printed at last.
        seconds: How long it took.
    """

    outcome: Literal["done", "failed", "timeout", "error"]
    code: int | None
    output: str
    seconds: float


def run(
    command: str, given: bytes, *, variables: Mapping[str, str], folder: Path, seconds: float
) -> Ran:
    """Run a command to its end, which comes in time.

    Args:
        command: As a shell reads it.
        given: Its standard input.
        variables: Its environment, beside that of this process.
        folder: Where it runs.
        seconds: How long it may take.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as standard_input:
        standard_input.write(given)
        standard_input.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 -- what the owner of the home asked for
                ["/bin/sh", "-c", command],
                stdin=standard_input,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Ran("error", None, str(error), time.monotonic() - began)
    output = _Output(process)
    try:
        in_time = output.until_ended(began + seconds)
    finally:
        if process.poll() is None:
            _end(process)
    output.drain()
    taken = time.monotonic() - began
    if not in_time:
        return Ran("timeout", None, output.text(), taken)
    code = process.returncode
    return Ran("done" if code == 0 else "failed", code, output.text(), taken)


class _Output:
    """What a command prints, as far as it is kept."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        self._process = process
        self._pipe = process.stdout
        self._kept = bytearray()
        self._open = True
        os.set_blocking(self._pipe.fileno(), False)

    def until_ended(self, until: float) -> bool:
        """Take what comes until the command has ended; False where its time was over before."""
        while self._process.poll() is None:
            if time.monotonic() >= until:
                return False
            if not self._take():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_TURN)
        return True

    def drain(self) -> None:
        """Take what is left, and close the pipe whoever may hold its other end."""
        for _ in range(_LEFT):
            if not self._take():
                break
        self._pipe.close()

    def text(self) -> str:
        """Return the last of it as a text that can't steer a terminal."""
        text = bytes(self._kept[-OUTPUT:]).decode("utf-8", "replace")
        return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text).strip()

    def _take(self) -> bool:
        """Take what is there; False where nothing is."""
        if not self._open:
            return False
        try:
            data = os.read(self._pipe.fileno(), _READ)
        except BlockingIOError:
            return False
        self._open = bool(data)
        self._kept += data
        if len(self._kept) > 2 * OUTPUT:
            del self._kept[:-OUTPUT]
        return self._open


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command and all of its group."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GENTLE)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
