"""The doctor finds every accident that we can make, and gets back what can be got back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import regtui
from regtui.capture.mounts import file_system_of
from regtui.core.errors import Damaged
from regtui.registry import Registry, doctor
from regtui.registry import home_checks as checks
from regtui.registry.doctor import Diagnosis
from regtui.replica import backup as copies
from regtui.replica import rebuild, salvage
from regtui.replica.backup import keep_daily_copy
from regtui.replica.database import Connection, connected, duckdb
from regtui.replica.projection import _PROJECTORS
from regtui.replica.rebuild import PROJECTED, Rebuilt
from regtui.replica.unit import wall_clock
from tests.depth import few_of
from tests.registry.keeping import DAY, later
from tests.replica.ledger import check_replica
from tests.replica.test_ledger import act


def statuses(diagnosis: Diagnosis) -> dict[str, str]:
    return {one.check: one.status for one in diagnosis.checks if one.status != "ok"}


def database(registry: Registry) -> Path:
    return registry.home / "registry.duckdb"


def execute(registry: Registry, statement: str) -> None:
    with connected(database(registry), read_only=False) as connection:
        connection.execute(statement)


def no_copies(registry: Registry) -> None:
    shutil.rmtree(registry.home / "backups", ignore_errors=True)


def copy_today(registry: Registry) -> None:
    """Keep one copy of the database as it is now, and no other."""
    no_copies(registry)
    assert keep_daily_copy(registry.context.replica.home, wall_clock())


def test_a_sound_registry_is_healthy(ranker: Registry) -> None:
    for found in (ranker.doctor(), ranker.doctor(deep=True), ranker.doctor(repair=True)):
        assert found.healthy
        assert set(statuses(found)) <= {"key", "space"}  # it is a copy, maybe on a small disk
    check_replica(ranker.home)


@pytest.mark.slow
def test_a_registry_after_many_acts_is_healthy(registry: Registry, tmp_path: Path) -> None:
    import contextlib
    import random

    from regtui.core.errors import RegtuiError

    chance = random.Random(3)
    for _ in range(40):
        with contextlib.suppress(RegtuiError):
            act(registry, tmp_path, chance)
    found = registry.doctor(rebuild=True)
    assert found.healthy
    assert statuses(found)["rebuild"] == "repaired"
    assert registry.doctor().healthy
    check_replica(registry.home)


def test_where_there_is_no_registry_none_is_made(tmp_path: Path) -> None:
    for home in (tmp_path / "nowhere", tmp_path):
        before = sorted(tmp_path.iterdir())
        found = regtui.open(home).doctor(repair=True)
        assert found.healthy
        assert "no registry" in found.checks[0].message
        assert sorted(tmp_path.iterdir()) == before


def test_every_table_that_follows_from_documents_is_examined() -> None:
    assert set(PROJECTED) == set(_PROJECTORS)


TABLES = {
    "delete from base.tag": "tag",
    "delete from base.version": "version",
    "update base.version set size = size + 1": "version",
    "insert into base.metric values (1, 'x', 1.0, null)": "metric",
    "insert into base.metric values (900000, 'x', 1.0, null)": "metric",
    "update base.alias set version = null": "alias",
    "delete from base.model": "model",
    "insert into base.param select version, 'p', 'q', null from base.metric": "param",
    "delete from base.holder": "holder",
}


@pytest.mark.parametrize("harm", few_of(TABLES, 3))
def test_tables_that_differ_from_the_documents_are_made_anew(ranker: Registry, harm: str) -> None:
    execute(ranker, harm)
    found = ranker.doctor()
    assert not found.healthy
    assert statuses(found)["tables"] == "problem"
    assert TABLES[harm] in next(one.message for one in found.checks if one.check == "tables")
    mended = ranker.doctor(repair=True)
    assert statuses(mended)["tables"] == "repaired"
    assert mended.healthy
    assert ranker.doctor().healthy
    check_replica(ranker.home)


def test_a_forced_rebuild_mends_them_too(ranker: Registry) -> None:
    execute(ranker, "delete from base.version")
    found = ranker.doctor(rebuild=True)
    assert found.healthy
    assert "tables" not in statuses(found)
    check_replica(ranker.home)


@pytest.fixture
def ranges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Let ranges of keys be small, and return those that are made anew."""
    made: list[tuple[int, int]] = []
    original = rebuild.rebuild_range

    def watched(connection: Connection, low: int, high: int) -> Rebuilt:
        made.append((low, high))
        return original(connection, low, high)

    monkeypatch.setattr(rebuild, "RANGE", 2)
    monkeypatch.setattr(doctor, "rebuild_range", watched)
    return made


def test_only_what_differs_is_made_anew(ranker: Registry, ranges: list[tuple[int, int]]) -> None:
    execute(ranker, "delete from base.tag")
    assert ranker.doctor(repair=True).healthy
    assert len(ranges) == 1
    assert ranker.version("ranker@1").tags == {"env": "prod"}
    check_replica(ranker.home)


@pytest.mark.usefixtures("ranges")
def test_a_rebuild_that_is_interrupted_keeps_what_it_made(
    ranker: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each range is a unit of work of its own, so that others get their turn as well."""
    execute(ranker, "delete from base.version")

    def interrupted(connection: Connection, low: int, high: int) -> Rebuilt:
        if rows_of_versions(connection):
            raise KeyboardInterrupt
        return rebuild.rebuild_range(connection, low, high)

    with monkeypatch.context() as patch:
        patch.setattr(doctor, "rebuild_range", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ranker.doctor(rebuild=True)
    with connected(database(ranker), read_only=True) as connection:
        assert rows_of_versions(connection) == 1
    assert ranker.doctor(repair=True).healthy
    check_replica(ranker.home)


def rows_of_versions(connection: Connection) -> int:
    """Return how many versions have their row."""
    row = connection.execute("select count(*) from base.version").fetchone()
    return int(row[0]) if row else 0


HARM = {
    "update base.document set body = replace(body, '0.5', '0.6')": "documents",
    "update base.document set body = 'no json'": "documents",
    "update base.operation set verdict = replace(verdict, 'documents', 'document5')": "documents",
    "delete from base.operation where seq = 2": "operations",
    "update base.operation set bytes = '{bad' where seq = 2": "operations",
    "delete from base.signature where seq = (select max(seq) from base.signature)": "signature",
    "delete from base.file where path = 'model.bin'": "lists of files",
    "update base.file set size = size + 1": "lists of files",
    "update base.file set version = version + 1000": "lists of files",
}


@pytest.mark.parametrize("harm", few_of(HARM, 5))
def test_what_is_not_what_was_decided_or_captured_is_told(ranker: Registry, harm: str) -> None:
    execute(ranker, harm)
    found = ranker.doctor()
    assert not found.healthy
    assert statuses(found)[HARM[harm]] == "problem"


BROKEN = {
    "no JSON": "'{bad'",
    "no document": "'{}'",
    "no facts": """regexp_replace(body, '"facts":\\{.*?\\}', '"facts":{}')""",
}


def test_of_a_lost_document_the_tables_stay_as_they_are(ranker: Registry) -> None:
    execute(ranker, "delete from base.document where kind = 'model'")

    for found in (ranker.doctor(), ranker.doctor(repair=True)):
        assert statuses(found)["documents"] == statuses(found)["tables"] == "problem"
    assert [row[0] for row in ranker.sql("select model from models").rows] == ["ranker"]


@pytest.mark.parametrize("how", few_of(BROKEN, 2))
@pytest.mark.parametrize("kind", few_of(["model", "version", "alias"], 1))
def test_a_document_that_cannot_be_read_stops_neither_repair_nor_rebuild(
    ranker: Registry, kind: str, how: str
) -> None:
    before = ranker.sql("select * from models").rows, ranker.sql("select * from versions").rows
    execute(ranker, f"update base.document set body = {BROKEN[how]} where kind = '{kind}'")
    execute(ranker, "delete from base.tag")

    for found in (ranker.doctor(repair=True), ranker.doctor(rebuild=True)):
        assert not found.healthy
        assert statuses(found)["documents"] == "problem"
        told = next(one.message for one in found.checks if one.check == "documents")
        assert "that can't be read" in told
        assert "tables" not in statuses(found) or statuses(found)["tables"] == "repaired"

    assert "tables" not in statuses(ranker.doctor())
    assert before == (
        ranker.sql("select * from models").rows,
        ranker.sql("select * from versions").rows,
    )


def test_lost_texts_are_told(ranker: Registry) -> None:
    ranker.edit("ranker", {"card": "# Ranker\n"})
    assert ranker.doctor().healthy
    execute(ranker, "delete from base.text")
    found = ranker.doctor()
    assert not found.healthy
    assert statuses(found)["texts"] == "problem"


@pytest.mark.parametrize("harm", ["missing", "longer", "damaged"])
def test_stored_files_that_are_not_what_they_were_are_told(ranker: Registry, harm: str) -> None:
    path = next(path for path in (ranker.home / "objects").glob("*/*") if path.stat().st_size > 99)
    size = path.stat().st_size
    path.unlink()
    if harm != "missing":
        path.write_bytes(b"x" * (size + (harm == "longer")))
    assert ranker.doctor().healthy is (harm == "damaged")
    found = ranker.doctor(deep=True)
    assert statuses(found)["stored files"] == "problem"


def test_files_of_deleted_versions_are_nobodys_problem(ranker: Registry) -> None:
    ranker.remove_alias("ranker@champion")
    for number in (1, 2):
        ranker.change_state("version", f"ranker@{number}", "delete")
    later(ranker, 100 * DAY).gc(grace=0)
    assert list((ranker.home / "objects").glob("*/*")) == []
    assert ranker.doctor().healthy


def garbage(file: Path) -> None:
    file.write_bytes(b"garbage")


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for offset in range(0, len(data), 4096):
        data[offset + 100] ^= 0xFF
    file.write_bytes(data)


def removed(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("harm", few_of([garbage, removed, emptied, cut, flipped], 2))
def test_a_destroyed_database_is_made_again_from_the_newest_copy(
    ranker: Registry, harm: object
) -> None:
    copy_today(ranker)
    ranker.edit("ranker@1", {"tags/later": "than the copy"})
    harm(database(ranker))  # type: ignore[operator]
    left = database(ranker).read_bytes() if database(ranker).exists() else None
    found = ranker.doctor()
    assert statuses(found)["database"] == "problem"
    assert (database(ranker).read_bytes() if database(ranker).exists() else None) == left

    mended = ranker.doctor(repair=True)

    assert statuses(mended)["database"] == "repaired"
    assert mended.healthy
    told = next(one.message for one in mended.checks if one.check == "database")
    assert "what was done since is lost" in told
    assert ranker.version("ranker@champion").tags == {"env": "prod"}
    assert ranker.verify().damaged == []
    check_replica(ranker.home)
    kept = [path.read_bytes() for path in (ranker.home / "damaged").glob("*.duckdb")]
    assert kept == ([] if left is None else [left])


@pytest.mark.parametrize("harm", [garbage, cut, removed])
def test_without_any_copy_nothing_is_touched_and_the_way_out_is_told(
    ranker: Registry, harm: object
) -> None:
    no_copies(ranker)
    harm(database(ranker))  # type: ignore[operator]
    before = database(ranker).read_bytes() if database(ranker).exists() else None
    found = ranker.doctor(repair=True)
    assert statuses(found)["database"] == "problem"
    hint = next(one.hint for one in found.checks if one.check == "database")
    assert "backup restore" in hint
    assert (database(ranker).read_bytes() if database(ranker).exists() else None) == before
    assert not (ranker.home / "registry.salvage").exists()


def test_a_copy_that_is_damaged_too_is_passed_over(ranker: Registry) -> None:
    copy_today(ranker)
    folder = ranker.context.replica.home.backups
    older = folder / "before-0001-1.duckdb"
    shutil.copy(next(folder.glob("daily-*")), older)
    os.utime(older, (1, 1))
    garbage(next(folder.glob("daily-*")))
    garbage(database(ranker))
    mended = ranker.doctor(repair=True)
    assert mended.healthy
    assert "before-0001-1.duckdb" in str(mended.checks)
    check_replica(ranker.home)


def test_a_repair_for_which_there_is_no_room_takes_no_older_copy(
    ranker: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_today(ranker)
    ranker.edit("ranker@1", {"tags/later": "than the copy"})
    before = database(ranker).read_bytes()

    def damaged(*_: object) -> None:
        raise Damaged("a block is damaged")

    def too_large(*_: object) -> None:
        raise duckdb.OutOfMemoryException("could not allocate block")

    monkeypatch.setattr(doctor, "examine", damaged)
    monkeypatch.setattr(salvage, "_copy_table", too_large)
    found = ranker.doctor(repair=True)
    assert statuses(found)["database"] == "problem"
    assert "REGTUI_MEMORY" in next(one.hint for one in found.checks if one.check == "database")
    assert database(ranker).read_bytes() == before
    assert not list(ranker.home.glob("registry.salvage*"))


@pytest.mark.parametrize("turn", few_of(range(2), 1))
def test_a_table_that_can_be_made_anew_costs_nothing_else(ranker: Registry, turn: int) -> None:
    """Damage the blocks of the database one by one; what can be read in full comes back in full."""
    no_copies(ranker)
    whole = database(ranker).read_bytes()
    expected = ranker.versions()
    block = 262_144
    outcomes = set()
    for start in range(12_288 + turn * block, len(whole), 6 * block):
        data = bytearray(whole)
        for offset in range(start + 8, min(start + block, len(data)), 512):
            data[offset] ^= 0xFF
        database(ranker).write_bytes(data)
        shutil.rmtree(ranker.home / "damaged", ignore_errors=True)
        mended = ranker.doctor(repair=True)
        outcomes.add(statuses(mended).get("database", "ok"))
        if mended.healthy:
            assert ranker.versions() == expected
            check_replica(ranker.home)
        else:
            assert database(ranker).read_bytes() == bytes(data)
    assert outcomes <= {"ok", "repaired", "problem"}


def test_a_damaged_log_costs_its_changes_only(ranker: Registry) -> None:
    no_copies(ranker)
    log = database(ranker).with_name("registry.duckdb.wal")
    expected = ranker.versions()
    log.write_bytes(os.urandom(10_000))
    mended = ranker.doctor(repair=True)
    assert mended.healthy
    assert ranker.versions() == expected
    check_replica(ranker.home)
    if statuses(mended).get("database") == "repaired":
        assert list((ranker.home / "damaged").glob("*.wal"))


def test_the_log_of_a_database_that_is_gone_is_kept_apart(ranker: Registry) -> None:
    copy_today(ranker)
    database(ranker).unlink()
    log = database(ranker).with_name("registry.duckdb.wal")
    log.write_bytes(b"of another database")
    assert ranker.doctor(repair=True).healthy
    assert not log.exists()
    kept = next((ranker.home / "damaged").glob("*.wal"))
    assert kept.read_bytes() == b"of another database"
    check_replica(ranker.home)


def test_a_repair_that_was_interrupted_is_finished(ranker: Registry) -> None:
    shutil.copy(database(ranker), ranker.home / "registry.repaired")
    garbage(database(ranker))
    mended = ranker.doctor(repair=True)
    assert mended.healthy
    assert not (ranker.home / "registry.repaired").exists()
    check_replica(ranker.home)


def test_a_database_of_another_program_is_set_aside_by_a_repair_only(ranker: Registry) -> None:
    from regtui.replica.database import duckdb

    copy_today(ranker)
    database(ranker).unlink()
    with duckdb.connect(str(database(ranker))) as connection:
        connection.execute("create table mine as select 1")
    assert statuses(ranker.doctor())["database"] == "problem"
    assert ranker.doctor(repair=True).healthy
    kept = next((ranker.home / "damaged").glob("*.duckdb"))
    with connected(kept, read_only=True) as connection:
        assert connection.execute("from mine").fetchall() == [(1,)]


def test_a_registry_of_a_newer_program_is_left_alone(ranker: Registry) -> None:
    execute(ranker, "insert into base.schema_version values (9999, 0)")
    before = database(ranker).read_bytes()
    found = ranker.doctor(repair=True)
    assert statuses(found)["database"] == "problem"
    assert "upgrade regtui" in str(found.checks)
    assert database(ranker).read_bytes() == before


def test_a_home_that_others_may_look_into_is_closed(ranker: Registry) -> None:
    ranker.home.chmod(0o755)
    database(ranker).chmod(0o644)
    found = ranker.doctor()
    assert statuses(found)["modes"] == "warning"
    assert found.healthy
    assert statuses(ranker.doctor(repair=True))["modes"] == "repaired"
    assert ranker.home.stat().st_mode & 0o777 == 0o700
    assert database(ranker).stat().st_mode & 0o777 == 0o600
    assert "modes" not in statuses(ranker.doctor())


def test_what_killed_commands_left_is_removed(ranker: Registry) -> None:
    left = [
        ranker.home / "registry.new",
        ranker.home / "registry.duckdb.tmp" / "spilled",
        ranker.home / "tmp" / "0123456789abcdef" / "0",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    assert statuses(ranker.doctor())["unfinished"] == "warning"
    assert statuses(ranker.doctor(repair=True))["unfinished"] == "repaired"
    assert not any(path.exists() for path in left)
    assert "unfinished" not in statuses(ranker.doctor())


def test_the_session_of_a_running_command_is_not_removed(ranker: Registry) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom regtui.artifacts.leases import lease\n"
        "with lease(Path(sys.argv[1])):\n    print('on', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(ranker.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert "unfinished" not in statuses(ranker.doctor(repair=True))
        assert len([path for path in (ranker.home / "tmp").iterdir() if path.is_dir()]) == 1
        process.kill()


def test_foreign_files_are_told_and_left(ranker: Registry) -> None:
    (ranker.home / "notes.txt").write_text("mine", encoding="utf-8")
    (ranker.home / "objects" / "README").write_text("mine", encoding="utf-8")
    found = ranker.doctor(repair=True)
    assert statuses(found)["foreign files"] == "warning"
    assert "notes.txt, README" in str(found.checks)
    assert (ranker.home / "notes.txt").exists()


def test_what_hooks_keep_in_the_home_is_not_foreign(ranker: Registry) -> None:
    ranker.add_hook(["*"], "true")
    ranker.edit("ranker@1", {"tags/by": "ann"})
    ranker.run_hooks()
    (ranker.home / "hooks.new").write_bytes(b"[[hook]]")  # a kill left it
    assert (ranker.home / "hooks").is_dir()
    assert "foreign files" not in statuses(ranker.doctor())


def test_a_clock_that_is_behind_is_told(ranker: Registry) -> None:
    later(ranker, 10 * DAY).edit("ranker@1", {"tags/from": "the future"})
    assert statuses(ranker.doctor())["clock"] == "warning"


def test_a_key_that_is_not_here_is_told(registry: Registry) -> None:
    registry.create_model("x")
    assert "key" not in statuses(registry.doctor())
    shutil.rmtree(os.environ["REGTUI_CONFIG"])
    assert statuses(registry.doctor())["key"] == "warning"


def test_a_network_file_system_is_told(ranker: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    present = file_system_of(ranker.home)
    assert present
    monkeypatch.setattr(checks, "NETWORK", {present})
    assert statuses(ranker.doctor())["file system"] == "warning"


def test_a_full_disk_is_told(ranker: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_LEAST_FREE", 1 << 62)
    assert statuses(ranker.doctor())["space"] == "warning"


def test_a_copy_is_kept_once_a_day_and_three_in_all(ranker: Registry) -> None:
    no_copies(ranker)
    home = ranker.context.replica.home
    made = [keep_daily_copy(home, wall_clock() + day * DAY * 10**6) for day in (0, 0, 1, 2, 3, 3)]
    assert made == [True, False, True, True, True, False]
    kept = sorted(home.backups.iterdir())
    assert len(kept) == 3
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert Path(ranker.database_copies()[0].file).name == kept[-1].name


def test_a_large_database_is_not_copied_by_itself(
    ranker: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_copies(ranker)
    monkeypatch.setattr(copies, "DAILY_LIMIT", 1000)
    monkeypatch.setattr(checks, "DAILY_LIMIT", 1000)
    assert not keep_daily_copy(ranker.context.replica.home, wall_clock())
    assert statuses(ranker.doctor())["copies"] == "warning"
