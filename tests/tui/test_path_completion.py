"""Completing paths as they are typed."""

from pathlib import Path

import pytest

from regtui.tui.path_completion import completed, matches


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which is a person's own one too."""
    here = tmp_path / "here"
    (here / "runs" / "7").mkdir(parents=True)
    (here / "runs" / "77").mkdir()
    for name in ("runner.py", ".hidden", "notes.txt"):
        (here / name).touch()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    return here


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["notes.txt", "runner.py", "runs/"]),
        ("run", ["runner.py", "runs/"]),
        ("runs/", ["runs/7/", "runs/77/"]),
        (".", [".hidden"]),
        ("~", ["~/"]),
        ("~/no", ["~/notes.txt"]),
        ("none/x", []),
        ("~nobody-of-this-name/", []),
        ("a\0b/", []),
    ],
)
@pytest.mark.usefixtures("folder")
def test_paths_go_on_with_what_is_there(typed: str, expected: list[str]) -> None:
    assert matches(typed) == expected


def test_a_path_from_the_root_stays_one(folder: Path) -> None:
    assert matches(f"{folder}/no") == [f"{folder}/notes.txt"]


@pytest.mark.parametrize(
    ("typed", "found", "expected"),
    [
        ("ru", ["runner.py", "runs/"], "run"),
        ("run", ["runner.py", "runs/"], "run"),
        ("runs/7", ["runs/7/", "runs/77/"], "runs/7"),
        ("no", ["notes.txt"], "notes.txt"),
        ("x", [], "x"),
    ],
)
def test_a_path_is_completed_as_far_as_all_agree(
    typed: str, found: list[str], expected: str
) -> None:
    assert completed(typed, found) == expected
