"""The registry keeps a copy of its database each day, by itself."""

import os
import shutil
from pathlib import Path

import pytest

from regtui.core.errors import Damaged
from regtui.registry import Registry
from regtui.replica.database import connected
from regtui.replica.salvage import newest_copies
from tests.registry.keeping import DAY, later
from tests.replica.ledger import check_replica


@pytest.fixture
def edited(ranker: Registry) -> Registry:
    """Return a registry that was edited today for the first time."""
    shutil.rmtree(ranker.home / "backups")
    ranker.edit("ranker@1", {"tags/env": "today"})
    return ranker


def copies(registry: Registry) -> list[Path]:
    return newest_copies(registry.context.replica.home)


def tag(database: Path) -> str:
    with connected(database, read_only=True) as connection:
        row = connection.execute("select value from base.tag where name = 'env'").fetchone()
    return str(row and row[0])


def test_the_first_edit_of_a_day_keeps_what_was_before_it(edited: Registry) -> None:
    later(edited, DAY).edit("ranker@1", {"tags/env": "tomorrow"})
    newest, first = copies(edited)
    assert (tag(first), tag(newest)) == ("prod", "today")
    assert newest.stat().st_mode & 0o777 == 0o600


def test_further_edits_of_a_day_keep_nothing_more(edited: Registry) -> None:
    before = [(path, path.stat().st_mtime_ns) for path in copies(edited)]
    edited.edit("ranker@1", {"tags/env": "again"})
    assert [(path, path.stat().st_mtime_ns) for path in copies(edited)] == before


def test_a_copy_that_was_killed_half_way_is_made_by_the_next_edit(edited: Registry) -> None:
    (copy,) = copies(edited)
    part = copy.with_suffix(".part")
    copy.rename(part)
    part.write_bytes(b"half")
    edited.edit("ranker@1", {"tags/env": "again"})
    assert tag(copy) == "today"
    assert not part.exists()


@pytest.mark.parametrize("hindrance", ["a file is in the way", "the disk has no room"])
def test_what_hinders_a_copy_hinders_no_edit(
    edited: Registry, hindrance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy,) = copies(edited)
    copy.unlink()
    if hindrance == "a file is in the way":
        copy.parent.rmdir()
        copy.parent.touch()
    else:
        monkeypatch.setattr("regtui.replica.backup._ROOM", 1 << 40)
    edited.edit("ranker@1", {"tags/env": "again"})
    assert edited.version("ranker@1").tags == {"env": "again"}
    assert copies(edited) == []


def test_a_database_that_is_deleted_comes_back_from_the_copy_of_the_day(edited: Registry) -> None:
    (edited.home / "registry.duckdb").unlink()
    with pytest.raises(Damaged, match=r"registry\.duckdb is gone"):
        edited.versions()
    assert edited.doctor(repair=True).healthy
    assert edited.version("ranker@1").tags == {"env": "prod"}
    assert edited.verify().damaged == []
    check_replica(edited.home)


def test_a_copy_of_an_empty_registry_is_no_way_back(registry: Registry, run: Path) -> None:
    registry.capture(run, model="a")
    assert len(copies(registry)) == 1
    (registry.home / "registry.duckdb").unlink()
    found = registry.doctor(repair=True)
    assert not found.healthy
    assert "no copy of it is here" in str(found.checks)
    assert not os.path.lexists(registry.home / "registry.duckdb")
