"""Requests that leave while the answer to the one before is kept."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from regtui.core.errors import Unreachable
from regtui.sync.client import SyncClient, Synced
from regtui.wire.messages import Answer, Push
from tests.sync.crashing import Dying
from tests.sync.faults import Faults, Watch
from tests.sync.world import Person, Wire, World, signed_in

EDITS = 14
BATCH = 2


class Noting(Wire):
    """Notes what is sent, and does something before some of it arrives."""

    def __init__(self, person: Person, before: dict[int, Callable[[], object]]) -> None:
        super().__init__(person)
        self.sent: list[list[str]] = []
        self.before = before

    def sync(self, registry: str, push: Push) -> Answer:
        self.sent.append([bytes(one).decode() for one in push.ops])
        self.before.pop(len(self.sent), lambda: None)()
        return super().sync(registry, push)


@pytest.fixture
def ann(world: World, ann: Person) -> Person:
    """Somebody who has done more than a few requests take."""
    ann.registry.create_model("m")
    ann.sync()
    for number in range(EDITS):
        ann.registry.edit("m", {f"tags/t{number}": "x", "description": f"the {number}th"})
    return ann


def noting(person: Person, before: dict[int, Callable[[], object]] | None = None) -> Noting:
    wire = Noting(person, before or {})
    person.connect(batch=BATCH, wire=wire)
    return wire


def everything_is_there(world: World, ann: Person) -> None:
    world.grant("ben", "admin", "*")
    ben = signed_in(world, "ben", "other")
    ben.sync()
    ann.sync()
    assert ben.documents == ann.documents
    assert ben.registry.model("m").tags == {f"t{number}": "x" for number in range(EDITS)}
    assert ben.registry.model("m").description == f"the {EDITS - 1}th"
    assert ann.table("select count(*) from base.outbox") == [(0,)]


def test_a_request_leaves_before_the_answer_to_the_last_one_is_kept(
    world: World, ann: Person
) -> None:
    wire, order = noting(ann), list[str]()
    keep = ann.client._keep

    def keeping(*given: Any) -> bool:
        order.append(f"keep after {len(wire.sent)}")
        return keep(*given)

    with patch.object(ann.client, "_keep", keeping):
        done = ann.sync()
    assert (done.pushed, done.accepted, done.pending) == (EDITS, EDITS, 0)
    # The first answer shows that the server is there; from then on one is ahead.
    assert order[:3] == ["keep after 1", "keep after 3", "keep after 4"]
    together = [one for sent in wire.sent for one in sent]
    assert len(together) == len(set(together)) == EDITS  # each was sent once
    everything_is_there(world, ann)


def test_nothing_leaves_behind_what_was_judged_in_part(world: World, ann: Person) -> None:
    faults = Faults(world.random)
    faults.rates["slow"] = 4.0
    wire = noting(ann)
    with patch("sync_server.authority.time", Watch(faults)):
        done = ann.sync()
    assert (done.accepted, done.rejected) == (EDITS, 0)
    assert len(wire.sent) > EDITS / 2
    everything_is_there(world, ann)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_what_came_before_a_request_that_is_lost_stays(
    world: World, ann: Person, number: int
) -> None:
    def fail() -> None:
        raise Unreachable("the server does not answer")

    wire = noting(ann, {number: fail})
    with pytest.raises(Unreachable):
        ann.sync()
    (waiting,) = ann.table("select count(*) from base.outbox where state in ('pending', 'sent')")
    judged = [one for sent in wire.sent[: number - 1] for one in sent]
    assert waiting == (EDITS - len(judged),)
    done = ann.sync()
    assert (done.accepted, done.rejected) == (EDITS - len(judged), 0)
    everything_is_there(world, ann)


def test_what_is_done_meanwhile_goes_behind(world: World, ann: Person) -> None:
    noting(ann, {3: lambda: ann.registry.edit("m", {"tags/late": "x"})})
    done = ann.sync()
    assert done.accepted == EDITS + 1
    assert ann.registry.model("m").tags["late"] == "x"
    assert ann.table("select count(*) from base.outbox") == [(0,)]


def test_a_new_identity_meanwhile_sends_what_is_left(world: World, ann: Person) -> None:
    def begin() -> None:  # as `outbox discard --waiting` does
        with ann.replica.changing() as connection:
            from regtui.replica.remote import read_remote, write_remote
            from regtui.sync.new_identity import begin_anew

            remote = read_remote(connection)
            assert remote is not None
            begin_anew(ann.replica, connection, remote)
            write_remote(connection, remote)

    noting(ann, {3: begin})
    done = ann.sync()
    assert done.rejected == 0
    everything_is_there(world, ann)


def test_requests_leave_in_a_thread_of_their_own(world: World, ann: Person) -> None:
    wire, threads = noting(ann), set[str]()
    plain = wire.sync

    def noted(registry: str, push: Push) -> Answer:
        threads.add(threading.current_thread().name)
        return plain(registry, push)

    wire.sync = noted  # type: ignore[method-assign]
    ann.client = SyncClient(
        ann.replica, wire, "s", batch=BATCH, executor=lambda: ThreadPoolExecutor(1, "ahead")
    )
    assert ann.sync().accepted == EDITS
    assert threads == {threading.current_thread().name, "ahead_0"}
    everything_is_there(world, ann)


def test_an_answer_to_what_is_ahead_may_come_at_any_time(world: World, ann: Person) -> None:
    wire, kept = noting(ann), threading.Event()
    plain, keep = wire.sync, ann.client._keep

    def slow(registry: str, push: Push) -> Answer:
        if threading.current_thread() is not threading.main_thread():
            assert kept.wait(20)  # only after the one before it was kept
        return plain(registry, push)

    def keeping(*given: Any) -> bool:
        kept.clear()
        try:
            return keep(*given)
        finally:
            kept.set()

    wire.sync = slow  # type: ignore[method-assign]
    ann.client = SyncClient(ann.replica, wire, "s", batch=BATCH)
    keep = ann.client._keep
    with patch.object(ann.client, "_keep", keeping):
        assert ann.sync().accepted == EDITS
    everything_is_there(world, ann)


def test_no_program_waits_at_its_end_for_what_is_under_way() -> None:
    script = (
        "import time; from regtui.sync.request_thread import RequestThread; "
        "RequestThread().submit(time.sleep, 300); raise KeyboardInterrupt"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert b"KeyboardInterrupt" in ended.stderr


def test_an_answer_that_was_not_kept_is_told_again(world: World, ann: Person) -> None:
    """One that was ahead may be kept where the one before it was not, as by an earlier release."""
    wire = noting(ann)
    ann.client.absorb = lambda *_: False  # type: ignore[method-assign]
    request = ann.client.prepare()
    wire.sync(request.registry, request.push)
    with ann.replica.changing() as connection:
        behind = ann.client._prepare_behind(connection, request)
    assert behind is not None
    answer = wire.sync(behind.registry, behind.push)
    SyncClient.absorb(ann.client, behind, answer, Synced())
    noting(ann)
    assert ann.sync().rejected == 0
    everything_is_there(world, ann)


@pytest.mark.parametrize(
    ("start", "stride"),
    [
        pytest.param(7, 83, id="some"),
        pytest.param(1, 13, id="more", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_a_push_that_is_killed_anywhere_goes_on(
    world: World, tmp_path: Path, start: int, stride: int
) -> None:
    world.grant("ann", "admin", "*")
    ann = Dying(world, "ann", tmp_path / "dying")
    ann.registry.create_model("m")
    ann.sync()
    place, ended, edits = start, False, 0
    while not ended:
        for _ in range(9):
            ann.registry.edit("m", {f"tags/t{edits}": "x"})
            edits += 1
        ann.connect(batch=BATCH)
        ann.wire_dies()
        with ann.death.at(place):
            ann.sync()
        ended = ann.death.count < place
        ann.connect(batch=BATCH)
        ann.wire_dies()
        done = ann.sync()
        assert done.rejected == 0
        assert len(ann.registry.model("m").tags) == edits
        assert ann.table("select count(*) from base.outbox") == [(0,)]
        place += stride
    assert place > 100
    ann.replica.close()
