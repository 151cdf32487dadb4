"""A file is whole or not there, whoever is killed, and whoever else writes it."""

import os
from pathlib import Path

import pytest

from regtui.artifacts.whole_file import free_target, whole_file
from regtui.core.errors import BadInput, Busy, NotFound


def write(target: Path, content: bytes) -> None:
    with whole_file(target, 0o600) as file:
        file.write(content)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    with whole_file(tmp_path / "f", 0o600) as file:
        file.write(b"half")
        assert names(tmp_path) == [".f.part"]
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_an_error_leaves_nothing_and_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "f", b"old")

    def interrupted() -> None:
        with whole_file(tmp_path / "f", 0o600) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_what_a_killed_one_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".f.part").write_bytes(b"left, and longer than what comes")
    write(tmp_path / "f", b"new")
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with whole_file(tmp_path / "f", 0o600) as file:
        file.write(b"first")
        with pytest.raises(Busy):
            write(tmp_path / "f", b"second")
    assert (tmp_path / "f").read_bytes() == b"first"


def test_a_file_that_is_finished_while_a_second_writer_opens_it_is_never_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = whole_file(tmp_path / "f", 0o600)
    first.__enter__().write(b"first")
    original = os.open
    seen: list[bytes] = []

    def opened(path: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = original(path, flags, mode)
        if not seen and path == tmp_path / ".f.part":
            seen.append(b"")
            first.__exit__(None, None, None)
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with whole_file(tmp_path / "f", 0o600) as file:
        seen.append((tmp_path / "f").read_bytes())
        file.write(b"second")
    assert seen == [b"", b"first"]
    assert (tmp_path / "f").read_bytes() == b"second"


def test_only_a_free_place_outside_of_the_registry_is_a_target(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "there").touch()
    os.mkfifo(tmp_path / "pipe")
    for target, error, replace in (
        (home / "f", BadInput, True),
        (tmp_path / "no" / "f", NotFound, True),
        (tmp_path / "there", BadInput, False),
        (tmp_path / "pipe", BadInput, True),
        (home, BadInput, True),
    ):
        with pytest.raises(error):
            free_target(target, home, replace=replace)
    assert free_target(tmp_path / "there", home, replace=True) == tmp_path / "there"


def test_a_link_is_followed_so_that_it_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "f")
    write(free_target(tmp_path / "link", tmp_path / "home", replace=False), b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "f").read_bytes() == b"x"
