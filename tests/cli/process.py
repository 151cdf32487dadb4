"""The command line as tests use it: in this process, or as a process of its own."""

import contextlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from regtui.cli.main import run

NOBODY = 65534
"""A user who owns nothing."""


class Answer(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line on standard error, of a command that failed and printed nothing else."""
        assert self.out == ""
        assert self.err.startswith("regtui: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        assert "unforeseen" not in self.err
        return self.err[len("regtui: ") : -1]


class Regtui:
    """The command line on one home.

    Args:
        home: The registry's folder.
        configuration: Folder for keys.
    """

    def __init__(self, home: Path, configuration: Path) -> None:
        self.home = home
        self.started: list[subprocess.Popen[str]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            "REGTUI_HOME": str(home),
            "REGTUI_CONFIG": str(configuration),
            "PYTHONIOENCODING": "utf-8",
        }

    def __call__(self, *arguments: str | Path) -> Answer:
        """Run a command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str | Path) -> Any:
        """Run a command line that succeeds, and return its JSON document."""
        answer = self(*arguments, "--json")
        assert answer.code == 0, answer
        assert answer.err == ""
        return answer.json

    def process(
        self,
        *arguments: str | Path | bytes,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        file_limit: int | None = None,
        folder: Path | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> Answer:
        """Run a command line as a process of its own.

        Args:
            arguments: The command line.
            environment: Variables beside those that name home and configuration.
            user: Who runs it, if we are root; he may read everything, as the interpreter may stand
                in a private folder.
            file_limit: The largest file that it may write, in bytes.
            folder: Where it starts.
            stdin: What it reads.
        """

        def limit() -> None:
            if file_limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

        done = subprocess.run(
            [*as_user(user), *command(), *arguments],
            env={**self.environment, **(environment or {})},
            stdin=stdin,
            capture_output=True,
            check=False,
            cwd=folder,
            preexec_fn=limit if file_limit else None,
            timeout=60,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        """Start a command line whose output is read while it runs."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(
            [*command(), *map(str, arguments)], env=self.environment, text=True, **options
        )
        self.started.append(process)
        return process

    def end_started(self) -> None:
        """End what still runs of the started, so that a test that fails leaves none behind."""
        for process in self.started:
            with process:  # closes its pipes, and waits
                process.kill()
        self.started.clear()


def command() -> list[str]:
    """Return the words that start the command line, with this very interpreter."""
    return [sys.executable, "-m", "regtui"]


def as_user(user: int | None) -> list[str]:
    """Return the words that run a program as somebody else; none if we are not root anyway."""
    if user is None or os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("only root without setpriv is here")
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *reading]


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Act in this process as somebody who owns nothing, if we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
