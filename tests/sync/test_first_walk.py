"""The first walk of a replica that holds nothing: at once to its end, or page by page."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regtui.core.errors import Unreachable
from regtui.replica import accepting, database
from regtui.replica.database import Connection, make_room
from regtui.replica.unit import Replica
from regtui.sync.client import NotEnrolled, SyncClient
from regtui.wire.messages import Answer, Push
from tests.sync.world import InLine, Person, Wire, World, signed_in

MODELS = 40
PAGE = 8


class Disturbed(Wire):
    """Lets something happen before some requests are answered."""

    def __init__(self, person: Person, before: dict[int, Callable[[], object]]) -> None:
        super().__init__(person)
        self.before = before
        self.asked: list[Push] = []

    def sync(self, registry: str, push: Push) -> Answer:
        self.asked.append(push)
        what = self.before.pop(len(self.asked), None)
        if what is not None:
            what()
        return super().sync(registry, push)


@pytest.fixture
def full(world: World, ann: Person) -> Person:
    """Somebody who has filled the registry."""
    for number in range(MODELS):
        ann.registry.create_model(f"m{number:02}", {"description": f"the {number}th"})
    ann.sync()
    return ann


class Alone(Person):
    """Somebody whose replica is opened and closed each time, as it is everywhere else."""

    def make_replica(self, home: Path) -> Any:
        return Replica(home, self.clock)


def newcomer(world: World, before: dict[int, Callable[[], object]]) -> tuple[Person, Disturbed]:
    world.grant("ben", "admin", "*")
    person = Alone(world, "ben", world.folder / "new")
    wire = Disturbed(person, before)
    person.wire = wire
    person.client = SyncClient(person.replica, wire, "session", page=PAGE, ahead=2, executor=InLine)
    return person, wire


def staged(person: Person) -> int:
    ((found,),) = person.table("select count(*) from base.staged")
    return int(str(found))


def opened(person: Person, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that has an entry for each time that the replica is opened to write."""
    times: list[int] = []
    changing = person.replica.changing

    def counted() -> object:
        times.append(1)
        return changing()

    monkeypatch.setattr(person.replica, "changing", counted)
    return times


def test_a_first_walk_opens_the_replica_once(
    world: World, full: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben, wire = newcomer(world, {})
    ben.client.prepare()
    times = opened(ben, monkeypatch)
    done = ben.sync()
    assert (done.pulled, len(wire.asked) > MODELS // PAGE) == (MODELS, True)
    assert len(times) <= 4  # to enrol, to ask, to keep the walk, to note that there is no more
    assert ben.documents == full.documents
    assert staged(ben) == 0


def test_what_others_do_meanwhile_comes_along(world: World, full: Person) -> None:
    def work() -> None:
        full.registry.edit("m01", {"description": "another one"})
        full.registry.edit("m39", {"tags/new": "yes"})
        full.registry.create_model("m99")
        full.sync()

    ben, _ = newcomer(world, {4: work})
    ben.sync()
    assert ben.documents == full.documents
    assert ben.registry.model("m01").description == "another one"


@pytest.mark.parametrize("place", [3, 4, 6])
def test_a_walk_that_is_cut_goes_on_page_by_page(world: World, full: Person, place: int) -> None:
    def cut() -> None:
        raise Unreachable("the server does not answer", "")

    ben, wire = newcomer(world, {place: cut})
    with pytest.raises(Unreachable):
        ben.sync()
    assert ben.documents == {}
    assert staged(ben) > 0
    asked = len(wire.asked)
    assert ben.sync().pulled == MODELS
    assert wire.asked[asked].cursor.seq > 0 or wire.asked[asked].cursor != wire.asked[0].cursor
    assert ben.documents == full.documents
    assert staged(ben) == 0


def test_a_walk_of_who_is_not_enrolled_any_more_enrols(world: World, full: Person) -> None:
    def gone() -> None:
        raise NotEnrolled("the replica is gone")

    ben, _ = newcomer(world, {4: gone})
    assert ben.sync().pulled == MODELS
    assert ben.documents == full.documents


def test_a_server_that_was_restored_meanwhile_is_read_anew(
    world: World, full: Person, tmp_path: Path
) -> None:
    from tests.sync.test_cases import back_up, put_back

    backup = back_up(world)
    full.registry.create_model("lost")
    full.sync()
    ben, _ = newcomer(world, {4: lambda: put_back(world, backup, told=True)})
    ben.sync()
    for _ in range(2):
        full.sync()
        ben.sync()
    assert ben.documents == full.documents
    assert ben.registry.model("lost").model == "lost"


def test_who_may_read_less_in_the_middle_of_it_keeps_nothing(world: World, full: Person) -> None:
    world.grant("cat", "viewer", "*")
    cat = signed_in(world, "cat")

    def narrow() -> None:
        world.grant("cat", None, "*")
        world.grant("cat", "viewer", "m01")

    cat.wire = Disturbed(cat, {4: narrow})
    cat.client = SyncClient(cat.replica, cat.wire, "s", page=PAGE, ahead=2, executor=InLine)
    for _ in range(2):
        cat.sync()
    assert [one.model for one in cat.registry.models()] == ["m01"]


def test_who_wants_the_replica_gets_it_before_the_walk_ends(world: World, full: Person) -> None:
    waits, seen = threading.Event(), list[int]()

    def look() -> None:
        waits.set()
        seen.append(len(ben.registry.models()))

    looking = threading.Thread(target=look)

    def begin() -> None:
        looking.start()
        waits.wait(5)
        for _ in range(500):
            if ben.replica.is_wanted():
                return
            threading.Event().wait(0.01)

    ben, _ = newcomer(world, {3: begin})
    done = ben.sync()
    looking.join(10)
    assert seen == [0]  # nothing of a walk shows before its end
    assert done.pulled == MODELS
    assert ben.documents == full.documents


def test_a_thread_asks_where_nobody_says_otherwise(world: World, full: Person) -> None:
    ben = signed_in(world, "ben", "threaded")
    names: list[str] = []

    class Named(Wire):
        def sync(self, registry: str, push: Push) -> Answer:
            names.append(threading.current_thread().name)
            return super().sync(registry, push)

    ben.client = SyncClient(ben.replica, Named(ben), "session", page=PAGE)
    ben.sync()
    assert ben.documents == full.documents
    assert any(name.startswith("regtui-request") for name in names)
    assert names[0] == threading.main_thread().name


def test_a_walk_of_many_documents_may_use_more_memory(
    world: World, full: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[str] = []

    def noting(connection: Connection, rows: int) -> None:
        make_room(connection, rows)
        row = connection.execute("select current_setting('memory_limit')").fetchone()
        assert row is not None
        limits.append(str(row[0]))

    monkeypatch.delenv("REGTUI_MEMORY", raising=False)
    monkeypatch.setattr(accepting, "MANY", 20)
    monkeypatch.setattr(accepting, "make_room", noting)
    monkeypatch.setattr(database, "KEYS", 2_000_000)
    ben, _ = newcomer(world, {})
    ben.sync()
    assert len(limits) >= 2
    assert len({*limits}) == len(limits)  # more and more
    monkeypatch.setenv("REGTUI_MEMORY", "123MB")  # unless somebody has chosen
    with Replica(ben.replica.home.path).changing() as connection:
        noting(connection, 1_000_000)
    assert limits[-1].startswith("117.")  # in MiB
