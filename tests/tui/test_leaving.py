"""The app ends when it is asked to, and where its terminal is gone; the terminal is as before."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.registry import Registry

pytestmark = pytest.mark.slow

PATIENCE = 60.0
"""Seconds until something has to have happened."""

QUIET = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
START = "from regtui.cli.main import main; main()"


class Running:
    """The app on a pseudoterminal of its own, whose other side is read here."""

    def __init__(self, home: Path, config: Path, before: str = "") -> None:
        self.side, terminal = pty.openpty()
        self.mode = termios.tcgetattr(terminal)
        self.terminal = terminal
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + START, "--home", str(home)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm-256color", "REGTUI_CONFIG": str(config)},
            start_new_session=True,
        )
        self.written = b""

    def writes(self, text: bytes) -> None:
        """Wait until the app has written something."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.written:
            assert time.monotonic() < deadline, self.written[-2000:]
            if select.select([self.side], [], [], 0.1)[0]:
                self.written += os.read(self.side, 65_536)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def started(sample: Registry, tmp_path: Path) -> Iterator[Running]:
    running = Running(sample.home, tmp_path / "config")
    yield running
    running.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_app_and_the_terminal_is_as_before(
    started: Running, number: signal.Signals
) -> None:
    started.writes(b"versions")
    started.process.send_signal(number)
    started.writes(b"\x1b[?1049l")  # the other screen is left
    assert started.process.wait(PATIENCE) == 128 + number
    assert termios.tcgetattr(started.terminal) == started.mode


def test_without_its_terminal_the_app_ends_even_where_no_signal_tells(
    sample: Registry, tmp_path: Path
) -> None:
    running = Running(sample.home, tmp_path / "config", before=QUIET)
    running.writes(b"versions")
    os.close(running.terminal)
    os.close(running.side)
    try:
        assert running.process.wait(PATIENCE) != 0
    finally:
        running.close()
