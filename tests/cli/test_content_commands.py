"""`checkout`, `path` and `verify`."""

from pathlib import Path

import pytest

from tests.cli.process import Regtui
from tests.cli.schemas import check


def object_of(ranker: Regtui, file: str = "model.bin") -> Path:
    return Path(ranker.json("path", "team/ranker@1", file)["path"])


def test_a_version_is_checked_out(ranker: Regtui, tmp_path: Path) -> None:
    answer = ranker.json("checkout", "team/ranker@champion", tmp_path / "out" / "here")
    assert answer["path"] == str(tmp_path / "out" / "here")
    assert answer["version"]["number"] == 1
    assert (tmp_path / "out" / "here" / "model.bin").read_bytes() == b"weights" * 100


def test_linked_files_are_read_only_and_share_the_store(ranker: Regtui, tmp_path: Path) -> None:
    answer = ranker("checkout", "team/ranker@1", tmp_path / "out", "--link")
    assert answer.out.startswith("team/ranker@1 is in ")
    assert (tmp_path / "out" / "model.bin").samefile(object_of(ranker))


def test_a_folder_that_is_not_empty_is_left_alone(ranker: Regtui, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    answer = ranker("checkout", "team/ranker@1", tmp_path / "out")
    assert answer.code == 2
    assert "is not empty" in answer.error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_version_that_is_not_there_is_not_checked_out(ranker: Regtui, tmp_path: Path) -> None:
    assert ranker("checkout", "team/ranker@2", tmp_path / "out").code == 3
    assert ranker("checkout", "team/ranker", tmp_path / "out").code == 2
    assert not (tmp_path / "out").exists()


def test_damaged_files_are_never_checked_out(ranker: Regtui, tmp_path: Path) -> None:
    flip(object_of(ranker))
    answer = ranker("checkout", "team/ranker@1", tmp_path / "out")
    assert answer.code == 8
    assert "is damaged" in answer.error
    assert [path.name for path in tmp_path.iterdir() if path.name != "config"] == ["home"]


def test_the_path_of_a_file_is_printed(ranker: Regtui) -> None:
    out = ranker("path", "team/ranker@1", "logs/train.txt").out
    assert Path(out.rstrip("\n")).read_text(encoding="utf-8") == "step 1\n"


def test_the_only_file_needs_no_name(ranker: Regtui, run: Path) -> None:
    ranker("capture", run / "model.bin", "--model", "alone")
    assert ranker("path", "alone@1").out == ranker("path", "team/ranker@1", "model.bin").out
    assert ranker.json("show", "alone@1", "--files")["files"][0]["path"] == "model.bin"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["team/ranker@1"], 3, "has 3 files; choose one of"),
        (["team/ranker@1", "nope"], 3, "has no file 'nope'"),
        (["team/ranker@1", "../model.bin"], 3, "has no file"),
        (["team/ranker@2", "model.bin"], 3, "has no version 2"),
        (["team/ranker", "model.bin"], 2, "names a model"),
    ],
)
def test_the_path_of_what_is_not_there_is_not_found(
    ranker: Regtui, arguments: list[str], code: int, words: str
) -> None:
    answer = ranker("path", *arguments)
    assert answer.code == code
    assert words in answer.error


def test_the_path_of_a_missing_object_is_damage(ranker: Regtui) -> None:
    object_of(ranker).unlink()
    answer = ranker("path", "team/ranker@1", "model.bin")
    assert answer.code == 8
    assert "are not here" in answer.error


def test_intact_files_verify(ranker: Regtui) -> None:
    assert ranker("verify").out == "1 version, 3 files, 717 B: all intact\n"
    assert ranker.json("verify", "team/ranker@1") == {
        "versions": 1, "files": 3, "bytes": 717, "damaged": []
    }  # fmt: skip


def test_an_empty_registry_verifies(regtui: Regtui) -> None:
    assert regtui.json("verify") == {"versions": 0, "files": 0, "bytes": 0, "damaged": []}


def test_damage_is_listed_with_who_needs_it(ranker: Regtui, run: Path) -> None:
    ranker("capture", run / "model.bin", "--model", "alone")
    flip(object_of(ranker))
    answer = ranker("verify", "--json")
    assert (answer.code, answer.err) == (8, "")
    check(answer.json, "verify")
    (damage,) = answer.json["damaged"]
    assert damage["problem"] == "damaged"
    assert damage["used_by"] == ["alone@1 model.bin", "team/ranker@1 model.bin"]
    told = ranker("verify")
    assert (told.code, told.out) == (8, "")
    assert "needed by alone@1 model.bin, team/ranker@1 model.bin" in told.err
    assert told.err.splitlines()[-1].startswith("regtui: 1 of 3 stored files are damaged; ")


def test_only_the_version_asked_for_is_verified(ranker: Regtui, run: Path) -> None:
    ranker("capture", run / "serve.sh", "--model", "alone")
    object_of(ranker).unlink()
    assert ranker("verify", "alone@1").code == 0
    assert ranker("verify", "team/ranker@1").code == 8
    assert ranker("verify", "team/ranker@2").code == 3
    assert ranker("verify", "alone").code == 2


def flip(file: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
