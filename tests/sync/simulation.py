"""A deterministic run: real replicas and the real server, and everything that can go wrong between.

One seed is one run: clocks, ids and the network come from one random source. Requests and answers
are lost, doubled and late, processes die between answers, replicas are copied and restored from
backups, the server too, rights come and go. Then it gets quiet, and the invariants are checked.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from regtui.core.documents import decode_document
from regtui.core.errors import RegtuiError
from regtui.core.identity import alias_id, model_id, user_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import (
    AliasBody,
    CaptureBody,
    Change,
    CommentBody,
    EditBody,
    ModelBody,
    StateBody,
    decode_operation,
)
from regtui.core.verdicts import Accepted, decode_verdict
from regtui.replica import ids as replica_ids
from regtui.replica.remote import PENDING
from regtui.replica.view import ReplicaView
from regtui.sync.client import SyncClient, Synced
from regtui.wire.messages import Answer, Push, answer_decoder, encoder, push_decoder
from sync_server.authority import Authority, registry_row
from sync_server.database import Database
from sync_server.healing import close, new_epoch
from sync_server.server import Server
from tests.sync.world import Person, Wire, World, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from regtui.replica.authority import SoloAuthority

NAMES = ("ann", "ben", "cy")
MODELS = ("m0", "m1")


class Lost(Exception):
    """A request or an answer did not arrive."""


class Faulty(Wire):
    """A network that loses, doubles and delays."""

    def __init__(self, person: Person, run: Run) -> None:
        super().__init__(person)
        self._run = run

    def sync(self, registry: str, push: Push) -> Answer:
        run, r = self._run, self._run.random
        if run.faulty and r.random() < run.rates["lost"] * 0.2:
            raise Lost
        if run.faulty and r.random() < run.rates["twice"] * 0.2:
            super().sync(registry, push)
        answer = super().sync(registry, push)
        for raw in answer.verdicts:
            verdict = decode_verdict(bytes(raw))
            if isinstance(verdict, Accepted):
                run.server_accepted[verdict.op] = verdict.number
        if run.faulty and r.random() < run.rates["lost"] * 0.2:
            raise Lost
        return answer


class Run:
    """One run.

    Args:
        folder: For its files.
        seed: Of everything.
        url: Of another database than SQLite.
    """

    def __init__(self, folder: Path, seed: int, url: str | None = None) -> None:
        self.random = random.Random(seed)
        self.world = World(folder, url, seed)
        self.folder = folder
        self.faulty = True
        self.rates = {
            name: self.random.random()
            for name in ("lost", "twice", "copy", "restore", "server", "rights", "skew")
        }
        self.people: list[Person] = []
        self.server_accepted: dict[str, int | None] = {}
        self.acknowledged: dict[str, int | None] = {}
        self.made: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.restored = False
        self.server_restored = False
        self.unnoticed = False
        self.backups: list[Path] = []
        self.server_backups: list[Path] = []
        self.trace: list[str] = []
        self._content = 0
        for name in NAMES:
            self.world.grant(name, "maintainer", "m0")
        self.world.grant("ann", "maintainer", "m1")
        for place in range(self.random.choice([2, 3])):
            self._join(NAMES[place], f"home{place}")

    def play(self, steps: int) -> None:
        """Let people work and things go wrong, then get quiet, then check."""
        for _ in range(steps):
            self.world.now += self.random.randint(1, 30) * 1_000_000
            self._step()
        self.faulty = False
        self.settle()
        self.check()

    def _join(self, name: str, home: str) -> None:
        person = signed_in(self.world, name, home)
        self._connect(person)
        self.people.append(person)

    def _connect(self, person: Person) -> None:
        wire = Faulty(person, self)
        person.client = SyncClient(
            person.replica, wire, "session", page=self.random.choice([8, 50])
        )

    def _step(self) -> None:
        r = self.random
        x, person = r.random(), r.choice(self.people)
        if x < 0.5:
            self._edit(person)
        elif x < 0.86:
            self._request(person)
        elif x < 0.89 and r.random() < self.rates["copy"] and len(self.people) < 5:
            self._copy(person)
        elif x < 0.92 and r.random() < self.rates["restore"]:
            self._restore(person)
        elif x < 0.94:
            self._back_up_server()
        elif x < 0.955 and r.random() < self.rates["server"]:
            self._restore_server()
        elif r.random() < self.rates["rights"]:
            name, model = r.choice(NAMES), r.choice(MODELS)
            role = r.choice([None, "viewer", "maintainer", "maintainer"])
            self.trace.append(f"grant {name} {model} {role}")
            with contextlib.suppress(RegtuiError):
                self.world.grant(name, role, model)

    def _request(self, person: Person) -> bool:
        """Make one request; False where the replica is done."""
        self.trace.append(f"sync {person.replica.home.path.name}")
        done = Synced()
        try:
            finished = person.client.step(done)
        except Lost:
            return True
        self._observe(person)
        return not finished

    def _observe(self, person: Person) -> None:
        for (identity,) in person.table(
            "select id::varchar from base.outbox where state = 'acknowledged'"
        ):
            self.acknowledged[str(identity)] = None
        for (body,) in person.table("select body from base.document where kind = 'alias'"):
            alias = decode_document(str(body))
            target = alias.value("version")
            if target is not None:
                found = person.table(f"select 1 from base.document where id = '{target}'")
                assert found, f"alias of {person.name} points to what is not there"
        if self.restored or self.unnoticed:
            return
        for identity, number in person.table(
            "select id::varchar, number from base.version where number is not null"
        ):
            before = self.numbers.setdefault(str(identity), int(str(number)))
            assert before == number, f"the number of {identity} changed: {before} {number}"

    def _edit(self, person: Person) -> None:
        r = self.random
        actor = person.registry.context.actor
        with (
            contextlib.suppress(RegtuiError),
            person.replica.writing(actor, "cli", "s") as authority,
        ):
            self._change(authority, r)
        for (identity,) in person.table("select id::varchar from base.outbox"):
            self.made.add(str(identity))

    def _change(self, authority: SoloAuthority, r: random.Random) -> None:
        view = authority.view
        name = r.choice(MODELS)
        model = model_id(name, 0)
        if view.document(model) is None:
            authority.submit("model.create", model, model, ModelBody(name, 0, {}))
        versions = [
            str(row[0])
            for row in authority.connection.execute(
                "select id::varchar from base.document where kind = 'version' order by id"
            ).fetchall()
            if (d := view.document(str(row[0]))) is not None and d.stream == model
        ]
        kind = r.choice(
            ["capture", "map", "cas", "cas", "set", "state", "alias", "comment", "card"]
        )
        if kind == "capture" or not versions:
            self._content += 1
            entries = [FileEntry("", 1, False, f"{r.randint(1, 12):064x}")]
            digest = content_digest(entries)
            entity = version_id(model, digest)
            body = CaptureBody(digest, "", 1, 1, {})
            authority.submit("version.capture", model, entity, body)
            if not authority.connection.execute(
                "select 1 from base.file "
                "where version = (select key from base.document where id = ?)",
                [entity],
            ).fetchone():
                authority.add_files(entity, entries)
            return
        version = view.document(r.choice(versions))
        assert version is not None
        value = f"v{r.randint(0, 10**6)}"
        if kind == "card":
            document = view.document(model)
            assert document is not None
            was = document.value("card")
            text = (view.text(was) if was else "a\nb\nc\nd\n") or ""
            lines = text.splitlines()
            lines[r.randrange(len(lines))] = value
            change = Change("\n".join(lines) + "\n", saw=document.stamp("card"), was=was)
            authority.submit("model.edit", model, model, EditBody({"card": change}))
        elif kind == "alias":
            alias = alias_id(model, "champion")
            known = view.document(alias)
            saw = None if known is None else known.stamp("version")
            body2 = AliasBody("champion", {"version": Change(version.id, saw=saw)})
            authority.submit("alias.set", model, alias, body2)
        elif kind == "comment":
            authority.submit(
                "comment.add", model, replica_ids.uuid7(self.world.clock()),
                CommentBody(version.id, "version", {"text": Change(value)}),
            )  # fmt: skip
        elif kind == "state":
            state = version.value("state")
            verb, to = r.choice(
                [("archive", "archived"), ("delete", "deleted"), ("restore", "captured")]
            )
            if state == to:
                return
            body3 = StateBody(
                authority.accepted_by(version), {"state": Change(to, saw=version.stamp("state"))}
            )
            authority.submit(f"version.{verb}", model, version.id, body3)
        else:
            path = {"map": "tags/a", "cas": "description", "set": "inputs/x"}[kind]
            to2: Any = {"uri": value} if kind == "set" else value
            change = Change(to2, saw=version.stamp(path))
            authority.submit("version.edit", model, version.id, EditBody({path: change}))

    def _copy(self, person: Person) -> None:
        home = self.folder / f"home{len(self.people)}"
        self.trace.append(f"copy {person.replica.home.path.name} {home.name}")
        person.replica.close()
        shutil.copytree(person.replica.home.path, home)
        twin = Person.__new__(Person)
        twin.take_over(self.world, person.name, home)
        self._connect(twin)
        self.people.append(twin)

    def _restore(self, person: Person) -> None:
        database = person.replica.home.database
        copy = database.with_name(f"backup-{person.replica.home.path.name}")
        if copy.exists() and self.random.random() < 0.6:
            self.trace.append(f"restore {person.replica.home.path.name}")
            person.replica.close()
            shutil.copyfile(copy, database)
            self.restored = True
        else:
            person.replica.close()
            shutil.copyfile(database, copy)

    def _back_up_server(self) -> None:
        if not self.world.database.is_sqlite:
            return
        copy = self.folder / f"server-backup-{len(self.server_backups)}"
        import sqlite3

        source = sqlite3.connect(self.folder / "server.sqlite")
        target = sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        self.server_backups.append(copy)

    def _restore_server(self) -> None:
        if not self.server_backups:
            return
        self.trace.append("restore server")
        copy = self.random.choice(self.server_backups)
        self.world.database.close()
        for end in ("-wal", "-shm"):
            (self.folder / f"server.sqlite{end}").unlink(missing_ok=True)
        shutil.copyfile(copy, self.folder / "server.sqlite")
        self.world.database = Database(self.world.url)
        world = self.world
        world.server = Server(world.database, world.clock, world.seed, world.mint)
        self.server_restored = True
        if self.random.random() < 0.5:
            with world.database.writing() as connection:
                row = registry_row(connection, world.registry, lock=True)
                assert row is not None
                authority = Authority(connection, row, world.clock())
                new_epoch(connection, authority, "restored", world.server.secrets, world.seed())
                authority.flush()
        else:  # numbers that were given before anybody noticed may be given again
            self.unnoticed = True

    def settle(self) -> None:
        """Let everybody sync until nothing moves."""
        for phase in range(3):
            for round_ in range(60):
                busy = [
                    person.replica.home.path.name for person in self.people if self._request(person)
                ]
                if not busy and round_ > 1:
                    break
            else:
                raise AssertionError(f"never quiet: {busy}")
            if phase == 0:
                self._close_healing()
        for person in self.people:
            left = person.table(
                "select count(*) from base.outbox "
                "where state in ('pending', 'sent', 'acknowledged')"
            )
            assert left == [(0,)], f"{person.replica.home.path.name} still waits"

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
        with self.world.database.reading() as connection:
            row = registry_row(connection, self.world.registry, lock=False)
            assert row is not None
            people = self.world.server.service.people.get(connection, row.key)
            documents = [
                (stream, bytes(body).decode())
                for stream, body in connection.exec_driver_sql(
                    "select stream, body from entity where stream <> 'access'"
                )
            ]
            logged = {one for (one,) in connection.exec_driver_sql("select id from operation")}
        for person in self.people:
            rights = people.of(user_id(person.name))
            readable = {model_id(name, 0) for name in MODELS if rights.since(name) is not None}
            want = {
                decode_document(body).id: body for stream, body in documents if stream in readable
            }
            home = person.replica.home.path.name
            assert person.documents.keys() == want.keys(), (
                f"{home} has others: missing {want.keys() - person.documents.keys()}, "
                f"extra {person.documents.keys() - want.keys()}"
            )
            for identity, body in want.items():
                assert person.documents[identity] == body, f"{home} differs in {identity}"
            assert person.table(f"select count(*) from base.operation where seq >= {PENDING}") == [
                (0,)
            ]
            assert person.table("select count(*) from base.shadow") == [(0,)]
            for (data,) in person.table("select bytes from base.operation"):
                assert decode_operation(str(data).encode()).stream in readable, "a log row leaked"
            missing = person.table(
                "select count(*) from base.version where key not in (select version from base.file)"
            )
            assert missing == [(0,)], f"{home} lacks lists of files"
        if not self.restored:
            for identity in self.acknowledged:
                assert identity in logged, f"the acknowledged write {identity} is lost"
        outbox = {
            str(one)
            for person in self.people
            for (one,) in person.table("select id::varchar from base.outbox")
        }
        if not self.restored and not self.server_restored:
            lost = self.made - logged - outbox
            assert not lost, f"edits vanished: {lost}"
        numbers: dict[tuple[str, int], str] = {}
        for stream, body in documents:
            document = decode_document(body)
            if document.kind == "version":
                number = document.facts["number"]
                assert number is not None, "a version without a number"
                other = numbers.setdefault((stream, number), document.id)
                assert self.unnoticed or other == document.id, (
                    f"the number {number} was given twice"
                )


__all__ = ["ReplicaView", "Run", "answer_decoder", "encoder", "push_decoder"]


def run(folder: Path, seed: int, steps: int = 60, say: Callable[[str], None] = print) -> None:
    """Play one seed; what went wrong is told with the seed that plays it again."""
    with patch("os.urandom", random.Random(seed).randbytes):  # keys and ids of replicas
        _run(folder, seed, steps, say)


def _run(folder: Path, seed: int, steps: int, say: Callable[[str], None]) -> None:
    played = Run(folder, seed)
    try:
        played.play(steps)
    except BaseException:
        say(f"seed {seed}: " + "; ".join(played.trace[-40:]))
        raise
    finally:
        for person in played.people:
            person.replica.close()
        played.world.close()
