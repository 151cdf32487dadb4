"""`check`: files of checks, runs, reports and trust as people and scripts have them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.process import Regtui
from tests.cli.schemas import check

PATIENCE = float(os.environ.get("REGTUI_PATIENCE", "60"))

FILE = """
[[check]]
name = "smoke"
models = "team/*"
run = "sh -c 'ls $REGTUI_FILES; echo regtui:figure ndcg=0.7'"
on = ["capture", "request"]
timeout = "10m"

[[check]]
name = "whole"
builtin = "files-intact"

[[policy]]
name = "left alone"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "checks.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "checks.toml"


@pytest.fixture
def checked(ranker: Regtui, file: Path) -> Regtui:
    assert ranker("check", "put", file).code == 0
    return ranker


def put(regtui: Regtui, folder: Path, run: str, **more: str) -> None:
    """Put a check called `one` for all models."""
    lines = ["[[check]]", 'name = "one"', f'run = "{run}"']
    lines += [f"{key} = {value}" for key, value in more.items()]
    (folder / "one.toml").write_text("\n".join(lines), encoding="utf-8")
    assert regtui("check", "put", folder / "one.toml").code == 0


def test_the_checks_of_a_file_are_put_listed_shown_and_removed(ranker: Regtui, file: Path) -> None:
    assert "no checks yet" in ranker("check", "ls").err
    answer = ranker.json("check", "put", file)
    check(answer, "check-put")
    assert [one["changed"] for one in answer["checks"]] == [True, True]
    assert ranker("check", "put", file).out == (
        "smoke tries already team/*: sh -c 'ls $REGTUI_FILES; echo regtui:figure ndcg=0.7'\n"
        "whole tries already *: files-intact\n"
    )
    listed = ranker.json("check", "ls")
    check(listed, "check-ls")
    assert [one["check"] for one in listed["checks"]] == ["smoke", "whole"]
    assert len(ranker.json("check", "ls", "other")["checks"]) == 1
    assert "smoke  team/*  capture, request  yes" in ranker("check", "ls").out
    shown = ranker.json("check", "show", "smoke")
    check(shown, "check-show")
    assert 'models = "team/*"' in ranker("check", "show", "smoke").out
    gone = ranker.json("check", "rm", "whole")
    check(gone, "check-show")
    assert ranker("check", "rm", "whole").code == 3
    assert ranker("check", "rm", "smoke").out == "removed smoke, which tried team/*\n"


def test_what_is_shown_can_be_put_again(checked: Regtui, tmp_path: Path) -> None:
    again = tmp_path / "again.toml"
    again.write_text(checked("check", "show", "smoke").out, encoding="utf-8")
    assert [one["changed"] for one in checked.json("check", "put", again)["checks"]] == [False]


def test_a_placeholder_that_stands_for_nothing_is_warned_of(ranker: Regtui, tmp_path: Path) -> None:
    for run, warned in (
        ("smoke {foo} {version}", True),
        ("smoke --of={verison}", True),
        ("smoke {files}/{version}", False),
        ("awk '{print}' ${HOME}", False),
    ):
        (tmp_path / "one.toml").write_text(f'[[check]]\nname = "one"\nrun = "{run}"\n')
        answer = ranker("check", "put", tmp_path / "one.toml")
        assert (answer.code, "stands for nothing" in answer.err) == (0, warned)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[check]]\nrun = 'true'\n", "a check has a name"),
        ("[[check]]\nname = 'a'\n", "the check 'a': a check has a command or a built-in one"),
        ("[[check]]\nname = 'a'\nrun = 'true'\nwhen = 1\n", "unknown field `when`"),
        ("[check", "is no TOML"),
        ("a = 1", "has no table [[check]]"),
    ],
)
def test_such_a_file_is_refused(ranker: Regtui, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    answer = ranker("check", "put", tmp_path / "bad.toml")
    assert answer.code == 2
    assert told in answer.error
    assert ranker("check", "put", tmp_path / "gone.toml").code == 3


def test_a_run_tells_outcome_and_figures_and_keeps_the_log(checked: Regtui) -> None:
    answer = checked.json("check", "run", "team/ranker@champion")
    check(answer, "check-run")
    assert [one["outcome"] for one in answer["runs"]] == ["passed", "passed"]
    assert answer["runs"][0]["figures"] == {"ndcg": 0.7}
    runs = checked.json("check", "ls", "team/ranker@1")
    check(runs, "check-runs")
    assert [one["check"] for one in runs["runs"]] == ["whole", "smoke"]
    log = checked.json("check", "log", "team/ranker@1", "smoke")
    check(log, "check-log")
    assert "model.bin\n" in log["log"]
    assert checked("check", "log", "team/ranker@1", "smoke").out == log["log"]
    assert "smoke  passed     ndcg = 0.7" in checked("check", "ls", "team/ranker@1").out


def test_a_check_that_does_not_pass_fails_the_command(ranker: Regtui, tmp_path: Path) -> None:
    for program, outcome in (("false", "failed"), ("no-such-program", "error")):
        put(ranker, tmp_path, program)
        answer = ranker("check", "run", "team/ranker@1", "one")
        assert answer.code == 1
        assert answer.out.startswith(outcome)
        assert f"one of team/ranker@1 ended as {outcome}; `regtui check log" in answer.err
        assert ranker("check", "run", "team/ranker@1", "--json").json["runs"][0]["check"] == "one"


def test_a_run_needs_a_version_or_what_waits(checked: Regtui) -> None:
    for arguments in ([], ["team/ranker@1", "--pending"], ["team/ranker@1", "--loop", "1"]):
        assert checked("check", "run", *arguments).code == 2
    assert checked("check", "run", "team/ranker@1", "other").code == 3
    assert checked("check", "run", "team/ranker@9").code == 3


def test_what_waits_is_run_once(checked: Regtui) -> None:
    answer = checked.json("check", "run", "--pending")
    check(answer, "check-run")
    assert [(one["check"], one["number"]) for one in answer["runs"]] == [("smoke", 1)]
    assert "no check is to be run" in checked("check", "run", "--pending").err


def test_what_waits_is_run_until_it_is_told_to_end(checked: Regtui, tmp_path: Path) -> None:
    put(checked, tmp_path, "sh -c 'sleep 1000 & wait'", on='["capture"]')
    loop = subprocess.Popen(
        [sys.executable, "-m", "regtui", "check", "run", "--pending", "--loop", "1"],
        env={**checked.environment, "HOME": str(tmp_path)},
    )
    # `one` runs first, by its name, and would never end.
    until = time.monotonic() + PATIENCE
    while not running(tmp_path):
        assert time.monotonic() < until
        time.sleep(0.05)
    loop.send_signal(signal.SIGTERM)
    assert loop.wait(PATIENCE) == 0
    assert checked.json("check", "ls", "team/ranker@1")["runs"] == []
    assert running(tmp_path) == []


def running(folder: Path) -> list[str]:
    """Return the processes of checks that run with a folder as home of their user."""
    found = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            words = one.read_bytes().split(b"\0")
            if {b"REGTUI_CHECK=one", f"HOME={folder}".encode()} <= set(words):
                found.append(one.parent.name)
    return found


def test_what_ran_elsewhere_is_told(checked: Regtui, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"line\n\xff\n")
    told = checked.json(
        "check", "report", "team/ranker@1", "eval", "--failed", "--figure", "f1=0.5",
        "--figure", "loss=nan", "--log", tmp_path / "log", "--runner", "ci",
    )  # fmt: skip
    check(told, "check-report")
    assert told["run"]["figures"] == {"f1": 0.5, "loss": "NaN"}
    assert checked("check", "log", "team/ranker@1", "eval").out == "line\n\ufffd\n"
    for arguments in (
        [],
        ["--passed", "--failed"],
        ["--passed", "--figure", "f1=good"],
        ["--passed", "--figure", "f1"],
        ["--passed", "--figure", "f1=1e999"],
        ["--passed", "--figure", "f1=-1e999"],
        ["--passed", "--log", "gone"],
    ):
        assert checked("check", "report", "team/ranker@1", "eval", *arguments).code == 2


def test_a_command_runs_only_while_it_is_trusted(checked: Regtui) -> None:
    check(checked.json("check", "trust"), "check-trust")
    check(checked.json("check", "untrust", "smoke"), "check-untrust")
    assert "nothing is trusted here yet" in checked("check", "trust").err
    refused = checked("check", "run", "team/ranker@1", "smoke")
    assert refused.code == 4
    assert "not trusted on this machine: sh -c 'ls" in refused.error
    rest = checked("check", "run", "team/ranker@1")
    assert rest.code == 1
    assert "smoke did not run: its command is not trusted here" in rest.err
    waiting = checked("check", "run", "--pending")
    assert waiting.code == 4
    assert "smoke did not run: its command is not trusted here" in waiting.err
    check(checked.json("check", "trust", "smoke"), "check-trust")
    assert checked("check", "run", "team/ranker@1", "smoke").code == 0
    assert checked("check", "untrust", "other").code == 3


def test_a_capture_runs_the_checks_that_go_with_it(
    checked: Regtui, run: Path, tmp_path: Path
) -> None:
    put(checked, tmp_path, "false", on='["capture"]')
    answer = checked("capture", run, "--model", "team/other")
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == ["captured", "failed", "passed"]
    assert "one of team/other@1 ended as failed" in answer.err
    again = checked("capture", run, "--model", "team/other")
    assert again.out.count("\n") == 1
    told = checked.json("capture", run, "--model", "team/other", "--new")
    check(told, "capture")
    assert [one["outcome"] for one in told["checks"]] == ["failed", "passed"]


def test_a_capture_runs_no_checks_where_it_is_told_not_to(checked: Regtui, run: Path) -> None:
    answer = checked.json("capture", run, "--model", "team/other", "--no-checks")
    assert answer["checks"] == []
    assert checked.json("check", "ls", "team/other@1")["runs"] == []


def test_a_watcher_runs_the_checks_of_what_it_captures(checked: Regtui, tmp_path: Path) -> None:
    recorded = Path(__file__).parents[1] / "capture" / "recorded" / "keras"
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "final.h5").write_bytes((recorded / "final.h5").read_bytes())
    answer = checked("watch", folder, "--model", "team/keras", "--once")
    assert answer.code == 0, answer
    told = [line for line in answer.out.splitlines() if line.startswith("checked")]
    assert told, answer.out
    assert "smoke of team/keras@1 passed" in told[0]
    assert answer.out.splitlines()[-1].startswith("stopped")
    other = tmp_path / "other"
    other.mkdir()
    (other / "model-01.keras").write_bytes((recorded / "model-01.keras").read_bytes())
    answer = checked("watch", other, "--model", "team/other", "--once", "--no-checks")
    assert "captured" in answer.out
    assert "checked" not in answer.out
    assert checked.json("check", "ls", "team/other@1")["runs"] == []


def test_names_of_checks_are_completed(checked: Regtui) -> None:
    from regtui.cli import complete
    from regtui.cli.settings import SETTINGS

    SETTINGS.reset()
    assert complete.checks("s") == ["smoke"]
