"""`export` and `import`: answers, schemas, exit codes, pipes, full disks."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import NOBODY, Regtui, command
from tests.cli.schemas import check
from tests.registry.bundles import described
from tests.replica.ledger import check_replica


@pytest.fixture
def version(ranker: Regtui, tmp_path: Path) -> Path:
    assert ranker("export", "team/ranker@1", tmp_path / "v.regtui").code == 0
    return tmp_path / "v.regtui"


@pytest.fixture
def whole(ranker: Regtui, tmp_path: Path) -> Path:
    assert ranker("export", "--all", tmp_path / "r.regtui").code == 0
    return tmp_path / "r.regtui"


@pytest.fixture
def there(tmp_path: Path) -> tuple[str, Path]:
    return ("--home", tmp_path / "there")


def test_an_export_tells_what_is_in_it(ranker: Regtui, tmp_path: Path) -> None:
    answer = ranker.json("export", "team/ranker@champion", tmp_path / "v")
    check(answer, "export")
    assert (answer["kind"], answer["version"]["number"]) == ("version", 1)
    assert answer["bytes"] == (tmp_path / "v").stat().st_size
    answer = ranker.json("export", "--all", tmp_path / "r")
    check(answer, "export")
    assert (answer["kind"], answer["operations"]) == ("registry", 3)
    said = ranker("export", "team/ranker@1", tmp_path / "w").out
    assert said.startswith(f"exported team/ranker@1 to {tmp_path / 'w'}  3 stored files, ")


def test_an_import_of_a_version_tells_what_it_did(
    ranker: Regtui, version: Path, there: tuple[str, Path]
) -> None:
    would = ranker.json("import", version, "--dry-run", *there)
    check(would, "import-version")
    assert (would["created"], would["dry_run"]) == (True, True)
    assert ranker.json("ls", *there)["versions"] == []
    said = [ranker("import", version, *there).out.split()[0] for _ in range(2)]
    assert said == ["imported", "unchanged"]
    again = ranker.json("import", version, "--model", "copy", *there)
    check(again, "import-version")
    assert (again["created"], again["version"]["model"]) == (True, "copy")


def test_an_import_of_a_registry_tells_what_it_did(
    ranker: Regtui, whole: Path, there: tuple[str, Path]
) -> None:
    check(ranker.json("import", whole, "--dry-run", *there), "import-registry")
    answer = ranker.json("import", whole, *there)
    check(answer, "import-registry")
    assert (answer["merged"], answer["operations"], answer["versions"]) == (False, 3, 1)
    assert ranker("import", whole, *there).out.startswith("took in 0 operations, 0 versions, ")
    ranker("edit", "team/ranker@1", "-d", "here")
    ranker("edit", "team/ranker@1", "-d", "there", *there)
    ranker("export", "--all", whole, "--yes", *there)
    answer = ranker.json("import", whole)
    check(answer, "import-registry")
    assert len(answer["conflicts"]) == 1


def test_what_is_refused_is_said_on_standard_error(
    ranker: Regtui, whole: Path, there: tuple[str, Path]
) -> None:
    ranker("import", whole, *there)
    ranker("alias", "set", "team/ranker@1", "next", *there)
    ranker("alias", "rm", "team/ranker@champion")
    ranker("version", "delete", "team/ranker@1")
    ranker("export", "--all", whole, "--yes", *there)
    answer = ranker("import", whole, "--dry-run")
    assert answer.code == 0
    assert answer.err.startswith("regtui: refused alias.set by ")
    check(ranker.json("import", whole), "import-registry")


def test_bundles_go_through_pipes(ranker: Regtui, tmp_path: Path) -> None:
    words = " ".join(command())
    line = f"{words} export team/ranker@1 - | {words} import - --home {tmp_path / 'there'}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env=ranker.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("imported team/ranker@1")
    check_replica(tmp_path / "there")


def test_wrong_command_lines_are_refused(ranker: Regtui, tmp_path: Path) -> None:
    target = tmp_path / "v"
    for arguments in (
        ["export", target],
        ["export", "team/ranker@1"],
        ["export", "--all", "team/ranker@1", target],
        ["export", "team/ranker@1", target, target],
        ["export", "team/ranker@1", ""],
        ["export", "--all", ""],
        ["export", "team/ranker@1", "-", "--json"],
        ["export", "team/ranker", target],
        ["import", ""],
        ["import"],
    ):
        answer = ranker(*arguments)
        assert answer.code == 2, arguments
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["export", "team/ranker@9", "{0}/x"], 3),
        (["export", "team/ranker@1", "{0}/none/x"], 3),
        (["export", "team/ranker@1", "{0}"], 2),
        (["export", "team/ranker@1", "{0}/v.regtui"], 2),
        (["import", "{0}/none"], 3),
        (["import", "{0}"], 2),
        (["import", "{0}/v.regtui", "--model", "a@b"], 2),
    ],
)
def test_each_failure_is_one_line_with_its_code(
    ranker: Regtui, version: Path, tmp_path: Path, arguments: list[str], code: int
) -> None:
    given = [one.format(tmp_path) for one in arguments]
    answer = ranker(*given)
    assert answer.code == code
    assert answer.error
    failed = ranker(*given, "--json")
    assert failed.code == code
    check(failed.json, "error")


def test_damage_exits_with_8_and_what_is_no_bundle_with_2(
    ranker: Regtui, version: Path, there: tuple[str, Path]
) -> None:
    data = version.read_bytes()
    version.write_bytes(data[:-1])
    assert ranker("import", version, *there).code == 8
    version.write_bytes(b"x" * 5000)
    assert ranker("import", version, *there).code == 2
    version.write_bytes(data)
    assert ranker("import", described(version, v=2), *there).code == 2


def test_a_registry_that_lost_a_file_is_exported_with_8(ranker: Regtui, tmp_path: Path) -> None:
    path = Path(ranker.json("path", "team/ranker@1", "model.bin")["path"])
    path.unlink()
    answer = ranker("export", "--all", tmp_path / "r", "--json")
    assert answer.code == 8
    check(answer.json, "export")
    assert answer.json["missing"] == [path.parent.name + path.name]
    assert ranker("export", "team/ranker@1", tmp_path / "v").code == 8
    assert not (tmp_path / "v").exists()


def test_a_bundle_that_may_not_be_read_or_written_is_named(
    ranker: Regtui, version: Path, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    shutil.chown(ranker.home, NOBODY, NOBODY) if os.geteuid() == 0 else None
    for path in ranker.home.rglob("*"):
        shutil.chown(path, NOBODY, NOBODY) if os.geteuid() == 0 else None
    answer = ranker.process("export", "team/ranker@1", tmp_path / "closed" / "v", user=NOBODY)
    assert answer.code == 1
    assert "permission" in answer.error.lower()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of its own with 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:  # noqa: PLW1510
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("whole", [False, True])
def test_a_full_disk_stops_an_export_and_an_import(
    ranker: Regtui, run: Path, small_disk: Path, tmp_path: Path, *, whole: bool
) -> None:
    (run / "model.bin").write_bytes(os.urandom(16 << 20))
    ranker("capture", run, "--model", "team/big")
    what = ["--all"] if whole else ["team/big@1"]
    answer = ranker("export", *what, small_disk / "v")
    assert answer.code == 1
    assert "full" in answer.error
    assert list(small_disk.iterdir()) == []
    assert ranker("export", *what, tmp_path / "v").code == 0
    home = small_disk / "home"
    ranker("ls", "--home", home)
    answer = ranker("import", tmp_path / "v", "--home", home)
    assert answer.code == 1
    assert "full" in answer.error
    assert list((home / "objects").glob("*/*")) == []
    assert [path for path in (home / "tmp").iterdir() if path.is_dir()] == []
    assert ranker.json("ls", "--home", home)["versions"] == []
    check_replica(home)


@pytest.mark.parametrize("limit", [1 << 10, 1 << 20])
def test_files_that_may_grow_no_further_stop_an_import(
    ranker: Regtui, run: Path, tmp_path: Path, limit: int
) -> None:
    (run / "model.bin").write_bytes(os.urandom(6 << 20))
    ranker("capture", run, "--model", "team/big")
    ranker("export", "team/big@1", tmp_path / "v")
    there = tmp_path / "there"
    ranker("ls", "--home", there)
    answer = ranker.process("import", tmp_path / "v", "--home", there, file_limit=limit)
    assert answer.code == 1
    assert "full" in answer.error
    assert ranker.json("ls", "--home", there)["versions"] == []
    assert ranker("import", tmp_path / "v", "--home", there).code == 0
    check_replica(there)
