"""The solo authority: a replica without a remote decides for itself.

It gives each operation its place in the replica's chain and its sequence number, judges it by the
same function as a server does, and keeps operation, verdict, links, documents, typed rows and
history in one transaction. What is refused never enters the chain: the caller gets the reason as an
error.
"""

from typing import Any, NoReturn

import msgspec

from regtui.core import chain, encoding
from regtui.core.access import Actor
from regtui.core.documents import Document  # noqa: TC001 -- structs resolve their annotations
from regtui.core.errors import BadInput, Blocked, Denied, NotFound
from regtui.core.judgement import judge
from regtui.core.manifest import FileEntry
from regtui.core.operations import BYTES_LIMIT, KINDS, Operation, decode_operation
from regtui.core.verdicts import Accepted, Judged, Rejected, Unsupported, encode_verdict
from regtui.core.view import Past
from regtui.replica.database import Connection
from regtui.replica.ids import uuid7
from regtui.replica.projection import changed_tables, project
from regtui.replica.tables import Row, delete, insert
from regtui.replica.view import ReplicaView


class _Counters(msgspec.Struct):
    """The one row of base.replica."""

    id: str
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
    """

    def __init__(
        self, connection: Connection, actor: Actor, via: str, session: str, now: int
    ) -> None:
        self.connection = connection
        self.actor = actor
        self._via = via
        self._session = session
        self._now = now
        row = connection.execute(
            "select id::varchar, n, tip, clock_us, seq, link, next_key from base.replica"
        ).fetchone()
        self._counters = _Counters(*(row or ()))
        self.view = ReplicaView(connection, self._counters.seq + 1)
        self._streams: dict[str, _Stream] = {}
        self._actors: dict[str, int] = {}
        self._changed: dict[str, tuple[Document | None, Document, bytes]] = {}
        self._rows: dict[str, list[Row]] = {}
        self._touched = False

    def submit(self, kind: str, stream: str, entity: str, body: Any) -> Accepted:
        """Make an operation, judge it and take its effects.

        Args:
            kind: Such as `version.edit`.
            stream: Id of the model, or `registry`.
            entity: Id of what it changes.
            body: The body that belongs to the kind.

        Returns:
            The verdict, `Accepted` or `Conflicted`.

        Raises:
            NotFound, BadInput, Denied, Blocked: It was refused; nothing is kept of it.
        """
        counters = self._counters
        moment = max(self._now, counters.clock_us + 1)
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
        )
        try:
            _, data, tip = chain.seal(draft, n=counters.n + 1, prev=counters.tip)
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
        counters.n, counters.tip, counters.clock_us = counters.n + 1, tip, moment
        self._take(operation, data, judged, verdict)
        return verdict

    def add_files(self, version: str, entries: list[FileEntry]) -> None:
        """Keep the manifest of a version that an operation of this unit made."""
        key = self._key_of(version)
        rows = [
            (key, e.path, e.size, "true" if e.executable else "false", e.digest) for e in entries
        ]
        self._rows.setdefault("file", []).extend(rows)
        self._touched = True

    def flush(self) -> None:
        """Write everything that was taken; the caller commits."""
        if not self._touched:
            return
        self._write_documents()
        streams = [
            (s.key, name, s.head, s.count, s.link.hex(), s.last_number)
            for name, s in self._streams.items()
        ]
        delete(self.connection, "stream", [s.key for s in self._streams.values() if not s.is_new])
        self._rows["stream"] = list(streams)
        for table, rows in self._rows.items():
            insert(self.connection, table, rows)
        self._rows = {}
        c = self._counters
        self.connection.execute(
            "update base.replica set n = ?, tip = ?, clock_us = ?, seq = ?, link = ?, next_key = ?",
            [c.n, c.tip, c.clock_us, c.seq, c.link, c.next_key],
        )

    def _take(self, operation: Operation, data: bytes, judged: Judged, verdict: Accepted) -> None:
        counters = self._counters
        stream = self._stream(operation.stream)
        sealed = encode_verdict(verdict)
        counters.seq += 1
        counters.link = chain.link(counters.link, data, sealed)
        stream.link = chain.link(stream.link, data, sealed)
        stream.head, stream.count = counters.seq, stream.count + 1
        stream.last_number = max(stream.last_number, verdict.number or 0)
        for document, body in judged.documents:
            before = self.view.document(document.id)
            first = self._changed[document.id][0] if document.id in self._changed else before
            self._changed[document.id] = (first, document, body)
        self.view.take(Past(operation, verdict, counters.seq), judged)
        self._rows.setdefault("operation", []).append(
            (
                counters.seq,
                operation.id,
                stream.key,
                data.decode(),
                sealed.decode(),
                counters.link.hex(),
                stream.link.hex(),
            )
        )
        self._rows.setdefault("log", []).extend(
            (
                counters.seq,
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
        self._rows.setdefault("text", []).extend(judged.texts.items())
        self._touched = True

    def _write_documents(self) -> None:
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
            return self._actor_key()
        if identity not in self.view.keys and self._find(identity) is None:
            self.view.keys[identity] = self._next_key()
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

    def _actor_key(self) -> int:
        """Return the key of who acts; people are written down when they first act."""
        if self.actor.id not in self._actors:
            row = self.connection.execute(
                "select key from base.actor where id = ?", [self.actor.id]
            ).fetchone()
            if row is None:
                key = self._next_key()
                self._rows.setdefault("actor", []).append((key, self.actor.id, self.actor.name))
            else:
                key = int(row[0])
            self._actors[self.actor.id] = key
        return self._actors[self.actor.id]

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


def _json(value: object) -> str | None:
    return None if value is None else encoding.encode(value).decode()


def _refuse(verdict: Rejected | Unsupported) -> NoReturn:
    if isinstance(verdict, Unsupported):
        raise BadInput(f"this program does not know operations of kind {verdict.kind!r}")
    errors = {"not_found": NotFound, "deleted": NotFound, "denied": Denied, "blocked": Blocked}
    raise errors.get(verdict.code, BadInput)(verdict.message, verdict.hint)
