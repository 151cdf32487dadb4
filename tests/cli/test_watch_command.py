"""`regtui watch`: events for people and scripts, rules, explanations, a clean end."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.artifacts.model_files import safetensors
from tests.capture.writers import checkpoint
from tests.cli.process import Regtui
from tests.cli.schemas import check


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    checkpoint(tmp_path / "runs" / "bert", 3)
    return tmp_path / "runs"


def test_what_is_there_is_captured_once(regtui: Regtui, runs: Path) -> None:
    answer = regtui("watch", runs, "--once", "--json")
    events = [json.loads(line) for line in answer.out.splitlines()]

    assert (answer.code, answer.err) == (0, "")
    for event in events:
        check(event, "watch")
    assert [event["event"] for event in events] == ["watching", "captured", "stopped"]
    assert (events[1]["path"], events[1]["model"]) == ("bert/checkpoint-3", "runs/bert")
    assert events[1]["version"]["params"]["step"] == 3
    assert len(regtui("watch", runs, "--once").out.splitlines()) == 2


def test_people_read_a_line_an_event(regtui: Regtui, runs: Path) -> None:
    lines = regtui("watch", runs, "--once", "--model", "team/bert").out.splitlines()

    assert len(lines) == 3
    assert lines[1].startswith("captured    bert/checkpoint-3  team/bert@1 :")


def test_the_history_says_that_a_watcher_did_it(regtui: Regtui, runs: Path) -> None:
    regtui("watch", runs, "--once")

    assert {one["via"] for one in regtui.json("log")["operations"]} == {"watcher"}


def test_rules_are_kept_listed_followed_and_removed(regtui: Regtui, runs: Path) -> None:
    kept = regtui.json(
        "watch", "add", runs, "--model", "{run}", "--keep", "best 2, last 1", "--exclude", "old"
    )
    check(kept, "watch-add")
    check(regtui.json("watch", "list"), "watch-list")
    assert regtui.json("watch", "list")["rules"] == [kept["rule"]]
    assert regtui("watch", "--once").out.count("bert@1") == 1

    (regtui.home / "watch.toml").write_text(
        "# ours\n" + (regtui.home / "watch.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    regtui("watch", "add", runs.parent / "later")
    assert "# ours" in (regtui.home / "watch.toml").read_text(encoding="utf-8")
    assert len(regtui.json("watch", "list")["rules"]) == 2
    assert regtui.json("watch", "remove", runs)["rule"] == kept["rule"]
    assert regtui("watch", "remove", runs).code == 3
    assert len(regtui.json("watch", "list")["rules"]) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--keep", "most"], "most"),
        (["--model", "{user}"], "{user}"),
        (["--model", "a b"], "a b"),
        (["--without", "soul"], "soul"),
    ],
)
def test_what_means_nothing_is_refused(
    regtui: Regtui, runs: Path, arguments: list[str], told: str
) -> None:
    for verb in (["add", str(runs)], [str(runs), "--once"]):
        answer = regtui("watch", *verb, *arguments)
        assert answer.code == 2
        assert told in answer.error


def test_without_rules_or_folders_there_is_nothing_to_watch(regtui: Regtui) -> None:
    assert "nothing to watch" in regtui("watch", "--once").error
    assert "no rules yet" in regtui("watch", "list").err


def test_a_path_is_explained(regtui: Regtui, runs: Path) -> None:
    told = regtui.json("watch", "test", runs / "bert")
    check(told, "watch-test")
    [unit] = told["units"]
    assert (unit["captured"], unit["model"], unit["step"]) == (True, "runs/bert", 3)
    assert unit["metrics"]["loss"] == pytest.approx(1 / 3)
    assert not regtui.home.exists()

    (runs / "bert" / "checkpoint-3" / "trainer_state.json").unlink()
    text = regtui("watch", "test", runs / "bert" / "checkpoint-3").out
    assert "not yet: trainer_state.json is not there yet" in text


def test_paths_are_told_as_they_were_asked_for(
    regtui: Regtui, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert regtui("watch", "test", runs).out.startswith(f"{runs}/bert/checkpoint-3  ")
    monkeypatch.chdir(runs.parent)
    assert regtui("watch", "test", "runs/bert").out.startswith("runs/bert/checkpoint-3  ")
    assert regtui("watch", "test", "runs/bert/checkpoint-3").out.startswith(
        "runs/bert/checkpoint-3  "
    )
    regtui("watch", "add", runs)
    assert "\nbert/checkpoint-3  " in regtui("watch", "test", "runs/bert").out


def test_of_a_state_that_is_a_version_it_is_told_which(regtui: Regtui, runs: Path) -> None:
    regtui("watch", runs, "--once")
    checkpoint(runs / "bert", 4)
    for path in (runs, runs / "bert"):
        told = regtui.json("watch", "test", path)
        check(told, "watch-test")
        assert [(unit["known"], unit["captured"]) for unit in told["units"]] == [
            ("runs/bert@1", False),
            (None, True),
        ]
    [unit] = regtui.json("watch", "test", runs / "bert" / "checkpoint-3")["units"]
    assert unit["known"] == "runs/bert@1"
    text = regtui("watch", "test", runs).out
    assert "bert/checkpoint-3  known: it is runs/bert@1 already" in text

    regtui("version", "archive", "runs/bert@1")
    assert "it is runs/bert@1, which is archived" in regtui("watch", "test", runs).out
    (runs / "bert" / "checkpoint-3" / "config.json").write_text('{"other": 1}')
    [unit, _] = regtui.json("watch", "test", runs)["units"]
    assert unit["known"] is None


def test_a_path_that_a_rule_watches_is_judged_by_it(regtui: Regtui, runs: Path) -> None:
    checkpoint(runs / "bert", 4)
    regtui("watch", "add", runs, "--model", "team/{run}", "--keep", "last 1")
    told = regtui.json("watch", "test", runs / "bert")
    check(told, "watch-test")
    assert told["rule"] == regtui.json("watch", "list")["rules"][0]
    assert [unit["model"] for unit in told["units"]] == ["team/bert", "team/bert"]
    assert [unit["captured"] for unit in told["units"]] == [False, True]

    text = regtui("watch", "test", runs).out
    assert f"by the rule for {runs}: model team/{{run}}, keeps last 1" in text
    assert "would be captured as team/bert" in text
    own = regtui.json("watch", "test", runs, "--model", "mine", "--keep", "all")
    assert {(unit["model"], unit["captured"]) for unit in own["units"]} == {("mine", True)}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("notes.md", "no recogniser knows such a name"),
        ("model.pt.tmp", "temporary name"),
        ("events.out.tfevents.7", "never a version"),
    ],
)
def test_what_is_never_captured_is_explained(
    regtui: Regtui, runs: Path, name: str, told: str
) -> None:
    (runs / name).write_bytes(b"x")

    assert told in regtui("watch", "test", runs / name).out
    assert regtui("watch", "test", runs / "nowhere").code == 3


def test_ones_own_trainer_is_recognised(regtui: Regtui, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "capture.toml").write_text(
        '[[recogniser]]\nname = "ours"\nunit = "file"\nmatch = ["*.ours"]\nmodel = "ours/{stem}"\n'
        'formats = ["safetensors"]\n'
    )
    (runs / "net.ours").write_bytes(safetensors({"w": b"x"}))

    [unit] = regtui.json("watch", "test", runs / "net.ours")["units"]
    assert (unit["recogniser"], unit["model"]) == ("ours", "ours/net")
    (tmp_path / "config" / "capture.toml").write_text("[[recogniser]]\nname = 1\n")
    assert "capture.toml" in regtui("watch", runs, "--once").error


def test_a_unit_of_systemd_is_printed(regtui: Regtui) -> None:
    check(regtui.json("watch", "install"), "watch-install")
    text = regtui("watch", "install").out

    assert f"ExecStart={sys.executable} -m regtui watch --home {regtui.home}" in text
    assert "WantedBy=default.target" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_what_it_has_taken_is_registered(
    regtui: Regtui, runs: Path, number: signal.Signals
) -> None:
    running = regtui.start("watch", runs, "--json")
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["event"] == "watching"
    assert json.loads(running.stdout.readline())["event"] == "captured"
    running.send_signal(number)
    out, err = running.communicate(timeout=60)

    assert [json.loads(line)["event"] for line in out.splitlines()] == ["stopped"]
    assert (running.returncode, err) == (0, "")
    assert list((regtui.home / "pins").iterdir()) == []


def test_what_nohup_has_it_ignore_stays_ignored(regtui: Regtui, runs: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = regtui.start("watch", runs, "--json")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["event"] == "watching"
    running.send_signal(signal.SIGHUP)
    checkpoint(runs / "bert", 4)
    while json.loads(running.stdout.readline())["step"] != 4:
        pass
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 0


def test_a_reader_that_goes_away_ends_it(regtui: Regtui, runs: Path) -> None:
    running = regtui.start("watch", runs, "--json", stderr=subprocess.DEVNULL)
    assert running.stdout is not None
    running.stdout.readline()
    running.stdout.close()
    time.sleep(0.1)
    checkpoint(runs / "bert", 4)

    assert running.wait(60) in {0, 1}


@pytest.mark.slow
def test_what_can_not_be_stored_is_told_and_fails_at_the_end(regtui: Regtui, runs: Path) -> None:
    regtui("models")
    (runs / "big.safetensors").write_bytes(safetensors({"w": bytes(20 << 20)}))
    answer = regtui.process("watch", runs, "--once", "--json", file_limit=16 << 20)
    events = [json.loads(line) for line in answer.out.splitlines()]

    failed = [event for event in events if event["event"] == "failed"]
    assert answer.code == 1
    assert {event["path"] for event in failed} == {"big.safetensors"}
    assert "disk is full" in failed[0]["message"]
    assert [event["path"] for event in events if event["event"] == "captured"] == [
        "bert/checkpoint-3"
    ]
    assert regtui("watch", runs, "--once").code == 0
    assert regtui("verify").code == 0


def test_of_the_folders_around_a_path_only_their_own_files_are_looked_at(
    regtui: Regtui, runs: Path
) -> None:
    (runs / "metrics.json").write_text('{"f1": 0.5}')
    checkpoint(runs / "other", 1)

    told = regtui.json("watch", "test", runs / "bert" / "checkpoint-3")
    [unit] = told["units"]
    assert unit["metrics"]["f1"] == 0.5


def test_what_a_watcher_does_can_be_seen_from_another_process(regtui: Regtui, runs: Path) -> None:
    running = regtui.start("watch", runs, "--json")
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["event"] == "watching"
    assert json.loads(running.stdout.readline())["event"] == "captured"
    (checkpoint(runs / "bert", 4) / "trainer_state.json").unlink()  # half of one
    found = _status(
        regtui,
        lambda told: told["folders"][0]["watchers"][0]["doing"][0]["path"].endswith("4"),
    )
    check(found, "watch-status")
    [folder] = found["folders"]
    [watcher] = folder["watchers"]
    [doing] = watcher["doing"]

    assert (folder["path"], folder["rule"], folder["is_there"]) == (str(runs), None, True)
    assert (watcher["pid"], watcher["by_rules"]) == (running.pid, False)
    assert watcher["told"] == {"watching": 1, "captured": 1}
    assert (doing["path"], doing["phase"], doing["step"]) == ("bert/checkpoint-4", "waiting", 4)
    assert found["events"][0]["reference"] == "runs/bert@1"
    text = regtui("watch", "status").out
    assert f"watched by process {running.pid}" in text
    assert "waiting" in text

    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert regtui.json("watch", "status")["folders"] == []
    assert regtui.json("watch", "status")["events"][0]["event"] == "stopped"


def test_a_killed_watcher_watches_no_more(regtui: Regtui, runs: Path) -> None:
    running = regtui.start("watch", runs, "--json")
    assert running.stdout is not None
    running.stdout.readline()
    _status(regtui, lambda told: told["folders"])
    running.kill()
    os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)  # it ended, and stays a zombie
    assert regtui.json("watch", "status")["folders"] == []
    running.communicate(timeout=60)

    assert regtui.json("watch", "status")["folders"] == []
    regtui("watch", runs, "--once")
    assert list((regtui.home / "watch").glob("*.now")) == []


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_watcher_whose_home_is_gone_ends_and_makes_no_other_one(
    regtui: Regtui, runs: Path, tmp_path: Path, *, is_moved: bool
) -> None:
    running = regtui.start("watch", runs)
    assert running.stdout is not None
    while not running.stdout.readline().startswith("captured"):
        pass
    time.sleep(1)  # what it writes of that
    if is_moved:
        regtui.home.rename(tmp_path / "moved")
    else:
        while regtui.home.exists():  # it may write into a folder while that is removed
            shutil.rmtree(regtui.home, ignore_errors=True)
    checkpoint(runs / "bert", 4)
    gone_at = time.monotonic()
    _, err = running.communicate(timeout=60)

    assert time.monotonic() - gone_at < 10
    assert running.returncode == 1
    assert err.count("\n") == 1, err
    assert err.startswith(f"regtui: the registry {regtui.home} is gone")
    assert not regtui.home.exists()
    if is_moved:
        moved = regtui.json("models", "--home", tmp_path / "moved")
        assert moved["models"][0]["versions"] == 1


def test_a_folder_of_what_a_watcher_left_is_empty_enough_for_a_registry(
    regtui: Regtui, runs: Path
) -> None:
    (regtui.home / "watch").mkdir(parents=True)
    (regtui.home / "watch" / "0123456789abcdef.told").write_text("{}\n")
    (regtui.home / "watch" / "rules.812.now").write_text("{}\n")
    (regtui.home / "pins" / "0123456789abcdef" / "1").mkdir(parents=True)
    assert regtui("watch", runs, "--once").code == 0
    assert regtui.home.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_ones_own_is_no_rest_of_a_watcher(regtui: Regtui, runs: Path) -> None:
    (regtui.home / "watch").mkdir(parents=True)
    (regtui.home / "watch" / "diary.txt").write_text("mine\n")

    assert "holds other things, such as 'watch'" in regtui("watch", runs, "--once").error


def test_a_watcher_in_the_background_follows_the_rules(
    regtui: Regtui, runs: Path, tmp_path: Path
) -> None:
    assert "nothing to watch" in regtui("watch", "start").error
    regtui("watch", "add", runs)
    try:
        started = regtui.json("watch", "start")
        check(started, "watch-start")
        assert regtui.json("watch", "start") == started

        later = tmp_path / "later"
        checkpoint(later / "bert", 1)
        regtui("watch", "add", later)
        regtui("watch", "remove", runs)
        found = _status(
            regtui,
            lambda told: (
                [one["path"] for one in told["folders"]] == [str(later)]
                and told["folders"][0]["watchers"]
            ),
        )
        assert found["by_rules"] == [started["pid"]]
        assert found["folders"][0]["watchers"][0]["pid"] == started["pid"]
        told = _status(
            regtui,
            lambda told: (
                {("captured", str(later)), ("stopped", str(runs))}
                <= {(one["event"], one["root"]) for one in told["events"]}
            ),
        )
        assert "later/bert@1" in {one["reference"] for one in told["events"]}
        regtui("watch", "remove", later)
        _status(regtui, lambda told: told["folders"] == [])
        assert regtui.json("watch", "status")["by_rules"] == [started["pid"]]

        (regtui.home / "watch.toml").write_text("[[watch]]\nroot = 3\n", encoding="utf-8")
        time.sleep(2)
        told = regtui.json("watch", "status")
        check(told, "watch-status")
        assert told["by_rules"] == [started["pid"]]
        assert "watch.toml" in told["problem"]
        answer = regtui("watch", "status")
        assert (answer.code, answer.err.count("watch.toml")) == (0, 1)
        assert f"process {started['pid']} watches by the rules" in answer.out
        [found] = [
            one
            for one in json.loads(regtui("doctor", "--json").out)["checks"]
            if one["check"] == "watch rules"
        ]
        assert found["status"] == "problem"
        assert "watch.toml" in found["message"]
        (regtui.home / "watch.toml").write_text("", encoding="utf-8")
    finally:
        stopped = regtui.json("watch", "stop")
    check(stopped, "watch-stop")
    assert stopped["stopped"] == [started["pid"]]
    assert "no watcher" in regtui("watch", "stop").err


def test_a_folder_that_is_not_there_is_not_watched_once(regtui: Regtui, tmp_path: Path) -> None:
    answer = regtui.process("watch", tmp_path / "nope", "--once")
    assert answer.code == 3
    assert f"there is no folder {tmp_path / 'nope'}" in answer.error
    assert not regtui.home.exists()


def test_a_name_with_a_line_break_stays_on_its_line(regtui: Regtui, runs: Path) -> None:
    (runs / "bert").rename(runs / "a\nb")
    assert "a\\nb/checkpoint-3  would be" in regtui("watch", "test", runs).out
    lines = regtui("watch", runs, "--once").out.splitlines()
    assert [line.split()[0] for line in lines] == ["watching", "problem", "captured", "stopped"]
    text = regtui("watch", "status").out
    assert len(text.splitlines()) == 4
    assert "a\\nb/checkpoint-3" in text


def test_of_a_kept_rule_only_what_is_said_changes(regtui: Regtui, runs: Path) -> None:
    first = regtui.json("watch", "add", runs, "--model", "team/{run}", "--exclude", "old")["rule"]
    second = regtui.json("watch", "add", runs, "--keep", "last 2")["rule"]
    assert second == {**first, "keep": "last 2"}
    assert regtui("watch", "add", runs).out == f"unchanged: {runs} as team/{{run}}, keeps last 2\n"
    assert regtui.json("watch", "list")["rules"] == [second]
    for _ in range(4):
        regtui("watch", "add", runs.parent / "other")
        regtui("watch", "add", runs, "--keep", "all")
        regtui("watch", "remove", runs.parent / "other")
    text = (regtui.home / "watch.toml").read_text(encoding="utf-8")
    assert "\n\n" not in text


def test_one_file_is_one_file(regtui: Regtui, runs: Path) -> None:
    (runs / "net.safetensors").write_bytes(safetensors({"w": b"x"}))
    assert ", 1 file\n" in regtui("watch", "test", runs / "net.safetensors").out


def test_of_several_who_start_a_watcher_at_once_one_does(regtui: Regtui, runs: Path) -> None:
    regtui("watch", "add", runs)
    try:
        starting = [regtui.start("watch", "start") for _ in range(3)]
        told = [one.communicate(timeout=60) for one in starting]
        assert [one.returncode for one in starting] == [0, 0, 0], told
        assert len(regtui.json("watch", "status")["by_rules"]) == 1
        assert sum("watches already in process" in out for out, _ in told) == 2
    finally:
        stopped = regtui.json("watch", "stop")["stopped"]
    assert len(stopped) == 1


def test_what_a_rule_would_keep_can_be_tried(regtui: Regtui, runs: Path) -> None:
    for step in (4, 5):
        checkpoint(runs / "bert", step)
    told = regtui.json("watch", "test", runs / "bert", "--keep", "last 1, every 3")
    check(told, "watch-test")

    kept = {unit["step"]: unit["captured"] for unit in told["units"]}
    assert kept == {3: True, 4: False, 5: True}
    assert "keep last 1, every 3" in told["units"][1]["reason"]
    assert regtui("watch", "test", runs, "--keep", "some").code == 2
    assert regtui.json("models")["models"] == []


def _status(regtui: Regtui, is_so: Callable[[Any], object]) -> Any:
    """Ask for the status until something is so."""
    until = time.monotonic() + 30
    while True:
        told = regtui.json("watch", "status")
        with contextlib.suppress(IndexError):
            if is_so(told):
                return told
        assert time.monotonic() < until, told
        time.sleep(0.1)
