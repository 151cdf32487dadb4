"""A check by a command: run it, whatever it does, and come back with an outcome.

The command runs below a supervisor (`supervisor.py`), which ends it in time and kills what it
leaves. This side drains the pipe that the command prints into, and waits for the supervisor's word;
where that does not come, the supervisor is killed, too, and whatever carries the token of this run
in its environment is looked for and killed. So the wait ends, always.
"""

import contextlib
import json
import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import IO, Any, Literal

import msgspec
from msgspec import Struct

from regtui.checks.bounded_log import BoundedLog, plain_text
from regtui.checks.figures import FigureLines, Figures, Told, read_figures
from regtui.core.errors import BadInput

Outcome = Literal["passed", "failed", "error", "timeout"]

GRACE = 20.0
"""Seconds that the supervisor may take to end everything after its time is over."""

TOKEN = "REGTUI_RUN"  # noqa: S105 -- the name of a variable
"""Variable by which the processes of one run are known."""

_PASSED = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
"""What a check has of the environment of who runs it; nothing else, so no secrets."""

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_READ = 1 << 16
_TURN = 0.2
_ROUNDS = 20
_OUT_OF_MEMORY = re.compile(r"MemoryError|bad_alloc|Cannot allocate memory|[Oo]ut of memory")
_LAST = 4_000
"""Characters at the end of a log where a program says that it died of lack of memory."""


class Command(Struct, frozen=True, kw_only=True):
    """What to run.

    Attributes:
        words: Program and arguments.
        folder: Where it runs.
        variables: Its environment, beside what is passed on.
        figures: Where it may write figures; None where it may not.
        seconds: How long it may run.
        memory: Bytes that it may use; None for as many as there are.
    """

    words: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]
    figures: Path | None = None
    seconds: float
    memory: int | None = None


class Ended(Struct, frozen=True, kw_only=True):
    """How a check ended.

    Attributes:
        outcome: `passed`, `failed`, `timeout`, or `error` where it could say neither.
        reason: Why it is not `passed`; empty where it is.
        log: What it printed, as far as it is kept.
        figures: What it measured.
    """

    outcome: Outcome
    reason: str = ""
    log: str = ""
    figures: Figures = {}


class Stopped(Exception):
    """Somebody did not want to wait any longer; the check has no outcome."""


def split(command: str, replaced: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words of a command line, with `{name}` replaced within them.

    What is replaced stays part of its word whatever it holds: no shell reads it.

    Raises:
        BadInput: It is no command line.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"the command {command!r} is malformed: {error}") from None
    if not words:
        raise BadInput("the command of a check is empty")
    for name, value in replaced.items():
        words = [word.replace(f"{{{name}}}", value) for word in words]
    return tuple(words)


def run(command: Command, stop: Event | None = None) -> Ended:
    """Run a command to its end, which comes in any case.

    Args:
        command: What to run.
        stop: Ends the wait.

    Raises:
        Stopped: The wait was ended, and what ran is killed.
    """
    token = os.urandom(16).hex()
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {**command.variables, TOKEN: token}
    wait = _Wait(command, environment)
    try:
        told = wait.answer(stop)
    finally:
        wait.close()
        _kill_escaped(token)
        wait.drain()
    if stop is not None and stop.is_set():
        raise Stopped
    log, lines = wait.log.text(), wait.lines.told()
    written = None if command.figures is None else read_figures(command.figures)
    return _ended(command, told, log, written or lines)


class _Wait:
    """A supervisor at work, and what its command prints."""

    def __init__(self, command: Command, environment: Mapping[str, str]) -> None:
        self.log = BoundedLog()
        self.lines = FigureLines()
        self._until = time.monotonic() + command.seconds + GRACE
        self._output, theirs = os.pipe()
        os.set_blocking(self._output, False)
        try:
            self._supervisor = _supervisor(theirs)
        except BaseException:
            os.close(self._output)
            raise
        finally:
            os.close(theirs)
        job = {
            "words": command.words,
            "folder": str(command.folder),
            "environment": environment,
            "seconds": command.seconds,
            "memory": command.memory,
            "log": theirs,
        }
        with contextlib.suppress(OSError):
            self._input.write(json.dumps(job).encode() + b"\n")
            self._input.flush()

    def answer(self, stop: Event | None) -> dict[str, Any]:
        """Return what the supervisor tells; empty where it tells nothing in time."""
        told = b""
        with selectors.DefaultSelector() as selector:
            answer = _stream(self._supervisor.stdout)
            selector.register(answer, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            while time.monotonic() < self._until:
                if stop is not None and stop.is_set():
                    self._abandon()
                ready = {key.fileobj for key, _ in selector.select(_TURN)}
                if self._output in ready and not self._take():
                    selector.unregister(self._output)
                if answer in ready:
                    data = os.read(answer.fileno(), _READ)
                    told += data
                    if not data or told.endswith(b"\n"):
                        break
        try:
            return dict(msgspec.json.decode(told))
        except (msgspec.DecodeError, ValueError, TypeError):
            return {}

    def close(self) -> None:
        """End the supervisor, which ends what is left."""
        self._abandon()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._supervisor.wait(timeout=max(1.0, min(GRACE, self._until - time.monotonic())))
        self._supervisor.kill()
        self._supervisor.wait()
        _stream(self._supervisor.stdout).close()

    def drain(self) -> None:
        """Take what is left in the pipe, and close it whoever may hold its other end."""
        for _ in range(_ROUNDS):
            if not self._take():
                break
        os.close(self._output)

    def _take(self) -> bool:
        """Take what was printed; False where nothing more can come."""
        try:
            data = os.read(self._output, _READ)
        except BlockingIOError:
            return True
        self.log.add(data)
        self.lines.add(data)
        return bool(data)

    def _abandon(self) -> None:
        with contextlib.suppress(OSError):
            self._input.close()

    @property
    def _input(self) -> IO[bytes]:
        return _stream(self._supervisor.stdin)


def _supervisor(log: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 -- our own file
        [sys.executable, "-I", "-S", str(_SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(log,),
        start_new_session=True,  # Ctrl-C is for who waits
        env={},
    )


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 -- it is a pipe
    return stream


def _kill_escaped(token: str) -> None:
    """Kill what carries the token of a run, though its supervisor did not find it."""
    mark = f"{TOKEN}={token}".encode()
    for _ in range(_ROUNDS):
        found = [pid for pid in _own_processes() if mark in _environment_of(pid)]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _own_processes() -> list[int]:
    try:
        names = os.listdir("/proc")  # noqa: PTH208 -- names are all that is wanted
    except OSError:
        return []
    return [int(name) for name in names if name.isdigit()]


def _environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # somebody else's, or gone
        return b""


def _ended(command: Command, told: dict[str, Any], log: str, figures: Told) -> Ended:
    outcome, reason = _outcome(command, told, log)
    notes = [f"regtui: {one}" for one in [*figures.problems, *([reason] if reason else [])]]
    if notes:
        log = "\n".join([*([log.rstrip("\n")] if log else []), *notes]) + "\n"
    return Ended(outcome=outcome, reason=reason, log=log, figures=figures.figures)


def _outcome(command: Command, told: dict[str, Any], log: str) -> tuple[Outcome, str]:
    number, code = told.get("signal"), told.get("exit")
    cut = _cut_short(command, told)
    if cut is not None:
        return cut
    if number is not None:
        return "error", f"it was killed by {_signal_name(int(number))}"
    if code == 0:
        return "passed", ""
    if command.memory is not None and _OUT_OF_MEMORY.search(log[-_LAST:]):
        return "error", f"it ran out of the {_size(command)} of memory that it may use"
    return "failed", f"it ended with exit code {code}"


def _cut_short(command: Command, told: dict[str, Any]) -> tuple[Outcome, str] | None:
    """Return what is told of a command that did not end by itself."""
    if "refused" in told:
        return "error", plain_text(str(told["refused"]).encode())
    if told.get("because") == "timeout":
        return "timeout", f"it was stopped after {command.seconds:g} s"
    if told.get("because") == "memory":
        return "error", f"it used more than {_size(command)} of memory"
    if "signal" not in told and "exit" not in told:
        return "error", "how it ended is not known: what looked after it was killed"
    return None


def _size(command: Command) -> str:
    return f"{(command.memory or 0) >> 20:,} MiB"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
