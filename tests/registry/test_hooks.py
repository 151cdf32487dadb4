"""Hooks: each runs once for what took effect here, bounded, and never in anybody's way."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

import regtui
from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry, hook_process, hooking, hooks
from regtui.registry.hook_process import OUTPUT, run
from tests.cli.schemas import check
from tests.registry.governed import govern

REQUESTED = ["promotion.request", "promotion.review", "promotion.request", "promotion.apply"]
REGTUI = f"{sys.executable} -m regtui"


@pytest.fixture
def hooked(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry whose hooks are run when a test says so."""
    monkeypatch.setenv("REGTUI_HOOKS", "off")
    return registry


def seen(folder: Path) -> list[Any]:
    """Return what a hook that appends its input to `seen` was given."""
    file = folder / "seen"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def capture(registry: Registry, folder: Path, content: str, model: str = "team/ranker") -> None:
    file = folder / f"{content}.bin"
    file.write_text(content)
    registry.capture(file, model=model)


def test_a_hook_gets_what_was_done_as_the_log_tells_it(hooked: Registry, tmp_path: Path) -> None:
    hooked.add_hook(["version.capture"], f"cat >> {tmp_path}/seen; echo told")
    capture(hooked, tmp_path, "one")
    (done,) = hooked.run_hooks()

    check(msgspec.to_builtins(done), "hook-run")
    assert (done.outcome, done.code, done.output, done.event) == (
        "done",
        0,
        "told",
        ["version.capture"],
    )
    (given,) = seen(tmp_path)
    check(given, "operation")
    assert given == msgspec.to_builtins(hooked.log(kind="version.capture").operations[0])
    assert hooked.hook_log() == [done]


def test_it_runs_once_for_each_operation_and_for_nothing_before_it(
    hooked: Registry, tmp_path: Path
) -> None:
    capture(hooked, tmp_path, "before")
    hooked.add_hook(["*"], f"cat >> {tmp_path}/seen")
    assert hooked.run_hooks() == []
    capture(hooked, tmp_path, "one")
    capture(hooked, tmp_path, "two")
    hooked.run_hooks()
    hooked.run_hooks()

    assert [one["summary"] for one in seen(tmp_path)] == [
        "captured team/ranker@2",
        "captured team/ranker@3",
    ]


def test_one_that_is_added_later_is_for_what_comes_then(hooked: Registry, tmp_path: Path) -> None:
    hooked.add_hook(["*"], "true")
    capture(hooked, tmp_path, "one")
    later = hooked.add_hook(["*"], "exit 0")
    hooked.edit("team/ranker@1", {"tags/a": "b"})
    hooked.run_hooks()

    assert [one.summary for one in hooked.hook_log() if one.hook == later.hook] == ["set tag.a"]


@pytest.mark.parametrize(
    ("on", "models", "kinds"),
    [
        ("promotion.*", "*", REQUESTED),
        ("promotion", "team/*", REQUESTED),
        ("deployment.record", "team/ranker", ["deployment.record"] * 3),
        ("alias.moved", "*", ["promotion.review", "promotion.apply"]),
        ("policy", "*", ["policy.put"]),
        ("policy", "team/*", []),
        ("*", "other/*", []),
        ("conflict", "*", []),
    ],
)
def test_it_is_for_its_events_and_models(
    hooked: Registry, tmp_path: Path, on: str, models: str, kinds: list[str]
) -> None:
    hooked.add_hook([on], f"cat >> {tmp_path}/seen", models=models)
    govern(hooked, tmp_path)
    hooked.run_hooks()

    assert [one["kind"] for one in seen(tmp_path)] == kinds


def test_one_that_fails_or_takes_too_long_is_noted_and_the_next_one_runs(
    hooked: Registry, tmp_path: Path
) -> None:
    hooked.add_hook(["version"], "echo no; exit 3")
    hooked.add_hook(["version"], "echo begun; sleep 60", timeout="1s")
    hooked.add_hook(["version"], "kill -9 $$")
    hooked.add_hook(["version"], "/nothing/there")
    capture(hooked, tmp_path, "one")

    runs = hooked.run_hooks()
    assert [(one.outcome, one.code) for one in runs] == [
        ("failed", 3),
        ("timeout", None),
        ("failed", -9),
        ("failed", 127),
    ]
    assert [one.output for one in runs[:2]] == ["no", "begun"]


def test_what_a_hook_does_runs_no_hooks(
    hooked: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.add_hook(
        ["*"], f"cat >> {tmp_path}/seen; {REGTUI} edit team/ranker --tag told=$(date +%N) --quiet"
    )
    hooked.create_model("team/ranker")
    monkeypatch.delenv("REGTUI_HOOKS")
    (done,) = hooked.run_hooks()

    assert (done.outcome, done.output) == ("done", "")
    assert [one.kind for one in hooked.log().operations] == ["model.edit", "model.create"]
    assert hooked.run_hooks() == []
    assert len(seen(tmp_path)) == 1


def test_a_run_that_was_killed_goes_on_with_the_next_command(
    hooked: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hooked.add_hook(["version"], "echo first")
    second = hooked.add_hook(["version"], "echo second")
    capture(hooked, tmp_path, "one")

    def killed(*arguments: Any, **named: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(hooks, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            hooked.run_hooks()
    assert [one.hook for one in hooked.run_hooks()] == [second.hook]
    assert first.hook != second.hook
    assert hooked.run_hooks() == []


def test_several_who_run_them_at_once_run_each_once(hooked: Registry, tmp_path: Path) -> None:
    hooked.add_hook(["*"], f"cat >> {tmp_path}/seen")
    environment = {**os.environ, "REGTUI_HOME": str(hooked.home)}
    for number in range(3):
        capture(hooked, tmp_path, str(number))
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "regtui", "hook", "run"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(3)
    ]
    assert [one.wait(60) for one in started] == [0, 0, 0]
    assert [one["seq"] for one in seen(tmp_path)] == [1, 2, 3, 4]


def test_a_home_that_came_from_elsewhere_runs_nothing(
    hooked: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hooked.add_hook(["*"], f"touch {tmp_path}/ran")
    copy = regtui.open(shutil.copytree(hooked.home, tmp_path / "copy"))
    capture(copy, tmp_path, "one")

    assert copy.run_hooks() == []
    assert [one.trusted for one in copy.hooks()] == [False]
    assert [one.trusted for one in hooked.hooks()] == [True]
    assert not (tmp_path / "ran").exists()
    assert next(o for o in copy.doctor().checks if o.check == "hooks").status == "warning"
    copy.add_hook(hook.on, hook.run)
    assert [one.trusted for one in copy.hooks()] == [True]


def test_a_hook_that_was_changed_by_others_does_not_run(hooked: Registry, tmp_path: Path) -> None:
    hooked.add_hook(["*"], "echo mine")
    file = hooked.home / "hooks.toml"
    file.write_text(file.read_text().replace("mine", "theirs"))
    capture(hooked, tmp_path, "one")

    assert hooked.run_hooks() == []
    assert [one.trusted for one in hooked.hooks()] == [False]


def test_what_is_removed_runs_no_more(hooked: Registry, tmp_path: Path) -> None:
    hook = hooked.add_hook(["*"], "true")
    hooked.remove_hook(hook.hook)
    capture(hooked, tmp_path, "one")

    assert hooked.run_hooks() == []
    assert hooked.hooks() == []
    with pytest.raises(NotFound):
        hooked.remove_hook(hook.hook)


def test_a_test_of_a_hook_runs_it_for_the_newest_that_fits(
    hooked: Registry, tmp_path: Path
) -> None:
    capture(hooked, tmp_path, "one")
    hook = hooked.add_hook(["model.create"], "cat")
    done = hooked.try_hook(hook.hook)

    assert (done.seq, json.loads(done.output)["kind"]) == (1, "model.create")
    assert hooked.try_hook(hook.hook, 2).seq == 2
    assert hooked.hook_log() == []
    with pytest.raises(NotFound):
        hooked.try_hook(hook.hook, 99)


@pytest.mark.parametrize(
    ("on", "command", "more", "words"),
    [
        (["version.captured"], "true", {}, "no event 'version.captured'"),
        ([], "true", {}, "there is no event"),
        (["*"], " ", {}, "no command"),
        (["*"], "true", {"timeout": "soon"}, "is no time"),
        (["*"], "true", {"timeout": "2h"}, "is no time"),
        (["*"], "true", {"models": "a//b"}, "'a//b'"),
    ],
)
def test_what_means_nothing_is_refused(
    hooked: Registry, on: list[str], command: str, more: dict[str, str], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        hooked.add_hook(on, command, **more)
    assert hooked.hooks() == []


def test_a_change_starts_a_run_in_the_background(registry: Registry, tmp_path: Path) -> None:
    registry.add_hook(["*"], f"cat >> {tmp_path}/seen")
    capture(registry, tmp_path, "one")
    until = time.monotonic() + 60
    while len(seen(tmp_path)) < 2 and time.monotonic() < until:
        time.sleep(0.05)

    assert [one["kind"] for one in seen(tmp_path)] == ["model.create", "version.capture"]
    for one in hooking._started:
        one.wait(60)


def test_a_malformed_file_of_hooks_fails_no_change(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_HOOKS", "wait")
    (registry.home / "hooks.toml").write_text("[[hook]\n")
    capture(registry, tmp_path, "one")
    hooking._finish()

    assert registry.count() == 1
    with pytest.raises(BadInput, match=r"hooks\.toml"):
        registry.hooks()


def test_the_log_is_bounded(
    hooked: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "LOG_BYTES", 2_000)
    hooked.add_hook(["*"], "head -c 700 /dev/zero | tr '\\0' x")
    hooked.create_model("a")
    for number in range(12):
        hooked.edit("a", {"tags/n": str(number)})
    hooked.run_hooks()

    assert 2 <= len(hooked.hook_log()) < 13
    assert hooked.hook_log()[0].seq == 13
    assert sum(one.stat().st_size for one in (hooked.home / "hooks").glob("log*")) < 8_000


def test_output_is_the_last_of_it_and_steers_no_terminal(tmp_path: Path) -> None:
    done = run(
        "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\033[2Jend'",
        b"",
        variables={},
        folder=tmp_path,
        seconds=60,
    )
    assert done.outcome == "done"
    assert len(done.output) <= OUTPUT
    assert done.output.endswith("x [2Jend")


def test_input_that_is_not_read_and_children_that_stay_hold_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_process, "GENTLE", 0.2)
    done = run("sleep 300 & echo x", b"y" * 10**6, variables={}, folder=tmp_path, seconds=60)
    assert (done.outcome, done.output) == ("done", "x")
    stubborn = run(
        "trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done",
        b"",
        variables={},
        folder=tmp_path,
        seconds=1,
    )
    assert stubborn.outcome == "timeout"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_can_not_be_started_is_an_error(tmp_path: Path) -> None:
    done = run("true", b"", variables={}, folder=tmp_path / "none", seconds=1)
    assert done.outcome == "error"
