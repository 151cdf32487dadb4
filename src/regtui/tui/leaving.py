"""What ends the app from outside: a signal, or a terminal that is gone.

By default a signal would end the process on the spot, and leave the terminal as the app had it. And
where no signal tells of it, a terminal that is gone reads like keys without end: the app would stay
behind and keep a processor busy.
"""

import asyncio
import contextlib
import select
import signal
import sys
from collections.abc import Callable

HUNG_UP = 128 + signal.SIGHUP
"""The exit code of a process whose terminal is gone."""


def on_signals(end: Callable[[int], None]) -> None:
    """Call something with the exit code when the process is asked to end.

    Args:
        end: Is called in the event loop that runs now.
    """
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # another thread
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, end, 128 + number)


def is_hung_up() -> bool:
    """Tell whether the terminal that keys come from is gone."""
    if sys.__stdin__ is None:
        return True
    with contextlib.suppress(OSError, ValueError):  # it is no file, or was closed
        watched = select.poll()
        watched.register(sys.__stdin__.fileno(), 0)
        return any(event & select.POLLHUP for _, event in watched.poll(0))
    return False
