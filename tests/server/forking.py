"""Processes of the server that need not import it: to do that takes a second each time.

One process imports it and forks at each request. What runs then is a process of its own like any
other, with arguments, environment, output, signals and an exit code.
"""

import atexit
import contextlib
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

LONGEST = 1 << 17
"""Bytes of a request."""


class Forked:
    """A process of the server, as `subprocess.Popen` has it.

    Args:
        words: The arguments of `regtui-server`.
        environment: All of its environment.
        output: Its standard output; a pipe that `stdout` reads, where there is none.
        errors: Its standard error.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes] | None,
        errors: IO[bytes],
    ) -> None:
        self._words = list(words)
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        self._told, telling = os.pipe()
        reading, writing = os.pipe()
        to = writing if output is None else output.fileno()
        request = json.dumps({"words": self._words, "environment": dict(environment)})
        socket.send_fds(_forker(), [request.encode()], [to, errors.fileno(), telling])
        os.close(telling)
        os.close(writing)
        if output is None:
            self.stdout = os.fdopen(reading, encoding="utf-8")
        else:
            os.close(reading)
        self.pid = int(os.read(self._told, _WIDTH))

    def poll(self) -> int | None:
        """Return the exit code, that of a signal is negative; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._words, timeout or 0)
            self.returncode = int(os.read(self._told, _WIDTH))
            os.close(self._told)
        return self.returncode

    def send_signal(self, how: signal.Signals) -> None:
        """Send a signal, unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


_IMPORTED = (
    "sync_server.commands",
    "sync_server.http",
    "sync_server.listening",
    "anyio._backends._asyncio",
    "uvicorn.protocols.http.auto",
    "sqlalchemy.dialects.sqlite",
)

_WIDTH = 12
"""Characters of a number in the pipe in which a process is told of: its id, and then its code."""


@functools.cache
def _forker() -> socket.socket:
    """Start the process that forks; it ends when nobody is left who could ask it to."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.forking", str(there.fileno())],
        pass_fds=[there.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    there.close()
    atexit.register(_end, here, process)
    return here


def _end(requests: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    requests.close()
    process.wait()


def _serve(requests: socket.socket) -> None:
    """Fork at each request, until nobody is left who makes one; returns in forked processes."""
    for name in _IMPORTED:
        importlib.import_module(name)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    while True:
        message, files, _, _ = socket.recv_fds(requests, LONGEST, 3)
        if not message:
            os._exit(0)
        output, errors, telling = files
        if os.fork():
            for one in (output, errors, telling):
                os.close(one)
            continue
        requests.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        process = os.fork()
        if process:
            _wait_for(process, telling)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        for one in (output, errors, telling):
            os.close(one)
        given = json.loads(message)
        os.environ.clear()
        os.environ.update(given["environment"])
        sys.argv = ["regtui-server", *given["words"]]
        return


def _wait_for(process: int, telling: int) -> None:
    """Tell of a process, and at its end how that was."""
    for one in range(3):
        with contextlib.suppress(OSError):
            os.close(one)
    os.write(telling, f"{process:<{_WIDTH}}".encode())
    _, status = os.waitpid(process, 0)
    os.write(telling, f"{os.waitstatus_to_exitcode(status):<{_WIDTH}}".encode())
    os._exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from sync_server.__main__ import main

    main()
