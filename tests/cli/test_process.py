"""What only a process can show: what it loads, signals, pipes and several of them at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regtui.replica.locks import ReplicaLock
from tests.cli.process import Regtui, command
from tests.replica.ledger import check_replica

HEAVY = (
    "duckdb", "rich", "httpx", "textual", "cryptography", "pydantic", "numpy", "pandas", "asyncio",
    "platformdirs", "watchfiles", "logging", "concurrent", "multiprocessing", "email", "http",
)  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [["ls"], ["ls", "--json"], ["show", "team/ranker@1"], ["models"], ["aliases"]]
)
def test_a_cold_read_loads_nothing_that_it_does_not_use(
    ranker: Regtui, arguments: list[str]
) -> None:
    script = (
        "import sys; from regtui.cli.main import run; code = run(sys.argv[1:]); "
        "print('\\n'.join(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=ranker.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.splitlines())
    assert {name for name in loaded if name.split(".")[0] in HEAVY} == set()
    assert "regtui.core.judgement" not in loaded
    assert "regtui.formats" not in loaded
    commands = {name for name in loaded if name.startswith("regtui.cli.commands.")}
    assert commands == {f"regtui.cli.commands.{arguments[0]}"}


def test_help_loads_no_command_and_no_database(regtui: Regtui) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "regtui", "--help"],
        env=regtui.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "regtui.cli.lazy" in loaded
    assert not {"_duckdb", "msgspec", *HEAVY} & loaded
    assert not [name for name in loaded if name.startswith("regtui.cli.commands.")]


def test_a_reader_that_goes_away_is_no_failure(ranker: Regtui) -> None:
    for arguments in ("ls --json", "sql 'from range(100000)'", "sql 'from range(100000)' --csv"):
        line = f"{{ {' '.join(command())} {arguments}; echo $? >&2; }} | head -1"
        done = subprocess.run(
            ["sh", "-c", line], env=ranker.environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.count("\n") == 1
        assert done.stderr in {"0\n", "1\n"}


def test_an_interrupted_capture_leaves_nothing_half_done(ranker: Regtui, run: Path) -> None:
    before = ranker.json("ls")
    stored = objects(ranker.home)
    with (run / "model.bin").open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(4 << 20))
    process = ranker.start("capture", run, "--model", "team/ranker")
    wait_until_it_writes(ranker.home / "tmp")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "regtui: interrupted; nothing was left half-done"
    assert ranker.json("ls") == before
    assert objects(ranker.home) == stored
    assert [path for path in (ranker.home / "tmp").iterdir() if path.is_dir()] == []
    check_replica(ranker.home)


def objects(home: Path) -> set[Path]:
    return {path for path in (home / "objects").rglob("*") if path.is_file()}


def wait_until_it_writes(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not any(size_now(path) for path in folder.rglob("*") if path.parent != folder):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def size_now(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a temporary file comes and goes while we look
        return 0


def test_an_interrupted_question_ends_at_once(ranker: Regtui) -> None:
    process = ranker.start("sql", "select sum(hash(a.range)) from range(100000) a, range(100000) b")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == "regtui: interrupted; nothing was left half-done"


def test_an_interrupted_wait_ends_at_once_and_holds_nothing(ranker: Regtui) -> None:
    lock = ReplicaLock(ranker.home)
    with lock.exclusive():
        process = ranker.start("ls")
        wait_until_it_waits(ranker.home / "gate")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err.strip().endswith("nothing was left half-done")
    assert ranker("ls").code == 0


def wait_until_it_waits(gate: Path) -> None:
    import fcntl

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with gate.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def test_a_registry_that_stays_busy_names_who_holds_it(ranker: Regtui) -> None:
    with ReplicaLock(ranker.home).exclusive():
        for arguments in (["ls"], ["edit", "team/ranker@1", "-d", "x"]):
            answer = ranker.process(*arguments, environment={"REGTUI_WAIT": "0.2"})
            assert answer.code == 9
            assert f"(pid {os.getpid()})" in answer.error
            assert "the replica is in use by" in answer.error


def test_many_first_commands_at_once_make_one_registry(regtui: Regtui, run: Path) -> None:
    processes = [
        regtui.start("capture", run, "--model", "m", "--json", "--tag", f"t{number}=1")
        for number in range(6)
    ]
    answers = []
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), out
        answers.append(json.loads(out))
    assert sorted(answer["created"] for answer in answers) == [False] * 5 + [True]
    assert len({answer["version"]["id"] for answer in answers}) == 1
    assert len(regtui.json("show", "m@1")["version"]["tags"]) == 6
    check_replica(regtui.home)
