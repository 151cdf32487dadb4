"""A server and replicas in one process: the real ones, without a network between them."""

from __future__ import annotations

import contextlib
import functools
import random
import tempfile
import uuid
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from regtui.core.identity import user_id
from regtui.registry.context import Context
from regtui.registry.registry import Registry
from regtui.replica.database import Connection, connected
from regtui.replica.home import _enrol
from regtui.replica.migrate import apply_all
from regtui.replica.remote import Remote, write_remote
from regtui.replica.unit import Replica
from regtui.sync.batch_size import FIRST_BATCH
from regtui.sync.client import NotEnrolled, SyncClient, Synced
from regtui.wire.messages import Answer, Push, answer_decoder, encoder, push_decoder
from sync_server.authority import Refused
from sync_server.database import Database
from sync_server.server import Server, make_registry, make_tables
from sync_server.sync import Caller
from tests.server.tables import sqlite_with_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.core.access import Grant
    from regtui.replica.keys import Key

START = 1_750_000_000_000_000
OVER = object()


class World:
    """One server, its clock, and whoever signs in."""

    def __init__(self, folder: Path, url: str | None = None, seed: int = 0) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.now = START
        self.url = url or sqlite_with_tables(folder / "server.sqlite")
        self.database = Database(self.url)
        make_tables(self.database)
        made = make_registry(
            self.database, "main", "root", self.clock, self.mint, self.seed, identity=self.uuid()
        )
        self.registry = made.registry
        self.skew = 0
        self.server = self.open_server()

    def clock(self) -> int:
        self.now += 1000
        return self.now

    def server_clock(self) -> int:
        """The server's own clock, which may be wrong like any other."""
        return self.clock() + self.skew

    def open_server(self) -> Server:
        """Another instance of the server on the same database, as a process of it would be."""
        return Server(self.database, self.server_clock, self.seed, self.mint)

    def serving(self) -> Server:
        """The instance that answers the next request."""
        return self.server

    def seed(self) -> bytes:
        return self.random.randbytes(16)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def mint(self, microseconds: int) -> str:
        value = microseconds // 1000 << 80 | 7 << 76 | self.random.getrandbits(12) << 64
        return str(uuid.UUID(int=value | 2 << 62 | self.random.getrandbits(62)))

    def grant(self, name: str, role: str | None, scope: str) -> None:
        def change(administration: object) -> None:
            administration.put_user(name)  # type: ignore[attr-defined]
            administration.grant(name, role, scope)  # type: ignore[attr-defined]

        self.serving().administrate(self.registry, change)

    def person(self, name: str, home: str | None = None) -> Person:
        return Person(self, name, self.folder / (home or name))

    def close(self) -> None:
        self.database.close()


@functools.cache
def _replica_tables() -> bytes:
    with tempfile.TemporaryDirectory(prefix="regtui-test-") as folder:
        path = Path(folder) / "tables.duckdb"
        with connected(path, read_only=False) as connection:
            apply_all(connection, START // 1000)
            connection.execute("checkpoint")
        return path.read_bytes()


class HeldReplica(Replica):
    """A replica whose database stays open: opening it is most of what a step costs."""

    _held: Connection | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        yield self._open()

    @contextlib.contextmanager
    def changing(self) -> Iterator[Connection]:
        connection = self._open()
        connection.execute("begin")
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    def close(self) -> None:
        if self._held is not None:
            self._held.execute("checkpoint")
            self._opened.__exit__(None, None, None)
            self._held = None

    def make(self) -> None:
        """Make the replica, from a copy of the tables: to make them takes longest."""
        if not self.home.exists():
            self.home.make_folder()
            self.home.database.write_bytes(_replica_tables())
            with connected(self.home.database, read_only=False) as connection:
                _enrol(connection, self.home.path, self.clock())
        super().make()

    def _open(self) -> Connection:
        if self._held is None:
            self.make()
            self._opened = connected(self.home.database, read_only=False)
            self._held = self._opened.__enter__()
            # For tables of a hundred rows, planning is most of what a statement costs.
            self._held.execute("pragma disable_optimizer")
        return self._held


class Person:
    """Somebody with a replica of his own, signed in."""

    client_class: type[SyncClient] = SyncClient
    client: SyncClient
    wire: Wire

    def __init__(self, world: World, name: str, home: Path) -> None:
        self.sign_in(world, name, home)

    def sign_in(self, world: World, name: str, home: Path) -> None:
        """Begin with an empty home that joins the server."""
        self.take_over(world, name, home)
        with self.replica.changing() as connection:
            connection.execute("update base.replica set registry = ?", [world.registry])
            write_remote(
                connection,
                Remote(
                    url="test",
                    registry_name="main",
                    user_id=user_id(name),
                    user_name=name,
                    roles=[("admin", "*")],
                    server_key=world.server.secrets.public,
                ),
            )

    def take_over(self, world: World, name: str, home: Path) -> None:
        """Work on a home that is there already."""
        self.world = world
        self.name = name
        self.token: tuple[Grant, ...] | None = None
        """What his token may do at most."""
        self.skew = 0
        self.home = home.name
        self.replica = self.make_replica(home)
        self.registry = Registry(Context(self.replica, "cli", world.mint(world.now)))
        self.connect(50)

    def make_replica(self, home: Path) -> HeldReplica:
        return HeldReplica(home, self.clock)

    def connect(
        self, page: int = 50, ahead: int = 1, batch: int = FIRST_BATCH, wire: Wire | None = None
    ) -> None:
        """Reach the server.

        Args:
            page: Documents that an answer has at most.
            ahead: Pages that are read before they are kept; 1 lets each step be one request.
            batch: Operations that the first request has at most.
            wire: Where over.
        """
        self.wire = wire or Wire(self)
        self.client = self.client_class(
            self.replica,
            self.wire,
            "session",
            page=page,
            ahead=ahead,
            batch=batch,
            executor=InLine,
        )

    def clock(self) -> int:
        """The clock of his machine."""
        return self.world.clock() + self.skew

    def sync(self, *_: object) -> Synced:
        return self.client.sync()

    def turn(self) -> bool:
        """Make one turn of requests; True where nothing is left to do."""
        return next(self.client.turns(Synced()), OVER) is OVER

    @property
    def documents(self) -> dict[str, str]:
        with self.replica.reading() as connection:
            rows = connection.execute("select id::varchar, body from base.document").fetchall()
        return dict(rows)

    def table(self, query: str) -> list[tuple[object, ...]]:
        with self.replica.reading() as connection:
            return connection.execute(query).fetchall()


class InLine(Executor):
    """Does at once what it is asked for: in the order in which a run can be played again."""

    def submit(self, call: Any, /, *given: Any, **named: Any) -> Future[Any]:
        asked: Future[Any] = Future()
        try:
            asked.set_result(call(*given, **named))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, who waits for it gets it
            asked.set_exception(error)
        return asked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


class Wire:
    """Carries bytes between a person and the server."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.sizes: list[tuple[int, int]] = []

    def sync(self, registry: str, push: Push) -> Answer:
        world = self.person.world
        sent = encoder.encode(push)
        caller = Caller(user_id(self.person.name), self.person.token)
        try:
            answer = world.serving().service.sync(registry, caller, push_decoder.decode(sent))
        except Refused as error:
            if error.code == "not_enrolled":
                raise NotEnrolled(error.message) from None
            raise
        got = encoder.encode(answer)
        self.sizes.append((len(sent), len(got)))
        return answer_decoder.decode(got)

    def enrol(self, registry: str, user: str, key: Key) -> None:
        self.person.world.serving().administrate(
            registry, lambda one: one.enrol(user, key.public, "host"), caller=Caller(user)
        )


def signed_in(world: World, name: str, home: str | None = None) -> Person:
    return world.person(name, home)


__all__ = ["Person", "World", "msgspec", "signed_in"]
