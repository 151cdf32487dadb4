"""The five minutes of the README and of docs/getting-started.md, typed into a real terminal."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.demo.make import Demo, make_demo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, which draws the terminal"),
]

PATIENCE = 30.0
"""Seconds until something has to be on the screen."""


class Terminal:
    """A terminal of tmux with a program in it."""

    def __init__(self, folder: Path, size: tuple[int, int], command: list[str]) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "tmux.sock")]
        width, height = size
        environment = {**os.environ, "REGTUI_CONFIG": str(folder / "config"), "LC_ALL": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", str(width), "-y", str(height), *command],
            check=True,
            env=environment,
        )
        self._run("set-option", "-g", "remain-on-exit", "on")

    def type(self, *keys: str) -> None:
        """Press keys by their names in tmux, such as `j`, `Enter` or `Escape`."""
        for key in keys:
            self._run("send-keys", key)

    @property
    def screen(self) -> str:
        """What is on the screen."""
        return self._run("capture-pane", "-p")

    def shows(self, *texts: str) -> str:
        """Wait until all texts are on the screen, and return that."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            screen = self.screen
            if all(text in screen for text in texts):
                return screen
            time.sleep(0.05)  # a terminal tells nobody that it was drawn on
        raise AssertionError(f"{texts} are not on the screen:\n{self.screen}")

    def hides(self, text: str) -> None:
        """Wait until a text is not on the screen any more."""
        deadline = time.monotonic() + PATIENCE
        while text in self.screen:
            assert time.monotonic() < deadline, self.screen
            time.sleep(0.05)

    @property
    def is_over(self) -> bool:
        """Whether the program has ended."""
        return self._run("display-message", "-p", "#{pane_dead}").strip() == "1"

    def close(self) -> None:
        """Stop the terminal."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("tour")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        return make_demo(folder / "demo")


@pytest.fixture(params=[(80, 24), (200, 60)], ids=["80x24", "200x60"])
def terminal(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[Terminal]:
    home = shutil.copytree(demo.home, tmp_path / "home")
    command = [sys.executable, "-m", "regtui", "--home", str(home)]
    found = Terminal(tmp_path, request.param, command)
    try:
        yield found
    finally:
        found.close()


def test_the_tour(terminal: Terminal) -> None:
    terminal.shows("all models", "nlp", "inbox", "19 versions")

    # The first model is the third line: all models, a folder, and it.
    terminal.type("j", "j", "Enter")
    terminal.shows("forecast/sales", "3 versions", "@3", "production")

    # `/` filters, `tab` completes.
    terminal.type("/", *"metric.ma", "Tab", *"<0.15")
    terminal.shows("metric.mae<0.15", "2 versions")
    terminal.type("Enter")

    # `space` marks and `c` compares.
    terminal.type("Space", "Space", "c")
    terminal.shows("METRICS", "mae", "@3", "@2")

    # `7` shows who did what.
    terminal.type("7")
    terminal.shows("captured inbox/mystery@1", "ben")

    # `u` takes your last change back; it asks, for a whole version goes.
    terminal.type("1")
    terminal.shows("Version")
    terminal.type("u")
    terminal.shows("It takes back: captured inbox/mystery@1")
    terminal.type("y")
    terminal.shows("undid")

    # `?` tells every key.
    terminal.type("?")
    terminal.shows("What can be done here")
    terminal.type("Escape")
    terminal.hides("What can be done here")  # or ESC and q would arrive as one, which is alt+q

    # `q` leaves.
    terminal.type("q")
    deadline = time.monotonic() + PATIENCE
    while not terminal.is_over:
        assert time.monotonic() < deadline, terminal.screen
        time.sleep(0.05)
