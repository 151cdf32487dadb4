"""`show --files`, `show --tensors`, and what `capture` says of dangerous files."""

from pathlib import Path

import pytest

from tests.artifacts.model_files import evil_pickle, safetensors, written
from tests.cli.process import Regtui
from tests.cli.schemas import check


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    written(folder / "evil.pkl", evil_pickle())
    written(folder / "w.safetensors", safetensors({"a": b"123", "b": b""}))
    written(folder / "cut.safetensors", safetensors({"a": b"123"})[:-1])
    return folder


def test_a_dangerous_file_is_captured_with_one_line_of_warning(
    regtui: Regtui, models: Path
) -> None:
    answer = regtui("capture", models, "--model", "m")
    assert (answer.code, answer.out.split("  ")[0]) == (0, "captured m@1")
    assert answer.err == "regtui: evil.pkl is dangerous to load: it names posix.system\n"
    again = regtui("capture", models, "--model", "m", "--json")
    assert again.err == answer.err
    check(again.json, "capture")
    assert again.json["warnings"] == ["evil.pkl is dangerous to load: it names posix.system"]


def test_many_dangerous_files_fill_no_screen(regtui: Regtui, tmp_path: Path) -> None:
    for number in range(9):
        program = f"cposix\nsystem{number}\n.".encode()
        written(tmp_path / "run" / f"{number}.pkl", program)
    answer = regtui("capture", tmp_path / "run", "--json")
    lines = answer.err.splitlines()
    assert len(lines) == 6
    assert lines[0] == "regtui: 0.pkl is dangerous to load: it names posix.system0"
    assert lines[-1] == "regtui: 4 more files are dangerous to load"
    assert len(answer.json["warnings"]) == 9


def test_files_are_listed_with_what_is_known_of_them(regtui: Regtui, models: Path) -> None:
    regtui("capture", models, "--model", "m")
    lines = regtui("show", "m@1", "--files").out.splitlines()
    assert lines[0].split() == ["m@1", "SIZE", "FORMAT", "SAFETY", "TENSORS", "DIGEST"]
    assert lines[2].split()[3:5] == ["pickle", "DANGEROUS"]
    assert lines[3].split()[3:6] == ["safetensors", "no-code", "2"]
    assert lines[4] == ""
    assert "dangerous: evil.pkl: it names posix.system" in lines[5:]
    assert any("cut.safetensors" in line and "1 bytes early" in line for line in lines[5:])
    answer = regtui.json("show", "m@1", "--files")
    check(answer, "files")
    cut, evil, whole = answer["files"]
    assert (evil["safety"], evil["globals"], evil["tensors"]) == ("dangerous", ["posix.system"], 0)
    assert (whole["safety"], whole["complete"], whole["problem"]) == ("no-code", True, None)
    assert cut["complete"] is False


def test_tensors_are_listed(regtui: Regtui, models: Path) -> None:
    regtui("capture", models, "--model", "m")
    lines = regtui("show", "m@1", "--tensors").out.splitlines()
    assert lines[0].split() == ["m@1", "TENSOR", "DTYPE", "SHAPE", "SIZE", "DIGEST"]
    found = [line.split()[:6] for line in lines if line.startswith("w.")]
    assert ["w.safetensors", "a", "uint8", "3", "3", "B"] in found
    answer = regtui.json("show", "m@1", "--tensors", "--files")
    check(answer, "tensors")
    check(answer, "files")
    empty = answer["tensors"][-1]
    assert (empty["path"], empty["tensor"], empty["shape"]) == ("w.safetensors", "b", [0])
    assert len(empty["digest"]) == 64


def test_a_version_without_tensors_says_so(ranker: Regtui) -> None:
    answer = ranker("show", "team/ranker@1", "--tensors")
    assert (answer.code, answer.out) == (0, "")
    assert "has no tensors" in answer.err
    assert ranker.json("show", "team/ranker@1", "--tensors") == {"tensors": []}
    assert ranker("show", "team/ranker", "--tensors").code == 2


def test_names_in_a_file_can_not_steer_a_terminal(regtui: Regtui, tmp_path: Path) -> None:
    evil = b"\x80\x04\x8c\x0bos\x1b[31m\n\r\x07\x00\x8c\x06system\x93."
    answer = regtui("capture", written(tmp_path / "e.pkl", evil), "--model", "m")
    assert "dangerous" in answer.err
    shown = regtui("show", "m@1", "--files", "--tensors")
    assert "\x1b" not in answer.err + shown.out + shown.err
    assert answer.err.count("\n") == 1


def test_what_is_known_of_files_is_there_for_sql(regtui: Regtui, models: Path) -> None:
    regtui("capture", models, "--model", "m")
    found = regtui.json("sql", "select path from files where safety = 'dangerous'")
    assert found == [{"path": "evil.pkl"}]
    found = regtui.json("sql", "select tensor, shape from tensors where path = 'w.safetensors'")
    assert found == [{"tensor": "a", "shape": "[3]"}, {"tensor": "b", "shape": "[0]"}]
