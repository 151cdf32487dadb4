"""Readers reach the files that they were given, wherever these really are, and no others."""

import os
from pathlib import Path

import pytest

from regtui.capture.run_files import RunFiles, on_disk
from regtui.formats.cursor import TooMuch
from regtui.formats.values import Facts

UNIT = "runs/7/checkpoint-20"
OWN = [f"{UNIT}/model.safetensors", f"{UNIT}/trainer_state.json", f"{UNIT}/deep/more.json"]
BESIDE = ["runs/args.yaml", "runs/7/results.csv", "runs/7/logs/a/results.csv", "results.csv"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in OWN + BESIDE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def test_the_units_own_files_come_first_then_the_nearest(root: Path) -> None:
    files = on_disk(root, UNIT, OWN, [*BESIDE, OWN[0]])

    assert files.own == (OWN[0], OWN[1], OWN[2])
    assert files.beside == (
        "runs/7/results.csv", "runs/args.yaml", "results.csv", "runs/7/logs/a/results.csv",
    )  # fmt: skip
    assert files.paths == files.own + files.beside
    assert files.run == "runs/7"


def test_of_a_unit_that_is_a_file_its_folder_is_near() -> None:
    nowhere = Path("nowhere")

    files = on_disk(nowhere, "runs/7/best.pt", ["runs/7/best.pt"], BESIDE, run="runs", step=3)

    assert files.beside[0] == "runs/7/results.csv"
    assert (files.run, files.step) == ("runs", 3)


def test_what_lies_in_a_units_folder_is_inside_even_if_it_is_no_part_of_it(root: Path) -> None:
    left = f"{UNIT}/trainer_state.json"
    files = on_disk(root, UNIT, [OWN[0], OWN[2]], [left, *BESIDE])

    assert files.inside == (OWN[0], OWN[2], left)
    assert on_disk(root, OWN[0], [OWN[0]], [left]).inside == (OWN[0],)


def test_files_are_found_by_the_patterns_of_their_names(root: Path) -> None:
    files = on_disk(root, UNIT, OWN, BESIDE)

    assert files.find("trainer_state.json") == OWN[1]
    assert files.find("missing.json", "*.csv") == "runs/7/results.csv"
    assert files.find("missing.json") is None
    assert files.matching("a/results.csv") == ("runs/7/logs/a/results.csv",)
    assert files.matching("*.yaml", "trainer_*") == (OWN[1], "runs/args.yaml")


def test_the_nearest_of_several_names_is_chosen_by_place_then_by_name() -> None:
    nowhere = Path("nowhere")
    beside = ["metrics.csv", "runs/7/b.csv", "runs/7/log.csv", "runs/7/deep/metrics.csv"]
    files = on_disk(nowhere, "runs/7/best.pt", ["runs/7/best.pt"], beside)

    assert files.nearest("metrics.csv", "log.csv", "*.csv") == "runs/7/log.csv"
    assert files.nearest("*.json") is None


def test_what_a_reader_knows_is_left_to_it() -> None:
    nowhere = Path("nowhere")
    files = on_disk(nowhere, "a/m.pt", ["a/m.pt"], ["a/args.yaml", "a/x.csv", "a/y.csv"], step=None)
    files.claim("args.*")
    with pytest.raises(FileNotFoundError):
        files.text("a/x.csv")

    assert files.untaken.matching("*") == ("a/m.pt", "a/y.csv")
    assert files.untaken.memory is files.memory
    assert files.matching("*.yaml") == ("a/args.yaml",)


def test_a_step_that_the_name_tells_counts_before_one_that_is_found() -> None:
    files = on_disk(Path("nowhere"), "a", ["a"])

    assert files.at_step(7).step == 7
    assert files.at_step(7).at_step(9).step == 7
    assert files.at_step(None) is files


def test_a_file_is_read_from_where_it_was_pinned(root: Path) -> None:
    pinned = root / "pin"
    pinned.write_text("pinned")
    descriptor = os.open(root / OWN[1], os.O_RDONLY)
    (root / OWN[1]).unlink()

    files = RunFiles(UNIT, {"a": pinned, "b": descriptor})

    assert files.text("a") == "pinned"
    assert [files.text("b"), files.text("b")] == [OWN[1], OWN[1]]
    os.close(descriptor)


def test_no_other_file_can_be_read(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        on_disk(root, UNIT, OWN).text("results.csv")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "metrics.json")

    with pytest.raises(OSError, match="no regular file"):
        on_disk(tmp_path, "", ["metrics.json"]).text("metrics.json")


def test_a_text_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(10 << 30)

    with pytest.raises(TooMuch, match="10,737,418,240 bytes"):
        on_disk(tmp_path, "", ["huge.csv"]).text("huge.csv")


def test_text_is_read_without_its_mark_and_whatever_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa\xff\n")

    assert on_disk(tmp_path, "", ["a.csv"]).text("a.csv") == "a\ufffd\n"


def test_facts_are_read_once_or_never_where_they_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    known = Facts("torch", "tensors-only")
    files = RunFiles("", {"a.json": tmp_path / "a.json", "b.pt": tmp_path}, facts={"b.pt": known})

    first = files.facts("a.json")
    (tmp_path / "a.json").unlink()

    assert first.format == "json"
    assert files.facts("a.json") is first
    assert files.facts("b.pt") is known
