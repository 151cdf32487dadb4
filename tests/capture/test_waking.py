"""A watcher sleeps until something may have happened."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.capture.mounts import file_system_of
from regtui.capture.waking import Waker

LONG = 30.0
"""Seconds that are over only if an event was lost."""


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def waker(tmp_path: Path, failures: list[str]) -> Iterator[Waker]:
    (tmp_path / "home").mkdir()
    found = Waker(tmp_path / "home", lambda _, reason: failures.append(reason))
    yield found
    found.end()


def wakes(waker: Waker, path: Path) -> bool:
    """Write files until the waker wakes: when it begins to listen is not told."""
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.wait(0.05):
            number += 1
            (path / f"{number}.txt").write_text("x")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return waker.wait(LONG)
    finally:
        ended.set()
        thread.join()


def test_a_new_file_wakes(waker: Waker, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    waker.watch(tmp_path / "runs")
    waker.watch(tmp_path / "runs")

    assert wakes(waker, tmp_path / "runs")


def test_a_folder_that_was_made_anew_wakes_too(waker: Waker, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    waker.watch(root)
    root.mkdir()
    waker.watch(root)
    assert wakes(waker, root)
    root.rename(tmp_path / "away")
    root.mkdir()
    waker.watch(root)

    assert wakes(waker, root)


def test_what_the_registry_writes_does_not_wake(waker: Waker, tmp_path: Path) -> None:
    waker.watch(tmp_path)
    assert wakes(waker, tmp_path)
    while waker.wait(0.5):
        pass
    (tmp_path / "home" / "objects").write_text("x")

    assert not waker.wait(0.5)


def test_anybody_can_wake_it_and_its_end_lets_nobody_wait(waker: Waker) -> None:
    waker.wake()
    assert waker.wait(LONG)
    assert not waker.wait(0.01)
    waker.end()
    started = time.monotonic()
    waker.wait(LONG, least=LONG)
    assert time.monotonic() - started < LONG


def test_what_happens_while_it_must_not_return_yet_is_told_too(waker: Waker) -> None:
    threading.Timer(0.1, waker.wake).start()

    assert waker.wait(0.0, least=0.4)
    assert not waker.wait(0.0)


def test_where_nobody_may_listen_it_is_told(
    waker: Waker, tmp_path: Path, failures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    def refused(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watchfiles, "watch", refused)
    waker.watch(tmp_path)
    while not failures:
        time.sleep(0.01)

    assert "No space" in failures[0]


def test_the_file_system_of_a_path_is_told(tmp_path: Path) -> None:
    if Path("/proc/self/mountinfo").exists():
        assert file_system_of(tmp_path.resolve())
        assert file_system_of(Path("/proc/self")) == "proc"
