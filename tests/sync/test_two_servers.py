"""Several instances of the server on one Postgres: the simulation, and true concurrency."""

import itertools
import os
import random
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from regtui.core.errors import RegtuiError
from regtui.sync import client
from sync_server import schema
from sync_server.authority import Refused
from sync_server.database import Database
from sync_server.examine import examine
from sync_server.server import Server
from tests.sync.mutants import MUTANTS
from tests.sync.simulation import run
from tests.sync.world import Person, World

SEEDS = int(os.environ.get("REGTUI_SEEDS", "8"))
FAST = 1
WRITERS = 4
ROUNDS = int(os.environ.get("REGTUI_ROUNDS", "8"))


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """An empty database, of which the simulation keeps no connection."""
    name = f"sim_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    start, _, query = postgres_url.partition("?")
    yield f"{start.rsplit('/', 1)[0]}/{name}?{query}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize(
    "seed",
    [seed if seed < FAST else pytest.param(seed, marks=pytest.mark.slow) for seed in range(SEEDS)],
)
def test_everybody_converges_with_two_instances_on_postgres(
    seed: int, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    run(tmp_path, seed, url=database, instances=2)


class TwoServers(World):
    """A world of two instances, which are asked in turn."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        self.second = Database(url)
        other = Server(self.second, self.server_clock, self.seed, self.mint)
        self._turns = itertools.cycle([self.server, other])

    def serving(self) -> Server:
        turns = getattr(self, "_turns", None)
        return self.server if turns is None else next(turns)

    def seed(self) -> bytes:
        return os.urandom(16)

    def close(self) -> None:
        self.second.close()
        super().close()


class Reader:
    """Looks at what is there, and never finds anything new below what it has seen the end of."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._known: set[int] = set()
        self._head = 0
        self.late: set[int] = set()
        self.looks = 0

    def look(self) -> None:
        o, s = schema.operation.c, schema.step.c
        with self._database.reading() as connection:
            head = connection.execute(sa.select(schema.registry.c.seq)).scalar_one()
            there = set(connection.execute(sa.select(o.seq)).scalars())
            there |= set(connection.execute(sa.select(s.seq)).scalars())
        self.late |= {seq for seq in there - self._known if seq <= self._head}
        self.late |= {seq for seq in there if seq > head}
        self._known, self._head = there, max(head, self._head)
        self.looks += 1

    def close(self) -> None:
        self._database.close()


def write_together(world: TwoServers, url: str) -> tuple[list[Person], Reader, list[str]]:
    """Let people work and sync at the same time, while somebody reads."""
    people = []
    for place in range(WRITERS):
        world.grant(f"p{place}", "maintainer", "*")
        people.append(world.person(f"p{place}"))
    people[0].registry.create_model("shared", {"description": "0"})
    people[0].sync()
    for person in people:
        person.sync()
    errors: list[str] = []
    over = threading.Event()

    def work(person: Person) -> None:
        chance = random.Random(person.name)
        try:
            for turn in range(ROUNDS):
                person.registry.create_model(f"{person.name}/m{turn}")
                person.registry.edit("shared", {f"tags/{chance.randint(0, 3)}": f"{turn}"})
                person.sync()
        except (RegtuiError, Refused, AssertionError, sa.exc.SQLAlchemyError) as error:
            errors.append(repr(error))

    reader = Reader(url)

    def read() -> None:
        while not over.is_set():
            reader.look()

    threads = [threading.Thread(target=work, args=[person]) for person in people]
    watcher = threading.Thread(target=read)
    for thread in (*threads, watcher):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    return people, reader, errors


@pytest.mark.slow
def test_numbers_become_visible_in_their_order(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    world = TwoServers(tmp_path, database)
    people, reader, errors = write_together(world, database)
    assert errors == []
    assert reader.looks > 0
    assert reader.late == set()
    for _ in range(2):
        for person in people:
            person.sync()
    assert len({str(sorted(person.documents.items())) for person in people}) == 1
    assert len(people[0].documents) >= 1 + WRITERS * ROUNDS
    assert examine(world.database) == []
    for person in people:
        person.replica.close()
    reader.close()
    world.close()


@pytest.mark.slow
def test_a_number_that_is_taken_too_early_is_noticed(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(client, "ROUNDS", 20)
    world = TwoServers(tmp_path, database)
    with MUTANTS["lateseq"]():
        people, reader, errors = write_together(world, database)
    assert reader.late or errors
    for person in people:
        person.replica.close()
    reader.close()
    world.close()
