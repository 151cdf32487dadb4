"""Leases, pages of objects, and removing what nobody touched."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from regtui.artifacts import garbage, sessions
from regtui.artifacts.garbage import all_there, damaged_copies, remove, stored
from regtui.artifacts.leases import lease, oldest_lease, sweep
from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.manifest import FileEntry

HOLDER = """
import sys
from pathlib import Path
from regtui.artifacts.leases import lease
with lease(Path(sys.argv[1])) as folder:
    (folder / "half").write_bytes(b"x" * 1000)
    print("holding", flush=True)
    sys.stdin.read()
"""


def now() -> int:
    return time.time_ns()


def test_objects_are_listed_once_in_order_whatever_the_page(
    store: ObjectStore, captured: list[FileEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "PAGE", 2)
    pages = list(stored(store.root))
    listed = [(one.digest, one.size) for page in pages for one in page]
    assert listed == sorted({(entry.digest, entry.size) for entry in captured})
    assert len(pages) > 1


def test_names_that_are_no_digests_are_not_listed(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    (store.root / "objects" / "README").write_text("mine", encoding="utf-8")
    (store.path_of(captured[0].digest).parent / "note").write_text("mine", encoding="utf-8")
    assert sum(map(len, stored(store.root))) == len({entry.digest for entry in captured})


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(stored(tmp_path / "nowhere")) == []
    assert list(damaged_copies(tmp_path / "nowhere")) == []
    assert oldest_lease(tmp_path / "nowhere") is None
    assert sweep(tmp_path / "nowhere") == (0, 0)
    assert not (tmp_path / "nowhere").exists()


def test_only_what_was_not_touched_since_the_limit_is_removed(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    everything = [one for page in stored(store.root) for one in page]
    limit = now() - 10**9
    old = everything[0]
    os.utime(store.path_of(old.digest), ns=(limit - 1, limit - 1))
    assert remove(store.root, everything, limit) == [old]
    assert not store.has(old.digest)
    assert all(store.has(one.digest) for one in everything[1:])
    assert remove(store.root, [old], limit) == []


def test_a_manifest_is_there_only_with_every_object_and_its_size(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    assert all_there(store, captured)
    longer = [FileEntry("x", captured[0].size + 1, executable=False, digest=captured[0].digest)]
    assert not all_there(store, longer)
    store.path_of(captured[0].digest).unlink()
    assert not all_there(store, captured)


def test_the_oldest_lease_counts_while_its_process_lives(tmp_path: Path) -> None:
    before = now() - 10**8  # the file system's clock ticks slower
    with lease(tmp_path), lease(tmp_path):
        first = oldest_lease(tmp_path)
        assert first is not None
        assert before <= first <= now()
    assert oldest_lease(tmp_path) is None


def test_a_killed_lease_counts_for_nothing_and_is_swept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert oldest_lease(tmp_path) is not None
        assert sweep(tmp_path) == (0, 0)
        process.kill()
    assert oldest_lease(tmp_path) is None
    assert sweep(tmp_path, dry_run=True) == (1, 1000)
    assert sweep(tmp_path) == (1, 1000)
    assert sweep(tmp_path) == (0, 0)
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["lock"]


def test_a_lease_that_ends_is_never_taken_for_a_killed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look before each step by which its folder is removed."""
    seen: list[tuple[int, int]] = []
    original = sessions._unlink

    def looked(path: Path) -> None:
        seen.append(sweep(tmp_path, dry_run=True))
        original(path)

    with lease(tmp_path) as folder:
        (folder / "deep").mkdir()
        for name in ("a", "deep/z"):
            (folder / name).write_bytes(b"x" * 1000)
        monkeypatch.setattr(sessions, "_unlink", looked)
    assert seen == [(0, 0)] * 5
    assert not folder.exists()


def test_a_folder_that_vanishes_during_a_sweep_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("0" * 16, "1" * 16):
        (tmp_path / "tmp" / name).mkdir(parents=True)
        (tmp_path / "tmp" / name / "half").write_bytes(b"x" * 1000)
    original = sessions._began

    def began(folder: Path) -> int | None:
        found = original(folder)
        if folder.name == "0" * 16:
            shutil.rmtree(folder)
        return found

    monkeypatch.setattr(sessions, "_began", began)
    assert sweep(tmp_path) == (1, 1000)


def test_leases_come_and_go_while_others_sweep(tmp_path: Path) -> None:
    done = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for turn in range(150):
                with lease(tmp_path) as folder:
                    for number in range(turn % 7):
                        (folder / str(number)).write_bytes(b"x")
        except BaseException as error:  # noqa: BLE001 -- told below
            failures.append(error)
        finally:
            done.set()

    worker = threading.Thread(target=work)
    worker.start()
    swept = set()
    while not done.is_set():
        swept.add(sweep(tmp_path))
    worker.join()
    assert failures == []
    assert swept == {(0, 0)}


def test_what_is_no_session_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / "tmp" / "sql").mkdir(parents=True)
    (tmp_path / "tmp" / "sql" / "spill").write_bytes(b"x")
    assert sweep(tmp_path) == (0, 0)
    assert (tmp_path / "tmp" / "sql" / "spill").exists()


def test_a_damaged_copy_counts_from_when_it_was_set_aside(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    path = store.path_of(captured[0].digest)
    os.utime(path, ns=(0, 0))
    before = now() - 10**8
    store.set_aside(captured[0].digest)
    [(copy, size, since)] = damaged_copies(store.root)
    assert (copy.name, size) == (captured[0].digest, captured[0].size)
    assert since >= before


def test_an_ingest_is_a_lease_from_its_start_to_its_end(
    store: ObjectStore, checkpoint: Path
) -> None:
    seen: list[int | None] = []
    store.ingest(scan(checkpoint), on_progress=lambda _: seen.append(oldest_lease(store.root)))
    assert seen
    assert None not in seen
    assert oldest_lease(store.root) is None
