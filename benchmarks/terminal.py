"""A program in a terminal of its own: keys go in, what it paints is read as lines of a screen.

A pilot's press costs 42 to 63 ms by itself, more than what is to be measured. So a program runs at
the far end of a pseudo-terminal, as it does for a person, and the clock runs from the moment a key
is written until the last byte of what it should paint was read.

The screen understands what Textual writes: the cursor goes somewhere, text follows, colours don't
matter. Besides the lines it keeps which of them were *painted* since the last key, because what a
key should show often stood there already, in another colour. Nobody reads while nobody waits, so
waiting is always a call here; a program that paints more than the system buffers would stand still.
"""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.cells import cell_len

WIDTH, HEIGHT = 160, 48

PATIENCE = 20.0
"""Seconds after which a program that paints nothing of what it should has failed."""

QUIET = 0.12
"""Seconds without output after which a program is at rest."""

_SEQUENCE = r"\x1b\[([0-9;:<>?$]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]"
_PIECES = re.compile(_SEQUENCE + r"|[^\x1b]+", re.DOTALL)
_SYNCHRONIZED = b"\x1b[?2026$p"
_ENVIRONMENT = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "",
}


class Screen:
    """The characters on the screen, and the lines that were painted since somebody asked."""

    def __init__(self) -> None:
        self._cells = [[" "] * WIDTH for _ in range(HEIGHT)]
        self._row, self._column = 0, 0
        self.painted: set[int] = set()

    def take(self, text: str) -> None:
        """Paint what a program wrote: whole sequences, never half of one."""
        for piece in _PIECES.finditer(text):
            if piece[2] == "H":
                places = [int(part or 1) for part in piece[1].split(";")]
                self._row, self._column = [*(n - 1 for n in places), 0][:2] if places else [0, 0]
            elif piece[2] is None and piece[0][0] != "\x1b":
                self._put(piece[0])

    def line(self, row: int) -> str:
        """Return the text of a line."""
        return "".join(self._cells[row])

    def shows(self, pattern: str, *, painted: bool = False) -> bool:
        """Tell whether a pattern stands on a line.

        Args:
            pattern: A regular expression.
            painted: Whether only lines count that were painted since the last key.
        """
        rows = sorted(self.painted) if painted else range(HEIGHT)
        return any(re.search(pattern, self.line(row)) for row in rows)

    def count(self, pattern: str) -> int:
        """Return how many lines match a regular expression."""
        return sum(bool(re.search(pattern, self.line(row))) for row in range(HEIGHT))

    def _put(self, text: str) -> None:
        for char in text:
            if char == "\r":
                self._column = 0
            elif char == "\n":
                self._row += 1
            elif char.isprintable() and self._row < HEIGHT:
                self.painted.add(self._row)
                if self._column < WIDTH:
                    self._cells[self._row][self._column] = char
                self._column += 1 if char.isascii() else cell_len(char)


class Terminal:
    """A program that runs in a terminal until the context ends.

    Args:
        command: Absolute path of the program, and arguments.
        environment: Variables beside those of this process.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.screen = Screen()
        self._rest = b""
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        surroundings = {**os.environ, **_ENVIRONMENT, **environment}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            surroundings.pop(name, None)
        self._since = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=surroundings,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        """Return the terminal; the program runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the program."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        """Write keys; the clock and what is painted count from here on."""
        self._read(0)
        self.screen.painted.clear()
        self._since = time.perf_counter()
        os.write(self._master, keys.encode())

    def until(self, condition: Callable[[], bool]) -> float:
        """Read until a condition holds; return how many seconds after the last key it did.

        Raises:
            TimeoutError: It never did; what is on the screen is told.
        """
        while not condition():
            if not self._read(PATIENCE):
                lines = "\n".join(self.screen.line(row).rstrip() for row in range(HEIGHT))
                raise TimeoutError(f"the screen shows\n{lines}")
        return self._read_at - self._since

    def paints(self, pattern: str) -> float:
        """Read until a line that matches is painted; return how long after the key it was."""
        try:
            return self.until(lambda: self.screen.shows(pattern, painted=True))
        except TimeoutError as error:
            raise TimeoutError(f"{pattern!r} was not painted; {error}") from None

    def rest(self, seconds: float = QUIET) -> None:
        """Read until the program paints nothing for so long."""
        while self._read(seconds):
            pass

    def wait(self, seconds: float) -> None:
        """Read for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    @property
    def elapsed(self) -> float:
        """Seconds since the last key."""
        return time.perf_counter() - self._since

    @property
    def peak(self) -> float:
        """The most memory that the program has used so far, in MiB."""
        return self._memory("VmHWM")

    @property
    def resident(self) -> float:
        """The memory that the program uses now, in MiB."""
        return self._memory("VmRSS")

    def _memory(self, name: str) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def _read(self, seconds: float) -> bool:
        """Read what there is, after a wait of at most so long; tell whether there was something."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the program ended
            return False
        self._read_at = time.perf_counter()
        if _SYNCHRONIZED in data:
            os.write(self._master, b"\x1b[?2026;1$y")
        data = self._rest + data
        whole = _whole(data)
        self._rest = data[whole:]
        self.screen.take(data[:whole].decode(errors="replace"))
        return bool(data)


def _whole(data: bytes) -> int:
    """Return how many bytes are whole characters and whole sequences."""
    escape = data.rfind(b"\x1b")
    if escape >= 0 and not re.match(_SEQUENCE.encode(), data[escape:]):
        return escape
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 + (byte >= 0xE0) + (byte >= 0xF0)
            return len(data) if back >= length else len(data) - back
    return len(data)
