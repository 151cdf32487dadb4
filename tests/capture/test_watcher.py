"""The states of a folder: each is ready once, when it is whole, and never before."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regtui.capture.generation import QUIET, Generation
from regtui.capture.recogniser import built_in
from regtui.capture.watcher import Settings, Watcher, done_of
from tests.artifacts.model_files import safetensors

if TYPE_CHECKING:
    from regtui.capture.events import Event

CHECKPOINT = {
    "config.json": b"{}",
    "model.safetensors": safetensors({"w": bytes(1000)}),
    "trainer_state.json": b'{"global_step": 10}',
}


class Watched:
    """A watched folder, its watcher and what was told."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.root, self.home = folder / "runs", folder / "home"
        self.root.mkdir(exist_ok=True)
        self.events: list[Event] = []
        self.watcher = Watcher(
            self.root,
            self.home,
            Settings(recognisers=built_in(), **settings),  # type: ignore[arg-type]
            self.events.append,
        )

    def put(self, path: str, content: bytes, *, old: bool = True) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if old:
            self.age(file)
        return file

    def checkpoint(self, step: int = 10, weights: bytes = bytes(1000)) -> Path:
        folder = self.root / f"checkpoint-{step}"
        for name, content in CHECKPOINT.items():
            self.put(f"checkpoint-{step}/{name}", content.replace(b"10}", b"%d}" % step))
        self.put(f"checkpoint-{step}/model.safetensors", safetensors({"w": weights}))
        self.age(folder)
        return folder

    def age(self, path: Path) -> None:
        """Let a file or folder be as old as if it had been written a minute ago."""
        then = time.time() - 60
        os.utime(path, (then, then))

    def look(self) -> list[str]:
        """Return the paths of the states that are ready."""
        return [one.unit.path for one in self.ready()]

    def ready(self) -> list[Generation]:
        found = self.watcher.look()[0]
        for one in found:
            one.contents = {  # type: ignore[attr-defined]
                path: pin.opened.read_bytes() for path, pin in one.pins.items()
            }
        return found

    def capture(self) -> list[str]:
        """Take all that is ready as done, and return its paths."""
        found = self.watcher.look()[0]
        for one in found:
            self.watcher.done(one, done_of(one, version=one.unit.path))
        return [one.unit.path for one in found]

    def told(self) -> list[str]:
        return [one.event for one in self.events]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path)
    yield found
    found.watcher.close()


def test_a_whole_checkpoint_is_ready_once(watched: Watched) -> None:
    watched.checkpoint()

    assert watched.capture() == ["checkpoint-10"]
    assert watched.capture() == []
    assert watched.told() == []


def test_without_its_marker_nothing_is_ready(watched: Watched) -> None:
    (watched.checkpoint() / "trainer_state.json").unlink()

    assert watched.capture() == []
    [(waiting, reason)] = watched.watcher.waiting()
    assert (waiting.unit.path, reason) == ("checkpoint-10", "trainer_state.json is not there yet")


def test_a_marker_of_another_step_is_not_believed(watched: Watched) -> None:
    watched.checkpoint()
    watched.put("checkpoint-10/trainer_state.json", b'{"global_step": 9}')

    assert watched.capture() == []
    assert "says step 9" in watched.watcher.waiting()[0][1]


def test_who_is_still_writing_is_waited_for(watched: Watched) -> None:
    folder = watched.checkpoint()
    with (folder / "model.safetensors").open("r+b"):
        assert watched.capture() == []
        assert "being written" in watched.watcher.waiting()[0][1]
    assert watched.capture() == ["checkpoint-10"]


@pytest.mark.parametrize("end", range(0, 1080, 60))
def test_no_part_of_a_file_is_ready(watched: Watched, end: int) -> None:
    whole = safetensors({"w": bytes(1000)})
    watched.put("7/model.safetensors", whole[:end])
    assert watched.look() == []

    watched.put("7/model.safetensors", whole)
    assert watched.look() == ["7/model.safetensors"]


def test_space_that_was_reserved_by_a_writer_who_died_is_no_model(watched: Watched) -> None:
    whole = safetensors({"w": bytes(1 << 20)})
    file = watched.put("7/model.safetensors", whole[:4096])
    os.truncate(file, len(whole))
    watched.age(file)

    assert watched.look() == []
    assert "never written" in watched.watcher.waiting()[0][1]


def test_what_has_just_changed_is_looked_at_again_at_once(watched: Watched) -> None:
    watched.put("7/model.safetensors", safetensors({"w": b"x"}), old=False)
    ready, again = watched.watcher.look()
    if not ready:  # a slow machine may have let the moment pass
        assert again is not None
        assert again < 1
        time.sleep(again + 0.01)
        ready, _ = watched.watcher.look()
    assert len(ready) == 1


def test_a_checkpoint_that_is_removed_once_it_was_seen_is_ready_still(watched: Watched) -> None:
    folder = watched.checkpoint()
    with (folder / "config.json").open("r+b"):
        assert watched.look() == []
    shutil.rmtree(folder)

    [generation] = watched.ready()
    assert generation.contents["checkpoint-10/model.safetensors"] == safetensors({"w": bytes(1000)})  # type: ignore[attr-defined]
    assert watched.told() == ["rotated"]


def test_what_is_left_of_a_checkpoint_that_is_being_removed_is_no_version(watched: Watched) -> None:
    folder = watched.checkpoint()
    (folder / "optimizer.pt").write_bytes(b"\x80\x02}q\x00.")
    (folder / "scheduler.pt").write_bytes(b"\x80\x02}q\x00.")
    watched.age(folder / "optimizer.pt")
    watched.age(folder / "scheduler.pt")
    watched.age(folder)
    assert watched.capture() == ["checkpoint-10"]
    for name in ("optimizer.pt", "scheduler.pt", "config.json"):
        (folder / name).unlink()
        assert watched.capture() == []
    shutil.rmtree(folder)
    assert watched.capture() == []
    assert watched.told() == []


def test_a_rest_is_no_version_for_the_next_watcher_either(tmp_path: Path) -> None:
    first = Watched(tmp_path)
    folder = first.checkpoint()
    assert first.capture() == ["checkpoint-10"]
    first.watcher.close()
    (folder / "config.json").unlink()

    second = Watched(tmp_path)
    assert second.capture() == []
    second.watcher.close()


def test_what_is_done_is_not_read_again_by_the_next_watcher(tmp_path: Path) -> None:
    for expected in (["checkpoint-10"], []):
        watched = Watched(tmp_path)
        if expected:
            watched.checkpoint()
        assert watched.capture() == expected
        watched.watcher.close()
    assert list((tmp_path / "home" / "pins").iterdir()) == []


def test_files_removed_before_the_checkpoint_was_whole_are_lost_and_told(watched: Watched) -> None:
    folder = watched.checkpoint()
    (folder / "trainer_state.json").unlink()
    assert watched.look() == []
    shutil.rmtree(folder)

    assert watched.look() == []
    assert watched.told() == ["lost"]
    assert watched.watcher.waiting() == []


def test_a_folder_that_is_used_again_holds_a_new_state(watched: Watched) -> None:
    watched.checkpoint(weights=b"first")
    assert watched.capture() == ["checkpoint-10"]
    shutil.rmtree(watched.root / "checkpoint-10")
    watched.checkpoint(weights=b"second")

    [generation] = watched.ready()
    assert generation.contents["checkpoint-10/model.safetensors"].endswith(b"second")  # type: ignore[attr-defined]


def test_a_file_that_is_replaced_by_a_rename_leaves_both_states(watched: Watched) -> None:
    file = watched.put("7/last.safetensors", safetensors({"w": b"first"}))
    with file.open("r+b"):
        assert watched.look() == []
    beside = watched.put("7/new.tmp", safetensors({"w": b"second"}))
    beside.replace(file)

    found = watched.ready()
    assert [one.contents["7/last.safetensors"][-5:] for one in found] == [b"first", b"econd"]  # type: ignore[attr-defined]
    assert watched.told() == ["superseded"]


def test_a_file_that_is_written_anew_in_place_is_a_new_state(watched: Watched) -> None:
    watched.put("7/last.safetensors", safetensors({"w": b"first"}))
    assert watched.capture() == ["7/last.safetensors"]
    file = watched.put("7/last.safetensors", safetensors({"w": b"other"}), old=False)
    then = time.time() - 30
    os.utime(file, (then, then))

    assert watched.capture() == ["7/last.safetensors"]


def test_dates_in_the_future_are_no_reason_to_wait_for_ever(watched: Watched) -> None:
    file = watched.put("7/a.safetensors", safetensors({"w": b"x"}))
    then = time.time() + 86_400
    os.utime(file, (then, then))
    watched.look()
    time.sleep(0.06)

    assert watched.look() == ["7/a.safetensors"]


def test_a_new_name_of_a_known_state_is_told_and_nothing_read(watched: Watched) -> None:
    watched.put("7/step=1.ckpt", b"\x80\x02}q\x00.")
    assert watched.capture() == ["7/step=1.ckpt"]
    (watched.root / "7" / "last.ckpt").symlink_to("step=1.ckpt")

    assert watched.capture() == []
    [(unit, done)] = watched.watcher.relabelled()
    assert (unit.labels, done.version) == (("7/last.ckpt",), "7/step=1.ckpt")


def test_a_file_that_is_something_else_is_told_once_and_left(watched: Watched) -> None:
    watched.put("7/x.ckpt", b"PK\x05\x06" + bytes(18))
    watched.put("7/notes.txt", b"hello")
    watched.put("7/model.txt", b"a text about a model")

    assert watched.look() == []
    assert watched.look() == []
    assert watched.told() == ["other"]
    assert watched.events[0].path == "7/model.txt"


def test_a_folder_may_come_later_go_and_return(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.root.rmdir()
    assert watched.look() == []
    watched.root.mkdir()
    watched.checkpoint()
    assert watched.capture() == ["checkpoint-10"]
    watched.root.rename(tmp_path / "away")
    assert watched.capture() == []
    (tmp_path / "away").rename(watched.root)
    assert watched.capture() == []
    watched.checkpoint(20)
    assert watched.capture() == ["checkpoint-20"]

    assert watched.told() == ["missing", "back", "missing", "back"]
    watched.watcher.close()


def test_pins_of_removed_files_hold_no_more_than_they_may(tmp_path: Path) -> None:
    watched = Watched(tmp_path, budget=1500)
    folders = [watched.checkpoint(step) for step in (10, 20)]
    writing = [(folder / "config.json").open("r+b") for folder in folders]
    watched.look()
    for folder in folders:
        shutil.rmtree(folder)
    watched.look()
    for file in writing:
        file.close()

    assert watched.told() == ["released"]
    assert len(watched.look()) == 1
    watched.watcher.close()


def test_what_a_killed_watcher_had_pinned_is_ready_for_the_next_one(tmp_path: Path) -> None:
    first = Watched(tmp_path)
    folder = first.checkpoint()
    assert first.look() == ["checkpoint-10"]
    os.close(first.watcher._pins._lock)  # as a kill does
    shutil.rmtree(folder)

    second = Watched(tmp_path)
    [generation] = second.ready()
    assert generation.contents["checkpoint-10/config.json"] == b"{}"  # type: ignore[attr-defined]
    second.watcher.done(generation, done_of(generation, "v"))
    second.watcher.close()
    assert list((tmp_path / "home" / "pins").iterdir()) == []


def test_parts_without_a_marker_have_to_be_quiet_for_a_while(watched: Watched) -> None:
    watched.put("m/config.json", b"{}")
    watched.put("m/model.safetensors", safetensors({"w": b"x"}))
    ready, again = watched.watcher.look()

    assert ready == []
    assert again is not None
    assert again <= QUIET


def test_whatever_a_trainer_does_meanwhile_a_look_never_fails(watched: Watched) -> None:
    """Writers that rename, remove and rewrite all the time, in threads."""
    ended = threading.Event()

    def rotate(number: int) -> None:
        at = 0
        while not ended.is_set():
            at += 1
            folder = watched.root / str(number) / f"checkpoint-{at % 3}"
            for name, content in CHECKPOINT.items():
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content.replace(b"10}", b"%d}" % (at % 3)))
            shutil.rmtree(folder, ignore_errors=True)

    threads = [threading.Thread(target=rotate, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        for one in watched.ready():
            contents = one.contents  # type: ignore[attr-defined]
            assert {path.rpartition("/")[2] for path in contents} == set(CHECKPOINT)
            assert all(contents.values())
            watched.watcher.done(one, done_of(one, "v"))
    ended.set()
    for thread in threads:
        thread.join()
