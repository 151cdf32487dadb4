"""A forked child does not keep its parent's locks."""

import os

import pytest

from regtui.replica.unit import Replica


def test_a_lock_ends_with_its_unit_of_work_though_a_child_lives_on(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_WAIT", "2")
    reading, writing = os.pipe()
    try:
        with replica.reading():
            child = os.fork()
            if child == 0:  # as a data loader's worker does
                os.read(reading, 1)
                os._exit(0)
        with replica._lock.exclusive():
            pass
    finally:
        os.write(writing, b".")
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
