"""A home that has lost its database is never taken for a new one."""

import os
import shutil
from pathlib import Path

import pytest

import regtui
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import Damaged
from regtui.registry import Registry
from tests.replica.ledger import check_replica


@pytest.fixture
def lost(ranker: Registry) -> Registry:
    """Return a registry that has nothing but its stored files."""
    (ranker.home / "registry.duckdb").unlink()
    shutil.rmtree(ranker.home / "backups", ignore_errors=True)
    return ranker


def content(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.name != "lock"}


@pytest.mark.parametrize("left", ["objects", "backups", "registry.duckdb.wal", "registry.repaired"])
def test_whatever_is_left_of_a_registry_keeps_a_new_one_from_being_made(
    tmp_path: Path, lost: Registry, left: str
) -> None:
    home = tmp_path / "left"
    home.mkdir()
    if left == "objects":
        shutil.copytree(lost.home / left, home / left)
    elif left == "backups":
        (home / left).mkdir()
        (home / left / "daily-20200101.duckdb").touch()
    else:
        (home / left).touch()
    with pytest.raises(Damaged, match="is gone") as raised:
        regtui.open(home).versions()
    assert raised.value.exit_code == 8
    assert "regtui doctor --repair" in raised.value.hint
    assert "regtui backup restore" in raised.value.hint
    assert not os.path.lexists(home / "registry.duckdb")
    assert not regtui.open(home).doctor().healthy


def test_nothing_is_stored_in_a_home_that_has_lost_its_database(
    lost: Registry, tmp_path: Path
) -> None:
    (tmp_path / "new").write_bytes(b"new")
    before = content(lost.home)
    for act in (
        lambda: lost.capture(tmp_path / "new", model="b"),
        lambda: lost.create_model("b"),
        lambda: lost.export(None, tmp_path / "bundle"),
        lambda: lost.create_backup(tmp_path / "backup.tar"),
        lost.verify,
        lambda: lost.gc(grace=0),
    ):
        with pytest.raises(Damaged, match="is gone"):
            act()
    assert content(lost.home) == before


@pytest.mark.parametrize("name", ["objects/00", "backups", "tmp", "damaged"])
def test_empty_folders_are_nothing_that_was_lost(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    (home / name).mkdir(parents=True)
    (home / "gate").touch()
    assert regtui.open(home).versions().versions == []
    check_replica(home)


def test_a_first_capture_that_is_killed_leaves_a_home_that_works(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are stored before they are registered; killed between, they are there alone."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    registry = regtui.open(tmp_path / "home")
    original = ObjectStore.ingest

    def killed(self: ObjectStore, *arguments: object, **options: object) -> object:
        original(self, *arguments, **options)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "ingest", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.capture(run, model="a")
    assert list((registry.home / "objects").glob("*/*"))
    assert registry.versions().versions == []
    registry.capture(run, model="a")
    check_replica(registry.home)
