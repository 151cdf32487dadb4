"""The supervisor of one command: a process between whoever asks for a check and the check itself.

Run as a file by an isolated interpreter, so it imports nothing but the standard library. It reads
one line of JSON from its standard input, which stays open as long as somebody waits for the answer,
starts the command, and writes one line of JSON on its standard output:

- `refused`: why the command could not be started;
- `exit` or `signal`: how it ended;
- `because`: `timeout`, `memory` or `abandoned`, where the supervisor ended it.

It is the *subreaper* of everything below it: what a command starts and leaves, in whatever session,
becomes its child and is killed with the rest. On systems without `/proc` only the command's process
group is.
"""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from typing import Any

GENTLE = 2.0
"""Seconds between being told to end and being killed."""

KILLING = 10.0
"""Seconds that killing goes on for where what is killed starts new processes meanwhile."""

_TURN = 0.1
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PARENT_FIELD, _STATE_FIELD = 1, 0


def main() -> None:
    """Run the command of one job and tell how it ended."""
    job = json.loads(sys.stdin.buffer.readline())
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends with its standard input
    _control(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        process = _start(job)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        _tell(refused=_why(error, job["words"][0]))
        return
    watch = _Watch(process.pid, job)
    because = watch.until_ended()
    if because is not None:
        watch.end_gently()
    watch.kill_all()
    _tell(**watch.told(), because=because)


def _start(job: dict[str, Any]) -> "subprocess.Popen[bytes]":
    limit = job["memory"]

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if limit is not None:
            # Of memory, not of addresses: mapping a large file of weights costs no memory.
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    try:
        return subprocess.Popen(  # noqa: S603 -- what the owner of the machine lets run
            job["words"],
            stdin=subprocess.DEVNULL,
            stdout=job["log"],
            stderr=job["log"],
            cwd=job["folder"],
            env=job["environment"],
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 -- this process has one thread
        )
    finally:
        os.close(job["log"])


class _Watch:
    """The command while it runs, and everything below it.

    Args:
        pid: Of the command.
        job: What it may use.
    """

    def __init__(self, pid: int, job: dict[str, Any]) -> None:
        self._pid = pid
        self._status: int | None = None
        self._memory: int | None = job["memory"]
        self._until = time.monotonic() + job["seconds"]

    def until_ended(self) -> str | None:
        """Wait for the command; return why it has to be ended, None where it ended by itself."""
        with _end_of(self._pid) as ends:
            while True:
                left = self._until - time.monotonic()
                ready, _, _ = select.select([0, *ends], [], [], max(0.0, min(left, _TURN)))
                self._reap()
                if self._status is not None:
                    return None
                if 0 in ready and not os.read(0, 1):
                    return "abandoned"
                if left <= 0:
                    return "timeout"
                if self._memory is not None and _uses_more(self._memory):
                    return "memory"

    def end_gently(self) -> None:
        """Tell the command to end, and give it a moment."""
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGTERM)
        until = time.monotonic() + GENTLE
        while self._status is None and time.monotonic() < until:
            time.sleep(0.02)
            self._reap()

    def kill_all(self) -> None:
        """Kill what is left of the command."""
        until = time.monotonic() + KILLING
        self._kill_group()
        while left := _below(os.getpid()):
            for pid in left:  # a stopped process starts no others
                _kill(pid, signal.SIGSTOP)
            for pid in _below(os.getpid()):
                _kill(pid, signal.SIGKILL)
            self._reap()
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        while self._status is None and time.monotonic() < until:
            self._reap()
            time.sleep(0.01)

    def told(self) -> dict[str, int]:
        """Return how the command ended."""
        if self._status is None:
            return {"signal": signal.SIGKILL}
        code = os.waitstatus_to_exitcode(self._status)
        return {"exit": code} if code >= 0 else {"signal": -code}

    def _kill_group(self) -> None:
        """Kill the command's group; its number is nobody else's while one of the group is there."""
        if self._status is None or _below(os.getpid()):
            with contextlib.suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self._status = status


@contextlib.contextmanager
def _end_of(pid: int) -> Any:
    """Yield what can be read from when a process has ended, where the system has such a thing."""
    try:
        found = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield []
        return
    try:
        yield [found]
    finally:
        os.close(found)


def _below(root: int) -> list[int]:
    """Return the processes below one, however deep; those that have ended are left out."""
    children: dict[int, list[int]] = {}
    ended = set()
    for pid in _processes():
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 -- no pathlib is loaded
                fields = file.read().rpartition(b")")[2].split()
            children.setdefault(int(fields[_PARENT_FIELD]), []).append(pid)
            if fields[_STATE_FIELD] in {b"Z", b"X"}:
                ended.add(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return [pid for pid in found if pid not in ended]


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return []


def _uses_more(limit: int) -> bool:
    """Tell whether everything below uses more memory than it may; shared memory counts once."""
    pids = _below(os.getpid())
    return sum(map(_own_memory, pids)) > limit and sum(map(_share_of_memory, pids)) > limit


def _own_memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * resource.getpagesize()


def _share_of_memory(pid: int) -> int:
    """Return what a process uses, of what it shares with others its part; slower to find out."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:  # noqa: PTH123
            lines = [line.split() for line in file]
    except OSError:
        return _own_memory(pid)
    kinds = {b"Pss_Anon:", b"Pss_Shmem:"}
    return sum(int(line[1]) << 10 for line in lines if line and line[0] in kinds)


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _control(option: int, value: int) -> None:
    """Ask Linux for something about this process; others have it not."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _why(error: Exception, program: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no program {program!r}"
    if isinstance(error, PermissionError):
        return f"{program!r} may not be run"
    reason = getattr(error, "strerror", None) or str(error)
    return f"{program!r} can't be run: {reason}"


def _tell(**answer: object) -> None:
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
