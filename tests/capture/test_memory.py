"""What is done is remembered; what can't be remembered is found out again."""

from pathlib import Path

import pytest

from regtui.capture.memory import Done, Memory


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


ONE = Done("7/a.pt", "f1", 1, 5, version="v1", labels=("7/last.pt",), run="7", step=3, value=0.5)


def test_what_was_done_is_known_to_the_next_one_of_the_same_root(home: Path) -> None:
    Memory(home, Path("/runs")).add(ONE)

    assert Memory(home, Path("/runs")).of("7/a.pt") == ONE
    assert Memory(home, Path("/runs")).of_run("7") == [ONE]
    assert Memory(home, Path("/other")).of("7/a.pt") is None


def test_the_last_state_of_a_path_counts(home: Path) -> None:
    memory = Memory(home, Path("/runs"))
    memory.add(ONE)
    memory.add(Done("7/a.pt", "f2", 1, 6))

    again = Memory(home, Path("/runs")).of("7/a.pt")
    assert again is not None
    assert again.state == "f2"


def test_a_line_that_was_cut_by_a_kill_is_passed_over(home: Path) -> None:
    Memory(home, Path("/runs")).add(ONE)
    [file] = (home / "watch").iterdir()
    file.write_bytes(file.read_bytes() + b'{"path": "7/b.pt", "sta')

    memory = Memory(home, Path("/runs"))
    assert memory.of("7/a.pt") == ONE
    memory.keep_only(["v1"])
    assert file.read_bytes().count(b"\n") == 1


def test_versions_that_are_not_there_are_forgotten(home: Path) -> None:
    memory = Memory(home, Path("/runs"))
    memory.add(ONE)
    memory.add(Done("7/skipped.pt", "f2", 1, 6))
    assert memory.versions == {"v1"}
    memory.keep_only([])

    assert Memory(home, Path("/runs")).of("7/a.pt") is None
    assert Memory(home, Path("/runs")).of("7/skipped.pt") is not None
