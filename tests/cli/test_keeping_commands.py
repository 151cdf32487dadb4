"""`gc`, `du`, `backup` and `doctor`: answers, schemas, exit codes, full disks."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import NOBODY, Regtui
from tests.cli.schemas import check
from tests.registry.keeping import age
from tests.replica.ledger import check_replica


@pytest.fixture
def backup(ranker: Regtui, tmp_path: Path) -> Path:
    assert ranker("backup", "create", tmp_path / "b.tar").code == 0
    return tmp_path / "b.tar"


def deleted(regtui: Regtui) -> None:
    """Delete the only version, as if its files had been stored long ago."""
    regtui("alias", "rm", "team/ranker@champion")
    regtui("version", "delete", "team/ranker@1")
    age(regtui.home, 10_000)


def test_gc_tells_what_it_removes_and_keeps(ranker: Regtui) -> None:
    assert ranker("gc").out.endswith("removed 0 files, 0 B\n")
    answer = ranker.json("gc", "--dry-run")
    check(answer, "gc")
    assert answer["dry_run"] is True
    assert answer["kept"]["needed"]["files"] == 3


def test_gc_keeps_what_a_version_needed_a_moment_ago(ranker: Regtui) -> None:
    deleted(ranker)
    answer = ranker.json("gc", "--grace", "0")
    assert answer["removed"]["deleted"]["files"] == 0
    assert answer["kept"]["deleted"]["files"] == 3


@pytest.mark.parametrize("grace", ["14", "d", "-1d", "1 week", "", "99999999999999d"])
def test_gc_refuses_what_is_no_duration(ranker: Regtui, grace: str) -> None:
    answer = ranker("gc", f"--grace={grace}")
    assert answer.code == 2
    assert "is no duration; such as 14d" in answer.error


def test_gc_of_a_store_that_may_not_be_written_is_refused(
    ranker: Regtui, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ranker.home / "objects" / "ab").mkdir(exist_ok=True)
    orphan = ranker.home / "objects" / "ab" / ("0" * 62)
    orphan.write_bytes(b"x")
    os.utime(orphan, (1, 1))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    answer = ranker("gc")
    assert answer.code == 1
    assert "no permission for removing from the store" in answer.error
    assert orphan.exists()


def test_du_tells_models_and_the_home(ranker: Regtui) -> None:
    out = ranker("du").out
    assert "team/ranker" in out
    assert "IN THE HOME" in out
    answer = ranker.json("du")
    check(answer, "du")
    assert answer["models"][0]["total"] == answer["store"]["needed"]["bytes"] > 700
    for reference in ("team/ranker", "team/ranker@1"):
        answer = ranker.json("du", reference)
        check(answer, "du")
        assert list(answer) == ["versions"]
        assert "team/ranker@1" in ranker("du", reference).out


def test_du_of_what_is_not_there_is_not_found(ranker: Regtui) -> None:
    assert ranker("du", "nobody").code == 3
    assert ranker("du", "team/ranker@7").code == 3
    assert ranker("du", "a b").code == 2


def test_du_fits_a_narrow_terminal(ranker: Regtui) -> None:
    assert max(map(len, ranker("du").out.splitlines())) <= 80


def test_a_backup_is_made_read_and_restored(
    ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ranker.json("backup", "create", tmp_path / "b.tar")
    check(made, "backup")
    assert (made["objects"], made["missing"], made["home"]) == (3, [], None)
    found = ranker.json("backup", "verify", tmp_path / "b.tar")
    check(found, "backup")
    assert found["header"] == made["header"]
    assert ranker.json("backup", "ls", tmp_path / "b.tar")["header"] == made["header"]
    assert "1 model, 1 version, 3 stored files" in ranker("backup", "ls", tmp_path / "b.tar").out
    restored = ranker.json("backup", "restore", tmp_path / "b.tar", "--home", tmp_path / "new")
    check(restored, "backup")
    assert restored["home"] == str(tmp_path / "new")
    assert ranker("show", "team/ranker@champion", "--home", tmp_path / "new").code == 0
    assert ranker("doctor", "--home", tmp_path / "new").code == 0


def test_a_backup_is_replaced_with_yes_only(ranker: Regtui, backup: Path) -> None:
    answer = ranker("backup", "create", backup)
    assert answer.code == 2
    assert answer.error.endswith("exists already; name a new file, or replace it with --yes")
    assert ranker("backup", "create", backup, "--yes").code == 0


def test_a_backup_that_lacks_files_is_made_and_exits_with_8(ranker: Regtui, tmp_path: Path) -> None:
    next((ranker.home / "objects").glob("*/*")).unlink()
    answer = ranker("backup", "create", tmp_path / "b.tar", "--json")
    assert answer.code == 8
    assert len(answer.json["missing"]) == 1
    answer = ranker("backup", "verify", tmp_path / "b.tar")
    assert answer.code == 8
    assert "1 file that versions need are not in it" in answer.err


def test_what_is_no_backup_is_refused(ranker: Regtui, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"garbage" * 500)
    for verb in ("verify", "ls", "restore"):
        assert ranker("backup", verb, tmp_path / "nothing", "--home", tmp_path / "n").code == 3
        answer = ranker("backup", verb, tmp_path / "bad", "--home", tmp_path / "n")
        assert answer.code == 2
        assert "is no backup of a registry" in answer.error
    assert not (tmp_path / "n").exists()


def test_a_backup_is_not_restored_over_a_registry(ranker: Regtui, backup: Path) -> None:
    before = ranker.json("ls")
    answer = ranker("backup", "restore", backup)
    assert answer.code == 2
    assert "is not empty" in answer.error
    assert ranker.json("ls") == before


def test_reading_a_backup_makes_no_registry(regtui: Regtui, ranker_home: Path) -> None:
    for verb in ("verify", "ls"):
        regtui("backup", verb, ranker_home / "nothing.tar")
    regtui("doctor")
    assert not regtui.home.exists()


def test_the_copies_of_the_database_are_listed(ranker: Regtui) -> None:
    answer = ranker.json("backup", "ls")
    check(answer, "backup-ls")
    (ranker.home / "backups").mkdir(exist_ok=True)
    shutil.copy(ranker.home / "registry.duckdb", ranker.home / "backups" / "daily-1.duckdb")
    answer = ranker.json("backup", "ls")
    check(answer, "backup-ls")
    assert "daily-1.duckdb" in ranker("backup", "ls").out


def test_the_doctor_tells_every_check(ranker: Regtui) -> None:
    answer = ranker.json("doctor")
    check(answer, "doctor")
    assert answer["healthy"] is True
    assert len(answer["checks"]) > 10
    assert len(ranker("doctor").out.splitlines()) >= len(answer["checks"])


def test_the_doctor_exits_with_8_until_it_has_repaired(ranker: Regtui) -> None:
    from regtui.replica.database import connected

    with connected(ranker.home / "registry.duckdb", read_only=False) as connection:
        connection.execute("delete from base.version")
    answer = ranker("doctor")
    assert answer.code == 8
    assert "PROBLEM" in answer.out
    assert answer.err.startswith("regtui: 1 problem in ")
    assert ranker("doctor", "--json").code == 8
    assert ranker("doctor", "--repair").code == 0
    assert ranker("doctor").code == 0
    check_replica(ranker.home)


@pytest.mark.parametrize("limit", [1 << 10, 1 << 20, 5 << 20])
def test_files_that_may_grow_no_further_stop_a_backup_and_a_restore(
    ranker: Regtui, backup: Path, tmp_path: Path, limit: int
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    answer = ranker.process("backup", "create", tmp_path / "second.tar", file_limit=limit)
    assert answer.code == 1
    assert "full" in answer.error
    home = tmp_path / "restored"
    answer = ranker.process("backup", "restore", backup, "--home", home, file_limit=limit)
    assert answer.code == 1
    assert "full" in answer.error
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert [path.name for path in (ranker.home / "tmp").iterdir() if path.is_dir()] == []
    assert ranker("doctor").code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of its own with 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:  # noqa: PLW1510
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_stops_a_backup_and_a_restore(
    ranker: Regtui, backup: Path, small_disk: Path
) -> None:
    commands: list[list[str | Path]] = [
        ["backup", "create", small_disk / "b.tar"],
        ["backup", "restore", backup, "--home", small_disk / "home"],
    ]
    for arguments in commands:
        answer = ranker(*arguments)
        assert answer.code == 1
        assert "the disk is full" in answer.error
        assert list(small_disk.iterdir()) == []


def test_a_target_that_may_not_be_written_is_named(ranker: Regtui, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    home = Path(shutil.copytree(ranker.home, tmp_path / "open"))
    for path in [home, *home.rglob("*")]:
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    target = tmp_path / "closed" / "b.tar"
    answer = ranker.process("backup", "create", target, "--home", home, user=NOBODY)
    assert answer.code == 1
    assert "closed" in answer.error
