"""Tables: columns of wide characters align, and a line fits its terminal."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import unicodedata

import pytest

from regtui.cli.output import printable, table
from regtui.registry.figures import age_text, number_text, size_text
from tests.cli.process import Regtui, command


def columns(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def on_a_terminal(regtui: Regtui, width: int, *arguments: str) -> list[str]:
    """Return the lines that a command prints on a terminal of this width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: v for name, v in regtui.environment.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [*command(), *arguments], env=environment, stdin=follower, stdout=follower, stderr=follower
    ) as process:
        os.close(follower)
        found = b""
        try:
            while piece := os.read(leader, 1 << 16):
                found += piece
        except OSError:  # how Linux says that nobody writes there any more
            pass
    os.close(leader)
    assert process.returncode == 0
    return found.decode().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_line_fits_its_terminal(ranker: Regtui, width: int) -> None:
    ranker("edit", "team/ranker@1", "--tag", "面=模型模型模型模型模型模型", "-d", "長い" * 30)
    lines = on_a_terminal(ranker, width, "ls", "--columns", "version,tags,description,metric.ndcg")
    assert len(lines) == 2
    assert max(columns(line) for line in lines) <= width
    assert ("…" in lines[1]) is (width < 200)


def test_a_pipe_gets_everything(ranker: Regtui) -> None:
    ranker("edit", "team/ranker@1", "-d", "x" * 500)
    assert "x" * 500 in ranker("ls", "--columns", "description").out


def test_wide_characters_count_twice_and_accents_not_at_all() -> None:
    lines = table(("A", "B"), [["模型", "1"], ["e\u0301te\u0301", "2"], ["👩", "3"]]).splitlines()
    assert lines == ["A     B", "模型  1", "e\u0301te\u0301   2", "👩    3"]


def test_numbers_align_right() -> None:
    assert table(("N",), [["1"], ["100"]], right="N") == "  N\n  1\n100"


def test_cells_are_one_line_and_steer_no_terminal() -> None:
    shown = table(("A",), [["a\nb\x1b[31m\r\0\u202ec"]])
    assert shown.splitlines()[1] == "a b [31m   c"


def test_messages_steer_no_terminal() -> None:
    assert printable("a\nb\x1b[2J\u202e\udcff") == "a\\nb\\x1b[2J\\u202e\\udcff"
    assert printable("モデル é 🚀") == "モデル é 🚀"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 << 30, "5.0 GiB"),
        (3 << 50, "3072.0 TiB"),
    ],
)
def test_sizes_are_short(size: int, text: str) -> None:
    assert size_text(size) == text


def test_figures_are_short() -> None:
    assert [number_text(value) for value in (0.1 + 0.2, 1e-9, 123456789.0, "NaN", None)] == [
        "0.3", "1e-09", "1.23457e+08", "NaN", ""
    ]  # fmt: skip


def test_ages_are_in_their_largest_unit() -> None:
    assert age_text("2000-01-01T00:00:00.000Z").endswith("y")
    assert age_text("9999-01-01T00:00:00.000Z") == "0s"


class App:
    """The app in a terminal of its own, once it shows the registry.

    Attributes:
        found: What it has sent to the terminal so far.
    """

    def __init__(self, regtui: Regtui) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**regtui.environment, "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            [*command(), "ui"], env=environment, stdin=follower, stdout=follower, stderr=follower
        )
        os.close(follower)
        self.found = b""
        self.wait_for(b"ranker")

    def send(self, sent: bytes) -> None:
        os.write(self._leader, sent)

    def wait_for(self, text: bytes, *, typing: bytes = b"") -> None:
        """Read until a text is there, typing something again and again."""
        while text not in self.found:
            self.send(typing)
            if select.select([self._leader], [], [], 0.3)[0]:
                self.found += os.read(self._leader, 1 << 16)

    def end(self) -> int:
        """Tell it to end, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):
            while piece := os.read(self._leader, 1 << 16):
                self.found += piece
        os.close(self._leader)
        return self._process.wait()


def test_an_app_that_is_told_to_end_gives_the_terminal_back(ranker: Regtui) -> None:
    app = App(ranker)

    assert app.end() == 128 + signal.SIGTERM
    assert app.found.count(b"\x1b[?1049h") == app.found.count(b"\x1b[?1049l") == 1
    assert b"Traceback" not in app.found


@pytest.mark.parametrize(
    "sent", [b"\xe9", b"\x1b[1114112u", b"\x1b[" + b"9" * 20 + b"~", b"\x1b[M\x20\xf0\x30"]
)
def test_whatever_a_terminal_sends_the_app_goes_on(ranker: Regtui, sent: bytes) -> None:
    app = App(ranker)
    app.send(sent)
    # A key that is read together with it may be dropped with it.
    app.wait_for(b"What can be done here", typing=b"?")

    assert app.end() == 128 + signal.SIGTERM
    assert b"Traceback" not in app.found
