"""SIGKILL of captures, gc, backup and doctor, and backups while others write: nothing is lost.

`REGTUI_KILLS` says how many are killed (8 unless told otherwise), `REGTUI_SEED` when.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import regtui as package
from regtui.replica.database import connected
from tests.cli.process import Regtui
from tests.registry.keeping import age
from tests.replica.ledger import check_replica

KILLS = int(os.environ.get("REGTUI_KILLS", "8"))
SECONDS = float(os.environ.get("REGTUI_SECONDS", "6"))
WRITER = Path(__file__).with_name("writer.py")
DYING = Path(__file__).with_name("dying.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 + KILLS * 30 + 4 * int(SECONDS))]


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("REGTUI_SEED", str(random.SystemRandom().randrange(10**6))))
    print(f"REGTUI_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def regtui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Regtui:
    """Return a registry with twenty versions, of which every third is deleted, and an orphan."""
    monkeypatch.setenv("REGTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    registry = package.open(tmp_path / "home")
    for turn in range(20):
        run = tmp_path / "runs" / str(turn)
        run.mkdir(parents=True)
        (run / "weights").write_bytes(os.urandom(300_000))
        (run / "shared").write_bytes(bytes([turn % 4]) * 1000)
        registry.capture(run, model=f"m{turn % 2}")
    for turn in range(0, 20, 3):
        registry.change_state("version", f"m{turn % 2}@{turn // 2 + 1}", "delete")
    age(registry.home, 10_000)
    return Regtui(tmp_path / "home", tmp_path / "config")


def kill(regtui: Regtui, seconds: float, *arguments: str | Path) -> bool:
    """Run a command and kill it after so long; tell whether it was still running."""
    with regtui.start(*arguments, "--json") as process:
        time.sleep(seconds)
        process.kill()
        process.communicate()
    return process.returncode < 0


def whole(regtui: Regtui) -> None:
    assert regtui.json("verify")["damaged"] == []
    check_replica(regtui.home)


def die(home: Path, run: Path, place: int) -> int:
    """Capture, and be killed right before a file operation; return how many there were, or 0."""
    arguments = [home, "capture", "m", run, place]
    done = subprocess.run(
        [sys.executable, str(DYING), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return int(done.stdout) if done.returncode == 0 else 0


@pytest.mark.parametrize("which", ["first", "first of a day"])
def test_a_capture_that_is_killed_anywhere_leaves_a_home_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chance: random.Random, which: str
) -> None:
    """The first one makes the home; the first one of a day keeps a copy of the database."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    run = tmp_path / "run"
    run.mkdir()
    (run / "weights").write_bytes(os.urandom(1000))
    before = tmp_path / "before"
    if which != "first":
        package.open(before).create_model("m")
        shutil.rmtree(before / "backups")

    def fresh(name: str) -> Path:
        home = tmp_path / name
        return home if which == "first" else Path(shutil.copytree(before, home))

    places = die(fresh("whole"), run, 0)
    for place in sorted(chance.sample(range(1, places + 1), min(3 * KILLS, places))):
        left = fresh(str(place))
        die(left, run, place)
        registry = package.open(left)
        registry.versions()
        registry.capture(run, model="m")
        assert registry.verify().damaged == []
        assert len(registry.database_copies()) == 1
        check_replica(left)


def test_a_killed_collection_loses_nothing_that_is_named(
    regtui: Regtui, chance: random.Random
) -> None:
    killed = 0
    for turn in range(KILLS):
        folder = regtui.home / "objects" / f"{turn % 256:02x}"
        folder.mkdir(exist_ok=True)
        for number in range(50):
            orphan = folder / f"{number:062x}"
            orphan.write_bytes(b"x")
            os.utime(orphan, (1, 1))
        killed += kill(regtui, chance.uniform(0.1, 0.6), "gc", "--grace", "0")
        whole(regtui)
    print(f"{killed} of {KILLS} were killed at work")
    left = regtui.json("gc", "--grace", "0")
    assert left["kept"]["orphaned"]["files"] == 0
    whole(regtui)


def test_a_killed_backup_leaves_none_or_a_whole_one(
    regtui: Regtui, chance: random.Random, tmp_path: Path
) -> None:
    for turn in range(KILLS):
        target = tmp_path / "backups" / f"{turn % 3}.tar"
        target.parent.mkdir(exist_ok=True)
        kill(regtui, chance.uniform(0.1, 0.7), "backup", "create", target, "--yes")
        if target.exists():
            assert regtui.json("backup", "verify", target)["missing"] == []
    whole(regtui)
    target = tmp_path / "backups" / "0.tar"
    assert regtui("backup", "create", target, "--yes").code == 0
    assert not target.with_name(".0.tar.part").exists()
    regtui.json("gc")
    assert [path.name for path in (regtui.home / "tmp").iterdir() if path.is_dir()] == []


def test_a_killed_restore_leaves_no_home_or_a_whole_one(
    regtui: Regtui, chance: random.Random, tmp_path: Path
) -> None:
    assert regtui("backup", "create", tmp_path / "b.tar").code == 0
    for turn in range(KILLS):
        home = tmp_path / "restored" / str(turn)
        kill(
            regtui,
            chance.uniform(0.1, 0.5),
            "backup",
            "restore",
            tmp_path / "b.tar",
            "--home",
            home,
        )
        if home.exists():
            assert regtui.json("verify", "--home", home)["damaged"] == []
            check_replica(home)
        elif turn % 4 == 0:
            assert regtui("backup", "restore", tmp_path / "b.tar", "--home", home).code == 0
            check_replica(home)


@pytest.mark.parametrize("accident", ["garbage", "table", "rebuild"])
def test_a_killed_repair_can_be_repeated(
    regtui: Regtui, chance: random.Random, accident: str
) -> None:
    database = regtui.home / "registry.duckdb"
    backups = regtui.home / "backups"
    backups.mkdir(exist_ok=True)
    shutil.copy(database, backups / "daily-20200101.duckdb")
    for _ in range(max(KILLS // 3, 3)):
        if accident == "garbage":
            database.write_bytes(os.urandom(100_000))
        elif accident == "table":
            with connected(database, read_only=False) as connection:
                connection.execute("delete from base.version")
        arguments = ["--rebuild"] if accident == "rebuild" else ["--repair"]
        kill(regtui, chance.uniform(0.1, 1.0), "doctor", *arguments)
        assert regtui("doctor", "--repair").code == 0
        whole(regtui)
        assert not list(regtui.home.glob("registry.repaired*"))
        assert not list(regtui.home.glob("registry.salvage*"))


def test_a_backup_while_three_write_and_one_collects_restores_whole(
    regtui: Regtui, tmp_path: Path
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, str(WRITER), str(regtui.home), str(tmp_path / f"w{i}"), str(SECONDS)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(3)
    ]
    deadline = time.monotonic() + SECONDS
    made: list[Path] = []
    while time.monotonic() < deadline or not made:
        target = tmp_path / f"b{len(made)}.tar"
        answer = regtui.process("backup", "create", target, "--json")
        assert answer.code == 0, answer
        made.append(target)
        assert regtui.process("gc", "--grace", "0", "--json").code == 0
    assert [writer.communicate()[1] for writer in writers] == ["", "", ""]
    print(f"{len(made)} backups while three wrote")
    whole(regtui)
    for number, backup in enumerate(made):
        home = tmp_path / "restored" / str(number)
        assert regtui.json("backup", "restore", backup, "--home", home)["missing"] == []
        assert regtui.json("verify", "--home", home)["damaged"] == []
        check_replica(home)
