"""A database that is damaged, newer, foreign or in the hands of another program."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.replica.database import connected, duckdb
from regtui.replica.migrate import latest
from tests.cli.process import Answer, Regtui
from tests.replica.ledger import check_replica

COMMANDS = (
    ["ls"], ["show", "team/ranker@1"], ["sql", "from operations"], ["verify"],
    ["edit", "team/ranker@1", "-d", "x"],
)  # fmt: skip


def database(regtui: Regtui) -> Path:
    return regtui.home / "registry.duckdb"


@pytest.mark.parametrize(
    "content",
    [b"garbage", b"", b"\0" * 100_000, b"SQLite format 3\0" + b"\0" * 5_000, b"DUCK" * 4_096],
)
def test_a_file_that_is_no_database_is_called_damaged(ranker: Regtui, content: bytes) -> None:
    database(ranker).write_bytes(content)
    for arguments in COMMANDS:
        answer = ranker(*arguments)
        assert answer.code == 8, answer
        assert str(database(ranker)) in answer.error
        assert "`regtui doctor --repair`" in answer.error
    assert database(ranker).read_bytes() == content


STORED = {
    "model": ("models", "show team/ranker", "edit team/ranker@1 -d x", "undo"),
    "version": (
        "ls",
        "show team/ranker@1",
        "edit team/ranker@1 -d x",
        "checkout team/ranker@1 out",
    ),
    "alias": ("revert team/ranker@champion", "alias set team/ranker@1 champion"),
    "bytes": ("log", "undo", "export --all out"),
    "verdict": ("log", "undo", "export --all out"),
}


@pytest.mark.parametrize("what", STORED)
def test_stored_bytes_that_hold_nothing_are_called_damaged(ranker: Regtui, what: str) -> None:
    is_document = what not in {"bytes", "verdict"}
    with connected(database(ranker), read_only=False) as connection:
        connection.execute(
            f"update base.document set body = '{{bad' where kind = '{what}'"
            if is_document
            else f"update base.operation set {what} = '{{bad'"
        )
    for command in STORED[what]:
        answer = ranker(*command.split())
        assert answer.code == 8, (command, answer)
        assert ("the document" if is_document else "the operation #") in answer.error
        assert "`regtui doctor`" in answer.error


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_database_that_was_cut_off_is_called_damaged_or_answers(
    ranker: Regtui, part: float
) -> None:
    questions = (["show", "team/ranker@1", "--json"], ["sql", "from operations", "--json"])
    expected = [ranker(*question).out for question in questions]
    os.truncate(database(ranker), int(database(ranker).stat().st_size * part))
    for question, out in zip(questions, expected, strict=True):
        answer = ranker.process(*question)
        assert answer.out == out if answer.code == 0 else is_called_damaged(answer), answer


@pytest.mark.parametrize("start", range(3))
def test_flipped_bits_are_noticed_or_do_no_harm(ranker: Regtui, tmp_path: Path, start: int) -> None:
    whole = database(ranker).read_bytes()
    expected = ranker("ls", "--json").out
    for offset in range(4_096 * (start + 1), len(whole), len(whole) // 4):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x10
        database(ranker).write_bytes(damaged)
        answer = ranker.process("ls", "--json")
        assert answer.out == expected if answer.code == 0 else is_called_damaged(answer), answer


def is_called_damaged(answer: Answer) -> bool:
    return answer.code == 8 and answer.json["error"]["code"] == "damaged"


def test_a_database_of_another_program_is_left_alone(ranker: Regtui) -> None:
    database(ranker).unlink()
    with duckdb.connect(str(database(ranker))) as connection:
        connection.execute("create table mine as select 1")
    before = database(ranker).read_bytes()
    for arguments in COMMANDS:
        answer = ranker(*arguments)
        assert answer.code == 8
        assert answer.error.startswith(f"{database(ranker)} is no registry; ")
    assert database(ranker).read_bytes() == before


def test_a_registry_of_a_newer_version_is_left_alone(ranker: Regtui, run: Path) -> None:
    with connected(database(ranker), read_only=False) as connection:
        connection.execute("insert into base.schema_version values (9999, 0)")
    before = database(ranker).read_bytes()
    for arguments in (*COMMANDS, ["capture", str(run)]):
        answer = ranker(*arguments)
        assert answer.code == 1
        assert answer.error.endswith(
            f"has schema 9999, this regtui knows up to {latest()}; upgrade regtui"
        )
    assert database(ranker).read_bytes() == before


def test_a_database_that_is_gone_is_told_with_the_way_out(ranker: Regtui) -> None:
    database(ranker).unlink()
    for arguments in (["ls"], ["edit", "team/ranker@1", "-d", "x"], ["verify"]):
        answer = ranker(*arguments)
        assert answer.code == 8
        assert f"{database(ranker)} is gone" in answer.error
        assert "`regtui doctor --repair`" in answer.error
    assert not database(ranker).exists()


def test_a_folder_in_the_place_of_the_database_is_named(ranker: Regtui) -> None:
    database(ranker).unlink()
    database(ranker).mkdir()
    answer = ranker("ls")
    assert answer.code in {1, 8}
    assert str(database(ranker)) in answer.error


def test_a_garbled_log_is_called_damaged(ranker: Regtui) -> None:
    database(ranker).with_name("registry.duckdb.wal").write_bytes(os.urandom(10_000))
    answer = ranker("ls")
    assert answer.code in {0, 8}
    if answer.code:
        assert str(database(ranker)) in answer.error


@pytest.fixture(params=["read_only", "writing"])
def other_program(ranker: Regtui, request: pytest.FixtureRequest) -> Iterator[int]:
    """Hold the database open in a process of another program."""
    script = (
        "import duckdb, sys\n"
        f"c = duckdb.connect({str(database(ranker))!r}, read_only={request.param == 'read_only'})\n"
        "print('open', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_another_program_that_has_it_open_is_named(ranker: Regtui, other_program: int) -> None:
    answer = ranker("edit", "team/ranker@1", "-d", "x")
    assert answer.code == 9
    assert f"(pid {other_program}) has {database(ranker)} open; close it" in answer.error
    reading = ranker("ls", "--json")
    assert reading.code in {0, 9}
    if reading.code:
        assert reading.json["error"]["code"] == "busy"


def test_a_copied_home_works_on(ranker: Regtui, tmp_path: Path, run: Path) -> None:
    copy = Path(shutil.copytree(ranker.home, tmp_path / "copy"))
    assert ranker("edit", "team/ranker@1", "-d", "copied", "--home", copy).code == 0
    assert ranker("verify", "--home", copy).code == 0
    check_replica(copy)


def test_a_path_with_words_of_errors_in_it_is_no_damage(ranker: Regtui, tmp_path: Path) -> None:
    home = Path(shutil.copytree(ranker.home, tmp_path / "walter's corrupt magic"))
    (home / "registry.duckdb").unlink()
    (home / "registry.duckdb").mkdir()
    answer = ranker("ls", "--home", home)
    assert answer.code == 1, answer
