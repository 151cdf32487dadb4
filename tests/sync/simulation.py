"""A deterministic run: real replicas and the real server, and everything that can go wrong between.

One seed is one run: clocks, ids and the network come from one random source. Requests and answers
are lost, doubled and late, processes die between and within transactions, the server fails in the
middle of a request, clocks are wrong, replicas are copied and restored from backups, the server
too, rights come and go. Then it gets quiet, and the invariants are checked.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from typing import TYPE_CHECKING
from unittest.mock import patch

from regtui.core.errors import RegtuiError
from regtui.core.identity import model_id
from regtui.sync.batch_size import FIRST_BATCH
from sync_server.authority import Authority, registry_row
from sync_server.database import Database
from sync_server.healing import close, new_epoch
from tests.sync import invariants
from tests.sync.edits import MODELS, Editor
from tests.sync.faults import Faults, Fuse, Killed, Lost, Mortal, Watch
from tests.sync.observing import Observer
from tests.sync.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sync_server.server import Server

NAMES = ("ann", "ben", "cy")
ROUNDS = 60
SKEWS = (0, -(10**12), 10**12, 250_000_000)
"""Microseconds by which clocks are wrong."""


class ManyServers(World):
    """A world whose server runs in several instances; requests go to any of them."""

    def __init__(self, folder: Path, url: str | None, seed: int, instances: int) -> None:
        super().__init__(folder, url, seed)
        self._others = [self.open_server() for _ in range(instances - 1)]

    def serving(self) -> Server:
        others = getattr(self, "_others", [])
        return self.random.choice([self.server, *others]) if others else self.server

    def reopen(self) -> None:
        """Begin anew on what the database holds now."""
        self.database = Database(self.url)
        self.server = self.open_server()
        self._others = [self.open_server() for _ in self._others]


class Run:
    """One run.

    Args:
        folder: For its files.
        seed: Of everything.
        url: Of another database than SQLite.
        instances: How many servers share it.
        ahead: Pages that a client reads before it keeps them.
        reads: The share of requests by which somebody only reads, whatever waits to be sent. Where
            it is more than none, people say something of datasets, too.
        batch: Operations that a first request has at most.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- what a run is repeated by
        self,
        folder: Path,
        seed: int,
        url: str | None = None,
        instances: int = 1,
        ahead: int = 1,
        reads: float = 0.0,
        batch: int = FIRST_BATCH,
    ) -> None:
        self.random = random.Random(seed)
        self.world = ManyServers(folder, url, seed, instances)
        self.folder = folder
        self.ahead = ahead
        self.reads = reads
        self.batch = batch
        self.fuse = Fuse()
        self.fuse.guard(self.world.database)
        self.faults = Faults(self.random)
        self.editor = Editor(self.random, datasets=reads > 0)
        self.observer = Observer()
        self.people: list[Mortal] = []
        self.restored = False
        self.server_restored = False
        self.revoked: set[str] = set()
        self.server_backups: list[Path] = []
        self.trace: list[str] = []
        for name in NAMES:
            self.world.grant(name, "maintainer", "m0")
        self.world.grant("ann", "maintainer", "m1")
        for place in range(self.random.choice([2, 3])):
            person = Mortal(self.faults, self.fuse)
            person.sign_in(self.world, NAMES[place], folder / f"home{place}")
            self._connect(person)
            self.people.append(person)

    def play(self, steps: int) -> None:
        """Let people work and things go wrong, then get quiet, then check."""
        for _ in range(steps):
            self.world.now += self.random.randint(1, 30) * 1_000_000
            self._step()
        self.faults.on = False
        self.world.skew = 0
        self.settle()
        self.check()

    def close(self) -> None:
        """Let go of every file."""
        for person in self.people:
            person.replica.close()
        self.world.close()

    def _connect(self, person: Mortal) -> None:
        person.connect(self.random.choice([8, 50]), self.ahead, self.batch)

    def _step(self) -> None:  # noqa: C901 -- one a kind of event
        r = self.random
        x, person = r.random(), r.choice(self.people)
        if x < 0.45:
            # So much that it takes several requests, where these are small.
            for _ in range(1 if self.batch == FIRST_BATCH else r.randint(1, 6)):
                self.editor.work(person)
            self.observer.note_edits(person)
        elif x < 0.81:
            self._request(person, only_reads=self.reads > 0 and r.random() < self.reads)
        elif x < 0.84:
            self._say("late", person)
            person.wire.deliver()
            person.client.hear()
            self.observer.look(person)
        elif x < 0.86 and self.faults.strikes("skew"):
            if r.random() < 0.7:
                person.skew = r.choice(SKEWS)
            else:
                self.world.skew = r.choice(SKEWS)
        elif x < 0.89 and len(self.people) < 5 and self.faults.strikes("copy"):
            self._copy(person)
        elif x < 0.92 and self.faults.strikes("restore"):
            self._restore(person)
        elif x < 0.94:
            self._back_up_server()
        elif x < 0.955 and self.faults.strikes("server"):
            self._restore_server()
        elif self.faults.strikes("rights"):
            self._change_rights()

    def _say(self, what: str, person: Mortal | None = None) -> None:
        self.trace.append(what if person is None else f"{what} {person.home}")

    def _request(self, person: Mortal, *, only_reads: bool = False) -> bool:
        """Make one request; False where the replica is done."""
        self._say("read" if only_reads else "sync", person)
        person.client.sends = not only_reads
        person.replica.is_syncing = True
        try:
            finished = person.turn()
        except Lost:
            return True
        except Killed:
            self._say("killed", person)
            return True
        finally:
            person.replica.is_syncing = False
            self.observer.look(person)
        return not finished

    def _change_rights(self) -> None:
        r = self.random
        name, model = r.choice(NAMES), r.choice(MODELS)
        role = r.choice([None, "viewer", "maintainer", "maintainer"])
        self._say(f"grant {name} {model} {role}")
        with contextlib.suppress(RegtuiError):
            self.world.grant(name, role, model)
        if role is None:
            self.revoked.add(model_id(model, 0))
        for person in self.people:
            if person.name == name:
                self.observer.forget(person)

    def _copy(self, person: Mortal) -> None:
        home = self.folder / f"home{len(self.people)}"
        self._say(f"copy to {home.name}", person)
        person.replica.close()
        shutil.copytree(person.replica.home.path, home)
        twin = Mortal(self.faults, self.fuse)
        twin.take_over(self.world, person.name, home)
        self._connect(twin)
        self.people.append(twin)

    def _restore(self, person: Mortal) -> None:
        database = person.replica.home.database
        copy = database.with_name(f"backup-{person.home}")
        person.replica.close()
        if copy.exists() and self.random.random() < 0.6:
            self._say("restore", person)
            shutil.copyfile(copy, database)
            self.restored = True
            self.observer.forget(person)
            self.observer.numbers_may_change |= self.server_restored
        else:
            shutil.copyfile(database, copy)

    def _back_up_server(self) -> None:
        if not self.world.database.is_sqlite:
            return
        copy = self.folder / f"server-backup-{len(self.server_backups)}"
        with (
            contextlib.closing(sqlite3.connect(self.folder / "server.sqlite")) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        self.server_backups.append(copy)

    def _restore_server(self) -> None:
        if not self.server_backups:
            return
        copy = self.random.choice(self.server_backups)
        world = self.world
        world.database.close()
        for end in ("-wal", "-shm"):
            (self.folder / f"server.sqlite{end}").unlink(missing_ok=True)
        shutil.copyfile(copy, self.folder / "server.sqlite")
        world.reopen()
        self.fuse.guard(world.database)
        self.server_restored = True
        if self.random.random() < 0.5:
            self._say("restore server")
            with world.database.writing() as connection:
                row = registry_row(connection, world.registry, lock=True)
                assert row is not None
                authority = Authority(connection, row, world.clock())
                new_epoch(connection, authority, "restored", world.server.secrets, world.seed())
                authority.flush()
        else:  # numbers may be given again before anybody notices, and go back to the older version
            self._say("restore server, unnoticed")
            self.observer.numbers_may_change = True
        self.observer.numbers_may_change |= self.restored
        for person in self.people:
            self.observer.forget(person)

    def settle(self) -> None:
        """Let everybody sync until nothing moves."""
        for phase in range(3):
            for round_ in range(ROUNDS):
                busy = [person.home for person in self.people if self._request(person)]
                if not busy and round_ > 1:
                    break
            else:
                raise AssertionError(f"I16: never quiet: {busy}")
            if phase == 0:
                self._close_healing()
        for person in self.people:
            left = person.table(
                "select count(*) from base.outbox "
                "where state in ('pending', 'sent', 'acknowledged')"
            )
            assert left == [(0,)], f"I16: {person.home} still waits"

    def _close_healing(self) -> None:
        with self.world.database.writing() as connection:
            row = registry_row(connection, self.world.registry, lock=True)
            assert row is not None
            if row.healing:
                authority = Authority(connection, row, self.world.clock())
                close(authority)
                authority.flush()

    def check(self) -> None:
        """Check what must hold."""
        held = invariants.check_all(self.world, self.people, self.editor.written)
        outboxes = {
            str(one)
            for person in self.people
            for (one,) in person.table("select id::varchar from base.outbox")
        } | self.editor.let_go
        everything_there = not self.restored and not self.server_restored
        made = self.observer.made
        acknowledged = set() if self.restored else self.observer.acknowledged
        if self.server_restored:  # who may not read it any more can't bring it back
            acknowledged = {one for one in acknowledged if made[one] not in self.revoked}
        invariants.check_kept(held, acknowledged, made, outboxes if everything_there else None)
        invariants.check_numbers(held)
        if not self.server_restored:  # what comes back is judged in another order
            invariants.check_merging(held)
            invariants.check_requests(held)
            invariants.check_access(held)


def run(  # noqa: PLR0913, PLR0917 -- what a run is repeated by
    folder: Path,
    seed: int,
    steps: int = 60,
    say: Callable[[str], None] = print,
    url: str | None = None,
    instances: int = 1,
    ahead: int = 1,
    reads: float = 0.0,
    batch: int = FIRST_BATCH,
) -> None:
    """Play one seed; what went wrong is told with the seed that plays it again."""
    with patch("os.urandom", random.Random(seed).randbytes):  # keys and ids of replicas
        played = Run(folder, seed, url, instances, ahead, reads, batch)
        try:
            with patch("sync_server.authority.time", Watch(played.faults)):
                played.play(steps)
        except BaseException:  # whoever stops a run by Ctrl-C wants its seed, too
            say(f"seed {seed}: " + "; ".join(played.trace[-40:]))
            raise
        finally:
            played.close()
