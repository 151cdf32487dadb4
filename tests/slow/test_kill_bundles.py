"""SIGKILL of export and import: a target is whole or absent, the next import completes.

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
from regtui.registry import Registry
from tests.cli.process import Regtui
from tests.replica.ledger import check_replica

KILLS = int(os.environ.get("REGTUI_KILLS", "8"))
SECONDS = float(os.environ.get("REGTUI_SECONDS", "6"))
WRITER = Path(__file__).with_name("writer.py")
DYING = Path(__file__).with_name("dying.py")
COUNT = "select count(*) as count from versions"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 + KILLS * 40 + 4 * int(SECONDS))]


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("REGTUI_SEED", str(random.SystemRandom().randrange(10**6))))
    print(f"REGTUI_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def regtui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Regtui:
    """Return a registry with some versions and a thousand operations."""
    monkeypatch.setenv("REGTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    write(package.open(tmp_path / "home"), tmp_path / "runs", "here", edits=1000)
    return Regtui(tmp_path / "home", tmp_path / "config")


def write(registry: Registry, runs: Path, name: str, *, edits: int) -> None:
    """Capture a few large versions and edit one of them many times in one unit of work."""
    for turn in range(4):
        run = runs / f"{name}-{turn}"
        run.mkdir(parents=True)
        (run / "weights").write_bytes(os.urandom(8_000_000))
        registry.capture(run, model=f"{name}{turn % 2}")
    from regtui.registry.edit import submit_edit
    from regtui.registry.references import find_version

    with registry.context.writing() as authority:
        _, document = find_version(authority.connection, f"{name}0@1")
        for turn in range(edits):
            submit_edit(authority, document, {"tags/turn": str(turn)})
            found = authority.view.document(document.id)
            assert found is not None
            document = found


def kill(regtui: Regtui, seconds: float, *arguments: str | Path) -> bool:
    """Run a command and kill it after so long; tell whether it was still running."""
    with regtui.start(*arguments, "--json") as process:
        time.sleep(seconds)
        process.kill()
        process.communicate()
    return process.returncode < 0


def duration(regtui: Regtui, *arguments: str | Path) -> float:
    """Run a command to its end, and return how long it took."""
    started = time.monotonic()
    assert regtui.process(*arguments).code == 0
    return time.monotonic() - started


def swept(home: Path) -> bool:
    """Tell whether nothing unfinished is left; the command before has swept."""
    return [path for path in (home / "tmp").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("what", ["here0@1", "--all"])
def test_a_killed_export_leaves_no_file_or_a_whole_one(
    regtui: Regtui, chance: random.Random, tmp_path: Path, what: str
) -> None:
    longest = duration(regtui, "export", what, tmp_path / "whole")
    expected = (tmp_path / "whole").read_bytes()
    killed = 0
    for turn in range(KILLS):
        target = tmp_path / f"target-{turn % 3}"
        killed += kill(regtui, chance.uniform(0, longest), "export", what, target, "--yes")
        assert not target.exists() or target.read_bytes() == expected
    print(f"{killed} of {KILLS} were killed at work")
    assert killed
    for turn in range(3):
        assert regtui("export", what, tmp_path / f"target-{turn}", "--yes").code == 0
        assert (tmp_path / f"target-{turn}").read_bytes() == expected
    assert not list(tmp_path.glob(".*.part"))
    assert swept(regtui.home)
    check_replica(regtui.home)


@pytest.mark.parametrize("what", ["here0@1", "--all"])
def test_a_killed_import_into_an_empty_home_is_all_or_nothing(
    regtui: Regtui, chance: random.Random, tmp_path: Path, what: str
) -> None:
    bundle = tmp_path / "bundle"
    assert regtui("export", what, bundle).code == 0
    longest = duration(regtui, "import", bundle, "--home", tmp_path / "first")
    expected = regtui.json("sql", COUNT, "--home", tmp_path / "first")
    killed = 0
    for turn in range(KILLS):
        home = tmp_path / "homes" / str(turn)
        killed += kill(regtui, chance.uniform(0, longest), "import", bundle, "--home", home)
        if home.exists():
            found = regtui.json("sql", COUNT, "--home", home)
            assert found in (expected, [{"count": 0}])
            assert regtui.json("verify", "--home", home)["damaged"] == []
            check_replica(home)
        assert regtui("import", bundle, "--home", home).code == 0
        assert regtui.json("sql", COUNT, "--home", home) == expected
        assert regtui.json("verify", "--home", home)["damaged"] == []
        assert swept(home)
        check_replica(home)
    print(f"{killed} of {KILLS} were killed at work")
    assert killed


def test_a_killed_merge_is_completed_by_the_next_one(
    regtui: Regtui, chance: random.Random, tmp_path: Path
) -> None:
    base, other = tmp_path / "base", tmp_path / "other"
    assert regtui("export", "--all", base).code == 0
    assert regtui("import", base, "--home", other).code == 0
    write(package.open(other), tmp_path / "runs", "there", edits=1500)
    bundle = tmp_path / "bundle"
    assert regtui("export", "--all", bundle, "--home", other).code == 0
    trial = tmp_path / "trial"
    assert regtui("import", base, "--home", trial).code == 0
    longest = duration(regtui, "import", bundle, "--home", trial)
    killed = 0
    for turn in range(max(KILLS // 4, 2)):
        home = tmp_path / "homes" / str(turn)
        assert regtui("import", base, "--home", home).code == 0
        acknowledged = f"mine-{turn}"
        assert regtui("edit", "here0@1", "-d", acknowledged, "--home", home).code == 0
        for _ in range(3):
            killed += kill(regtui, chance.uniform(0.1, longest), "import", bundle, "--home", home)
            assert regtui.json("verify", "--home", home)["damaged"] == []
            check_replica(home)
        assert regtui("import", bundle, "--home", home).code == 0
        again = regtui.json("import", bundle, "--home", home)
        assert (again["operations"], again["refused"]) == (0, [])
        shown = regtui.json("show", "here0@1", "--home", home)["version"]
        assert shown["description"] == acknowledged
        assert regtui.json("show", "there0@1", "--home", home)["version"]["tags"] == {
            "turn": "1499"
        }
        check_replica(home)
    print(f"{killed} were killed at work")
    assert killed


def dying(regtui: Regtui, home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a process that kills itself before the file operation whose number comes last."""
    return subprocess.run(
        [sys.executable, str(DYING), str(home), *map(str, arguments)],
        env=regtui.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def places(count: int, chance: random.Random) -> list[int]:
    """Return the last file operations, where things get their names, and some of the others."""
    last = range(max(1, count - KILLS // 2), count + 1)
    earlier = range(1, last[0])
    return sorted({*last, *chance.sample(earlier, min(len(earlier), KILLS // 2))})


@pytest.mark.parametrize("what", ["here0@1", "--all"])
def test_an_export_that_dies_at_any_file_operation(
    regtui: Regtui, chance: random.Random, tmp_path: Path, what: str
) -> None:
    target = tmp_path / "out" / "bundle"
    target.parent.mkdir()
    done = dying(regtui, regtui.home, "export", what, target, "0")
    assert done.returncode == 0, done.stderr
    expected = target.read_bytes()
    for place in places(int(done.stdout), chance):
        target.unlink(missing_ok=True)
        died = dying(regtui, regtui.home, "export", what, target, str(place))
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert not target.exists() or target.read_bytes() == expected
    assert dying(regtui, regtui.home, "export", what, target, "0").returncode == 0
    assert [path.name for path in target.parent.iterdir()] == ["bundle"]
    assert target.read_bytes() == expected


@pytest.mark.parametrize("case", ["version", "registry", "merge"])
def test_an_import_that_dies_at_any_file_operation(
    regtui: Regtui, chance: random.Random, tmp_path: Path, case: str
) -> None:
    bundle, base = tmp_path / "bundle", tmp_path / "base"
    (tmp_path / "homes").mkdir()  # making it counts too
    assert regtui("export", "--all", base).code == 0
    if case == "merge":
        write(package.open(regtui.home), tmp_path / "runs", "later", edits=20)
    assert regtui("export", "here0@1" if case == "version" else "--all", bundle).code == 0

    def fresh(name: str) -> Path:
        home = tmp_path / "homes" / name
        if case == "merge":
            assert regtui("import", base, "--home", home).code == 0
        return home

    whole = fresh("whole")
    done = dying(regtui, whole, "import", "-", bundle, "0")
    assert done.returncode == 0, done.stderr
    expected = regtui.json("sql", COUNT, "--home", whole)
    for place in places(int(done.stdout), chance):
        home = fresh(str(place))
        died = dying(regtui, home, "import", "-", bundle, str(place))
        assert died.returncode == -signal.SIGKILL, died.stderr
        if (home / "registry.duckdb").exists():
            assert regtui.json("verify", "--home", home)["damaged"] == []
            check_replica(home)
        assert regtui("import", bundle, "--home", home).code == 0
        assert regtui.json("sql", COUNT, "--home", home) == expected
        assert regtui.json("verify", "--home", home)["damaged"] == []
        assert swept(home)
        check_replica(home)
        shutil.rmtree(home)


def test_a_registry_that_is_exported_while_three_write_is_of_one_moment(
    regtui: Regtui, tmp_path: Path
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, str(WRITER), str(regtui.home), str(tmp_path / f"w{n}"), str(SECONDS)],
            stdout=subprocess.DEVNULL,
            env=regtui.environment,
        )
        for n in range(3)
    ]
    count = 0
    while any(writer.poll() is None for writer in writers):
        bundle = tmp_path / f"live-{count}"
        assert regtui("export", "--all", bundle).code == 0
        home = tmp_path / "live" / str(count)
        assert regtui("import", bundle, "--home", home).code == 0
        assert regtui.json("verify", "--home", home)["damaged"] == []
        check_replica(home)
        count += 1
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert count > 1
