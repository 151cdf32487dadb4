import fcntl
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, Busy, RegtuiError
from regtui.replica import locks
from regtui.replica.locks import ReplicaLock


@pytest.fixture
def lock(tmp_path: Path) -> ReplicaLock:
    return ReplicaLock(tmp_path)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_WAIT", "0.05")


@contextmanager
def held(turn: AbstractContextManager[None]) -> Iterator[None]:
    """Hold a lock in another thread."""
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with turn:
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    try:
        yield
    finally:
        leave.set()
        thread.join()


@contextmanager
def held_by_a_process(folder: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    script = (
        "import pathlib, sys\nfrom regtui.replica.locks import ReplicaLock\n"
        f"with ReplicaLock(pathlib.Path(sys.argv[1])).{mode}():\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_readers_share(lock: ReplicaLock) -> None:
    with held(lock.shared()), held(lock.shared()), lock.shared():
        pass


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize(
    ("holder", "comer"),
    [("shared", "exclusive"), ("exclusive", "shared"), ("exclusive", "exclusive")],
)
def test_a_writer_is_alone(lock: ReplicaLock, holder: str, comer: str) -> None:
    with (
        held(getattr(lock, holder)()),
        pytest.raises(Busy, match="the replica is in use by"),
        getattr(lock, comer)(),
    ):
        pass
    with getattr(lock, comer)():
        pass


def test_a_wait_ends_when_the_lock_is_given_back(lock: ReplicaLock) -> None:
    with held(lock.exclusive()):
        threading.Timer(0.3, lambda: None).start()
        waiting = threading.Thread(target=lambda: next_turn(lock))
        waiting.start()
        time.sleep(0.2)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()


def next_turn(lock: ReplicaLock) -> None:
    with lock.exclusive():
        pass


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("mode", ["shared", "exclusive"])
def test_the_deadline_names_command_and_process_of_the_holder(tmp_path: Path, mode: str) -> None:
    with (
        held_by_a_process(tmp_path, mode) as process,
        pytest.raises(Busy) as refusal,
        ReplicaLock(tmp_path).exclusive(),
    ):
        pass
    assert f"(pid {process.pid})" in refusal.value.message
    assert "python" in refusal.value.message
    assert refusal.value.exit_code == 9


@pytest.mark.usefixtures("hurry")
def test_who_waits_at_the_gate_is_told_of_the_holder_and_not_of_the_one_before(
    lock: ReplicaLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_by_a_process(tmp_path, "exclusive") as process:
        monkeypatch.setenv("REGTUI_WAIT", "5")
        before = threading.Thread(target=lambda: next_turn(lock))
        before.start()
        wait_for_the_gate(tmp_path)
        monkeypatch.setenv("REGTUI_WAIT", "0.05")
        with pytest.raises(Busy, match=rf"\(pid {process.pid}\)"), lock.shared():
            pass
        process.kill()
        before.join(10)
        assert not before.is_alive()


def wait_for_the_gate(folder: Path) -> None:
    gate = ReplicaLock(folder)._gate
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        descriptor = os.open(gate, os.O_RDWR)
        try:
            if not locks._lock(descriptor, fcntl.LOCK_EX, 0):
                return
        finally:
            os.close(descriptor)
        time.sleep(0.005)
    pytest.fail("nobody waits at the gate")


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with held_by_a_process(tmp_path, "exclusive") as process:
        process.kill()
        process.wait()
        with ReplicaLock(tmp_path).exclusive():
            pass


@pytest.mark.usefixtures("hurry")
def test_who_gave_up_holds_nothing_later(lock: ReplicaLock) -> None:
    before = descriptors()
    for mode in (lock.shared, lock.exclusive):
        with held(lock.exclusive()), pytest.raises(Busy), mode():
            pass
    with lock.exclusive():
        pass
    settled(lambda: descriptors() == before)


def settled(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


INTERRUPTED = """
import os, pathlib, random, signal, sys, threading
from regtui.replica.locks import ReplicaLock
lock = ReplicaLock(pathlib.Path(sys.argv[1]))
chance = random.Random(7)
for turn in range(60):
    inside, leave = threading.Event(), threading.Event()
    def hold():
        with lock.exclusive():
            inside.set()
            leave.wait(30)
    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(30)
    try:
        # Either at any point of a wait, or around the moment in which the lock is given.
        late = chance.uniform(0, 0.01)
        threading.Timer(late, os.kill, [os.getpid(), signal.SIGINT]).start()
        if turn % 2:
            threading.Timer(late * chance.uniform(0.9, 1.1), leave.set).start()
        with lock.shared():
            threading.Event().wait(10)
    except KeyboardInterrupt:
        pass
    leave.set()
    holder.join()
with lock.exclusive():
    print("free")
"""


def test_an_interrupted_wait_holds_nothing_later(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        env={**os.environ, "REGTUI_WAIT": "10"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("free\n", "", 0)


@pytest.mark.usefixtures("hurry")
def test_deadlines_that_fall_together_with_the_turn_leave_no_lock_behind(
    lock: ReplicaLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()
    monkeypatch.setenv("REGTUI_WAIT", "0.003")
    inside, problems, turns = [0], [0], [0]

    def work(mode: Callable[[], AbstractContextManager[None]], *, alone: bool) -> None:
        chance = random.Random(threading.get_ident())
        while turns[0] < 50:
            try:
                with mode():
                    inside[0] += alone
                    problems[0] += inside[0] > 1
                    time.sleep(chance.uniform(0, 0.005))
                    inside[0] -= alone
                    turns[0] += 1
            except Busy:
                continue

    threads = [
        threading.Thread(target=work, args=[mode], kwargs={"alone": alone})
        for mode, alone in [(lock.exclusive, True), (lock.shared, False)] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.setenv("REGTUI_WAIT", "10")
    with lock.exclusive():
        pass
    assert problems == [0]
    settled(lambda: descriptors() == before)


def test_overlapping_readers_do_not_starve_a_writer(lock: ReplicaLock) -> None:
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            with lock.shared():
                time.sleep(0.05)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    waits = []
    for _ in range(10):
        started = time.monotonic()
        with lock.exclusive():
            waits.append(time.monotonic() - started)
    over.set()
    for reader in readers:
        reader.join()
    assert max(waits) < 2.0


@pytest.mark.usefixtures("hurry")
def test_a_child_that_runs_a_program_does_not_keep_the_lock(lock: ReplicaLock) -> None:
    with lock.exclusive():
        child = subprocess.Popen(["sleep", "30"])
    try:
        with lock.exclusive():
            pass
    finally:
        child.kill()
        child.wait()


def test_the_lock_file_says_who_wrote_last(lock: ReplicaLock, tmp_path: Path) -> None:
    with lock.exclusive():
        assert f"(pid {os.getpid()})" in (tmp_path / "lock").read_text(encoding="utf-8")


@pytest.mark.usefixtures("hurry")
def test_without_a_table_of_locks_the_lock_file_is_asked(
    lock: ReplicaLock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_table(*_: object, **__: object) -> str:
        raise FileNotFoundError

    with held(lock.exclusive()):
        signed = (tmp_path / "lock").read_text(encoding="utf-8")
        monkeypatch.setattr(Path, "stat", no_table)
        with pytest.raises(Busy, match=rf"\(pid {os.getpid()}\)"), lock.shared():
            pass
        monkeypatch.undo()
    assert signed


def test_a_lock_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(RegtuiError, match="can't open the lock"), ReplicaLock(tmp_path).shared():
        pass
    with (
        pytest.raises(RegtuiError, match="can't open the lock"),
        ReplicaLock(tmp_path / "none").shared(),
    ):
        pass


def test_a_wait_that_is_no_number_is_named(
    lock: ReplicaLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_WAIT", "soon")
    with pytest.raises(BadInput, match="REGTUI_WAIT='soon'"), lock.shared():
        pass
