"""Undo and redo of what waits for a server, and of what it accepted."""

import shutil
from pathlib import Path

import pytest

from regtui.core.errors import NotFound
from regtui.registry import Registry, open_registry
from tests.server.people import Person, join, sign_in
from tests.server.process import ServerProcess


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def eve(server_process: ServerProcess, tmp_path: Path) -> Person:
    return join(server_process, tmp_path / "eve-home", "eve", "maintainer")


@pytest.fixture
def registry(eve: Person, tmp_path: Path) -> Registry:
    (tmp_path / "w").write_text("weights")
    eve.registry.capture(tmp_path / "w", model="bert")
    eve.registry.sync()
    return eve.registry


def tags(registry: Registry) -> dict[str, str]:
    return registry.version("bert@1").tags


@pytest.mark.parametrize("when", ["before", "after", "between"])
def test_a_bare_undo_and_redo_work_before_a_sync_and_after_it(
    registry: Registry, when: str
) -> None:
    def sync() -> None:
        if when != "before":
            assert registry.sync().rejected == 0

    registry.edit("bert@1", {"tags/a": "1"})
    if when == "between":
        registry.sync()
    registry.edit("bert@1", {"tags/b": "2"})
    sync()

    (made,) = registry.undo().operations
    assert made.summary.endswith(": removed tag.b")
    sync()
    registry.undo()
    assert tags(registry) == {}
    sync()
    registry.redo()
    assert tags(registry) == {"a": "1"}
    sync()
    registry.redo()
    sync()
    assert tags(registry) == {"a": "1", "b": "2"}
    with pytest.raises(NotFound, match="nothing to redo"):
        registry.redo()
    assert registry.sync().rejected == 0


def test_what_waits_is_found_though_a_sync_judged_it_again(
    registry: Registry, server_process: ServerProcess, tmp_path: Path
) -> None:
    other = sign_in(server_process, tmp_path / "other", "eve").registry
    other.sync()
    other.edit("bert@1", {"tags/other": "1"})
    other.sync()
    registry.edit("bert@1", {"tags/mine": "1"})
    registry.sync(direction="pull")

    registry.undo()

    assert tags(registry) == {"other": "1"}


def test_a_bare_undo_takes_back_what_the_same_person_did_here_and_not_elsewhere(
    registry: Registry, server_process: ServerProcess, tmp_path: Path
) -> None:
    other = sign_in(server_process, tmp_path / "other", "eve").registry
    other.sync()
    with pytest.raises(NotFound, match="nothing to undo"):
        other.undo()
    registry.edit("bert@1", {"tags/here": "1"})
    registry.sync()
    other.edit("bert@1", {"tags/there": "1"})
    other.sync()
    registry.sync()

    registry.undo()
    registry.sync()
    other.sync()
    assert tags(other) == {"there": "1"}
    with pytest.raises(NotFound, match="nothing to redo"):
        other.redo()

    other.undo()
    other.sync()
    registry.sync()
    assert tags(registry) == {}


def test_a_copy_of_the_home_goes_on_from_what_was_done_before_it_and_not_beside_it(
    registry: Registry, server_process: ServerProcess, eve: Person, tmp_path: Path
) -> None:
    registry.edit("bert@1", {"tags/before": "1"})
    registry.sync()
    shutil.copytree(registry.home, tmp_path / "copy")
    copy = sign_in(server_process, tmp_path / "copy", "eve").registry
    copy.edit("bert@1", {"tags/copied": "1"})
    copy.sync()
    registry.edit("bert@1", {"tags/beside": "1"})
    registry.sync()
    copy.sync()

    copy.undo()
    assert set(tags(copy)) == {"before", "beside"}
    copy.undo()
    assert set(tags(copy)) == {"beside"}
    assert copy.sync().rejected == 0


def test_a_rehearsal_tells_what_it_would_do_and_leaves_nothing(registry: Registry) -> None:
    registry.edit("bert@1", {"tags/a": "1"})

    told = registry.undo(dry_run=True)

    assert [one.summary for one in told.operations] == ["undid +1: removed tag.a"]
    assert len(told.undone) == 1
    assert tags(registry) == {"a": "1"}
    (undone,) = registry.undo().operations
    assert undone.summary == told.operations[0].summary
    (redone,) = registry.redo().operations
    assert redone.summary.startswith("redid +1")


def test_what_waits_is_named_as_the_log_calls_it(registry: Registry) -> None:
    registry.edit("bert@1", {"tags/a": "1"})
    (waiting,) = [one for one in registry.log().operations if one.waiting]

    registry.undo(f"+{waiting.seq - (1 << 52)}")

    assert tags(registry) == {}


def test_what_a_program_did_here_is_not_taken_back_by_a_bare_undo(
    registry: Registry, tmp_path: Path
) -> None:
    registry.edit("bert@1", {"tags/a": "1"})
    watcher = open_registry(registry.home, via="watcher")
    (tmp_path / "w2").write_text("others")
    watcher.capture(tmp_path / "w2", model="bert")
    registry.sync()

    registry.undo()

    assert tags(registry) == {}
    assert registry.version("bert@2").state == "captured"
