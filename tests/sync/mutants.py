"""The defences of the protocol, each taken away from the real code.

A mutant is a context in which one defence is missing. The tests show that something notices: the
simulation for a recorded seed, or a case of `test_cases.py`. `python -m tests.sync.mutants NAME…`
looks for seeds anew, which every change of the simulation makes necessary.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
import time
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import msgspec

from regtui.core import judgement
from regtui.core.judgement import merge
from regtui.core.verdicts import Accepted, encode_verdict
from regtui.replica.accepting import Accepting
from regtui.replica.authority import SoloAuthority
from regtui.replica.remote import write_remote
from regtui.sync.client import SyncClient
from regtui.sync.optimistic import show_waiting
from regtui.wire.messages import Anchor, Answer, Cursor
from sync_server import authority, pull, sync
from sync_server.authority import Authority, known_verdict, registry_row
from sync_server.healing import Healing
from sync_server.pull import Puller
from sync_server.sync import SyncService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from regtui.core.access import Actor
    from regtui.core.operations import Operation
    from regtui.core.view import View

Mutant = contextlib.AbstractContextManager[Any]


def early() -> Mutant:
    """The cursor is kept before the page that it stands for."""
    ask = SyncClient._ask

    def mutant(self: SyncClient, request: Any, done: Any) -> Answer | None:
        answer = ask(self, request, done)
        if answer is None or answer.status != "ok":
            return answer
        with self._replica.changing() as connection:
            remote = self._remote(connection)
            now = remote.cursor if remote.staged is None else remote.staged
            if now == request.cursor and self._is_ours(connection, request):
                after = msgspec.to_builtins(answer.cursor)
                if answer.more or remote.staged is not None:
                    remote.staged = after
                else:
                    remote.cursor = after
                request.cursor = after
                write_remote(connection, remote)
        return answer

    return patch.object(SyncClient, "_ask", mutant)


def latepage() -> Mutant:
    """A page is taken whatever cursor it answers."""
    absorb = SyncClient.absorb

    def mutant(self: SyncClient, request: Any, answer: Answer, done: Any) -> bool:
        with self._changing() as connection:
            remote = self._remote(connection)
        request.cursor = remote.cursor if remote.staged is None else remote.staged
        if remote.anchor is not None and answer.head.seq < remote.anchor["seq"]:
            answer = msgspec.structs.replace(answer, head=msgspec.convert(remote.anchor, Anchor))
        return absorb(self, request, answer, done)

    return patch.object(SyncClient, "absorb", mutant)


def nofork() -> Mutant:
    """A replica that is told of its twin stays who it is."""
    absorb = SyncClient.absorb

    def mutant(self: SyncClient, request: Any, answer: Answer, done: Any) -> bool:
        if answer.status == "forked":
            return False
        return absorb(self, request, answer, done)

    return patch.object(SyncClient, "absorb", mutant)


def dropack() -> Mutant:
    """What was acknowledged is not shown any more before its page has come."""
    take = SyncClient._take_verdicts

    def mutant(self: SyncClient, connection: Any, remote: Any, *rest: Any) -> None:
        take(self, connection, remote, *rest)
        connection.execute("delete from base.outbox where state = 'acknowledged'")
        accepting = Accepting(connection)
        accepting.take_back()
        show_waiting(self._replica, self._session, connection, remote, accepting.keys)

    return patch.object(SyncClient, "_take_verdicts", mutant)


def pendsaw() -> Mutant:
    """An edit on top of an own one that waits names no stamp."""
    submit = SoloAuthority.submit

    def mutant(
        self: SoloAuthority, kind: str, stream: str, entity: str, body: Any, **rest: Any
    ) -> Any:
        waiting = {
            str(one)
            for (one,) in self.connection.execute("select id::varchar from base.outbox").fetchall()
        }
        changes = {
            path: msgspec.structs.replace(one, saw=None) if one.saw in waiting else one
            for path, one in body.set.items()
        }
        return submit(
            self, kind, stream, entity, msgspec.structs.replace(body, set=changes), **rest
        )

    return patch.object(SoloAuthority, "submit", mutant)


def nopurge() -> Mutant:
    """What may not be read any more stays."""
    return patch.object(Accepting, "_purge", lambda *_: None)


def nosums() -> Mutant:
    """Nobody compares the sums of streams."""
    return patch.object(Accepting, "_compare", lambda *_: None)


def nofill() -> Mutant:
    """What became readable is read from the common cursor on."""
    return patch.object(Puller, "_note_exceptions", lambda *_: [])


def wholelog() -> Mutant:
    """A first walk carries all operations."""
    return patch.object(pull, "LOG_LIMIT", 1 << 40)


def noidem() -> Mutant:
    """An operation that was judged before is judged like a new one."""
    judge = SyncService._judge

    def mutant(self: SyncService, judging: Authority, *rest: Any) -> None:
        load = judging.load

        def loading(sent: Any) -> None:
            load(sent)
            for one in sent:
                judging.view.forget_past(one.header.id)

        judging.load = loading  # type: ignore[method-assign]
        judge(self, judging, *rest)

    return patch.object(SyncService, "_judge", mutant)


def ignoredup() -> Mutant:
    """A place in a replica's chain that was taken before: said to be accepted, and dropped."""
    judge = SyncService._judge

    def mutant(self: SyncService, judging: Authority, *given: Any) -> None:
        rights, replica, sent, outcome = given
        judging.load(sent)
        rest = list(sent)
        while rest and judging.view.past(rest[0].header.id) is None:
            if rest[0].header.n > replica.last_n:
                break
            one = rest.pop(0)
            now = judging.moment()
            verdict = Accepted(op=one.header.id, now=now, at_used=now, documents={})
            outcome.judged.append(one.data)
            outcome.verdicts.append(encode_verdict(verdict))
        judge(self, judging, rights, replica, rest, outcome)

    return patch.object(SyncService, "_judge", mutant)


def noanchor() -> Mutant:
    """Only the cursor proves which history a replica knows."""
    broken = SyncService._broken

    def mutant(self: SyncService, connection: Any, row: Any, push: Any, caller: Any) -> str | None:
        anchor, cursor = push.anchor, push.cursor
        if anchor is None or anchor.epoch != row.epoch:
            return broken(self, connection, row, push, caller)
        link = pull.link_at(connection, row, cursor.seq)
        if cursor == Cursor():
            return None
        statement = pull.cursor_statement(row, cursor, link or "", caller.user)
        return None if self.secrets.marked(statement, cursor.mac) else "rolled back"

    return patch.object(SyncService, "_broken", mutant)


def nolink() -> Mutant:
    """Neither cursor nor anchor prove anything within an epoch."""
    broken = SyncService._broken

    def mutant(self: SyncService, connection: Any, row: Any, push: Any, caller: Any) -> str | None:
        if push.anchor is None or push.anchor.epoch != row.epoch:
            return broken(self, connection, row, push, caller)
        return None

    return patch.object(SyncService, "_broken", mutant)


def noepochlist() -> Mutant:
    """An epoch that the server does not know tells it nothing."""
    return patch.object(sync, "was_issued", lambda *_: True)


def noreceipt() -> Mutant:
    """What was accepted before a restore is judged anew, with what its author may do now."""

    def mutant(self: Healing, offer: Any, sent: Any, push: Any, good: Any) -> bytes | None:
        past = self._authority.view.past(sent.header.id)
        if past is not None:
            return known_verdict(past)
        verdict, judged = self._authority.weigh(sent, self._rights.actor)
        return self._authority.decide(sent, verdict, judged)

    return patch.object(Healing, "_take", mutant)


def nopark() -> Mutant:
    """What refers to something that is not back yet is refused at once."""
    take = Healing._take

    def mutant(self: Healing, *given: Any) -> bytes | None:
        row = self._authority.row
        row.healing = False
        try:
            return take(self, *given)
        finally:
            row.healing = True

    return patch.object(Healing, "_take", mutant)


@contextlib.contextmanager
def nocert() -> Iterator[None]:
    """Numbers that versions had count for nothing."""
    with (
        patch.object(Healing, "take_claims", lambda *_: None),
        patch.object(Authority, "claim", lambda *_: None),
    ):
        yield


def nosignature() -> Mutant:
    """Whatever is signed is believed."""
    return patch.object(sync, "verified", lambda *_: True)


def noclamp() -> Mutant:
    """A clock wins by however much it is ahead."""
    return patch.object(merge, "CLOCK_DRIFT", 1 << 60)


@contextlib.contextmanager
def poisoned() -> Iterator[None]:
    """An operation on which the judge fails is not decided, and not looked for either."""

    def weigh(self: Authority, sent: Any, actor: Any) -> Any:
        judge = vars(authority)["judge"]  # what tests put in its place
        judged = judge(sent.operation, self.view, actor, self.moment())
        return judged.verdict, judged

    def take(self: SyncService, *given: Any) -> Any:
        with self.database.writing() as connection:
            return self._write(connection, *given)

    with patch.object(Authority, "weigh", weigh), patch.object(SyncService, "_take", take):
        yield


def lateseq() -> Mutant:
    """A sequence number is taken before it is certain who comes first."""
    taken = itertools.count(1)

    def mutant(connection: Any, registry: str, *, lock: bool) -> Any:
        row = registry_row(connection, registry, lock=False)
        if lock and row is not None:
            number = next(taken)
            row.seq += 1000 * number
            time.sleep(0.3 * (number % 2))
        return row

    return patch.object(sync, "registry_row", mutant)


def unchecked(kind: str) -> Callable[[], Mutant]:
    """Anybody may do one kind of operation."""
    check = judgement._check_access

    @wraps(check)
    def mutant(operation: Operation, view: View, actor: Actor) -> None:
        if operation.kind != kind:
            check(operation, view, actor)

    return lambda: patch.object(judgement, "_check_access", mutant)


UNCHECKED = (
    "model.create",
    "model.edit",
    "version.capture",
    "version.edit",
    "version.archive",
    "version.delete",
    "version.restore",
    "alias.set",
    "comment.add",
    "conflict.resolve",
)

MUTANTS: dict[str, Callable[[], Mutant]] = {
    one.__name__: one
    for one in (
        early, latepage, nofork, dropack, pendsaw, nopurge, nosums, nofill, wholelog, noidem,
        ignoredup, noanchor, nolink, noepochlist, noreceipt, nopark, nocert, nosignature, noclamp,
        poisoned, lateseq,
    )
} | {f"unchecked {kind}": unchecked(kind) for kind in UNCHECKED}  # fmt: skip


def _look_for_seeds(name: str, seeds: range, wanted: int = 1) -> None:
    from tests.sync.simulation import run

    found = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder, MUTANTS[name]():
            os.environ["REGTUI_CONFIG"] = str(Path(folder, "config"))
            try:
                run(Path(folder), seed, say=lambda _: None)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 -- what it is about
                told = str(error).splitlines()[0][:100] if str(error) else ""
                sys.stdout.write(f"{name}: seed {seed}: {type(error).__name__} {told}\n")
                sys.stdout.flush()
                found += 1
        if found == wanted:
            return
    sys.stdout.write(f"{name}: {found} of {len(seeds)} seeds\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for chosen in sys.argv[1:] or MUTANTS:
        _look_for_seeds(chosen, range(int(os.environ.get("REGTUI_SEEDS", "12"))))
