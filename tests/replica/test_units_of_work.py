import threading
from pathlib import Path

import pytest

from regtui.core.access import Actor
from regtui.core.errors import BadInput, Denied, NotFound, RegtuiError
from regtui.core.identity import alias_id, model_id
from regtui.core.operations import AliasBody, Change, EditBody, ModelBody
from regtui.registry import Registry
from regtui.replica.authority import SoloAuthority
from regtui.replica.unit import Replica
from tests.replica.ledger import check_replica

RANKER = model_id("ranker", 0)


def create(authority: SoloAuthority, name: str = "ranker") -> None:
    identity = model_id(name, 0)
    authority.submit("model.create", identity, identity, ModelBody(name, 0, {}))


def describe(authority: SoloAuthority, text: str) -> None:
    document = authority.view.document(RANKER)
    saw = None if document is None else document.stamp("description")
    change = {"description": Change(text, saw=saw)}
    authority.submit("model.edit", RANKER, RANKER, EditBody(change))


def test_a_unit_is_kept_whole(replica: Replica, ann: Actor) -> None:
    with replica.writing(ann, "api", "s") as authority:
        create(authority)
        describe(authority, "one")
        describe(authority, "two")
    with replica.reading() as connection:
        rows = connection.execute("select description from base.model").fetchall()
        count = connection.execute("select count(*) from base.operation").fetchone()
    assert (rows, count) == ([("two",)], (3,))
    check_replica(replica.home.path)


class Interruption(Exception):
    """What comes in between."""


def test_an_error_undoes_the_whole_unit(replica: Replica, ann: Actor) -> None:
    with replica.writing(ann, "api", "s") as authority:
        create(authority)
    for flushed in (False, True):
        with pytest.raises(Interruption):
            interrupted_unit(replica, ann, flushed=flushed)
    with replica.reading() as connection:
        rows = connection.execute("select description from base.model").fetchall()
    assert rows == [(None,)]
    check_replica(replica.home.path)


def interrupted_unit(replica: Replica, ann: Actor, *, flushed: bool) -> None:
    with replica.writing(ann, "api", "s") as authority:
        describe(authority, "never")
        if flushed:
            authority.flush()
        raise Interruption


def test_what_is_refused_leaves_no_trace(replica: Replica, ann: Actor, ben: Actor) -> None:
    with replica.writing(ann, "api", "s") as authority:
        create(authority)
    with replica.writing(ben, "api", "s") as authority, pytest.raises(Denied):
        describe(authority, "never")
    with replica.writing(ann, "api", "s") as authority:
        with pytest.raises(NotFound):
            authority.submit(
                "alias.set",
                RANKER,
                alias_id(RANKER, "a"),
                AliasBody("a", {"version": Change(RANKER)}),
            )
        with pytest.raises(BadInput):
            authority.submit("model.edit", RANKER, RANKER, EditBody({}))
        describe(authority, "after the refusals")
    with replica.reading() as connection:
        count = connection.execute("select count(*), max(seq) from base.operation").fetchone()
    assert count == (2, 2)
    check_replica(replica.home.path)


def test_a_stranger_is_told_that_nothing_is_there(replica: Replica, ann: Actor) -> None:
    with replica.writing(ann, "api", "s") as authority:
        create(authority)
    stranger = Actor(ann.id, "eve", ())
    with replica.writing(stranger, "api", "s") as authority, pytest.raises(NotFound):
        describe(authority, "never")


def test_a_reading_unit_can_not_write(replica: Replica) -> None:
    with pytest.raises(RegtuiError), replica.reading() as connection:
        connection.execute("insert into base.text values ('a', 'b')")


def test_time_never_runs_backwards(tmp_path: Path, ann: Actor) -> None:
    moments = iter([5_000_000, 9_000_000, 1_000_000, 1_000_000])
    replica = Replica(tmp_path / "home", clock=lambda: next(moments))
    for text in ("one", "two", "three"):
        with replica.writing(ann, "api", "s") as authority:
            if text == "one":
                create(authority)
            describe(authority, text)
    with replica.reading() as connection:
        times = connection.execute(
            "select cast(verdict ->> '$.now' as bigint) from base.operation order by seq"
        ).fetchall()
    assert times == sorted(set(times))
    check_replica(replica.home.path)


def test_an_empty_unit_writes_nothing(replica: Replica, ann: Actor) -> None:
    with replica.writing(ann, "api", "s"):
        pass
    before = replica.home.database.read_bytes()
    with replica.writing(ann, "api", "s"):
        pass
    assert replica.home.database.read_bytes() == before


def test_threads_of_one_process_read_and_write_at_once(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("x", encoding="utf-8")
    registry.capture(tmp_path / "m", model="ranker")
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(4):
                if number % 2:
                    registry.edit("ranker@1", {f"tags/{number}": str(turn)})
                else:
                    registry.versions("tag:1 sort:-created")
                    registry.verify()
        except BaseException as error:  # noqa: BLE001 -- told to the test
            problems.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert registry.version("ranker@1").tags == {"1": "3", "3": "3"}
    check_replica(registry.home)
