"""Whatever a command does, it ends with an outcome and leaves nothing behind."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from regtui.checks.bounded_log import HEAD, TAIL
from regtui.checks.command import Command, Ended, Stopped, run, split
from regtui.core.errors import BadInput

PATIENCE = float(os.environ.get("REGTUI_PATIENCE", "60"))


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


_MANY = """
import os, time
for _ in range(6):
    os.fork()
kept = bytearray(os.urandom(64)) * (1 << 20)
time.sleep(1000)
"""


def shell(program: str) -> tuple[str, ...]:
    return "sh", "-c", program


def tried(folder: Path, words: tuple[str, ...], **more: Any) -> Ended:
    settings: dict[str, Any] = {"variables": {}, "seconds": PATIENCE, **more}
    return run(Command(words=words, folder=folder, **settings))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in {b"Z", b"X"}


def pids_in(folder: Path) -> list[int]:
    return [int(one.name) for one in folder.iterdir() if one.name.isdigit()]


def test_an_exit_code_says_whether_it_passed(tmp_path: Path) -> None:
    assert tried(tmp_path, shell("echo fine")) == Ended(outcome="passed", log="fine\n")
    failed = tried(tmp_path, shell("echo no >&2; exit 3"))
    assert (failed.outcome, failed.reason) == ("failed", "it ended with exit code 3")
    assert failed.log == "no\nregtui: it ended with exit code 3\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("no-such-program",), "there is no program 'no-such-program'"),
        (("./model.bin",), "'./model.bin' may not be run"),
        (("./broken",), "'./broken' can't be run: Exec format error"),
        (("./\0",), "can't be run: embedded null byte"),
        (("true", "a" * (1 << 20)), "'true' can't be run: Argument list too long"),
        (shell("kill -SEGV $$"), "it was killed by SIGSEGV"),
        (shell("kill -KILL $PPID"), "how it ended is not known: what looked after it was killed"),
    ],
)
def test_what_could_not_say_anything_is_an_error(
    tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "broken").write_bytes(b"\0\1\2")
    (tmp_path / "broken").chmod(0o755)
    ended = tried(tmp_path, words)
    assert ended.outcome == "error"
    assert reason in ended.reason


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert tried(tmp_path / "gone", ("true",)).outcome == "error"


def test_it_is_stopped_when_its_time_is_over(tmp_path: Path) -> None:
    ended = tried(tmp_path, shell("echo begun; sleep 1000"), seconds=0.5)
    assert (ended.outcome, ended.reason) == ("timeout", "it was stopped after 0.5 s")
    assert ended.log == "begun\nregtui: it was stopped after 0.5 s\n"


def test_it_may_put_things_in_order_before_it_is_killed(tmp_path: Path) -> None:
    ended = tried(tmp_path, shell("trap 'echo tidy; exit 0' TERM; sleep 1000 & wait"), seconds=0.5)
    assert ended.outcome == "timeout"
    assert "tidy" in ended.log


def test_what_does_not_want_to_end_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(999)"
    assert tried(tmp_path, python(stubborn), seconds=0.5).outcome == "timeout"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the group is known")
@pytest.mark.parametrize("seconds", [PATIENCE, 1.0])
def test_nothing_that_it_started_outlives_it(tmp_path: Path, seconds: float) -> None:
    program = f"""
import os, subprocess, sys, time
for session in (False, True):
    for environment in (None, {{}}):
        subprocess.Popen(["sleep", "1000"], start_new_session=session, env=environment)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:  # twice, as daemons do
        open({str(tmp_path)!r} + f"/{{os.getpid()}}", "w")
        time.sleep(1000)
    os._exit(0)
for child in open(f"/proc/self/task/{{os.getpid()}}/children").read().split():
    open({str(tmp_path)!r} + f"/{{child}}", "w")
while len(os.listdir({str(tmp_path)!r})) < 5:
    time.sleep(0.01)
time.sleep({0 if seconds == PATIENCE else 1000})
"""
    ended = tried(tmp_path, python(program), seconds=seconds)
    assert ended.outcome == ("passed" if seconds == PATIENCE else "timeout"), ended
    assert len(pids_in(tmp_path)) >= 5
    assert [pid for pid in pids_in(tmp_path) if is_running(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the group is known")
def test_what_forks_without_end_is_ended(tmp_path: Path) -> None:
    program = """
import os, time
for _ in range(6):
    os.fork()
while True:
    if os.fork() == 0:
        time.sleep(0.05)
        os._exit(0)
    time.sleep(0.01)
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        pass
"""
    environment = {"MARK": str(tmp_path)}
    ended = tried(tmp_path, python(program), seconds=1.0, variables=environment)
    assert ended.outcome == "timeout"
    mark = f"MARK={tmp_path}".encode()
    assert [one for one in Path("/proc").glob("[0-9]*/environ") if mark in _read(one)] == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_of_a_gigabyte_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    ended = tried(tmp_path, shell("echo first; yes xxxxxxx | head -c 1000000000; echo last"))
    assert ended.outcome == "passed"
    assert ended.log.startswith("first\nxxxxxxx\n")
    assert ended.log.endswith("\nxxxxxxx\nlast\n")
    dropped = 1_000_000_000 + len("first\n") + len("last\n") - HEAD - TAIL
    assert f"\n[… {dropped:,} bytes are left out …]\n" in ended.log


def test_what_is_printed_can_not_steer_a_terminal(tmp_path: Path) -> None:
    program = r"printf '\033[31mred\033[0m \033]0;title\007 \000\007 10%%\r20%%\r\n\377\n'"
    assert tried(tmp_path, shell(program)).log == "red  \ufffd\ufffd 10%\n20%\n\ufffd\n"


def test_it_has_nothing_to_read(tmp_path: Path) -> None:
    assert tried(tmp_path, shell("cat; echo read")).log == "read\n"


def test_its_environment_is_what_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("REGTUI_HOME", "/home")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    ended = tried(tmp_path, shell("env"), variables={"REGTUI_CHECK": "smoke"})
    found = dict(line.split("=", 1) for line in ended.log.splitlines())
    assert found["REGTUI_CHECK"] == "smoke"
    assert found["LANG"] == "C.UTF-8"
    assert {"PATH", "HOME"} <= found.keys()
    assert not {"REGTUI_TOKEN", "AWS_SECRET_ACCESS_KEY", "REGTUI_HOME", "PYTHONPATH"} & found.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are other limits")
@pytest.mark.parametrize(
    "program",
    [
        "bytearray(10 ** 12)",
        "kept = [bytearray(10 << 20) for _ in range(1_000)]",
        _MANY,
    ],
    ids=["at once", "little by little", "by many processes"],
)
def test_more_memory_than_it_may_use_is_an_error(tmp_path: Path, program: str) -> None:
    ended = tried(tmp_path, python(program), memory=256 << 20)
    assert (ended.outcome, "256 MiB" in ended.reason) == ("error", True), ended


def test_figures_come_from_a_file_or_else_from_lines(tmp_path: Path) -> None:
    lines = shell("echo ' regtui:figure f1=0.9'; echo regtui:figure loss=nan; echo f2=1")
    assert tried(tmp_path, lines).figures == {"f1": 0.9, "loss": "NaN"}
    file = tmp_path / "figures"
    written = python(
        "import json; print('regtui:figure f1=0.9');"
        f"json.dump({{'f1': 0.5, 'n': 3, 'worst': -float('inf')}}, open({str(file)!r}, 'w'))"
    )
    assert tried(tmp_path, written, figures=file).figures == {
        "f1": 0.5, "n": 3.0, "worst": "-Infinity",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("echo '{' > $F", "the file of figures is no JSON"),
        ("echo '[1]' > $F", "the file of figures is no JSON object"),
        ("echo '{\"f1\": [1]}' > $F", "the figure 'f1' is no number: '[1]'"),
        ("echo '{\"\": 1}' > $F", "the figure '' has no name that can be kept"),
        ("mkfifo $F", "the file of figures is no file"),
        ("mkdir $F", "the file of figures is no file"),
        ("ln -s /dev/zero $F", "the file of figures can't be read"),
        ("head -c 2000000 /dev/zero > $F", "the file of figures has more than 1,048,576 bytes"),
        ("echo '{\"f1\": 1e999}' > $F", "the figure 'f1' is no number: '1e999'"),
        ("echo regtui:figure f1=1e999", "the figure 'f1' is no number: '1e999'"),
        ("echo regtui:figure f1=good", "the figure 'f1' is no number: 'good'"),
    ],
)
def test_figures_that_are_none_are_told_and_left(tmp_path: Path, program: str, told: str) -> None:
    file = tmp_path / "figures"
    ended = tried(tmp_path, shell(program), figures=file, variables={"F": str(file)})
    assert (ended.outcome, ended.figures) == ("passed", {})
    assert f"regtui: {told}" in ended.log


def test_who_waits_may_stop_waiting(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(Stopped):
        run(
            Command(
                words=shell(f"echo $$ > {tmp_path}/pid; sleep 1000"),
                folder=tmp_path,
                variables={},
                seconds=PATIENCE,
            ),
            stop,
        )
    assert not is_running(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the group is known")
def test_it_ends_with_who_runs_it_even_where_that_is_killed(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from regtui.checks.command import Command, run
words = ("sh", "-c", "setsid sleep 1000 & echo $! > pid.new; mv pid.new pid; sleep 1000")
run(Command(words=words, folder=Path({str(tmp_path)!r}), variables={{}}, seconds=1000))
"""
    runner = subprocess.Popen(python(program))
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    pid = int((tmp_path / "pid").read_text())
    while is_running(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_command_is_split_into_words_before_anything_is_replaced() -> None:
    hostile = "a'; rm -rf $HOME \"b"
    words = split(
        "python 'my smoke.py' --on={version} {files}", {"version": hostile, "files": "/x"}
    )
    assert words == ("python", "my smoke.py", f"--on={hostile}", "/x")
    for wrong in ("python 'smoke", "", "  "):
        with pytest.raises(BadInput):
            split(wrong, {})
    assert shlex.join(split("a b", {})) == "a b"
    assert json.dumps(split("a {other}", {})) == '["a", "{other}"]'
