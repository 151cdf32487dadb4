"""The client of a sync: what is sent, and what becomes of an answer.

It knows no network: a `Transport` is handed in, and everything that lasts is in the replica. Each
step is one transaction, so that a kill between two of them leaves the state of before or of after:
what was sent is sent again as it was, and an answer that came is whole.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Literal, Protocol

import msgspec
from msgspec import Raw, Struct

from regtui.core.errors import Damaged, RegtuiError
from regtui.core.operations import FORMAT
from regtui.core.verdicts import Accepted, Verdict, decode_verdict
from regtui.replica.accepting import Accepting, holds_nothing
from regtui.replica.database import Connection
from regtui.replica.keys import Key, load_key, verify_signature
from regtui.replica.remote import ONLINE, Remote, read_remote, write_remote
from regtui.replica.tables import insert
from regtui.replica.unit import Replica
from regtui.replica.unsent import note_unsent
from regtui.sync.ahead import OneAhead
from regtui.sync.batch_size import FIRST_BATCH, LESS, BatchSize
from regtui.sync.first_walk import CutShort, walk
from regtui.sync.healing import Offering, Window, begin_healing, claims
from regtui.sync.lock import syncing_alone
from regtui.sync.new_identity import begin_anew
from regtui.sync.optimistic import show_waiting
from regtui.sync.outgoing import ACKNOWLEDGED, REFUSED, Batch, seal_batch
from regtui.sync.request_thread import RequestThread
from regtui.sync.requests import Request, Turn, following, pushed_on, signed
from regtui.sync.staging import stage, staged_answers, unstage
from regtui.wire.messages import NOTHING, PROTOCOL, Anchor, Answer, Cursor, Push
from regtui.wire.statements import receipt_statement, verdict_digest

CAPTURE = "version.capture"
UPGRADE = "your work is kept here until then"
ROUNDS = 10_000
"""Requests of one sync: more mean that it would never end."""

AHEAD = 4
"""Pages of a walk that are read before the replica is opened for them.

To open it, to keep pages aside and to close it again with a checkpoint takes as long as the server
takes for a page; and they have to fit the memory together.
"""

NOTED = 60_000
"""Milliseconds after which a sync that changed nothing is noted all the same."""

Step = Literal["asking", "storing"]
"""What a sync does now: it waits for the server, or works on the replica."""

OnStep = Callable[[Step, "Synced"], None]
"""Is told each step before it begins; what it raises ends the sync, with nothing half done."""


class Transport(Protocol):
    """How requests reach the server."""

    def sync(self, registry: str, push: Push) -> Answer:
        """Send a push and return the answer."""

    def enrol(self, registry: str, user: str, key: Key) -> None:
        """Let a replica act for its user."""


class NotEnrolled(RegtuiError):
    """The server does not know this replica (any more)."""

    exit_code = 4
    code = "not_enrolled"


class UpgradeNeeded(RegtuiError):
    """This program, or the server, is too old for the other one."""

    code = "upgrade"


class NotTaken(RegtuiError):
    """The server, or what stands before it, does not take a request with what is in it."""

    code = "not_taken"


class Synced(Struct):
    """What a sync did, in numbers.

    Attributes:
        pushed: Operations that were sent.
        accepted: Of these, how many took effect.
        rejected: How many did not; they are in the outbox.
        conflicted: How many were accepted with a conflict.
        pending: How many still wait.
        pulled: Documents that came.
        purged: Documents that went, because they may not be read any more.
        kept: Files of these that only this machine has; they stay until they are collected.
        cursor: How far was read.
        requests: Requests that it took.
        refetched: Streams that were read anew, for they differed from the server's.
        wrong: Their ids.
        differing: Of these, the ones that differ still.
        healing: Whether the server takes back what it lost.
        sent_files: Files that went up.
        sent_bytes: Their bytes.
        fetched_files: Files that came down.
        fetched_bytes: Their bytes.
        absent: Versions of which files were to be had neither here nor there.
        withheld: Versions that were captured here and whose files may not be sent.
        history: Operations that are older than what the first sync brought, and came now.
    """

    pushed: int = 0
    accepted: int = 0
    rejected: int = 0
    conflicted: int = 0
    pending: int = 0
    pulled: int = 0
    purged: int = 0
    kept: int = 0
    cursor: int = 0
    requests: int = 0
    refetched: int = 0
    wrong: list[str] = []
    differing: list[str] = []
    healing: bool = False
    sent_files: int = 0
    sent_bytes: int = 0
    fetched_files: int = 0
    fetched_bytes: int = 0
    absent: list[str] = []
    withheld: list[str] = []
    history: int = 0


class SyncClient:
    """Syncs one replica.

    Args:
        replica: It has a remote.
        transport: Reaches that remote.
        session: Which invocation this is.
        page: Documents that one answer may have at most.
        sends: Whether what waits is sent.
        reads: Whether what is newer is read to its end; a page of it comes in any case.
        ahead: Pages that are read at most before they are kept.
        on_step: Is told what the sync does next and what it did so far.
        batch: Operations that the first request sends at most.
        executor: Makes what requests are made in while the replica is worked on.

    Attributes:
        sends: The same.
    """

    def __init__(  # noqa: PLR0913 -- what syncs, with whom, and how
        self,
        replica: Replica,
        transport: Transport,
        session: str,
        page: int = 5_000,
        *,
        sends: bool = True,
        reads: bool = True,
        ahead: int = AHEAD,
        batch: int = FIRST_BATCH,
        on_step: OnStep | None = None,
        executor: Callable[[], Executor] = RequestThread,
    ) -> None:
        self._replica = replica
        self._transport = transport
        self._session = session
        self._page = page
        self.sends = sends
        self._reads = reads
        self._ahead = ahead
        self._on_step: OnStep = on_step or (lambda step, done: None)  # noqa: ARG005
        self._executor = executor
        self._batch = BatchSize(batch)
        self._one_ahead = OneAhead(transport, executor)
        self._opened: Connection | None = None
        self._held: list[Answer] | None = None
        self._offering = Offering()

    def sync(self) -> Synced:
        """Send what waits and read what is newer, until both are done.

        Raises:
            Busy: Another process syncs this replica.
            Unreachable: The server does not answer; what was done so far stays.
            RegtuiError: The server refused, or there is no remote.
        """
        done = Synced()
        self._offering = Offering()
        with syncing_alone(self._replica):
            for count, _ in enumerate(self.turns(done)):
                if count == ROUNDS:
                    raise RegtuiError(
                        "the sync does not come to an end", "tell the server's operator"
                    )
        return done

    def turns(self, done: Synced) -> Iterator[None]:
        """Make turns of requests and take the answers, yielding where more is left to do.

        Args:
            done: Is told what came of them.
        """
        request: Request | None = None
        try:
            while True:
                if request is None:
                    self._on_step("storing", done)
                    request = self.prepare()
                turn = self._ask_on(request, done)
                request = None
                if turn.answered:
                    if self._keep(turn, done):
                        return
                    request = turn.following
                    if turn.failure is not None:
                        raise turn.failure
                yield
        finally:
            self._one_ahead.forget()

    def _keep(self, turn: Turn, done: Synced) -> bool:
        """Take answers in one transaction; True where nothing is left to do.

        What is sent next is sealed with what came: to open the replica once more would take longer
        than either. A first walk that can't go on to its end is kept page by page from its first.
        """
        first = turn.answered[0]
        try:
            with self._changing() as connection:
                if self._absorb_all(turn, done):
                    return True
                if turn.failure is None:
                    turn.following = self._prepare_next(connection, done)
        except CutShort as cut:
            request, answer = first
            turn.answered = [(msgspec.structs.replace(request, is_first=False), answer)]
            turn.failure = None if isinstance(cut.failure, NotEnrolled) else cut.failure
            return self._keep(turn, done)
        return False

    def _ask_on(self, request: Request, done: Synced) -> Turn:
        """Send a request, and those for the pages that follow; empty where it had to be enrolled.

        What came before something went wrong counts: it is kept before anybody hears of that.
        """
        turn = Turn()
        answer = self._ask(request, done)
        while answer is not None:
            turn.answered.append((request, answer))
            ahead = pushed_on(request, answer)
            if ahead is not None:
                self._one_ahead.send(ahead)
                break
            if not self._reads or request.is_first or len(turn.answered) >= self._ahead:
                break
            behind = following(request, answer)
            if behind is None:
                break
            request = behind
            try:
                answer = self._ask(request, done)
            except RegtuiError as error:
                turn.failure = error
                break
        return turn

    def _absorb_all(self, turn: Turn, done: Synced) -> bool:
        """Take answers in their order; True where nothing is left to do after the last one."""
        is_over = False
        self._held = []
        try:
            while turn.answered:
                request, answer = turn.answered.pop(0)
                is_over = self.absorb(request, answer, done)
            with self._changing() as connection:
                for page in self._held:
                    stage(connection, page)
        finally:
            self._held = None
        return is_over

    def _keep_aside(self, connection: Connection, page: Answer, *, is_first: bool) -> None:
        """Keep a page till its walk ends: in memory while all of the walk is of this transaction.

        A long one has enough in memory when it ends.
        """
        page = msgspec.structs.replace(page, verdicts=[])
        if self._held is not None and (is_first or self._held):
            self._held.append(page)
        else:
            stage(connection, page)

    def _kept_aside(self, connection: Connection) -> Iterator[Answer]:
        """Yield the pages of the walk so far, and let go of them."""
        yield from staged_answers(connection)
        unstage(connection)
        while self._held:
            yield self._held.pop(0)

    def _forget_aside(self, connection: Connection) -> None:
        unstage(connection)
        if self._held is not None:
            self._held.clear()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        """Open the replica for one transaction, or go on in the one that is open."""
        if self._opened is not None:
            yield self._opened
            return
        with self._replica.changing() as connection:
            self._opened = connection
            try:
                yield connection
            finally:
                self._opened = None

    def _ask(self, request: Request, done: Synced) -> Answer | None:
        """Send a request and return the answer; None where it has to be prepared anew.

        The replica had to be enrolled, or less is sent of what was not taken: something before
        the server may have a narrower limit, and one operation shall not hold up all others.
        """
        self._on_step("asking", done)
        try:
            answer = self._one_ahead.answer(request)
        except NotEnrolled:
            self._enrol()
            return None
        except NotTaken as error:
            if not self._takes_less(request.push):
                raise self._about(request, error) from None
            return None
        done.requests += 1
        if answer.min_protocol > PROTOCOL:
            raise UpgradeNeeded("this regtui is too old for the server", UPGRADE)
        self._on_step("storing", done)
        return answer

    def _takes_less(self, push: Push) -> bool:
        """Send fewer operations the next time; False where that is not to be had."""
        if push.offers and self._offering.limit > 1:
            self._offering.limit = max(1, min(self._offering.limit, len(push.offers)) // LESS)
            return True
        return self._batch.note_refused(len(push.ops))

    def _about(self, request: Request, error: NotTaken) -> RegtuiError:
        """Return an error that names the change which is not taken, where it is that one alone."""
        if not request.push.ops:
            return error
        without = msgspec.structs.replace(request.push, ops=[], texts={}, limit=NOTHING)
        try:
            self._transport.sync(request.registry, without)
        except RegtuiError:
            return error  # nothing is taken, whatever is sent
        first = _place.decode(bytes(request.push.ops[0]))
        name = f"{first.kind} {first.id[-8:]}"
        return NotTaken(
            f"the server does not take {name}, and what was done after it waits: {error.message}",
            f"`regtui outbox discard --waiting {first.id[-8:]}` lets it go",
        )

    def prepare(self) -> Request:
        """Seal what is sent next and keep it so, before anything leaves."""
        while True:
            with self._replica.changing() as connection:
                request = self._prepare(connection)
            if request is not None:
                return request
            self._enrol()

    def _prepare(self, connection: Connection) -> Request | None:
        """Seal what is sent next; None where the server does not know this replica yet.

        A replica whose key is not here is a copy, and takes a new one.
        """
        remote, identity = self._remote(connection), _identity(connection)
        key = load_key(identity, self._replica.home.path)
        if key is None:
            begin_anew(self._replica, connection, remote)
            write_remote(connection, remote)
            return None
        if remote.enrolled != identity:
            return None
        window = self._offering.window(connection)
        # What waits may build on what the server lost: that goes first.
        sends = self.sends and not window.more
        batch = seal_batch(connection, key, sends=sends, limit=self._batch.limit)
        return self._request(connection, remote, key, batch, window)

    def _prepare_next(self, connection: Connection, done: Synced) -> Request | None:
        """Return what is sent next, with what may leave behind it.

        The first request of a sync has nothing behind it: the server may be out of reach, and what
        was sealed is not taken back any more without a trace (`registry.undo`).
        """
        request = self._one_ahead.request or self._prepare(connection)
        if request is not None and done.pushed:
            request.behind = self._prepare_behind(connection, request)
        return request

    def _prepare_behind(self, connection: Connection, request: Request) -> Request | None:
        """Seal what may leave as soon as a request is answered; None where nothing may."""
        remote, push = self._remote(connection), request.push
        brings_back = remote.state == "healing" or push.offers or request.window.more
        is_ours = remote.enrolled == push.replica and self._is_ours(connection, request)
        if not push.ops or push.limit != NOTHING or brings_back or not is_ours:
            return None
        batch = seal_batch(connection, request.key, limit=self._batch.limit, after=request.last)
        if not batch.ops:
            return None
        return self._request(connection, remote, request.key, batch, Window())

    def _request(
        self, connection: Connection, remote: Remote, key: Key, batch: Batch, window: Window
    ) -> Request:
        """Return the request with what was sealed and what is brought back."""
        cursor = remote.cursor if remote.staged is None else remote.staged
        anchor = None if remote.anchor is None else msgspec.convert(remote.anchor, Anchor)
        row = connection.execute("select registry::varchar from base.replica").fetchone()
        registry = "" if row is None else str(row[0])
        push = Push(
            protocol=PROTOCOL,
            schema=FORMAT,
            replica=key.replica,
            acked_n=remote.acked_n,
            anchor=anchor,
            cursor=msgspec.convert(cursor, Cursor),
            ops=batch.ops,
            texts=batch.texts | window.texts,
            n=batch.n,
            tip=batch.tip,
            signature=signed(key, registry, batch.n, batch.tip, anchor),
            offers=window.offers,
            evidence=window.evidence,
            claims=claims(connection) if window.offers or remote.state == "healing" else [],
            streams_digest=remote.streams,
            refetch=remote.refetch,
            # Before everything is sent, what comes would only be kept aside.
            limit=NOTHING if batch.more or window.more else self._page,
        )
        sends_some = bool(push.ops or push.offers or batch.more or window.more)
        may_be_first = not (remote.cursor or remote.staged or sends_some)
        may_be_first = may_be_first and self._reads and self._ahead > 1
        is_first = may_be_first and holds_nothing(connection)
        return Request(push, registry, cursor, key, window, is_first, batch.last)

    def absorb(self, request: Request, answer: Answer, done: Synced) -> bool:
        """Take an answer in one transaction; True where nothing is left to do.

        An answer to another cursor than the present one comes late: its verdicts count, its pages
        do not.
        """
        with self._changing() as connection:
            is_over = self._absorb(connection, request, answer, done)
        if is_over:
            self._offering = Offering()
        return is_over

    def _absorb(
        self, connection: Connection, request: Request, answer: Answer, done: Synced
    ) -> bool:
        remote = self._remote(connection)
        before = msgspec.structs.replace(remote)
        if not self._is_ours(connection, request):
            return False
        self._take_verdicts(connection, remote, request, answer, done)
        remote.state = "healing" if answer.healing else ONLINE
        done.healing = answer.healing
        if answer.status in {"forked", "gap"}:
            begin_anew(self._replica, connection, remote)
            write_remote(connection, remote)
            return False
        if answer.status == "epoch":
            begin_healing(connection, answer.base)
            self._offering = Offering()
            begin_anew(self._replica, connection, remote)
            # That the server is restored once more, before anything of it came, has to show, too.
            remote.anchor = msgspec.to_builtins(answer.head)
            remote.cursor, remote.staged = {}, None
            remote.streams = ""
            self._forget_aside(connection)
            write_remote(connection, remote)
            return False
        if request.window.offers:
            self._offering.note(request.window, len(answer.parked))
        present = remote.cursor if remote.staged is None else remote.staged
        known = remote.anchor
        # Behind what is known it is late, too: of a history, perhaps, that the server lost since.
        is_late = present != request.cursor or bool(known and answer.head.seq < known["seq"])
        if known is None or answer.head.seq >= known["seq"]:
            remote.anchor = msgspec.to_builtins(answer.head)
        if not is_late and request.push.limit != NOTHING:
            self._take_page(connection, remote, request, answer, done)
        remote.synced = self._replica.clock() // 1000
        if answer.now:
            remote.skew_us = self._replica.clock() - answer.now
        if _is_news(before, remote):
            write_remote(connection, remote)
        row = connection.execute(
            "select count(*) filter (state <> 'offered'), count(*) filter (state = 'offered') "
            "from base.outbox where state in ('pending', 'sent', 'offered')"
        ).fetchone()
        done.pending, offered = row or (0, 0)
        unanswered = len(answer.verdicts) < len(request.push.ops)
        offers_more = offered > 0 and bool(answer.verdicts)
        more = answer.more or is_late or unanswered or offers_more or bool(remote.refetch)
        waits = done.pending > 0 and bool(request.push.ops)
        waits = waits or bool(request.window.offers and not self._offering.is_over)
        if not self._reads and not answer.healing:
            return not (unanswered or waits)
        return not (more or waits)

    def _take_page(
        self,
        connection: Connection,
        remote: Remote,
        request: Request,
        answer: Answer,
        done: Synced,
    ) -> None:
        """Stage a page, or end the walk with it."""
        remote.refetch = []
        # While there is more to send, what comes is kept aside: what waits is judged again once.
        # What a server lost stays in sight till it has all of it, and what comes again has its
        # files by being of one walk with what goes (`Accepting`).
        row = connection.execute(
            "select count(*) from base.outbox where state in ('pending', 'sent', 'offered')"
        ).fetchone()
        sends = bool(answer.verdicts) and row is not None and row[0] > 0
        if request.is_first and answer.more and not sends:
            pages = self._walk(request, answer, done)
            last = self._end_walk(connection, remote, pages, done)
            remote.anchor = msgspec.to_builtins(last.head)
            remote.cursor = msgspec.to_builtins(last.cursor)
            done.cursor = last.cursor.seq
            return
        if answer.more or sends:
            self._keep_aside(connection, answer, is_first=remote.staged is None)
            remote.staged = msgspec.to_builtins(answer.cursor)
            return
        nothing = not (
            answer.docs or answer.log or answer.texts or answer.resets or answer.streams is not None
        )
        covered = connection.execute(
            "delete from base.outbox where state = 'acknowledged' returning id"
        ).fetchall()
        row = connection.execute(
            "select (select count(*) from base.staged), (select count(*) from base.shadow)"
        ).fetchone()
        staged, shadows = row or (0, 0)
        if not nothing or staged or self._held or (shadows and covered):
            pages = itertools.chain(self._kept_aside(connection), [answer])
            self._end_walk(connection, remote, pages, done)
        remote.cursor, remote.staged = msgspec.to_builtins(answer.cursor), None
        done.cursor = answer.cursor.seq

    def _walk(self, request: Request, answer: Answer, done: Synced) -> Iterator[Answer]:
        """Yield the pages of a first walk as they come."""
        asking, wanted = self._executor(), self._replica.is_wanted
        for number, page in enumerate(walk(request, answer, self._transport, asking, wanted)):
            done.requests += number > 0
            self._on_step("storing", done)
            yield page

    def _end_walk(
        self, connection: Connection, remote: Remote, pages: Iterable[Answer], done: Synced
    ) -> Answer:
        """Put the pages of a walk in their place, and return the last one."""
        accepting = Accepting(connection)
        answer = accepting.take(pages)
        connection.execute(
            "update base.replica set seq = ?, link = unhex(?)", [answer.head.seq, answer.head.link]
        )
        if answer.streams is not None:
            from regtui.wire.statements import streams_digest

            remote.streams = streams_digest(answer.streams)
        if answer.roles is not None:
            remote.roles = answer.roles
        write_remote(connection, remote)
        show_waiting(self._replica, self._session, connection, remote, accepting.keys)
        brought = accepting.result
        # What differs from the server's word after it came anew, its operator has to look after.
        remote.refetch = [one for one in brought.wrong if one not in done.wrong]
        done.refetched += len(remote.refetch)
        done.differing = [one for one in brought.wrong if one in done.wrong]
        done.wrong += remote.refetch
        done.pulled += brought.documents
        done.purged += brought.purged
        done.kept += brought.kept
        if brought.resets:
            remote.history = None  # what came anew has its newest history only
        return answer

    def _take_verdicts(
        self,
        connection: Connection,
        remote: Remote,
        request: Request,
        answer: Answer,
        done: Synced,
    ) -> None:
        """Keep the verdicts, and the receipt with them."""
        sealed = [bytes(raw) for raw in answer.verdicts]
        if not sealed:
            return
        verdicts: list[Verdict] = [decode_verdict(one) for one in sealed]
        places = [_place.decode(bytes(raw)) for raw in request.push.ops]
        asked = {one.id: raw for one, raw in zip(places, request.push.ops, strict=True)}
        asked |= {_place.decode(bytes(one.op)).id: one.op for one in request.push.offers}
        if any(one.op not in asked for one in verdicts):
            raise Damaged("the server answered to what was not asked", "tell its operator")
        pairs = zip(verdicts, sealed, strict=True)
        digests = [verdict_digest(bytes(asked[one.op]), data) for one, data in pairs]
        statement = receipt_statement(request.registry, answer.epoch, digests)
        if not verify_signature(remote.server_key, bytes.fromhex(answer.receipt), statement):
            raise Damaged(
                "the server's receipt is not signed by the server that you signed in to",
                "`regtui remote show`; sign in again if its key was changed on purpose",
            )
        good = [one.op for one in verdicts if isinstance(one, Accepted)]
        row = connection.execute("select count(*) from base.receipt").fetchone()
        number = 0 if row is None else int(row[0])
        if good:
            connection.execute(
                "insert into base.receipt values (?, ?, ?)",
                [answer.epoch, msgspec.json.encode(digests).decode(), answer.receipt],
            )
            connection.execute(
                "delete from base.receipted where operation in (select unnest(?::uuid[]))", [good]
            )
            insert(connection, "receipted", [(one, number) for one in good])
        connection.execute(
            "update base.outbox set state = s.state, verdict = s.verdict from ("
            "select unnest(?::uuid[]) as id, unnest(?::varchar[]) as state, "
            "unnest(?::varchar[]) as verdict) s where outbox.id = s.id "
            "and outbox.state in ('pending', 'sent', 'offered')",
            [
                [one.op for one in verdicts],
                [ACKNOWLEDGED if isinstance(one, Accepted) else REFUSED for one in verdicts],
                [one.decode() for one in sealed],
            ],
        )
        answered, accepted = {one.op for one in verdicts}, set(good)
        numbers = [place.n for place in places if place.id in answered]
        remote.acked_n = max([remote.acked_n, *numbers])
        captured = [p.entity for p in places if p.kind == CAPTURE and p.id in accepted]
        note_unsent(connection, captured)
        self._batch.note_judged(len(request.push.ops), len(numbers))
        done.pushed += len(numbers)
        done.accepted += len(good)
        done.rejected += len(verdicts) - len(good)
        done.conflicted += sum(bool(getattr(one, "conflicts", ())) for one in verdicts)

    def _enrol(self) -> None:
        with self._replica.reading() as connection:
            remote, key = self._remote(connection), self._key(connection)
            row = connection.execute("select registry::varchar from base.replica").fetchone()
        self._transport.enrol("" if row is None else str(row[0]), remote.user_id, key)
        with self._replica.changing() as connection:
            remote = self._remote(connection)
            remote.enrolled, remote.acked_n = key.replica, 0
            write_remote(connection, remote)

    def _key(self, connection: Connection) -> Key:
        key = load_key(_identity(connection), self._replica.home.path)
        if key is None:
            raise RegtuiError("the replica's key is gone", "run `regtui sync` again")
        return key

    def _remote(self, connection: Connection) -> Remote:
        remote = read_remote(connection)
        if remote is None:
            raise RegtuiError("there is no remote", "`regtui remote add URL` and `regtui login`")
        return remote

    def _is_ours(self, connection: Connection, request: Request) -> bool:
        """Tell whether an answer is for the replica that this is now."""
        return _identity(connection) == request.push.replica


class _Place(Struct):
    id: str
    n: int
    kind: str
    entity: str


_place = msgspec.json.Decoder(_Place)


def _is_news(before: Remote, now: Remote) -> bool:
    """Tell whether what is known of the remote changed by more than the time of the last sync.

    Whoever syncs every few seconds would else write to the disk each time, and everybody who looks
    at the file for changes would read it anew for nothing.
    """
    same_times = msgspec.structs.replace(now, synced=before.synced, skew_us=before.skew_us)
    is_old = before.synced is None or abs((now.synced or 0) - before.synced) >= NOTED
    return is_old or same_times != before


def _identity(connection: Connection) -> str:
    row = connection.execute("select id::varchar from base.replica").fetchone()
    return "" if row is None else str(row[0])


__all__ = [
    "UPGRADE",
    "NotEnrolled",
    "NotTaken",
    "OnStep",
    "Raw",
    "Step",
    "SyncClient",
    "Synced",
    "Transport",
    "UpgradeNeeded",
]
