"""Backups: whole while others write, restored all or nothing, refused when tampered with."""

import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

import regtui
from regtui.artifacts.archive import DATABASE, DIGESTS, HEADER
from regtui.core.errors import BadInput, Busy, Damaged, NotFound, RegtuiError
from regtui.registry import Registry
from regtui.replica.database import connected
from tests.registry.keeping import DAY, later, objects
from tests.replica.ledger import check_replica

Entries = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def backup(ranker: Registry, tmp_path: Path) -> Path:
    target = tmp_path / "ranker.tar"
    ranker.create_backup(target)
    return target


def restored(backup: Path, home: Path) -> Registry:
    registry = regtui.open(home)
    registry.restore_backup(backup)
    return registry


def read(backup: Path) -> Entries:
    with tarfile.open(backup) as archive:
        return [(entry, archive.extractfile(entry).read()) for entry in archive]  # type: ignore[union-attr]


def write(backup: Path, entries: Entries, *, listed: bool = True) -> None:
    """Write a backup of other entries, with a list of digests that fits them."""
    lines = ""
    with tarfile.open(backup, "w", format=tarfile.GNU_FORMAT) as archive:
        for entry, data in entries:
            if listed and entry.name == DIGESTS:
                data = lines.encode()  # noqa: PLW2901 -- the very purpose
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
            lines += f"{blake3(data).hexdigest()}  {entry.name}\n"


def test_a_restored_registry_answers_like_the_original(
    ranker: Registry, backup: Path, tmp_path: Path
) -> None:
    copy = restored(backup, tmp_path / "new" / "home")
    assert copy.versions() == ranker.versions()
    assert copy.models() == ranker.models()
    assert copy.verify().damaged == []
    assert objects(copy.home) == objects(ranker.home)
    copy.checkout("ranker@champion", tmp_path / "out")
    assert (tmp_path / "out" / "model.bin").read_bytes() == bytes(range(250)) * 20
    check_replica(copy.home)
    assert copy.doctor().healthy


def test_a_restored_home_is_as_private_as_the_original(backup: Path, tmp_path: Path) -> None:
    home = restored(backup, tmp_path / "home2").home
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "registry.duckdb").stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o777 for path in (home / "objects").glob("*/*")} == {0o444}
    assert (home / ".gitignore").read_text(encoding="ascii") == "*\n"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_restored_registry_can_be_written(backup: Path, tmp_path: Path, run: Path) -> None:
    copy = restored(backup, tmp_path / "home2")
    assert copy.edit("ranker@1", {"tags/after": "restore"})
    (run / "more").write_text("x", encoding="utf-8")
    assert copy.capture(run, model="ranker").created


def test_a_registry_restored_into_the_place_of_the_original_is_a_copy(
    ranker: Registry, backup: Path
) -> None:
    from regtui.replica.keys import load_key

    ranker.edit("ranker@1", {"tags/later": "than the backup"})
    for _ in range(5):  # file systems give freed inodes out again, most of the time
        shutil.rmtree(ranker.home)
        restored(backup, ranker.home)
        with ranker.context.reading() as connection:
            row = connection.execute("select id::varchar from base.replica").fetchone()
        assert row is not None
        assert load_key(row[0], ranker.home) is None


def test_standard_tools_read_a_backup(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    lines = (tmp_path / "out" / DIGESTS).read_text(encoding="ascii").splitlines()
    names = {
        str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    assert {line[66:] for line in lines} == names - {DIGESTS}
    for line in lines:
        assert blake3((tmp_path / "out" / line[66:]).read_bytes()).hexdigest() == line[:64]


def test_a_backup_tells_what_it_is(ranker: Registry, backup: Path) -> None:
    header = ranker.describe_backup(backup)
    assert (header.models, header.versions, header.objects) == (1, 2, 3)
    assert header.artifacts
    found = ranker.verify_backup(backup)
    assert (found.header, found.objects, found.bytes, found.missing) == (
        header,
        3,
        header.bytes,
        [],
    )


def test_a_backup_of_the_database_alone_needs_its_files_elsewhere(
    ranker: Registry, tmp_path: Path
) -> None:
    made = ranker.create_backup(tmp_path / "db.tar", artifacts=False)
    assert (made.objects, made.header.artifacts) == (0, False)
    copy = restored(tmp_path / "db.tar", tmp_path / "home2")
    assert {damage.problem for damage in copy.verify().damaged} == {"missing"}
    shutil.copytree(ranker.home / "objects", copy.home / "objects")
    assert copy.verify().damaged == []


def test_a_backup_of_an_empty_registry_is_one(registry: Registry, tmp_path: Path) -> None:
    registry.create_backup(tmp_path / "empty.tar")
    assert restored(tmp_path / "empty.tar", tmp_path / "home2").models() == []


def test_a_folder_gets_a_file_named_after_the_time(ranker: Registry, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    made = ranker.create_backup(tmp_path / "backups")
    assert [str(path) for path in (tmp_path / "backups").iterdir()] == [made.file]


def test_a_file_that_is_there_is_replaced_only_when_asked(ranker: Registry, backup: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(BadInput, match="exists already"):
        ranker.create_backup(backup)
    assert backup.read_bytes() == before
    ranker.edit("ranker@1", {"description": "new"})
    ranker.create_backup(backup, replace=True)
    assert ranker.verify_backup(backup).objects == 3


@pytest.mark.parametrize("place", ["objects", "x.tar", "tmp/y.tar"])
def test_a_backup_inside_the_registry_is_refused(ranker: Registry, place: str) -> None:
    with pytest.raises(BadInput, match="inside the registry"):
        ranker.create_backup(ranker.home / place)


def test_targets_that_can_not_be_are_refused(ranker: Registry, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        ranker.create_backup(tmp_path / "no" / "where.tar")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="no regular file"):
        ranker.create_backup(tmp_path / "pipe", replace=True)


def test_a_second_backup_to_one_name_waits_for_nobody(ranker: Registry, tmp_path: Path) -> None:
    refused: list[type] = []

    def again(_: int) -> None:
        with pytest.raises(Busy) as caught:
            ranker.create_backup(tmp_path / "b.tar")
        refused.append(caught.type)

    ranker.create_backup(tmp_path / "b.tar", on_progress=again)
    assert refused
    assert ranker.verify_backup(tmp_path / "b.tar").objects == 3


def test_a_collection_takes_nothing_from_a_running_backup(ranker: Registry, tmp_path: Path) -> None:
    collected: list[bool] = []

    def collect(_: int) -> None:
        if not collected:
            ranker.remove_alias("ranker@champion")
            for number in (1, 2):
                ranker.change_state("version", f"ranker@{number}", "delete")
            collected.append(later(ranker, 100 * DAY).gc(grace=0).held)

    made = ranker.create_backup(tmp_path / "b.tar", on_progress=collect)
    assert collected == [True]
    assert (made.missing, made.objects) == ([], 3)
    assert restored(tmp_path / "b.tar", tmp_path / "home2").verify().damaged == []


@pytest.mark.parametrize("harm", ["missing", "damaged", "longer"])
def test_files_that_the_store_has_lost_are_named_and_the_rest_is_kept(
    ranker: Registry, tmp_path: Path, harm: str
) -> None:
    path = next(path for path in (ranker.home / "objects").glob("*/*") if path.stat().st_size > 99)
    path.chmod(0o600)
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(b"x" * (path.stat().st_size + (harm == "longer")))
    made = ranker.create_backup(tmp_path / "b.tar")
    assert made.missing == [path.parent.name + path.name]
    assert made.objects == 2
    assert ranker.verify_backup(tmp_path / "b.tar").missing == made.missing
    home = tmp_path / "home2"
    assert regtui.open(home).restore_backup(tmp_path / "b.tar").missing == made.missing
    assert len(objects(home)) == 2


def test_a_home_that_holds_something_is_left_alone(ranker: Registry, backup: Path) -> None:
    before = objects(ranker.home)
    with pytest.raises(BadInput, match="is not empty"):
        ranker.restore_backup(backup)
    assert objects(ranker.home) == before


def test_a_home_that_is_a_file_is_left_alone(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="no folder"):
        restored(backup, tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_an_empty_home_is_taken(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "home2").mkdir()
    assert restored(backup, tmp_path / "home2").count() == 2


def test_what_is_no_backup_is_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        registry.verify_backup(tmp_path / "nothing")
    with pytest.raises(BadInput, match="is a folder"):
        registry.verify_backup(tmp_path)
    for content in (b"", b"x", b"garbage" * 1000, b"\0" * 10_240, os.urandom(5000)):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(BadInput, match="no backup"):
            registry.verify_backup(tmp_path / "bad")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(tmp_path / "bad", "bad")
    with pytest.raises(BadInput, match="no backup"):
        registry.describe_backup(tmp_path / "other.tar")


@pytest.mark.parametrize("part", [0.001, 0.3, 0.9, 0.999, 1.0])
def test_a_backup_that_was_cut_off_restores_nothing(
    backup: Path, tmp_path: Path, part: float
) -> None:
    size = backup.stat().st_size
    os.truncate(backup, min(int(size * part), size - 1024 - 600))
    with pytest.raises((Damaged, BadInput)):
        restored(backup, tmp_path / "home2")
    assert not (tmp_path / "home2").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("where", range(8))
def test_a_flipped_bit_anywhere_is_noticed(backup: Path, tmp_path: Path, where: int) -> None:
    data = bytearray(backup.read_bytes())
    with tarfile.open(backup) as archive:
        places = [entry.offset_data for entry in archive if entry.size]
    data[places[where % len(places)] + where % 3] ^= 1
    backup.write_bytes(data)
    with pytest.raises((Damaged, BadInput)):
        restored(backup, tmp_path / "home2")
    assert not (tmp_path / "home2").exists()


def renamed(name: str) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        entries[2][0].name = name

    return change


def linked(kind: bytes) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        entries[2][0].type, entries[2][0].linkname = kind, "/etc/passwd"
        entries[2] = (entries[2][0], b"")

    return change


def swapped(entries: Entries) -> None:
    entries[2], entries[3] = entries[3], entries[2]


def doubled(entries: Entries) -> None:
    entries.insert(3, entries[2])


def without_database(entries: Entries) -> None:
    del entries[1]


def without_object(entries: Entries) -> None:
    del entries[2]


def another_database(entries: Entries) -> None:
    entries[1] = (entries[1][0], b"garbage" * 1000)


def garbled_header(entries: Entries) -> None:
    entries[0] = (entries[0][0], b'{"format": 1, "created": 7}')


TAMPERING: dict[str, Callable[[Entries], None]] = {
    "a path above": renamed("objects/../../../etc/cron.d/x"),
    "an absolute path": renamed("/etc/cron.d/x"),
    "a path beside": renamed("objects/ab/../../gate"),
    "another name": renamed("gate"),
    "another digest": renamed("objects/ab/" + "0" * 62),
    "a symbolic link": linked(tarfile.SYMTYPE),
    "a hard link": linked(tarfile.LNKTYPE),
    "a device": linked(tarfile.CHRTYPE),
    "a pipe": linked(tarfile.FIFOTYPE),
    "a folder": linked(tarfile.DIRTYPE),
    "another order": swapped,
    "an object twice": doubled,
    "no database": without_database,
    "another database": another_database,
    "a garbled header": garbled_header,
}


@pytest.mark.parametrize("name", TAMPERING)
def test_a_backup_that_was_tampered_with_restores_nothing(
    backup: Path, tmp_path: Path, name: str
) -> None:
    entries = read(backup)
    TAMPERING[name](entries)
    write(backup, entries)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(Damaged):
        restored(backup, tmp_path / "home2")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_object_that_was_left_out_is_noticed_by_the_list(backup: Path, tmp_path: Path) -> None:
    entries = read(backup)
    without_object(entries)
    write(backup, entries, listed=False)
    with pytest.raises(Damaged, match="list of digests"):
        restored(backup, tmp_path / "home2")


def test_an_object_that_was_left_out_of_the_list_too_is_told(backup: Path, tmp_path: Path) -> None:
    entries = read(backup)
    without_object(entries)
    write(backup, entries)
    assert len(regtui.open(tmp_path / "home2").restore_backup(backup).missing) == 1


@pytest.mark.parametrize("size", [1 << 40, 1 << 62])
def test_a_huge_size_is_counted_and_not_allocated(backup: Path, tmp_path: Path, size: int) -> None:
    with tarfile.open(backup) as archive:
        entry = archive.getmember(DATABASE)
    entry.size = size
    data = bytearray(backup.read_bytes())
    data[entry.offset : entry.offset + 512] = entry.tobuf(tarfile.GNU_FORMAT)
    backup.write_bytes(data)
    with pytest.raises(Damaged, match="cut off"):
        restored(backup, tmp_path / "home2")


@pytest.mark.parametrize(
    "harm", ["behind its end", "behind zeros", "in place of its end", "between entries"]
)
def test_what_does_not_belong_to_a_backup_is_refused(
    backup: Path, ranker: Registry, tmp_path: Path, harm: str
) -> None:
    data = backup.read_bytes()
    changed = {
        "behind its end": data + b"x",
        "behind zeros": data + b"\0" * 9_000 + b"x",
        "in place of its end": data[:-1024],
        "between entries": data[:1023] + b"x" + data[1024:],
    }[harm]
    backup.write_bytes(changed)
    with pytest.raises(Damaged):
        ranker.verify_backup(backup)
    with pytest.raises(Damaged):
        restored(backup, tmp_path / "home2")
    assert not (tmp_path / "home2").exists()


def test_zeros_behind_the_end_of_a_backup_are_how_tar_pads(backup: Path, ranker: Registry) -> None:
    backup.write_bytes(backup.read_bytes() + b"\0" * 9_000)
    assert ranker.verify_backup(backup).objects > 0


def test_a_huge_header_is_refused(backup: Path, tmp_path: Path) -> None:
    entries = read(backup)
    entries[0] = (entries[0][0], b" " * 100_000 + entries[0][1])
    write(backup, entries)
    with pytest.raises(BadInput, match="no backup"):
        restored(backup, tmp_path / "home2")


def test_a_backup_of_a_newer_program_asks_for_it(backup: Path, tmp_path: Path) -> None:
    for old, new in ((b'"format":1', b'"format":2'), (b'"schema":', b'"schema":99')):
        entries = read(backup)
        assert old in entries[0][1]
        entries[0] = (entries[0][0], entries[0][1].replace(old, new))
        write(tmp_path / "new.tar", entries)
        with pytest.raises(RegtuiError, match="newer regtui"):
            restored(tmp_path / "new.tar", tmp_path / "home2")


def test_a_log_that_a_killed_writer_left_is_part_of_a_backup(
    ranker: Registry, tmp_path: Path
) -> None:
    database = ranker.home / "registry.duckdb"
    with connected(database, read_only=False) as connection:
        connection.execute("update base.replica set clock_us = clock_us + 1")
        shutil.copy(database.with_name("registry.duckdb.wal"), tmp_path / "log")
        shutil.copy(database, tmp_path / "file")
    shutil.copy(tmp_path / "file", database)
    shutil.copy(tmp_path / "log", database.with_name("registry.duckdb.wal"))
    ranker.create_backup(tmp_path / "b.tar")
    copy = restored(tmp_path / "b.tar", tmp_path / "home2")
    clocks = []
    for registry in (ranker, copy):
        with registry.context.reading() as connection:
            clocks.append(connection.execute("select clock_us from base.replica").fetchone())
    assert clocks[0] == clocks[1]
    assert not (copy.home / "registry.duckdb.wal").exists()


def test_the_header_comes_first_and_is_small(backup: Path) -> None:
    with tarfile.open(backup) as archive:
        first = archive.next()
    assert first is not None
    assert (first.name, first.size < 1000) == (HEADER, True)
