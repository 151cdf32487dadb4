"""Paths, permissions and disks that are not as a capture wants them: one line, nothing lost."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import NOBODY, Regtui, as_nobody, command
from tests.replica.ledger import check_replica

FULL = Path("/dev/full")


def refused(regtui: Regtui, path: Path, code: int, words: str) -> None:
    """Check that a capture is refused, and that the registry is as it was."""
    before = regtui.json("ls")
    answer = regtui("capture", path, "--model", "team/ranker")
    assert answer.code == code, answer
    assert words in answer.error
    assert regtui.json("ls") == before
    assert [path.name for path in (regtui.home / "tmp").iterdir() if path.is_dir()] == []


def test_a_path_that_is_not_there_is_named(ranker: Regtui, tmp_path: Path) -> None:
    refused(ranker, tmp_path / "nothing", 3, f"there is no file or folder {tmp_path / 'nothing'}")


def test_a_path_below_a_file_is_not_there(ranker: Regtui, run: Path) -> None:
    refused(ranker, run / "model.bin" / "x", 3, "there is no file or folder")


def test_a_name_that_is_too_long_is_refused(ranker: Regtui) -> None:
    answer = ranker("capture", "x" * 300)
    assert answer.code in {1, 3}
    assert answer.error


def test_a_folder_without_files_is_refused(ranker: Regtui, tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    refused(ranker, tmp_path / "empty", 2, "there is no file in")


def test_empty_files_are_captured(ranker: Regtui, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "empty").touch()
    version = ranker.json("capture", tmp_path / "run")["version"]
    assert (version["size"], version["files"]) == (0, 1)
    ranker.json("checkout", "run@1", tmp_path / "out")
    assert (tmp_path / "out" / "empty").read_bytes() == b""
    check_replica(ranker.home)


@pytest.mark.parametrize("target", ["loop", "gone"])
def test_a_link_to_nothing_is_refused(ranker: Regtui, run: Path, target: str) -> None:
    (run / "loop").symlink_to(target)
    refused(ranker, run, 2, "loop")
    answer = ranker("capture", run / "loop")
    assert answer.code == 2
    assert "loop" in answer.error


def test_a_link_to_its_own_folder_is_refused(ranker: Regtui, run: Path) -> None:
    (run / "up").symlink_to(run)
    refused(ranker, run, 2, "up")


def test_pipes_sockets_and_devices_are_refused(
    ranker: Regtui, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(run / "pipe")
    refused(ranker, run, 2, "pipe")
    (run / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(run)  # for the whole path is too long for a socket
        listener.bind("socket")
        refused(ranker, run, 2, "socket")
    refused(ranker, Path("/dev/null"), 2, "/dev/null")


def test_a_name_that_is_not_utf8_is_refused(ranker: Regtui, run: Path) -> None:
    strange = Path(os.fsdecode(bytes(run) + b"/bad\xff"))
    strange.touch()
    refused(ranker, run, 2, "bad\\xff is not valid UTF-8")
    refused(ranker, strange, 2, "bad\\xff is not valid UTF-8")


def test_arguments_that_are_not_utf8_are_refused(ranker: Regtui, run: Path) -> None:
    for arguments in (
        ["capture", run, "--model", b"\xff"],
        ["capture", run, "--tag", b"k=\xff"],
        ["models", b"\xff"],
    ):
        answer = ranker.process(*arguments)
        assert answer.code == 2
        assert answer.error


NO_TEXT = (
    ["edit", "team/ranker@1", "--tag", "k=\udcff"],
    ["edit", "team/ranker@1", "--tag", "\udcff=v"],
    ["edit", "team/ranker@1", "--set", "param.p=\udcff"],
    ["edit", "team/ranker@1", "--metric", "\udcff=1"],
    ["edit", "team/ranker@1", "-d", "\udcff"],
    ["edit", "team/ranker", "--set", "card=\udcff"],
    ["model", "create", "x", "-d", "\udcff"],
    ["ls", "\udcff"],
    ["ls", "--after", "\udcff"],
    ["ls", "--columns", "\udcff"],
    ["models", "\udcff"],
    ["show", "\udcff"],
    ["alias", "set", "team/ranker@1", "\udcff"],
    ["version", "delete", "\udcff@1"],
)


def test_values_that_are_no_text_are_refused(ranker: Regtui) -> None:
    for arguments in NO_TEXT:
        answer = ranker(*arguments)
        assert answer.code == 2
        assert answer.error


def test_a_file_that_changes_while_it_is_captured_is_refused(ranker: Regtui, run: Path) -> None:
    (run / "model.bin").write_bytes(os.urandom(64 << 20))
    done = threading.Event()

    def write() -> None:
        with (run / "model.bin").open("r+b") as file:
            while not done.is_set():
                file.seek(0)
                file.write(os.urandom(16))
                file.flush()
                time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        refused(ranker, run, 1, "changed while it was being captured")
    finally:
        done.set()
        writer.join()


@pytest.fixture
def shared(ranker: Regtui) -> Iterator[Path]:
    """Return a folder that everybody may reach, with a copy of the registry that anybody owns."""
    folder = Path(tempfile.mkdtemp(prefix="regtui-test-"))
    folder.chmod(0o777)
    ranker.home = Path(shutil.copytree(ranker.home, folder / "home"))
    for path in [ranker.home, *ranker.home.rglob("*")]:
        give_away(path)
    yield folder
    for path in folder.rglob("*"):  # its owner could not empty what tests have closed
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


def give_away(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def test_a_file_that_may_not_be_read_is_named(ranker: Regtui, run: Path, shared: Path) -> None:
    copy = Path(shutil.copytree(run, shared / "run"))
    (copy / "model.bin").chmod(0)
    ranker("capture", copy / "serve.sh", "--home", ranker.home)  # loads what nobody may reach
    with as_nobody():
        answer = ranker("capture", copy, "--home", ranker.home)
    assert answer.code == 1
    assert answer.error.startswith(f"{copy / 'model.bin'} may not be read; ")


def test_a_folder_that_may_not_be_read_is_named(ranker: Regtui, run: Path, shared: Path) -> None:
    copy = Path(shutil.copytree(run, shared / "run"))
    (copy / "logs").chmod(0)
    ranker("capture", copy / "serve.sh", "--home", ranker.home)
    with as_nobody():
        answer = ranker("capture", copy, "--home", ranker.home)
    (copy / "logs").chmod(0o755)
    assert answer.code == 1
    assert answer.error.startswith(f"no permission for reading {copy / 'logs'}")


@pytest.mark.parametrize("name", ["lock", "gate", "registry.duckdb"])
@pytest.mark.parametrize("arguments", [["ls"], ["edit", "team/ranker@1", "-d", "x"]])
def test_a_file_of_the_registry_that_may_not_be_written_is_named(
    ranker: Regtui, shared: Path, name: str, arguments: list[str]
) -> None:
    file = ranker.home / name
    file.chmod(0o444)
    answer = ranker.process("--home", ranker.home, *arguments, user=NOBODY)
    if arguments == ["ls"] and name == "registry.duckdb":
        assert (answer.code, answer.err) == (0, "")
        return
    assert answer.code == 1
    assert str(file) in answer.error
    assert "check its owner and mode" in answer.error


def test_a_database_that_may_not_be_read_is_named(ranker: Regtui, shared: Path) -> None:
    ranker("ls", "--home", ranker.home)
    (ranker.home / "registry.duckdb").chmod(0)
    with as_nobody():
        answer = ranker("ls", "--home", ranker.home)
    assert answer.code == 1
    assert answer.error.startswith(f"no permission for the replica {ranker.home}/registry.duckdb")


def test_a_store_that_may_not_be_written_is_named(ranker: Regtui, run: Path, shared: Path) -> None:
    (run / "model.bin").write_bytes(b"new")
    (ranker.home / "objects").chmod(0o555)
    (ranker.home / "tmp").chmod(0o555)
    answer = ranker.process("--home", ranker.home, "capture", run, user=NOBODY)
    assert answer.code == 1
    assert answer.error.startswith("no permission for writing to the store")


def test_a_home_that_can_not_be_made_is_named(regtui: Regtui, run: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    for arguments in (["ls"], ["capture", run]):
        home = tmp_path / "closed" / "home"
        answer = regtui.process("--home", home, *arguments, user=NOBODY)
        assert answer.code == 1
        assert answer.error.startswith(f"can't make the replica in {home}: Permission denied; ")


def test_a_home_that_may_not_be_written_is_named(regtui: Regtui, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    answer = regtui.process("--home", tmp_path / "closed", "ls", user=NOBODY)
    assert answer.code == 1
    assert str(tmp_path / "closed") in answer.error


def test_a_home_that_is_a_file_is_named(regtui: Regtui, run: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("mine", encoding="utf-8")
    for arguments in (["ls"], ["capture", run]):
        answer = regtui(*arguments)
        assert answer.code == 1
        assert answer.error.startswith(f"can't make the replica in {tmp_path / 'home'}: ")
    assert (tmp_path / "home").read_text(encoding="utf-8") == "mine"


def test_a_configuration_that_may_not_be_written_is_named(regtui: Regtui, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o555)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    home = tmp_path / "open" / "home"
    answer = regtui.process("--home", home, "ls", user=NOBODY)
    assert answer.code == 1
    assert "can't keep the replica's key in" in answer.error
    assert not (home / "registry.duckdb").exists()
    (tmp_path / "config").chmod(0o777)
    assert regtui.process("--home", home, "ls", user=NOBODY).code == 0


def test_a_folder_that_is_gone_is_no_place_to_start(regtui: Regtui, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    del regtui.environment["REGTUI_HOME"]
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(tmp_path / "gone"), *command(), "ls"],
        env={**regtui.environment, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("regtui: the current folder does not exist any more")


@pytest.mark.parametrize("limit", [1 << 10, 1 << 20])
def test_files_that_may_grow_no_further_stop_a_capture(
    ranker: Regtui, run: Path, limit: int
) -> None:
    before = ranker.json("ls")
    (run / "model.bin").write_bytes(os.urandom(6 << 20))
    answer = ranker.process("capture", run, "--model", "team/ranker", file_limit=limit)
    assert answer.code == 1
    assert "full" in answer.error
    assert ranker.json("ls") == before
    check_replica(ranker.home)
    assert ranker("verify").code == 0
    assert ranker("capture", run, "--model", "team/ranker").code == 0


@pytest.mark.parametrize("limit", [1 << 10, 512 << 10])
def test_files_that_may_grow_no_further_stop_a_new_registry(regtui: Regtui, limit: int) -> None:
    answer = regtui.process("ls", file_limit=limit)
    assert answer.code == 1
    assert "full" in answer.error
    assert regtui.json("ls")["versions"] == []
    check_replica(regtui.home)


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


def test_a_home_on_a_disk_that_nobody_may_write_to_is_read(
    ranker: Regtui, small_disk: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(ranker.home, small_disk / "home")
    told = ranker.json("ls", "--home", home)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert ranker.json("ls", "--home", home) == told
    for words in ("show team/ranker@1", "log", "verify", f"checkout team/ranker@1 {tmp_path}/out"):
        answer = ranker(*words.split(), "--home", home)
        assert answer.code == 0, answer
    answer = ranker("edit", "team/ranker@1", "-d", "x", "--home", home)
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "Read-only file system" in answer.err


def test_a_full_disk_stops_a_capture_and_loses_nothing(
    ranker: Regtui, run: Path, small_disk: Path
) -> None:
    home = shutil.copytree(ranker.home, small_disk / "home")
    (run / "model.bin").write_bytes(os.urandom(16 << 20))
    answer = ranker("capture", run, "--model", "team/ranker", "--home", home)
    assert answer.code == 1
    assert "the disk is full" in answer.error
    assert ranker("verify", "--home", home).code == 0
    check_replica(home)


def test_a_full_disk_stops_an_edit_and_loses_nothing(ranker: Regtui, small_disk: Path) -> None:
    home = shutil.copytree(ranker.home, small_disk / "home")
    fill(small_disk / "filler")
    answer = ranker("edit", "team/ranker@1", "-d", "x" * 50_000, "--home", home)
    if answer.code:
        assert answer.code == 1
        assert "full" in answer.error
    (small_disk / "filler").unlink()
    check_replica(home)
    shown = ranker.json("show", "team/ranker@1", "--home", home)["version"]
    assert shown["description"] == (None if answer.code else "x" * 50_000)
    assert ranker("edit", "team/ranker@1", "-d", "again", "--home", home).code == 0


def test_a_full_disk_leaves_no_half_registry(regtui: Regtui, small_disk: Path) -> None:
    fill(small_disk / "filler", spare=200_000)
    answer = regtui("ls", "--home", small_disk / "home")
    assert answer.code == 1
    assert "full" in answer.error
    (small_disk / "filler").unlink()
    assert regtui("ls", "--home", small_disk / "home").code == 0


def fill(file: Path, *, spare: int = 0) -> None:
    """Fill a disk up to some bytes to spare."""
    disk = os.statvfs(file.parent)
    file.write_bytes(b"\0" * (disk.f_bavail * disk.f_frsize - spare))


@pytest.mark.skipif(not FULL.is_char_device(), reason="no device that is always full is here")
def test_an_answer_that_can_not_be_written_is_a_failure(ranker: Regtui) -> None:
    for arguments in (["ls"], ["ls", "--json"], ["--help"], ["sql", "from range(100000)", "--csv"]):
        full = os.open(FULL, os.O_WRONLY)
        with ranker.start(*arguments, stdout=full) as process:
            _, err = process.communicate()
        os.close(full)
        assert process.returncode == 1
        assert err.count("\n") == 1
        assert "No space left on device" in err


def test_a_closed_input_is_an_empty_one(ranker: Regtui) -> None:
    for words in ("comment ranker -", "login --token -", "import -", "policy put -", "edit ranker"):
        told = []
        for redirection in ("<&-", "</dev/null"):
            line = f"{' '.join(command())} {words} {redirection}"
            done = subprocess.run(
                ["sh", "-c", line], env=ranker.environment, capture_output=True, check=False
            )
            told.append((done.returncode, done.stdout, done.stderr))
        assert told[0] == told[1]
        assert b"unforeseen" not in told[0][2]


@pytest.mark.parametrize("words", ["policy put", "check put", "comment ranker -"])
def test_an_input_without_an_end_is_refused(ranker: Regtui, words: str) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        file = () if words.endswith("-") else ("/dev/zero",)
        answer = ranker.process(*words.split(), *file, stdin=zeros.fileno())
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "bytes" in answer.err


def test_a_closed_output_is_no_failure(ranker: Regtui) -> None:
    for redirection in (">&-", "2>&-", ">&- 2>&-"):
        line = f"{' '.join(command())} ls --json {redirection}"
        done = subprocess.run(
            ["sh", "-c", line], env=ranker.environment, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
    check_replica(ranker.home)
