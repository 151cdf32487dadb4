"""Collections: what is needed stays, whoever is at work; what is not goes after its grace."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from regtui.artifacts.garbage import Stored
from regtui.artifacts.ingest import Ingest
from regtui.artifacts.leases import lease
from regtui.artifacts.scan import scan
from regtui.core.errors import Damaged
from regtui.registry import Registry, gc
from regtui.registry.gc import Amount
from regtui.replica.database import connected
from tests.registry.keeping import DAY, age, later, objects
from tests.replica.ledger import check_replica


@pytest.fixture
def kept(registry: Registry, run: Path) -> Registry:
    """Return a registry with `a@1` of three files, whose objects are thirty days old."""
    registry.capture(run, model="a")
    age(registry.home, 30 * DAY)
    return registry


def add(registry: Registry, run: Path, text: str) -> str:
    """Capture one more file beside the run's, and return the reference."""
    (run / "extra").write_text(text, encoding="utf-8")
    return registry.capture(run, model="a").version.reference


@pytest.mark.parametrize("state", ["captured", "archived"])
def test_what_captured_and_archived_versions_need_stays(kept: Registry, state: str) -> None:
    if state == "archived":
        kept.change_state("version", "a@1", "archive")
    found = later(kept, 1000 * DAY).gc(grace=0)
    assert (found.removed.total, found.kept.needed.files) == (Amount(), 3)
    assert kept.verify("a@1").damaged == []


def test_the_files_of_a_deleted_version_go_after_its_grace(kept: Registry, run: Path) -> None:
    add(kept, run, "second")
    kept.change_state("version", "a@2", "delete")
    age(kept.home, 30 * DAY)
    before = later(kept, 13 * DAY).gc()
    assert (before.removed.total, before.kept.deleted) == (Amount(), Amount(1, 6))
    after = later(kept, 15 * DAY).gc()
    assert after.removed.deleted == Amount(1, 6)
    assert after.kept.needed.files == 3
    assert kept.verify().damaged == []
    check_replica(kept.home)


def test_a_version_that_is_restored_within_the_grace_is_whole(
    kept: Registry, tmp_path: Path
) -> None:
    kept.change_state("version", "a@1", "delete")
    later(kept, 13 * DAY).gc()
    kept.change_state("version", "a@1", "restore")
    later(kept, 100 * DAY).gc()
    kept.checkout("a@1", tmp_path / "out")


def test_a_version_that_is_restored_too_late_says_what_is_missing(
    kept: Registry, run: Path, tmp_path: Path
) -> None:
    kept.change_state("version", "a@1", "delete")
    assert later(kept, 15 * DAY).gc().removed.deleted.files == 3
    kept.change_state("version", "a@1", "restore")
    assert {damage.problem for damage in kept.verify("a@1").damaged} == {"missing"}
    with pytest.raises(Damaged, match="is missing"):
        kept.checkout("a@1", tmp_path / "out")
    assert kept.capture(run, model="a").created is False
    assert kept.verify("a@1").damaged == []


def test_what_no_version_names_goes_a_grace_after_it_was_touched(
    kept: Registry, tmp_path: Path
) -> None:
    (tmp_path / "orphan").write_bytes(b"orphan")
    kept.context.store.ingest(scan(tmp_path / "orphan"))
    assert kept.gc().kept.orphaned == Amount(1, 6)
    assert later(kept, 15 * DAY).gc(dry_run=True).removed.orphaned == Amount(1, 6)
    assert len(objects(kept.home)) == 4
    assert later(kept, 15 * DAY).gc().removed.orphaned == Amount(1, 6)
    assert len(objects(kept.home)) == 3
    assert later(kept, 15 * DAY).gc().removed.total == Amount()


def test_what_was_touched_in_the_last_minute_stays_whatever_the_grace(
    kept: Registry, tmp_path: Path
) -> None:
    (tmp_path / "orphan").write_bytes(b"orphan")
    kept.context.store.ingest(scan(tmp_path / "orphan"))
    assert kept.gc(grace=0).kept.orphaned.files == 1
    assert later(kept, 120).gc(grace=0).removed.orphaned.files == 1


def test_a_grace_longer_than_time_itself_keeps_everything(kept: Registry) -> None:
    kept.change_state("version", "a@1", "delete")
    assert kept.gc(grace=10**12).kept.deleted.files == 3


def test_damaged_copies_go_after_the_grace_and_databases_never(kept: Registry) -> None:
    digest = min(objects(kept.home))
    kept.context.store.set_aside(digest)
    (kept.home / "damaged" / "registry-1.duckdb").write_bytes(b"precious")
    assert later(kept, 13 * DAY).gc().kept.damaged.files == 1
    assert later(kept, 15 * DAY).gc().removed.damaged.files == 1
    assert [path.name for path in (kept.home / "damaged").iterdir()] == ["registry-1.duckdb"]


def test_leftovers_of_killed_commands_go(kept: Registry) -> None:
    dead = kept.home / "tmp" / "0123456789abcdef"
    dead.mkdir()
    (dead / "0").write_bytes(b"half")
    kept.context.replica.home.backups.mkdir(exist_ok=True)
    part = kept.context.replica.home.backups / "daily.part"
    part.write_bytes(b"12")
    assert kept.gc(dry_run=True).removed.unfinished == Amount(1, 4)
    assert kept.gc().removed.unfinished == Amount(1, 4)
    assert later(kept, 15 * DAY).gc().removed.unfinished == Amount(1, 2)
    assert not dead.exists()
    assert not part.exists()


def test_a_lost_list_of_files_stops_a_collection(kept: Registry) -> None:
    with connected(kept.home / "registry.duckdb", read_only=False) as connection:
        connection.execute("delete from base.file where path = 'model.bin'")
    with pytest.raises(Damaged, match="lost their lists of files"):
        later(kept, 100 * DAY).gc(grace=0)
    assert len(objects(kept.home)) == 3


def test_files_whose_version_row_is_lost_are_needed(kept: Registry) -> None:
    with connected(kept.home / "registry.duckdb", read_only=False) as connection:
        connection.execute("delete from base.version")
    assert later(kept, 100 * DAY).gc(grace=0).kept.needed.files == 3


def test_what_a_lease_may_need_stays_until_it_ends(kept: Registry) -> None:
    with lease(kept.home):
        kept.change_state("version", "a@1", "delete")
        found = later(kept, 100 * DAY).gc(grace=0)
        assert (found.held, found.kept.deleted.files) == (True, 3)
    found = later(kept, 100 * DAY).gc(grace=0)
    assert (found.held, found.removed.deleted.files) == (False, 3)


@pytest.mark.parametrize("act", ["restore", "restored and deleted again", "captured"])
def test_what_happens_between_judging_and_removing_counts(
    kept: Registry, run: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    kept.change_state("version", "a@1", "delete")
    original = gc._Collection._remove
    acted: list[str] = []

    def remove(self: gc._Collection, found: list[Stored], head: int) -> set[str]:
        if not acted:
            acted.append(act)
            if act == "captured":
                kept.capture(run, model="b")
                age(kept.home, 30 * DAY)  # as if it had not touched them
            else:
                kept.change_state("version", "a@1", "restore")
            if act == "restored and deleted again":
                kept.change_state("version", "a@1", "delete")
        return original(self, found, head)

    monkeypatch.setattr(gc._Collection, "_remove", remove)
    found = later(kept, 15 * DAY).gc()
    assert acted
    assert (found.removed.total, len(objects(kept.home))) == (Amount(), 3)
    assert kept.verify().damaged == []


STEPS: dict[str, tuple[type, str, bool]] = {
    "before a file is taken": (Ingest, "take", True),
    "when a file was found": (Ingest, "take", False),
    "before files are named": (Ingest, "finish", True),
    "when files were named": (Ingest, "finish", False),
    "before the transaction": (Registry, "nothing", True),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_collection_at_any_step_of_a_capture_takes_nothing_from_it(
    kept: Registry, run: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    kept.change_state("version", "a@1", "delete")
    collected: list[int] = []

    def collect() -> None:
        collected.append(kept.gc(grace=0).removed.total.files)

    owner, name, first = STEPS[step]
    if owner is Registry:
        after_ingest(kept, monkeypatch, collect)
    else:
        original = getattr(owner, name)

        def wrapped(self: Ingest, *arguments: object) -> object:
            if first:
                collect()
            result = original(self, *arguments)
            if not first:
                collect()
            return result

        monkeypatch.setattr(owner, name, wrapped)
    (run / "new").write_bytes(os.urandom(100))
    captured = kept.capture(run, model="b").version
    monkeypatch.undo()
    assert collected
    assert kept.verify(captured.reference).damaged == []
    check_replica(kept.home)


def after_ingest(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, collect: Callable[[], None]
) -> None:
    """Let something happen between the end of an ingest and the transaction that follows."""
    from regtui.artifacts.store import ObjectStore

    original = ObjectStore.ingest

    def ingest(self: ObjectStore, *arguments: object, **options: object) -> object:
        result = original(self, *arguments, **options)  # type: ignore[arg-type]
        collect()
        return result

    monkeypatch.setattr(ObjectStore, "ingest", ingest)


def test_captures_and_collections_at_once_lose_nothing(registry: Registry, tmp_path: Path) -> None:
    done = threading.Event()
    failures: list[BaseException] = []

    def collect() -> None:
        try:
            while not done.is_set():
                registry.gc(grace=0)
        except BaseException as error:  # noqa: BLE001 -- told below
            failures.append(error)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for turn in range(12):
            (tmp_path / "f").write_text(str(turn % 3), encoding="utf-8")
            reference = registry.capture(tmp_path / "f", model="m").version.reference
            if turn % 2:
                registry.change_state("version", reference, "delete")
    finally:
        done.set()
        collector.join()
    assert failures == []
    assert registry.verify().damaged == []
    check_replica(registry.home)


def test_a_capture_whose_files_were_taken_before_its_transaction_stores_them_again(
    kept: Registry, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "new").write_bytes(b"new")
    collected: list[int] = []

    def collect() -> None:
        if not collected:  # as if hours had gone by since the ingest
            age(kept.home, 10_000)
            collected.append(kept.gc(grace=0).removed.orphaned.files)

    after_ingest(kept, monkeypatch, collect)
    captured = kept.capture(run, model="b").version
    assert collected == [1]
    assert kept.verify(captured.reference).damaged == []
    check_replica(kept.home)


def test_a_collection_takes_nothing_from_a_running_checkout(kept: Registry, tmp_path: Path) -> None:
    collected: list[bool] = []

    def collect(_: int) -> None:
        if not collected:
            kept.change_state("version", "a@1", "delete")
            collected.append(later(kept, 100 * DAY).gc(grace=0).held)

    kept.checkout("a@1", tmp_path / "out", on_progress=collect)
    assert collected == [True]
    assert (tmp_path / "out" / "model.bin").stat().st_size == 5000
