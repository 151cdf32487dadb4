"""Trainers do what they like in their folders; each state that they finish is one version."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.watch import Stop, watch
from regtui.registry.watch_rules import WatchRule
from tests.artifacts.model_files import safetensors
from tests.capture.writers import checkpoint, numbers_of, weights
from tests.registry.watched import WRITERS, once, train, watching, weights_of

if TYPE_CHECKING:
    from regtui.capture.events import Event


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def states(registry: Registry) -> list[int]:
    """Return the numbers of the states that are versions; each holds one number alone."""
    found = []
    for _, content in weights_of(registry):
        (number,) = numbers_of(content)
        found.append(number)
    return sorted(found)


def test_every_checkpoint_of_a_trainer_that_keeps_one_is_a_version(
    registry: Registry, runs: Path
) -> None:
    with watching(registry, runs) as seen:
        assert train("rotates", runs / "bert", 5, 0.3) == [1, 2, 3, 4, 5]
        seen.until_told("captured", 5)

    assert states(registry) == [1, 2, 3, 4, 5]
    version = registry.version("runs/bert@latest")
    assert version.metrics["loss"] == pytest.approx(1 / 5)
    assert version.params["step"] == 5
    assert [place.run for place in registry.places("runs/bert@latest")] == ["bert"]
    assert seen.told("failed", "lost") == []
    assert list((registry.home / "pins").iterdir()) == []


def test_a_folder_that_is_made_again_and_again_gives_each_state(
    registry: Registry, runs: Path
) -> None:
    with watching(registry, runs) as seen:
        train("reuses", runs / "a", 3, 0.4)
        seen.until_told("captured", 3)

    assert states(registry) == [1, 2, 3]


def test_who_stalls_with_a_file_open_is_waited_for(registry: Registry, runs: Path) -> None:
    with watching(registry, runs) as seen:
        train("stalls", runs / "a", 2, 0.8)
        seen.until_told("captured", 2)

    assert states(registry) == [1, 2]


def test_what_a_trainer_leaves_when_it_dies_is_no_version_and_each_part_is_told(
    registry: Registry, runs: Path
) -> None:
    train("crashes", runs / "a")
    told = {one.path: one.message for one in once(registry, runs)}

    assert registry.models() == []
    assert set(told) == {
        "a/half.safetensors", "a/reserved.safetensors", "a/checkpoint-255", "a/empty.safetensors",
    }  # fmt: skip
    assert "never written" in told["a/reserved.safetensors"]
    assert "trainer_state.json" in told["a/checkpoint-255"]


def test_a_file_that_is_written_anew_in_place_is_never_a_mixture(
    registry: Registry, runs: Path
) -> None:
    with watching(registry, runs) as seen:
        train("rewrites", runs / "a", 4, 0.4)
        seen.until(lambda: states(registry)[-1:] == [4])

    assert set(states(registry)) <= {1, 2, 3, 4}
    assert len(states(registry)) == len(set(states(registry)))


def test_a_file_that_is_filled_through_a_mapping_is_waited_for(
    registry: Registry, runs: Path
) -> None:
    with watching(registry, runs) as seen:
        train("maps", runs / "a", 2, 0.5)
        seen.until_told("captured", 2)

    assert states(registry) == [1, 2]


def test_states_that_replace_each_other_by_rename_are_versions(
    registry: Registry, runs: Path
) -> None:
    with watching(registry, runs) as seen:
        train("renames", runs / "a", 4, 0.3)
        seen.until_told("captured", 4)

    assert states(registry) == [1, 2, 3, 4]


def test_a_second_name_of_a_state_is_a_place_of_its_version(registry: Registry, runs: Path) -> None:
    with watching(registry, runs) as seen:
        train("links", runs / "a", 2, 0.4)
        seen.until_told("captured", 2)
        seen.until(lambda: len(registry.places("runs/a@2")) == 2)

    assert states(registry) == [1, 2]
    names = [place.name for place in registry.places("runs/a@2")]
    assert sorted(names) == ["last.safetensors", "step2.safetensors"]


def test_clocks_that_jump_lose_nothing(registry: Registry, runs: Path) -> None:
    with watching(registry, runs) as seen:
        train("back_in_time", runs / "a", 4)
        seen.until_told("captured", 4)

    assert states(registry) == [1, 2, 3, 4]


def test_the_files_of_a_trainer_keep_content_mode_dates_and_names(
    registry: Registry, runs: Path
) -> None:
    train("stalls", runs / "a", 2)
    checkpoint(runs / "b", 3)

    def all_told() -> list[tuple[str, bytes, int, int, int]]:
        files = sorted(path for path in runs.rglob("*") if path.is_file())
        return [
            (str(path), path.read_bytes(), (s := path.stat()).st_mode, s.st_mtime_ns, s.st_nlink)
            for path in files
        ]

    before = all_told()
    assert [one.event for one in once(registry, runs)] == ["captured"] * 3
    assert all_told() == before


def test_what_was_there_is_captured_once_in_the_order_in_which_it_was_written(
    registry: Registry, runs: Path
) -> None:
    for number in (3, 1, 2):
        folder = checkpoint(runs / "a", number)
        then = time.time() - 1000 + number
        for path in (*folder.iterdir(), folder):
            os.utime(path, (then, then))

    assert [one.event for one in once(registry, runs)] == ["captured"] * 3
    assert once(registry, runs) == []
    shutil.rmtree(registry.home / "watch")
    assert [one.event for one in once(registry, runs)] == ["known"] * 3
    steps = [registry.version(f"runs/a@{number}").params["step"] for number in (1, 2, 3)]
    assert steps == [1, 2, 3]


def test_two_watchers_make_no_second_version(registry: Registry, runs: Path) -> None:
    with watching(registry, runs) as first, watching(registry, runs) as second:
        train("rotates", runs / "a", 3, 0.5)
        first.until(lambda: len(first.told("captured", "known")) >= 3)
        second.until(lambda: len(second.told("captured", "known")) >= 3)

    assert states(registry) == [1, 2, 3]
    assert first.told("failed") == second.told("failed") == []


def test_what_a_person_removed_stays_removed(registry: Registry, runs: Path) -> None:
    checkpoint(runs / "a", 1)
    once(registry, runs)
    registry.change_states(["runs/a@1"], "archive")
    shutil.rmtree(registry.home / "watch")

    assert [one.event for one in once(registry, runs)] == ["deleted"]
    assert registry.version("runs/a@1").state == "archived"


def test_a_folder_that_comes_later_goes_and_returns(registry: Registry, runs: Path) -> None:
    runs.rmdir()
    with watching(registry, runs) as seen:
        seen.until_told("missing")
        checkpoint(runs / "a", 1)
        seen.until_told("captured")
        runs.rename(runs.with_name("away"))
        seen.until_told("missing", 2)
        runs.with_name("away").rename(runs)
        checkpoint(runs / "a", 2)
        seen.until_told("captured", 2)

    assert states(registry) == [1, 2]


def test_without_events_the_timer_finds_what_is_new(
    registry: Registry, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    def refused(*_: object, **__: object) -> None:
        raise OSError(28, "no space left on device: inotify limit reached")

    monkeypatch.setattr(watchfiles, "watch", refused)
    monkeypatch.setattr("regtui.capture.watching.TIMER", 0.2)
    with watching(registry, runs) as seen:
        checkpoint(runs / "a", 1)
        seen.until_told("captured")

    assert "inotify" in seen.told("timer")[0].message


def test_a_model_is_named_by_a_person_a_sidecar_or_its_folders(
    registry: Registry, runs: Path
) -> None:
    checkpoint(runs / "My Run", 1)
    checkpoint(runs / "b", 2)
    (runs / "b" / "regtui.json").write_text('{"model": "team/ranker", "tags": {"a": "1"}}')
    names = [one.model for one in once(registry, runs)]
    assert sorted(str(name) for name in names) == ["runs/my-run-34ef3f", "team/ranker"] or (
        "team/ranker" in names and any(str(name).startswith("runs/my-run-") for name in names)
    )
    shutil.rmtree(registry.home / "watch")

    [first, second] = once(registry, runs, model="all/{run}-{recogniser}")
    assert str(second.model) == "all/b-transformers-checkpoint"
    assert str(first.model).startswith("all/my-run-")


def test_rules_decide_what_is_kept(registry: Registry, runs: Path) -> None:
    for number in (1, 2, 3, 4):
        folder = checkpoint(runs / "a", number)
        then = time.time() - 1000 + number
        for path in (*folder.iterdir(), folder):
            os.utime(path, (then, then))
    told = once(registry, runs, keep="every 2")

    assert [(one.event, one.step) for one in told] == [
        ("skipped", 1), ("captured", 2), ("skipped", 3), ("captured", 4),
    ]  # fmt: skip
    shutil.rmtree(registry.home / "watch")
    told = once(registry, runs, keep="last 1", model="last")
    assert [(one.event, one.step) for one in told if one.event == "captured"] == [("captured", 4)]
    shutil.rmtree(registry.home / "watch")
    told = once(registry, runs, keep="final", model="final")
    assert [one.step for one in told if one.event == "captured"] == [4]


def test_of_states_that_come_at_once_each_is_judged_by_those_before(
    registry: Registry, runs: Path
) -> None:
    for number in range(1, 9):
        folder = checkpoint(runs / "a", number)
        state = {"global_step": number, "log_history": [{"step": number, "loss": number}]}
        (folder / "trainer_state.json").write_text(json.dumps(state))
        then = time.time() - 1000 + number
        for path in (*folder.iterdir(), folder):
            os.utime(path, (then, then))
    told = once(registry, runs, keep="best 2")

    assert [one.step for one in told if one.event == "captured"] == [1, 2]


def test_layers_that_were_frozen_tell_where_a_model_comes_from(
    registry: Registry, runs: Path, tmp_path: Path
) -> None:
    body, head = os.urandom(4096), os.urandom(1024)
    base = tmp_path / "base.safetensors"
    base.write_bytes(safetensors({"body": body, "head": head}))
    older = registry.capture(base, model="hub/base").version
    registry.capture(base, model="hub/copy")
    for number in range(2):
        file = runs / "tuned" / f"step-{number}.safetensors"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(safetensors({"body": body, "head": os.urandom(1024)}))
    (runs / "scratch").mkdir()
    few = safetensors({"body": os.urandom(4096), "head": head})
    (runs / "scratch" / "step-1.safetensors").write_bytes(few)
    once(registry, runs)

    assert registry.version("runs/tuned@1").parents == [older.id]
    assert registry.version("runs/tuned@2").parents == [older.id]
    assert registry.version("runs/scratch@1").parents == []


def test_a_rule_says_what_its_states_were_made_from(registry: Registry, runs: Path) -> None:
    (runs.parent / "base.bin").write_bytes(b"base")
    base = registry.capture(runs.parent / "base.bin", model="hub/base").version
    checkpoint(runs / "a", 1)
    with pytest.raises(NotFound):
        once(registry, runs, parents=("hub/none@1",))
    with pytest.raises(NotFound):
        once(registry, runs, inputs=("unknown",))
    with pytest.raises(BadInput):
        once(registry, runs, inputs=("=s3://x",))
    once(registry, runs, parents=("hub/base@1",), inputs=("reviews=s3://data/reviews",))

    version = registry.version("runs/a@1")
    assert version.parents == [base.id]
    assert version.inputs == {"reviews": {"uri": "s3://data/reviews", "digest": None}}


def test_files_that_are_shared_whole_tell_where_a_model_comes_from_and_so_do_neighbours(
    registry: Registry, runs: Path
) -> None:
    body = os.urandom(8192)
    for run, place in (("a", 2), ("b", 1)):
        folder = checkpoint(runs / run, 1)
        (folder / "model.safetensors").write_bytes(safetensors({"body": body}))
        (folder / "head.safetensors").write_bytes(safetensors({"head": run.encode() * 64}))
        then = time.time() - 1000 * place
        for path in (*folder.iterdir(), folder):
            os.utime(path, (then, then))
    once(registry, runs)

    assert registry.version("runs/a@1").parents == []
    assert registry.version("runs/b@1").parents == [registry.version("runs/a@1").id]


def test_a_rule_that_fits_no_more_keeps_no_other_folder_from_being_watched(
    registry: Registry, runs: Path, tmp_path: Path
) -> None:
    (runs.parent / "base.bin").write_bytes(b"base")
    registry.capture(runs.parent / "base.bin", model="hub/base")
    with pytest.raises(NotFound):
        registry.add_watch_rule(WatchRule(path=str(tmp_path / "b"), parents=("hub/none@1",)))
    registry.add_watch_rule(WatchRule(path=str(tmp_path / "b"), parents=("hub/base@1",)))
    registry.add_watch_rule(WatchRule(path=str(tmp_path / "c")))
    registry.add_watch_rule(WatchRule(path=str(runs)))
    registry.change_state("model", "hub/base", "delete")
    (tmp_path / "c").touch()
    checkpoint(runs / "bert", 1)
    events: list[Event] = []
    watch(registry.context, [], events.append, once=True)

    told = {(one.event, Path(one.root).name) for one in events}
    assert {("failed", "b"), ("missing", "c"), ("captured", "runs")} <= told
    registry.remove_watch_rule(str(tmp_path / "c"))
    assert len(registry.watch_rules()) == 2
    with pytest.raises(BadInput, match="is no folder"):
        registry.add_watch_rule(WatchRule(path=str(tmp_path / "c")))


def test_what_is_removed_while_its_rule_is_changed_is_captured(
    registry: Registry, runs: Path
) -> None:
    registry.add_watch_rule(WatchRule(path=str(runs)))
    events: list[Event] = []
    stop = Stop()
    running = threading.Thread(
        target=watch, args=(registry.context, [], events.append), kwargs={"stop": stop}
    )
    running.start()
    try:
        until(lambda: any(one.event == "watching" for one in events))
        (runs / "a").mkdir()
        with (runs / "a" / "w.safetensors").open("wb") as file:
            file.write(safetensors({"w": b"1234"}))
            file.flush()
            until(lambda: registry.watch_status().folders[0].watchers[0].doing)
            (runs / "a" / "w.safetensors").unlink()
            until(lambda: registry.watch_status().folders[0].watchers[0].doing[0].removed)
            registry.add_watch_rule(WatchRule(path=str(runs), exclude=("old",)))
            until(lambda: sum(one.event == "watching" for one in events) == 2)
        until(lambda: any(one.event == "captured" for one in events))
    finally:
        stop()
        running.join(60)
    assert not running.is_alive()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(IndexError):
            if condition():
                return
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_sidecar_names_a_version(registry: Registry, runs: Path) -> None:
    (runs.parent / "base.bin").write_bytes(b"base")
    base = registry.capture(runs.parent / "base.bin", model="hub/base", alias="best-one").version
    for number, named in enumerate(["hub/base@1", "hub/base@best-one", base.short_id, "no@7"]):
        folder = checkpoint(runs / f"r{number}", 1)
        (folder.parent / "regtui.json").write_text(json.dumps({"parents": [named]}))
    once(registry, runs)

    parents = [registry.version(f"runs/r{number}@1").parents for number in range(4)]
    assert parents == [[base.id], [base.id], [base.id], []]


def test_the_final_state_is_captured_when_its_run_has_ended(registry: Registry, runs: Path) -> None:
    with watching(registry, runs, keep="final") as seen:
        train("rotates", runs / "a", 3, 0.3)
        seen.until_told("captured")

    assert states(registry) == [3]
    assert len(seen.told("held")) >= 1


def test_a_watcher_that_is_killed_loses_nothing(
    registry: Registry, runs: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "regtui", "watch", str(runs), "--home", str(registry.home)]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        folder = checkpoint(runs / "a", 1)
        with (folder / "config.json").open("r+b"):  # which keeps it from being ready
            while not list((registry.home / "pins").glob("*/*/a/checkpoint-1/trainer_state.json")):
                time.sleep(0.02)
            first.kill()
            first.wait()
    shutil.rmtree(folder)

    assert [one.event for one in once(registry, runs)] == ["rotated", "captured"]
    assert states(registry) == [1]


def test_what_is_said_wrong_beside_a_model_does_not_lose_it(registry: Registry, runs: Path) -> None:
    checkpoint(runs / "a", 1)
    (runs / "a" / "regtui.json").write_text('{"inputs": {"": " "}, "model": "@@", "metrics": 5}')
    told = [one.event for one in once(registry, runs)]

    assert told[-1] == "captured"
    assert states(registry) == [1]


def test_a_registry_within_the_watched_folder_is_left_out(
    registry: Registry, tmp_path: Path
) -> None:
    checkpoint(tmp_path / "a", 1)
    once(registry, tmp_path)

    assert once(registry, tmp_path) == []
    assert states(registry) == [1]


def test_there_has_to_be_something_to_watch(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to watch"):
        watch(registry.context, [], print)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="no folder"):
        once(registry, tmp_path / "file")
    with pytest.raises(BadInput, match="rule"):
        once(registry, tmp_path, keep="some")


@pytest.mark.slow
def test_many_files_at_once_are_all_captured(registry: Registry, runs: Path) -> None:
    count = int(os.environ.get("REGTUI_FILES", "300"))
    with watching(registry, runs) as seen:
        subprocess.run([sys.executable, WRITERS, "many", runs, str(count), "0"], check=True)
        until = time.monotonic() + 1200
        while len(seen.told("captured")) < count and time.monotonic() < until:
            time.sleep(0.2)
    assert registry.count() == count
    assert weights(1)


def test_a_state_that_its_trainer_removed_is_stored_without_a_copy(
    registry: Registry, runs: Path
) -> None:
    content = weights(7, 5 << 20)
    file = runs / "a" / "last.safetensors"
    with watching(registry, runs) as seen:
        file.parent.mkdir()
        with file.open("wb") as writing:
            writing.write(content)
            writing.flush()
            seen.until(lambda: list((registry.home / "pins").glob("*/*/a/last.safetensors")))
            inode = file.stat().st_ino
            file.unlink()
        seen.until_told("captured")

    path = registry.path("runs/a@1")
    assert path.stat().st_ino == inode
    assert path.read_bytes() == content
    assert registry.verify().damaged == []


def test_the_final_save_of_a_run_comes_from_the_checkpoint_with_its_weights(
    registry: Registry, runs: Path
) -> None:
    for number in (1, 2):
        checkpoint(runs / "a", number)
    once(registry, runs)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(runs / "a" / "checkpoint-1" / name, runs / "a" / name)
    once(registry, runs)

    final = registry.version("runs/a@3")
    assert final.parents == [registry.version("runs/a@1").id]


def test_a_final_save_that_says_nothing_itself_is_told_by_the_last_checkpoint(
    registry: Registry, runs: Path
) -> None:
    for number in (1, 2):
        folder = checkpoint(runs / "a", number)
        history = [{"step": at, "loss": 1 / at} for at in range(1, number + 1)]
        state = {"global_step": number, "max_steps": 2, "log_history": history}
        (folder / "trainer_state.json").write_text(json.dumps(state))
    for name in ("config.json", "model.safetensors"):
        shutil.copy(runs / "a" / "checkpoint-2" / name, runs / "a" / name)
    told = once(registry, runs)

    captured = {one.path: one.version for one in told if one.event == "captured"}
    assert captured["a"].metrics == {"loss": 0.5}
    assert captured["a"].params["step"] == 2
