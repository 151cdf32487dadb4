import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regtui.core.errors import RegtuiError
from regtui.replica.home import find
from regtui.replica.unit import Replica
from tests.replica.ledger import check_replica

MAKE = (
    "import sys, pathlib; from regtui.replica.unit import Replica; "
    "import regtui.replica.migrate, cryptography.hazmat.primitives.asymmetric.ed25519; "
    "print('go', flush=True); "
    "replica = Replica(pathlib.Path(sys.argv[1]));\n"
    "with replica.reading(): print('made', flush=True)"
)


def test_a_kill_while_it_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    outcomes = set()
    for turn in range(6):
        home = tmp_path / str(turn)
        with subprocess.Popen(
            [sys.executable, "-c", MAKE, str(home)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(turn * 0.02)
            process.kill()
        outcomes.add((home / "registry.duckdb").exists())
        if (home / "registry.duckdb").exists():
            check_replica(home)
        with Replica(home).reading() as connection:
            assert connection.execute("select count(*) from base.replica").fetchone() == (1,)
    assert outcomes


def test_leftovers_of_a_killed_start_are_no_hindrance(replica: Replica) -> None:
    replica.home.make_folder()
    (replica.home.path / "gate").touch()
    (replica.home.path / "registry.new").write_bytes(b"half")
    (replica.home.path / "registry.new.wal").write_bytes(b"half")
    with replica.reading():
        pass
    check_replica(replica.home.path)
    assert not list(replica.home.path.glob("*.new*"))


def test_a_new_database_is_whole_without_its_log(replica: Replica) -> None:
    with replica.reading():
        pass
    assert [path.name for path in replica.home.path.glob("registry*")] == ["registry.duckdb"]


def test_many_at_once_make_one(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["go\nmade\n"] * 4
    assert len(list((tmp_path / "config" / "keys").iterdir())) == 1
    check_replica(tmp_path / "home")


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    replica = Replica(tmp_path / "file" / "home")
    with pytest.raises(RegtuiError, match="can't make the replica in"), replica.reading():
        pass


def test_the_nearest_folder_upwards_is_the_home(tmp_path: Path) -> None:
    (tmp_path / "a" / ".regtui").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "b" / ".regtui").touch()
    assert find(tmp_path / "a" / "b" / "c").path == tmp_path / "a" / ".regtui"


def test_ids_sort_by_their_time() -> None:
    from regtui.replica.ids import uuid7

    moments = [1_700_000_000_000_000 + step for step in (0, 1, 999, 1_000, 10**9)]
    made = [uuid7(moment) for moment in moments]
    assert made == sorted(made)
    assert {identity[14] for identity in made} == {"7"}
    assert len({uuid7(moments[0]) for _ in range(1_000)}) == 1_000
    assert os.environ["REGTUI_CONFIG"]
