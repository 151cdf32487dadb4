"""One sync: operations up, verdicts and newer documents down.

Everything that can be checked without the registry is checked before its row is taken: bytes,
chain, signature. Then one transaction judges and writes, and another one reads.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa
from msgspec import Raw, Struct
from sqlalchemy.engine import Connection

from regtui.core import chain, encoding
from regtui.core.access import Grant
from regtui.core.operations import GROUP_LIMIT
from regtui.wire import statements
from regtui.wire.messages import MIN_PROTOCOL, NOTHING, PROTOCOL, Anchor, Answer, Cursor, Push
from sync_server import schema
from sync_server.authority import (
    Authority,
    Refused,
    RegistryRow,
    Sent,
    end_of_group,
    is_same,
    known_verdict,
    read_operation,
    registry_row,
)
from sync_server.database import Database
from sync_server.healing import Healing, new_epoch, shared, was_issued
from sync_server.logs import note_failure
from sync_server.pull import Puller, anchor_statement, cursor_statement, head, link_at
from sync_server.rights import PeopleCache, Rights
from sync_server.secrets import Secrets, verified

if TYPE_CHECKING:
    from sync_server.scans import Scans

PAGE_LIMIT = 20_000
"""Documents that an answer may have, whatever is asked for."""

_OF_CONTENT = (
    sa.exc.DataError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What may say something of the operations that were sent; after anything else the same ones may be
taken a moment later."""


class Caller(Struct, frozen=True):
    """Who asks: a user, with a token that may narrow what he may do."""

    user: str
    roles: tuple[Grant, ...] | None = None


class _Replica(Struct):
    user: str
    public_key: bytes
    last_n: int
    tip: str


class _Outcome(Struct):
    """What became of the part that goes up: verdicts beside the operations that they are on.

    Where the server fails on what was sent, `failed` refers to its log, and all of it is refused.
    """

    failed: str | None = None

    status: str = "ok"
    judged: list[bytes] = []
    verdicts: list[bytes] = []
    parked: list[str] = []
    expect: int = 0
    base: int = 0


class SyncService:
    """Answers syncs.

    Args:
        database: The server's.
        secrets: The server's key.
        clock: Returns microseconds.
        seed: Returns 16 random bytes.
    """

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clock: Callable[[], int],
        seed: Callable[[], bytes],
    ) -> None:
        self.database = database
        self.secrets = secrets
        self.clock = clock
        self.seed = seed
        self.people = PeopleCache()
        self.scans: Scans | None = None
        """Looks at files; None where the server keeps none."""
        self._turn = threading.Lock()

    def sync(self, registry: str, caller: Caller, push: Push) -> Answer:
        """Answer one request.

        Raises:
            Refused: It can't be answered; nothing was written.
        """
        _check_protocol(push)
        with self.database.reading() as connection:
            row = _known(connection, registry)
            rights = self.rights_of(connection, row.key, caller)
            replica = _enrolled(connection, row, push.replica, caller)
            broken = self._broken(connection, row, push, caller)
        sent = self._verified(row, push, replica, caller)
        if self.scans is not None and sent and not broken:
            self.scans.look(row, sent, rights.actor)
        outcome = _Outcome()
        if push.ops or push.offers or push.claims or broken:
            outcome = self._take(registry, caller, push, sent)
        with self.database.reading() as connection:
            row = _known(connection, registry)
            rights = self.rights_of(connection, row.key, caller)
            return self._read(connection, row, rights, push, outcome)

    def _take(
        self,
        registry: str,
        caller: Caller,
        push: Push,
        sent: Sequence[Sent],
    ) -> _Outcome:
        """Judge what was sent, or less of it where the server fails on it.

        What can't be kept, by itself or for what else is wrong here, is looked for by halves and
        refused alone: a replica sends in one order, and would stand still with it for ever.
        """
        failed: str | None = None
        alone = 0
        while True:
            try:
                with self._turn, self.database.writing() as connection:
                    return self._write(connection, registry, caller, push, sent, failed)
            except _OF_CONTENT as error:
                if failed is not None or not sent:
                    raise
                # What is brought back is judged by itself then: the rest is sent once more.
                half = [] if push.offers else _first_groups(sent)
                if len(half) == len(sent):
                    reference = note_failure(error, operation=sent[0].header.id)
                    alone += 1
                    failed = reference if alone > 1 else None  # once may have been by chance
                sent = half

    def rights_of(self, connection: Connection, registry: int, caller: Caller) -> Rights:
        """Return what a caller may do in the registry of a number, as a connection sees it.

        Raises:
            Refused: He may not sign in.
        """
        rights = self.people.get(connection, registry).of(caller.user)
        if not rights.is_active:
            raise Refused(401, "unauthenticated", "this user may not sign in")
        return rights if caller.roles is None else rights.narrowed(caller.roles)

    def puller(self, connection: Connection, row: RegistryRow, rights: Rights) -> Puller:
        """Return what reads for a user at the moment that a connection sees."""
        people = self.people.get(connection, row.key)
        return Puller(connection, row, people, rights, self.secrets)

    def _verified(
        self, row: RegistryRow, push: Push, replica: _Replica, caller: Caller
    ) -> list[Sent]:
        """Check what was sent against its signature and itself."""
        if len(push.ops) > GROUP_LIMIT:
            raise Refused(413, "too_large", f"more than {GROUP_LIMIT} operations at once")
        sent = [read_operation(bytes(data)) for data in push.ops]
        _check_once(sent)
        tip = None
        for place, one in enumerate(sent):
            header = one.header
            if header.replica != push.replica or header.actor != caller.user:
                raise Refused(403, "forged", "an operation names another replica or user")
            if tip is not None and (header.prev != tip or header.n != sent[place - 1].header.n + 1):
                raise Refused(400, "broken_chain", "the operations form no chain")
            tip = chain.tip(one.data)
        if sent and (push.tip != tip or push.n != sent[-1].header.n):
            raise Refused(400, "broken_chain", "the tip is not that of the last operation")
        if sent or push.offers or push.claims:
            anchor = push.anchor or Anchor("", 0, "", "")
            statement = statements.push_statement(
                row.id, push.replica, push.n, push.tip, anchor.epoch, anchor.seq, anchor.link
            )
            if not verified(replica.public_key, statement, push.signature):
                raise Refused(403, "forged", "the signature is not that of this replica")
        for digest, text in push.texts.items():
            if encoding.digest(text.encode(errors="surrogatepass")) != digest:
                raise Refused(400, "malformed", f"a text has not the digest {digest[:80]}")
        return sent

    def _broken(
        self, connection: Connection, row: RegistryRow, push: Push, caller: Caller
    ) -> str | None:
        """Return why the history that a replica knows is not this one; None where it is."""
        anchor, cursor = push.anchor, push.cursor
        if anchor is None:
            if cursor != Cursor():
                raise Refused(400, "malformed", "a cursor without an anchor")
            return None
        statement = anchor_statement(row, anchor.seq, anchor.link, anchor.epoch)
        if not self.secrets.marked(statement, anchor.mac):
            raise Refused(400, "malformed", "the anchor is not from this server")
        if anchor.epoch != row.epoch:
            known = was_issued(connection, row, anchor.epoch)
            return "other epoch" if known else "unknown epoch"
        if link_at(connection, row, anchor.seq) != anchor.link:
            return "rolled back"
        if cursor != Cursor():
            link = link_at(connection, row, cursor.seq)
            marked = link is not None and self.secrets.marked(
                cursor_statement(row, cursor, link, caller.user), cursor.mac
            )
            if not marked:
                raise Refused(400, "malformed", "the cursor is not from this server")
        return None

    def _write(  # noqa: PLR0913, PLR0917 -- what was sent, by whom, and how far it got before
        self,
        connection: Connection,
        registry: str,
        caller: Caller,
        push: Push,
        sent: Sequence[Sent],
        failed: str | None = None,
    ) -> _Outcome:
        row = registry_row(connection, registry, lock=True)
        if row is None:
            raise _unknown()
        rights = self.rights_of(connection, row.key, caller)
        replica = _enrolled(connection, row, push.replica, caller)
        broken = self._broken(connection, row, push, caller)
        authority = Authority(connection, row, self.clock(), people=self.people)
        if broken is not None:
            if broken != "other epoch":
                new_epoch(connection, authority, broken, self.secrets, self.seed())
                authority.flush()
            known = "" if push.anchor is None else push.anchor.epoch
            return _Outcome(status="epoch", base=shared(connection, row, known))
        outcome = _Outcome(verdicts=[], failed=failed)
        authority.keep_texts(push.texts)
        if push.claims or push.offers:
            healing = Healing(authority, self.secrets, rights)
            healing.take_claims(push.claims)
            outcome.parked = healing.take_offers(push, outcome.judged, outcome.verdicts)
        was = replica.last_n
        self._judge(authority, rights, replica, sent, outcome)
        authority.flush()
        c = schema.replica.c
        connection.execute(
            sa.update(schema.replica)
            .where(c.registry == row.key, c.id == push.replica)
            .values(last_n=replica.last_n, tip=replica.tip, seen=row.clock_us)
        )
        if replica.last_n == push.n > was:
            self._keep_signature(connection, row, push)
        return outcome

    def _keep_signature(self, connection: Connection, row: RegistryRow, push: Push) -> None:
        """Keep what a replica signed with its last operation: who audits asks for it."""
        anchor = push.anchor or Anchor("", 0, "", "")
        connection.execute(
            sa.insert(schema.push_signature).values(
                registry=row.key,
                replica=push.replica,
                n=push.n,
                epoch=anchor.epoch,
                known=anchor.seq,
                link=anchor.link,
                signature=bytes.fromhex(push.signature),
            )
        )

    def _judge(
        self,
        authority: Authority,
        rights: Rights,
        replica: _Replica,
        sent: Sequence[Sent],
        outcome: _Outcome,
    ) -> None:
        """Judge what is new, and tell again what was judged."""
        if outcome.failed is None:
            authority.load(sent)
        else:
            authority.view.load((), [one.header.id for one in sent])
        place = 0
        while place < len(sent):
            verdict = _told_before(authority, sent[place])
            if verdict is None:
                break
            outcome.judged.append(sent[place].data)
            outcome.verdicts.append(verdict)
            place += 1
        new = sent[place:]
        if not new:
            return
        first = new[0].header
        if first.n <= replica.last_n or (
            first.n == replica.last_n + 1 and first.prev != replica.tip
        ):
            outcome.status = "forked"
            return
        if first.n != replica.last_n + 1:
            outcome.status, outcome.expect = "gap", replica.last_n + 1
            return
        verdicts = (
            authority.judge_all(new, rights.actor)
            if outcome.failed is None
            else authority.refuse_all(new, outcome.failed)
        )
        outcome.judged += [one.data for one in new[: len(verdicts)]]
        outcome.verdicts += verdicts
        last = new[len(verdicts) - 1]
        replica.last_n, replica.tip = last.header.n, chain.tip(last.data)

    def _read(
        self,
        connection: Connection,
        row: RegistryRow,
        rights: Rights,
        push: Push,
        outcome: _Outcome,
    ) -> Answer:
        anchor = head(self.secrets, row)
        receipt = ""
        if outcome.verdicts:
            pairs = zip(outcome.judged, outcome.verdicts, strict=True)
            digests = [statements.verdict_digest(*pair) for pair in pairs]
            receipt = self.secrets.sign(statements.receipt_statement(row.id, row.epoch, digests))
        made = [Raw(one) for one in outcome.verdicts]
        if outcome.status == "epoch":
            return Answer(
                status="epoch", epoch=row.epoch, head=anchor, cursor=Cursor(),
                base=outcome.base, healing=row.healing, now=self.clock(), min_protocol=MIN_PROTOCOL,
            )  # fmt: skip
        if outcome.status in {"forked", "gap"}:
            return Answer(
                status="forked" if outcome.status == "forked" else "gap",
                epoch=row.epoch, head=anchor, verdicts=made, receipt=receipt, cursor=push.cursor,
                expect=outcome.expect, healing=row.healing,
                now=self.clock(), min_protocol=MIN_PROTOCOL,
            )  # fmt: skip
        if push.limit == NOTHING:
            return Answer(
                epoch=row.epoch, head=anchor, verdicts=made, parked=outcome.parked,
                receipt=receipt, cursor=push.cursor, more=True, healing=row.healing,
                now=self.clock(), min_protocol=MIN_PROTOCOL,
            )  # fmt: skip
        puller = self.puller(connection, row, rights)
        limit = max(8, min(push.limit, PAGE_LIMIT))
        page = puller.page(push.cursor, push.streams_digest, limit, push.refetch)
        roles = [(one.grant.role.name.lower(), one.grant.scope) for one in rights.held]
        return Answer(
            epoch=row.epoch,
            head=anchor,
            verdicts=made,
            parked=outcome.parked,
            receipt=receipt,
            cursor=page.cursor,
            docs=page.docs,
            texts=page.texts,
            log=page.log,
            resets=page.resets,
            streams=page.streams,
            sums=page.sums,
            names=page.names,
            more=page.more,
            healing=row.healing,
            roles=None if page.more else roles,
            now=self.clock(),
            min_protocol=MIN_PROTOCOL,
        )


def _told_before(authority: Authority, sent: Sent) -> bytes | None:
    """Return the verdict that an operation got; None for a new one."""
    past, unread = authority.view.past(sent.header.id), authority.view.unread(sent.header.id)
    if past is not None:
        verdict, is_alike = known_verdict(past), is_same(past.operation, sent.operation)
    elif unread is not None:
        verdict, is_alike = known_verdict(unread), _alike(unread.data, sent.data)
    else:
        return None
    if not is_alike:
        raise Refused(409, "id_reused", "the id of an operation stands for another one")
    return verdict


def _first_groups(sent: Sequence[Sent]) -> Sequence[Sent]:
    """Return the first half of operations at most, or what is taken together at their beginning."""
    end = end_of_group(sent, 0)
    while end < len(sent) and (behind := end_of_group(sent, end)) <= len(sent) // 2:
        end = behind
    return sent[:end]


def _check_once(sent: Sequence[Sent]) -> None:
    if len({one.header.id for one in sent}) < len(sent):
        raise Refused(400, "malformed", "an operation stands twice in a request")


def _alike(one: bytes, other: bytes) -> bool:
    """Tell whether two operations that can't be read are one, like `is_same`."""
    place = {"n": 0, "prev": "", "replica": ""}
    try:
        first, second = msgspec.json.decode(one), msgspec.json.decode(other)
    except (ValueError, RecursionError):
        return one == other
    return bool({**first, **place} == {**second, **place})


def _check_protocol(push: Push) -> None:
    if push.protocol < MIN_PROTOCOL:
        raise Refused(426, "upgrade", "this regtui is too old for the server: upgrade it")
    if push.protocol > PROTOCOL:
        raise Refused(
            426, "upgrade", "the server is too old for this regtui: its operator upgrades"
        )


def _known(connection: Connection, registry: str) -> RegistryRow:
    row = registry_row(connection, registry, lock=False)
    if row is None:
        raise _unknown()
    return row


def _unknown() -> Refused:
    return Refused(404, "not_found", "there is no such registry")


def _enrolled(connection: Connection, row: RegistryRow, replica: str, caller: Caller) -> _Replica:
    c = schema.replica.c
    found = connection.execute(
        sa.select(c.user, c.public_key, c.last_n, c.tip, c.revoked).where(
            c.registry == row.key, c.id == replica
        )
    ).first()
    if found is None or found.user != caller.user or found.revoked:
        raise Refused(403, "not_enrolled", "this replica may not act for this user")
    return _Replica(found.user, bytes(found.public_key), found.last_n, found.tip)
