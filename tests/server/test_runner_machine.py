"""A machine that runs the checks of others: by commands, against a real server process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKS = """
[[check]]
name = "smoke"
models = "nlp/*"
run = "sh -c 'cat $REGTUI_FILES/weights.bin; echo regtui:figure f1=0.9'"
on = ["capture"]

[[check]]
name = "whole"
models = "nlp/*"
builtin = "files-intact"
on = ["request"]
"""

Answer = tuple[int, str, str]


class Machines:
    """The homes of several people and machines on one server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "REGTUI_TOKEN"},
            "REGTUI_CONFIG": str(folder / "config"),
        }
        made = self._run("sync_server", "init", "--data", folder / "data", "--admin", "ann",
                         "--json")  # fmt: skip
        self._tokens = {"ann": json.loads(made[1])["token"]}
        command = [sys.executable, "-m", "sync_server", "run", "--data", str(folder / "data"),
                   "--port", "0"]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self._url = self.process.stdout.readline().removeprefix("listening on ").strip()
        self.join("ann")

    def add(self, name: str, **roles: str) -> None:
        """Let somebody in, with the scope of each of his roles."""
        data = ("--data", self._folder / "data")
        self._run("sync_server", "user", "add", name, *data)
        for role, scope in roles.items():
            assert self._run("sync_server", "grant", "add", name, role, scope, *data)[0] == 0
        made = self._run("sync_server", "token", "create", "--user", name, *data, "--json")
        self._tokens[name] = json.loads(made[1])["token"]
        self.join(name)

    def join(self, name: str) -> None:
        assert self(name, "remote", "add", self._url)[0] == 0
        joined = self(name, "login", "--token", self._tokens[name])
        assert joined[0] == 0, joined
        self(name, "sync")

    def __call__(self, name: str, *words: object) -> Answer:
        """Run a command on somebody's machine."""
        return self._run("regtui", "--home", self._folder / name, *words)

    def json(self, name: str, *words: object) -> Any:
        code, out, err = self(name, *words, "--json")
        assert code == 0, err
        return json.loads(out)

    def _run(self, program: str, *words: object) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", program, *map(str, words)],
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self._folder,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    yield made
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(20) == 0
    assert made.process.stdout is not None
    made.process.stdout.close()


@pytest.fixture
def checked(machines: Machines, tmp_path: Path) -> Machines:
    """The same with a version of ann's, her checks, and a machine that runs them for others."""
    (tmp_path / "checks.toml").write_text(CHECKS, encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights.bin").write_text("weights\n")
    machines("ann", "check", "put", "checks.toml")
    machines("ann", "capture", "run", "--model", "nlp/bert", "--no-checks")
    assert machines("ann", "sync")[0] == 0
    machines.add("ci", viewer="nlp/*", reporter="*")
    return machines


@pytest.mark.slow
def test_a_runner_fetches_what_waits_runs_what_is_trusted_and_tells_what_counts(
    checked: Machines,
) -> None:
    code, _, err = checked("ci", "check", "run", "--pending")
    assert code == 4  # of what waits, nothing may run here
    assert "smoke did not run: its command is not trusted here" in err
    assert checked("ci", "check", "trust", "smoke")[0] == 0
    (run,) = checked.json("ci", "check", "run", "--pending")["runs"]
    assert (run["model"], run["outcome"], run["figures"]) == ("nlp/bert", "passed", {"f1": 0.9})
    checked("ann", "sync")
    (seen,) = checked.json("ann", "check", "ls", "nlp/bert@1")["runs"]
    assert (seen["author"], seen["counts"], seen["stale"]) == ("ci", True, False)
    log = checked.json("ann", "check", "log", "nlp/bert@1", "smoke")["log"]
    assert log.startswith("weights")


@pytest.mark.slow
def test_without_the_server_a_check_ends_with_an_outcome_that_waits(checked: Machines) -> None:
    checked("ci", "check", "trust", "smoke")
    checked.process.kill()
    checked.process.wait()
    code, out, _ = checked("ci", "check", "run", "nlp/bert@1", "smoke")
    assert (code, out.split()[0]) == (1, "error")  # its files were not fetched
    (run,) = checked.json("ci", "check", "ls", "nlp/bert@1")["runs"]
    assert run["pending"]
    assert checked("ci", "check", "run", "--pending")[0] == 0


@pytest.mark.slow
def test_a_runner_that_may_tell_nothing_any_more_says_so(checked: Machines, tmp_path: Path) -> None:
    """Its right is taken away while the check runs."""
    takes = f"{sys.executable} -m sync_server grant rm ci * --data {tmp_path / 'data'}"
    text = f'[[check]]\nname = "smoke"\nmodels = "nlp/*"\nrun = "{takes}"\non = ["capture"]\n'
    (tmp_path / "takes.toml").write_text(text, encoding="utf-8")
    assert checked("ann", "check", "put", "takes.toml")[0] == 0
    checked("ann", "sync")
    checked("ci", "sync")
    checked("ci", "check", "trust", "smoke")
    code, out, err = checked("ci", "check", "run", "--pending")
    assert (code, out.split()[0]) == (1, "passed")
    assert "1 change refused; `regtui outbox ls` tells why" in err
    checked("ci", "outbox", "discard", "--all")
    code, _, err = checked("ci", "check", "run", "--pending")
    assert (code, err.count("\n")) == (4, 1)
    assert "needs the role contributor, or reporter" in err
