"""What is pinned stays, whatever the trainer does with its names."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.capture.pins import Pin, Pins


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "runs" / "7").mkdir(parents=True)
    (tmp_path / "runs" / "7" / "a.pt").write_bytes(b"weights")
    return tmp_path / "runs"


@pytest.fixture
def pins(tmp_path: Path, root: Path) -> Iterator[Pins]:
    found = Pins(tmp_path / "home", root)
    yield found
    found.close()


def pinned(pins: Pins, path: str = "7/a.pt") -> tuple[int, Pin]:
    generation = pins.new_generation()
    pin = pins.pin(generation, path)
    assert pin is not None
    return generation, pin


def test_a_pinned_file_outlives_its_name(pins: Pins, root: Path) -> None:
    _, pin = pinned(pins)
    (root / "7" / "a.pt").unlink()

    assert pin.opened.read_bytes() == b"weights"
    assert pin.status().st_nlink == 1


def test_a_pin_sees_what_is_still_written(pins: Pins, root: Path) -> None:
    with (root / "7" / "a.pt").open("ab") as file:
        _, pin = pinned(pins)
        (root / "7" / "a.pt").unlink()
        file.write(b" and more")

    assert pin.opened.read_bytes() == b"weights and more"


def test_a_pin_changes_neither_content_nor_mode_nor_time(pins: Pins, root: Path) -> None:
    file = root / "7" / "a.pt"
    before = file.stat()
    generation, pin = pinned(pins)
    pins.release(generation, [pin])
    after = file.stat()

    assert (before.st_mtime_ns, before.st_mode, before.st_ino, before.st_nlink) == (
        after.st_mtime_ns, after.st_mode, after.st_ino, after.st_nlink,
    )  # fmt: skip


def test_of_a_link_the_file_is_kept(pins: Pins, root: Path) -> None:
    (root / "last.pt").symlink_to("7/a.pt")
    _, pin = pinned(pins, "last.pt")
    (root / "7" / "a.pt").unlink()

    assert pin.opened.read_bytes() == b"weights"


def test_on_another_file_system_a_descriptor_keeps_it(
    pins: Pins, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*_: object) -> None:
        raise OSError(18, "cross-device link")

    monkeypatch.setattr(os, "link", elsewhere)
    generation, pin = pinned(pins)
    (root / "7" / "a.pt").unlink()

    assert isinstance(pin.place, int)
    assert [pin.opened.read_bytes() for _ in range(2)] == [b"weights"] * 2
    pins.release(generation, [pin])
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(pin.place)


def test_what_is_gone_or_no_file_is_not_pinned(pins: Pins, root: Path) -> None:
    os.mkfifo(root / "pipe")

    assert pins.pin(pins.new_generation(), "7/gone.pt") is None
    assert pins.pin(pins.new_generation(), "pipe") is None


KILLED = """
import os, sys
from pathlib import Path
from regtui.capture.pins import Pins
pins = Pins(Path(sys.argv[1]), Path(sys.argv[2]))
pins.pin(pins.new_generation(), "7/a.pt")
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_watcher_left_is_adopted_by_the_next_one_of_its_root(
    tmp_path: Path, root: Path
) -> None:
    home = tmp_path / "home"
    subprocess.run([sys.executable, "-c", KILLED, home, root], check=False)
    (root / "7" / "a.pt").unlink()
    other = Pins(home, tmp_path / "elsewhere")
    assert other.adopted() == []

    pins = Pins(home, root)
    [(number, folder)] = pins.adopted()

    assert (folder / "7" / "a.pt").read_bytes() == b"weights"
    assert number == 1
    assert pins.adopted() == []
    assert len(list((home / "pins").iterdir())) == 2
    pins.close()
    other.close()
    assert list((home / "pins").iterdir()) == []


def test_what_a_living_watcher_holds_is_left_to_it(tmp_path: Path, root: Path, pins: Pins) -> None:
    pinned(pins)
    second = Pins(tmp_path / "home", root)

    assert second.adopted() == []
    second.close()


def test_the_budget_is_a_share_of_what_is_free(tmp_path: Path, pins: Pins) -> None:
    assert pins.budget() > 0
    assert Pins(tmp_path / "home", tmp_path, budget=7).budget() == 7
