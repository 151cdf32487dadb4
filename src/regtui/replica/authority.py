"""The solo authority: a replica without a remote decides for itself.

It gives each operation its place in the replica's chain and its sequence number, judges it by the
same function as a server does, and keeps operation, verdict, links, documents, typed rows and
history in one transaction. What is refused never enters the chain: the caller gets the reason as an
error.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from regtui.core import chain, encoding
from regtui.core.access import Actor
from regtui.core.documents import Document
from regtui.core.errors import BadInput, Blocked, Denied, NotFound, RegtuiError
from regtui.core.judgement import judge
from regtui.core.manifest import FileEntry
from regtui.core.operations import (
    BYTES_LIMIT,
    GROUP_LIMIT,
    KINDS,
    Operation,
    decode_operation,
    encode_operation,
)
from regtui.core.verdicts import Accepted, Judged, Rejected, Unsupported, Verdict, encode_verdict
from regtui.core.view import Past
from regtui.replica.database import Connection
from regtui.replica.ids import uuid7
from regtui.replica.keys import Key, load_key, make_key, passing_key
from regtui.replica.projection import changed_tables, project
from regtui.replica.remote import PENDING, read_remote
from regtui.replica.tables import Row, delete, insert
from regtui.replica.texts import keep
from regtui.replica.view import ReplicaView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.core.governance import GateResult


class _Counters(msgspec.Struct):
    """The one row of base.replica."""

    id: str
    registry: str
    n: int
    tip: str
    clock_us: int
    seq: int
    link: bytes
    next_key: int


class _Stream(msgspec.Struct):
    key: int
    head: int
    count: int
    link: bytes
    last_number: int
    is_new: bool = False


class SoloAuthority:
    """Judges and writes the operations of one unit of work.

    Args:
        connection: Inside a transaction.
        actor: Who acts.
        via: `cli`, `app`, `watcher`, `api` or `runner`.
        session: Which invocation this is.
        now: Microseconds.
        home: The replica's folder, beside which its key tells whether it is a copy.
        rehearses: Whether all of it is done on a copy that is thrown away; a key that it needs is
            thrown away, too.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- a unit of work has that many sides
        self,
        connection: Connection,
        actor: Actor,
        via: str,
        session: str,
        now: int,
        home: Path,
        *,
        rehearses: bool = False,
    ) -> None:
        self.connection = connection
        self.actor = actor
        self._home = home
        self._rehearses = rehearses
        self._key: Key | None = None
        self._signs = True
        self._group: str | None = None
        self._grouped = 0
        self._via = via
        self._session = session
        self._now = now
        row = connection.execute(
            "select id::varchar, registry::varchar, n, tip, clock_us, seq, link, next_key "
            "from base.replica"
        ).fetchone()
        self._counters = _Counters(*(row or ()))
        self.remote = read_remote(connection)
        """Who decides instead; None where this replica does."""
        if self.remote is not None:
            self.actor = self.remote.actor
        self.view = ReplicaView(connection, 0 if self.remote else self._counters.seq + 1)
        self.view.actor = self.actor
        self.kept: Mapping[str, int] = {}
        """Local keys of what was here and may come to be again: files of versions hang on them."""
        self._position: int | None = None
        self._streams: dict[str, _Stream] = {}
        self._actors: dict[str, int] = {}
        self._changed: dict[str, tuple[Document | None, Document, bytes]] = {}
        self._rows: dict[str, list[Row]] = {}
        self._texts: dict[str, str] = {}
        self._touched = False
        self.requested: list[tuple[str, tuple[GateResult, ...]]] = []
        """What waits and shows nothing before the remote decided: by id, what gates say here."""
        self.submitted: list[int] = []
        """Sequence numbers of what was submitted; what waits for the remote has one, too."""

    def signing_key(self) -> Key:
        """Return the key of this replica, which has a new one where it is a copy."""
        self._identify()
        if self._key is None:
            raise AssertionError("a replica that was identified has a key")
        return self._key

    def begin_group(self) -> None:
        """Make what is submitted from now on one intent, which is also undone as one.

        The group's id is of this moment: `regtui.replica.history.members` finds its operations so.
        """
        self._group = uuid7(max(self._now, self._counters.clock_us + 1))
        self._grouped = 0

    def end_group(self) -> None:
        """Let what is submitted from now on stand for itself."""
        self._group = None

    def submit(
        self, kind: str, stream: str, entity: str, body: Any, *, undoes: str | None = None
    ) -> Accepted:
        """Make an operation, judge it and take its effects.

        Args:
            kind: Such as `version.edit`.
            stream: Id of the model, or `registry`.
            entity: Id of what it changes.
            body: The body that belongs to the kind.
            undoes: Id of the operation that this one takes back.

        Returns:
            The verdict, `Accepted` or `Conflicted`.

        Raises:
            NotFound, BadInput, Denied, Blocked: It was refused; nothing is kept of it.
        """
        self._identify()
        self._grouped += 1
        if self._group is not None and self.remote is not None and self._grouped > GROUP_LIMIT:
            raise BadInput(
                f"a server takes {GROUP_LIMIT:,} changes at once, and this is more",
                "do it in parts",
            )
        counters = self._counters
        moment = self._moment()
        draft = KINDS[kind](
            id=uuid7(moment),
            replica=counters.id,
            at=moment,
            actor=self.actor.id,
            stream=stream,
            entity=entity,
            body=body,
            via=self._via,
            session=self._session,
            group=self._group,
            undoes=undoes,
        )
        try:
            if self.remote is None:
                _, data, tip = chain.seal(draft, n=counters.n + 1, prev=counters.tip)
            else:  # its place is given when it is first sent
                data, tip = encode_operation(draft), counters.tip
        except UnicodeEncodeError:
            raise BadInput("a name or value is not valid UTF-8", "write it in UTF-8") from None
        if len(data) > BYTES_LIMIT:
            raise BadInput(f"this change has {len(data):,} bytes, more than {BYTES_LIMIT:,}")
        # What is judged is what any other reader of the bytes will judge.
        operation = decode_operation(data)
        judged = judge(operation, self.view, self.actor, moment)
        verdict = judged.verdict
        if isinstance(verdict, Rejected | Unsupported):
            _refuse(verdict)
        if self.remote is None:
            counters.n, counters.tip = counters.n + 1, tip
            self._take(operation, data, judged, verdict)
            self.submitted.append(counters.seq)
        else:
            position = self.keep_waiting(operation, data, judged, verdict)
            self.submitted.append(PENDING + position)
            if judged.requested:
                self.requested.append((operation.id, judged.gates))
        counters.clock_us = moment
        return verdict

    def leave(self, operation: Operation) -> Verdict:
        """Leave an operation that was made before there was a remote to it, without a judgement.

        So it is with what rests on a move that is only requested here.

        Args:
            operation: It, in the name of who acts; its moment stays what it was.
        """
        self._identify()
        moment = self._moment()
        data = encode_operation(operation)
        verdict = Accepted(op=operation.id, now=moment, at_used=moment, documents={})
        return self._keep_brought(operation, data, Judged(verdict, requested=True), verdict)

    def bring(self, operation: Operation) -> Verdict:
        """Judge an operation that was made before there was a remote.

        What is accepted waits, what is not is kept beside as refused: nothing goes by itself.

        Args:
            operation: It, in the name of who acts; its moment stays what it was.
        """
        self._identify()
        data = encode_operation(operation)
        moment = self._moment()
        judged = judge(operation, self.view, self.actor, moment)
        verdict = judged.verdict
        if isinstance(verdict, Accepted):
            self._keep_brought(operation, data, judged, verdict)
        else:
            told = encode_verdict(verdict).decode()
            row = (self._next_position(), operation.id, "refused", data.decode(), told)
            self._rows.setdefault("outbox", []).append((*row, operation.at // 1000))
            self._touched = True
        return verdict

    def _keep_brought(
        self, operation: Operation, data: bytes, judged: Judged, verdict: Accepted
    ) -> Verdict:
        self._counters.clock_us = verdict.now
        self.keep_waiting(operation, data, judged, verdict)
        return verdict

    def keep_waiting(
        self, operation: Operation, data: bytes, judged: Judged, verdict: Accepted
    ) -> int:
        """Take the effects of an operation that the remote has still to judge; return its place.

        Args:
            operation: It.
            data: Its bytes.
            judged: What it does here.
            verdict: The verdict of this.
        """
        position = self._next_position()
        self.show_waiting(position, operation, data, judged, verdict)
        created = operation.at // 1000
        row = (position, operation.id, "pending", data.decode(), None, created)
        self._rows.setdefault("outbox", []).append(row)
        return position

    def accepted_by(self, document: Document) -> str | None:
        """Return the last operation on an entity in the accepted state; None where it is new.

        What waits does not count: it may come behind changes of others that nobody saw here.
        """
        if self.remote is None or document.seq:
            return document.by
        row = self.connection.execute(
            "select body ->> '$.by' from base.shadow where id = ?", [document.id]
        ).fetchone()
        return None if row is None else row[0]

    def show_again(self, position: int, operation: Operation, data: bytes) -> Verdict:
        """Judge an operation that waits on what was accepted meanwhile, and show what it does.

        Returns:
            What the remote would say of it, as far as can be told here.
        """
        judged = judge(operation, self.view, self.actor, self._moment())
        verdict = judged.verdict
        if isinstance(verdict, Accepted):
            self.show_waiting(position, operation, data, judged, verdict)
        return verdict

    def show_waiting(
        self, position: int, operation: Operation, data: bytes, judged: Judged, verdict: Accepted
    ) -> None:
        """Show what a waiting operation does, on top of what was accepted."""
        self._show(PENDING + position, operation, data, judged, verdict, b"", b"")

    def _next_position(self) -> int:
        if self._position is None:
            row = self.connection.execute("select max(position) from base.outbox").fetchone()
            self._position = 0 if row is None or row[0] is None else int(row[0])
        self._position += 1
        return self._position

    def receive(self, data: bytes, actor: Actor) -> Verdict:
        """Judge an operation of another replica of this registry and take its effects.

        What is known already gets its verdict again; what is refused leaves no trace here.

        Args:
            data: The operation's exact bytes.
            actor: Who made it, with the grants that hold now.

        Raises:
            BadInput: It is malformed, names another actor, or its id stands for something else.
            UnknownKind: A newer program made it.
        """
        self._identify()
        operation = decode_operation(data)
        if operation.actor != actor.id:
            raise BadInput(f"the operation {operation.id} is not that of {actor.name}")
        past = self.view.past(operation.id)
        if past is not None:
            if past.operation != operation:
                raise BadInput(f"the id {operation.id} stands for another operation here")
            return past.verdict
        if operation.replica == self._counters.id:
            raise BadInput(f"the operation {operation.id} is not that of another replica")
        moment = self._moment()
        judged = judge(operation, self.view, actor, moment)
        if isinstance(judged.verdict, Accepted):
            self._introduce(actor)
            self._counters.clock_us = moment
            self._take(operation, data, judged, judged.verdict)
        return judged.verdict

    def add_files(self, version: str, entries: list[FileEntry]) -> None:
        """Keep the manifest of a version that an operation of this unit made."""
        self._keep_list(self._key_of(version), entries)

    def add_lost_list(self, entries: list[FileEntry]) -> None:
        """Keep the manifest of a version whose capture was refused, for when it is tried again."""
        self._keep_list(self._next_key(), entries)

    def _keep_list(self, key: int, entries: list[FileEntry]) -> None:
        rows = [
            (key, e.path, e.size, "true" if e.executable else "false", e.digest) for e in entries
        ]
        self._rows.setdefault("file", []).extend(rows)
        self._touched = True

    def flush(self) -> None:
        """Write everything that was taken, so that it can be read; the caller commits."""
        if not self._touched:
            return
        self._write_documents()
        streams = [
            (s.key, name, s.head, s.count, s.link.hex(), s.last_number)
            for name, s in self._streams.items()
        ]
        delete(self.connection, "stream", [s.key for s in self._streams.values() if not s.is_new])
        self._rows["stream"] = list(streams)
        if self._key is not None:
            self._sign(self._key)
        for table, rows in self._rows.items():
            insert(self.connection, table, rows)
        keep(self.connection, self._texts.items())
        for stream in self._streams.values():
            stream.is_new = False
        self._rows, self._texts, self._touched = {}, {}, False
        c = self._counters
        self.connection.execute(
            "update base.replica "
            "set id = ?, n = ?, tip = ?, clock_us = ?, seq = ?, link = ?, next_key = ?",
            [c.id, c.n, c.tip, c.clock_us, c.seq, c.link, c.next_key],
        )

    def _moment(self) -> int:
        return max(self._now, self._counters.clock_us + 1)

    def _identify(self) -> None:
        """Load the key to sign with; a copy of a replica takes a new one, and a new id."""
        if self._key is not None:
            return
        counters = self._counters
        self._signs = is_signed(self.connection)
        self._key = load_key(counters.id, self._home)
        if self._key is None:
            self._key = passing_key() if self._rehearses else make_key(self._home)
            counters.id, counters.n, counters.tip = self._key.replica, 0, chain.GENESIS

    def _sign(self, key: Key) -> None:
        """Sign the tip of the chain and the registry's link; the key's public half is kept once.

        What waits for the remote is signed when it is sent, but by which keys this home acted is
        known from now on (`regtui.replica.own_ids`). What has lost its signature is not signed
        anew, not even by a copy: that would vouch for what nobody checked.
        """
        c = self._counters
        if self._signs and self.remote is None:
            statement = chain.statement(c.registry, c.id, n=c.n, prev=c.tip, seq=c.seq, last=c.link)
            self._rows["signature"] = [(c.seq, c.id, c.n, key.sign(statement).hex())]
        known = self.connection.execute(
            "select 1 from base.enrolment where replica = ?", [c.id]
        ).fetchone()
        if known is None:
            self._rows["enrolment"] = [(c.id, key.public.hex(), c.clock_us // 1000)]

    def _take(self, operation: Operation, data: bytes, judged: Judged, verdict: Accepted) -> None:
        counters = self._counters
        stream = self._stream(operation.stream)
        sealed = encode_verdict(verdict)
        counters.seq += 1
        said = chain.decided(data, sealed)
        counters.link = chain.link_on(counters.link, said)
        stream.link = chain.link_on(stream.link, said)
        stream.head, stream.count = counters.seq, stream.count + 1
        stream.last_number = max(stream.last_number, verdict.number or 0)
        self._show(counters.seq, operation, data, judged, verdict, counters.link, stream.link)

    def _show(  # noqa: PLR0913, PLR0917 -- everything that is kept of one operation
        self,
        seq: int,
        operation: Operation,
        data: bytes,
        judged: Judged,
        verdict: Accepted,
        link: bytes,
        stream_link: bytes,
    ) -> None:
        """Keep an operation and what it did under a sequence number."""
        stream, sealed = self._stream(operation.stream), encode_verdict(verdict)
        for document, body in judged.documents:
            before = self.view.document(document.id)
            first = self._changed[document.id][0] if document.id in self._changed else before
            self._changed[document.id] = (first, document, body)
        self.view.take(Past(operation, verdict, seq), judged)
        self._rows.setdefault("operation", []).append(
            (
                seq,
                operation.id,
                stream.key,
                data.decode(),
                sealed.decode(),
                link.hex(),
                stream_link.hex(),
            )
        )
        self._rows.setdefault("log", []).extend(
            (
                seq,
                operation.id,
                self._key_of(operation.actor),
                operation.via,
                verdict.now // 1000,
                self._key_of(row.entity),
                row.kind,
                row.path,
                _json(row.before),
                _json(row.after),
                row.result,
                None,
            )
            for row in judged.log
        )
        if operation.undoes is not None:
            row = (seq, operation.id, operation.undoes)
            self._rows.setdefault("undo", []).append(row)
        self._texts |= judged.texts
        self._touched = True

    def _write_documents(self) -> None:
        if self.remote is not None and self._changed:
            # What was accepted, for when the remote has judged.
            self.connection.execute(
                "insert into base.shadow select c.id, d.body "
                "from (select unnest(?::uuid[]) as id) c left join base.document d on d.id = c.id "
                "where c.id not in (select id from base.shadow)",
                [list(self._changed)],
            )
        stale: dict[str, list[int]] = {}
        for before, document, body in self._changed.values():
            key = self._key_of(document.id)
            tables = changed_tables(before, document)
            if before is not None:
                for table in {"document", *tables}:
                    stale.setdefault(table, []).append(key)
            stream = self._stream(document.stream).key
            row = (key, document.id, document.kind, stream, document.seq, body.decode())
            self._rows.setdefault("document", []).append(row)
            for table, rows in project(key, document, self._key_of, tables).items():
                self._rows.setdefault(table, []).extend(rows)
        for table, keys in stale.items():
            delete(self.connection, table, keys)
        self._changed = {}

    def _key_of(self, identity: str) -> int:
        """Return the local key of a document or of an actor; a new one gets the next."""
        if identity == self.actor.id:
            return self._introduce(self.actor)
        if identity in self._actors:
            return self._actors[identity]
        if identity not in self.view.keys and self._find(identity) is None:
            self.view.keys[identity] = self.kept.get(identity) or self._next_key()
        return self.view.keys[identity]

    def _find(self, identity: str) -> int | None:
        if self.view.document(identity) is not None:
            return self.view.keys.get(identity)
        row = self.connection.execute(
            "select key from base.actor where id = ?", [identity]
        ).fetchone()
        if row is not None:
            self.view.keys[identity] = int(row[0])
        return self.view.keys.get(identity)

    def _introduce(self, actor: Actor) -> int:
        """Return the key of who acts; people are written down when they first act."""
        if actor.id not in self._actors:
            row = self.connection.execute(
                "select key from base.actor where id = ?", [actor.id]
            ).fetchone()
            if row is None:
                key = self._next_key()
                self._rows.setdefault("actor", []).append((key, actor.id, actor.name))
            else:
                key = int(row[0])
            self._actors[actor.id] = key
        return self._actors[actor.id]

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            row = self.connection.execute(
                "select key, head, count, link, last_number from base.stream where id = ?", [name]
            ).fetchone()
            self._streams[name] = (
                _Stream(self._next_key(), 0, 0, chain.FIRST_LINK, 0, is_new=True)
                if row is None
                else _Stream(*row)
            )
        return self._streams[name]

    def _next_key(self) -> int:
        key = self._counters.next_key
        self._counters.next_key += 1
        return key


def is_signed(connection: Connection) -> bool:
    """Tell whether the history is signed at its end, as every unit of work leaves it.

    One that was made before signing existed has still to begin, and with a remote it signs what it
    sends.
    """
    if read_remote(connection) is not None:
        return True
    row = connection.execute(
        "select 1 from base.signature where seq = (select seq from base.replica)"
    ).fetchone()
    if row is not None:
        return True
    row = connection.execute(  # reads all operations, and is asked of such histories only
        "select 1 from base.operation where try_cast(case when json_valid(bytes) "
        "then bytes ->> '$.replica' end as uuid) in (select replica from base.enrolment) limit 1"
    ).fetchone()
    return row is None


def _json(value: object) -> str | None:
    return None if value is None else encoding.encode(value).decode()


def refusal_error(verdict: Rejected) -> RegtuiError:
    """Return the error that a refusal is to people."""
    errors = {"not_found": NotFound, "deleted": NotFound, "denied": Denied, "blocked": Blocked}
    return errors.get(verdict.code, BadInput)(verdict.message, verdict.hint)


def _refuse(verdict: Rejected | Unsupported) -> NoReturn:
    if isinstance(verdict, Unsupported):
        raise BadInput(f"this program does not know operations of kind {verdict.kind!r}")
    raise refusal_error(verdict)
