"""A walk lists what may be a version, by name, and nothing else."""

import os
from pathlib import Path

from regtui.capture.listing import is_excluded, list_folder


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_files_are_listed_by_their_paths_with_what_stat_says(tmp_path: Path) -> None:
    put(tmp_path, "7/a.pt", "top.txt")
    (tmp_path / "7" / "a.pt").chmod(0o755)
    found = list_folder(tmp_path)

    assert found is not None
    assert sorted(found.files) == ["7/a.pt", "top.txt"]
    status = (tmp_path / "7" / "a.pt").stat()
    assert found.files["7/a.pt"].identity.inode == status.st_ino
    assert found.files["7/a.pt"].executable
    assert sorted(found.folders) == ["", "7"]


def test_temporary_names_and_what_holds_no_models_are_left_out(tmp_path: Path) -> None:
    put(
        tmp_path, "a.tmp", ".tmpx", "tmp-checkpoint-5/a.pt", "b.part", "c.incomplete", "d.lock",
        ".nfs001", ".git/a.pt", "__pycache__/b.pyc", ".regtui/x", "old/a.pt", "deep/old/b.pt",
        "deep/skip/c.pt", "kept.pt",
    )  # fmt: skip
    found = list_folder(tmp_path, exclude=["old", "deep/skip"])

    assert found is not None
    assert list(found.files) == ["kept.pt"]


def test_what_is_excluded_can_be_asked() -> None:
    assert is_excluded("a/b.tmp", ())
    assert is_excluded("old/x/b.pt", ["old"])
    assert not is_excluded("older/b.pt", ["old"])


def test_the_registry_itself_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "home/objects/a.pt", "b.pt")
    found = list_folder(tmp_path, skip=[tmp_path / "home"])

    assert found is not None
    assert list(found.files) == ["b.pt"]


def test_links_within_are_names_and_links_away_are_followed_once(tmp_path: Path) -> None:
    root, away = tmp_path / "root", tmp_path / "away"
    put(root, "7/a.pt")
    put(away, "b.pt")
    (root / "last.pt").symlink_to("7/a.pt")
    (root / "latest").symlink_to("7")
    (root / "away").symlink_to(away)
    (away / "back").symlink_to(away)
    (root / "nowhere").symlink_to("gone")
    found = list_folder(root)

    assert found is not None
    assert sorted(found.files) == ["7/a.pt", "away/b.pt", "last.pt"]
    assert found.files["last.pt"].link == "7/a.pt"
    assert found.links == {"latest": "7"}


def test_pipes_and_names_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    with open(os.fsencode(tmp_path) + b"/\xff.pt", "wb"):  # noqa: PTH123 -- bytes
        pass
    found = list_folder(tmp_path)

    assert found is not None
    assert found.files == {}


def test_where_there_is_no_folder_there_is_no_listing(tmp_path: Path) -> None:
    put(tmp_path, "file")

    assert list_folder(tmp_path / "gone") is None
    assert list_folder(tmp_path / "file") is None
