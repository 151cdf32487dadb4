"""Everything that goes wrong in a simulated run: on the network, in replicas, in the server."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from regtui.core.verdicts import Accepted, decode_verdict
from regtui.sync.batch_size import FIRST_BATCH
from regtui.sync.client import SyncClient, Synced
from tests.sync.world import OVER, HeldReplica, Person, Wire

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from regtui.replica.database import Connection
    from regtui.replica.unit import Clock
    from regtui.sync.requests import Request
    from regtui.wire.messages import Answer, Push
    from sync_server.database import Database

NAMES = ("lost", "twice", "late", "killed", "broken", "slow", "copy", "restore", "server", "rights",
         "skew")  # fmt: skip


class Lost(Exception):
    """A request or an answer did not arrive, or the server failed on it."""


class Killed(BaseException):
    """A process died."""


class Broken(sa.exc.OperationalError):
    """The server's database failed."""

    def __init__(self) -> None:
        super().__init__("a statement", {}, OSError("the disk fails"))


class Faults:
    """How often what goes wrong, drawn once for a run.

    Args:
        chance: Where everything random comes from.
    """

    def __init__(self, chance: random.Random) -> None:
        self.on = True
        self.chance = chance
        self.rates = {name: chance.random() for name in NAMES}

    def strikes(self, name: str, share: float = 1.0) -> bool:
        """Tell whether a fault strikes now."""
        return self.on and self.chance.random() < self.rates[name] * share


class Fuse:
    """Lets a database fail at its n-th statement from now."""

    def __init__(self) -> None:
        self.left = 0

    def guard(self, database: Database) -> None:
        """Watch the statements of a database."""

        @sa.event.listens_for(database.engine, "before_cursor_execute")
        def _count(*_: Any) -> None:
            if self.left:
                self.left -= 1
                if not self.left:
                    raise Broken


class Watch:
    """A clock of the server's process, by which a request's share of time may be over at once."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._now = 0.0

    def monotonic(self) -> float:
        """Return seconds."""
        if self._faults.strikes("slow", 0.2):
            self._now += 1
        return self._now


class FaultyWire(Wire):
    """A network that loses, doubles and delays, to a server that fails."""

    def __init__(self, person: Person, faults: Faults, fuse: Fuse) -> None:
        super().__init__(person)
        self._faults = faults
        self._fuse = fuse
        self.late: list[tuple[str, Push]] = []
        self.accepted: set[str] = set()

    def sync(self, registry: str, push: Push) -> Answer:
        faults = self._faults
        if faults.strikes("lost", 0.2):
            raise Lost
        if faults.strikes("twice", 0.2):
            super().sync(registry, push)
        if faults.strikes("late", 0.2):
            self.late.append((registry, push))
        if faults.strikes("broken", 0.2):
            self._fuse.left = faults.chance.randint(1, 60)
        try:
            answer = super().sync(registry, push)
        except Broken:
            raise Lost from None
        finally:
            self._fuse.left = 0
        for raw in answer.verdicts:
            verdict = decode_verdict(bytes(raw))
            if isinstance(verdict, Accepted):
                self.accepted.add(verdict.op)
        if faults.strikes("lost", 0.2):
            raise Lost
        return answer

    def deliver(self) -> None:
        """Let a request arrive that was under way for long; nobody hears the answer."""
        if self.late:
            registry, push = self.late.pop(self._faults.chance.randrange(len(self.late)))
            with contextlib.suppress(Exception):  # it may be refused by now
                super().sync(registry, push)


class LateClient(SyncClient):
    """A client to which answers come late: again, or behind those of later requests."""

    faults: Faults
    late: list[tuple[Request, Answer]]

    def absorb(self, request: Request, answer: Answer, done: Synced) -> bool:
        if self.faults.strikes("late", 0.15):
            self.late.append((request, answer))
            if self.faults.chance.random() < 0.5:
                return False
        return super().absorb(request, answer, done)

    def hear(self) -> None:
        """Take an answer that was under way for long."""
        if self.late:
            request, answer = self.late.pop(self.faults.chance.randrange(len(self.late)))
            super().absorb(request, answer, Synced())


class MortalReplica(HeldReplica):
    """A replica whose process may die right before or right after it commits."""

    def __init__(self, home: Path, clock: Clock, faults: Faults) -> None:
        super().__init__(home, clock)
        self._faults = faults
        self.is_syncing = False

    @contextlib.contextmanager
    def changing(self) -> Iterator[Connection]:
        with super().changing() as connection:
            yield connection
            if self.is_syncing and self._faults.strikes("killed", 0.1):
                raise Killed
        if self.is_syncing and self._faults.strikes("killed", 0.1):
            raise Killed


class Mortal(Person):
    """Somebody in a world in which everything goes wrong."""

    client_class = LateClient
    replica: MortalReplica
    client: LateClient
    wire: FaultyWire

    def __init__(self, faults: Faults, fuse: Fuse) -> None:
        self._faults = faults
        self._fuse = fuse

    def make_replica(self, home: Path) -> MortalReplica:
        return MortalReplica(home, self.clock, self._faults)

    def connect(
        self, page: int = 50, ahead: int = 1, batch: int = FIRST_BATCH, wire: Wire | None = None
    ) -> None:
        """Reach the server through a network that misbehaves."""
        late = self.client.late if hasattr(self, "client") else []
        super().connect(page, ahead, batch, wire or FaultyWire(self, self._faults, self._fuse))
        self.client.faults, self.client.late = self._faults, late
        self._turns: Iterator[None] = iter(())
        self._goes_on = batch < FIRST_BATCH

    def turn(self) -> bool:
        """Make a turn; where requests are small, in a sync that goes on with the next one.

        What is ahead of its answer then meets whatever else happens.
        """
        if not self._goes_on:
            return super().turn()
        for _ in self._turns:
            return False
        self._turns = self.client.turns(Synced())
        return next(self._turns, OVER) is OVER
