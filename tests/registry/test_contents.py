import shutil
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, Damaged, NotFound
from regtui.registry import Registry


def listing(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return bytes and executable bit of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("link", [False, True])
def test_a_checkout_is_what_was_captured(
    ranker: Registry, run: Path, tmp_path: Path, *, link: bool
) -> None:
    expected = listing(run)
    shutil.rmtree(run)
    ranker.checkout("ranker@1", tmp_path / "out", link=link)
    assert listing(tmp_path / "out") == expected


def test_a_file_captured_alone_gets_its_name_back(
    registry: Registry, run: Path, tmp_path: Path
) -> None:
    registry.capture(run / "serve.sh", model="ranker")
    registry.checkout("ranker@1", tmp_path / "out")
    assert listing(tmp_path / "out") == {"serve.sh": (b"#!/bin/sh\n", True)}


def test_a_path_leads_to_the_bytes(ranker: Registry, run: Path) -> None:
    path = ranker.path("ranker@1", "sub/train.log")
    assert path.read_bytes() == (run / "sub" / "train.log").read_bytes()
    assert path.is_relative_to(ranker.home)
    with pytest.raises(NotFound, match="choose one of"):
        ranker.path("ranker@1")


def test_a_flipped_bit_is_found_with_everybody_who_needs_it(ranker: Registry, run: Path) -> None:
    ranker.capture(run / "model.bin", model="other")
    path = ranker.path("other@1")
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x80
    path.chmod(0o644)
    path.write_bytes(data)
    (damage,) = ranker.verify().damaged
    assert damage.problem == "damaged"
    assert damage.used_by == ["other@1 model.bin", "ranker@1 model.bin", "ranker@2 model.bin"]


def test_missing_and_shortened_files_are_found(ranker: Registry, tmp_path: Path) -> None:
    ranker.path("ranker@1", "serve.sh").unlink()
    path = ranker.path("ranker@1", "model.bin")
    path.chmod(0o644)
    path.write_bytes(b"")
    found = ranker.verify("ranker@1")
    assert sorted(damage.problem for damage in found.damaged) == ["missing", "wrong size"]
    assert (found.versions, found.files, found.bytes) == (1, 3, 5_017)
    with pytest.raises(Damaged):
        ranker.checkout("ranker@1", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_content_captured_again_heals(ranker: Registry, run: Path) -> None:
    ranker.path("ranker@1", "serve.sh").unlink()
    path = ranker.path("ranker@1", "model.bin")
    path.chmod(0o644)
    path.write_bytes(b"cut")
    assert len(ranker.verify().damaged) == 2
    assert ranker.capture(run, model="ranker").created is False
    assert ranker.verify().damaged == []


def test_files_of_deleted_versions_are_not_missed(ranker: Registry) -> None:
    ranker.path("ranker@1", "serve.sh").unlink()
    ranker.remove_alias("ranker@champion")
    for number in (1, 2):
        assert len(ranker.verify().damaged) == 1
        ranker.change_state("version", f"ranker@{number}", "delete")
    assert ranker.verify().damaged == []
    assert len(ranker.verify("ranker@1").damaged) == 1


def test_checkout_leaves_what_is_there_alone(ranker: Registry, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="is not a folder"):
        ranker.checkout("ranker@1", tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
