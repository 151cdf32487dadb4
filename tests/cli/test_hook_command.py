"""The command line's hooks."""

import json
import time
from pathlib import Path

from tests.cli.process import Regtui
from tests.cli.schemas import check

HERE = {"REGTUI_HOOKS": "wait"}


def test_a_hook_runs_for_what_commands_do(ranker: Regtui, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    added = ranker.json("hook", "add", "--on", "alias.moved,version", "--run", f"cat >> {seen}")
    check(added, "hook-add")
    done = ranker.process("alias", "set", "team/ranker@1", "best-so-far", environment=HERE)

    assert (done.code, done.err) == (0, "")
    (line,) = seen.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["alias"] == "best-so-far"
    runs = ranker.json("hook", "log")
    check(runs, "hook-log")
    assert runs["runs"][0]["event"] == ["alias.moved"]
    check(ranker.json("hook", "ls"), "hook-ls")
    name = added["hook"]["hook"]
    check(ranker.json("hook", "test", name), "hook-test")
    assert "ran 0 hooks" in ranker("hook", "run").out
    assert ranker("hook", "log").out.splitlines()[0].startswith("HOOK")
    check(ranker.json("hook", "rm", name), "hook-add")
    assert ranker.json("hook", "ls") == {"hooks": []}


def test_a_command_does_not_wait_for_its_hooks_nor_fail_by_them(
    ranker: Regtui, tmp_path: Path
) -> None:
    ranker("hook", "add", "--on", "*", "--run", f"while [ ! -e {tmp_path}/go ]; do sleep 0.1; done")
    ranker("hook", "add", "--on", "*", "--run", f"touch {tmp_path}/ran; exit 1")
    done = ranker.process("edit", "team/ranker", "-d", "new")

    assert (done.code, done.err) == (0, "")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "go").touch()
    until = time.monotonic() + 60
    while len(ranker.json("hook", "log")["runs"]) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert [one["outcome"] for one in ranker.json("hook", "log")["runs"]] == ["failed", "done"]


def test_a_hook_that_fails_in_a_test_exits_with_1(ranker: Regtui) -> None:
    name = ranker.json("hook", "add", "--on", "*", "--run", "echo oops; exit 7")["hook"]["hook"]
    answer = ranker("hook", "test", name)

    assert answer.code == 1
    assert "oops" in answer.out
    assert "exit 7" in answer.err
    assert ranker("hook", "test", "12345678").code == 3
    assert ranker("hook", "add", "--on", "nothing", "--run", "x").code == 2


def test_the_log_shows_the_beginning_of_what_a_hook_printed(ranker: Regtui) -> None:
    lines = "echo; echo started; seq 3000"
    for command in (lines, "printf '%200s|' x | tr ' ' y", "echo short"):
        ranker("hook", "add", "--on", "*", "--run", command)
    ranker("edit", "team/ranker", "-d", "new")
    assert ranker("hook", "run").code == 0

    shown = ranker("hook", "log").out.splitlines()
    assert len(shown) == 4
    assert {line.split()[-1] for line in shown[1:]} == {"started…", "y" * 59 + "…", "short"}
    whole = [one["output"] for one in ranker.json("hook", "log")["runs"]]
    assert any("2999\n3000" in one for one in whole)
