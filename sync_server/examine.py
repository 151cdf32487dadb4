"""The doctor: recomputes from stored bytes what the server keeps beside them.

Chains of the registry and of streams, sums and counts, the digests of documents in the last verdict
on each, texts, authors, the keys of replicas, the present epoch, and usage. What a step changed
(a number that was given late) has no verdict; its link is recomputed as long as its document
stands, and taken as it is when that has changed since.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core import chain, encoding
from regtui.core.documents import Document, decode_document
from regtui.core.identity import replica_id
from regtui.wire import statements
from sync_server import schema
from sync_server.database import Database
from sync_server.secrets import Secrets

LINES = 100
"""Lines about one registry: a broken chain breaks everywhere behind."""

ROWS = 1_000


class _Head(Struct, frozen=True):
    """What an operation or a verdict says of itself."""

    id: str = ""
    op: str = ""
    replica: str = ""
    actor: str = ""
    stream: str = ""
    documents: dict[str, str] = {}


class _Stream(Struct):
    link: bytes = chain.FIRST_LINK
    place: int = 0
    count: int = 0
    total: int = 0
    number: int = 0
    head: int = 0


_heads = msgspec.json.Decoder(_Head)


def examine(database: Database) -> list[str]:
    """Return one line for each thing that is damaged, none where all is well."""
    with database.reading() as connection:
        found = [] if not database.is_sqlite else _pages(connection)
        found += _key(connection)
        c = schema.registry.c
        for row in connection.execute(sa.select(schema.registry).order_by(c.key)).all():
            examination = _Registry(connection, row)
            lines: list[str] = []
            for line in examination.damage():
                if len(lines) == LINES:
                    lines.append(f"registry {row.name}: and more")
                    break
                lines.append(f"registry {row.name}: {line}")
            found += lines
        found += _orphans(connection)
        found += _texts(connection)
    return found


def _pages(connection: Connection) -> list[str]:
    try:
        rows = connection.exec_driver_sql("pragma integrity_check(20)").scalars().all()
    except sa.exc.DatabaseError as error:
        return [f"the database file is damaged: {error.orig}"]
    return [f"the database file is damaged: {one}" for one in rows if one != "ok"]


def _key(connection: Connection) -> list[str]:
    """Find a key that is not the one by which the server's own operations are chained."""
    c, r, o = schema.setting.c, schema.replica.c, schema.operation.c
    stored = connection.execute(sa.select(c.value).where(c.name == "key")).scalar()
    if stored is None:
        return ["the server's key is missing"]
    try:
        identity = replica_id(Secrets(bytes(stored)).public)
    except ValueError:
        return ["the server's key is damaged"]
    is_known = connection.execute(sa.select(r.id).where(r.id == identity)).first() is not None
    is_used = connection.execute(sa.select(o.id).limit(1)).first() is not None
    return ["the server's key is not the one that it had"] if is_used and not is_known else []


def _orphans(connection: Connection) -> Iterator[str]:
    """Find what belongs to a registry that is not there."""
    known = sa.select(schema.registry.c.key)
    for table in schema.metadata.sorted_tables:
        key = table.c.get("registry")
        if key is None or not key.primary_key:
            continue
        lost = sa.select(key).where(key.not_in(known)).limit(1)
        if connection.execute(lost).first() is not None:
            yield f"table {table.name}: rows of a registry that is not there"


def _texts(connection: Connection) -> Iterator[str]:
    c = schema.text.c
    for row in _streamed(connection, sa.select(c.digest, c.value)):
        if encoding.digest(bytes(row.value)) != row.digest:
            yield f"text {row.digest}: its bytes are not what they were"


class _Registry:
    def __init__(self, connection: Connection, row: Any) -> None:
        self._connection = connection
        self._row = row
        self._streams: dict[str, _Stream] = {}
        self._digests: dict[str, str] = {}
        self._steps: dict[int, bytes] = {}
        self._authors: dict[tuple[str, str], int] = {}

    def damage(self) -> Iterator[str]:
        """Yield a line for each thing that is damaged."""
        # Digests of what steps made come first: their links need the documents.
        bodies, lines = self._documents()
        yield from self._chain(bodies)
        yield from self._compared(bodies)
        yield from lines
        yield from self._totals()
        yield from self._people()
        yield from self._refusals()
        yield from self._epochs()
        yield from self._usage()
        yield from self._webhooks()

    def _documents(self) -> tuple[dict[str, tuple[int, bytes | None, str]], list[str]]:
        """Return sequence number, digest and body (of steps alone) by entity, and what is wrong."""
        e, s = schema.entity.c, schema.step.c
        steps = set(
            self._connection.execute(sa.select(s.seq).where(s.registry == self._row.key)).scalars()
        )
        found: dict[str, tuple[int, bytes | None, str]] = {}
        lines = []
        for row in _streamed(
            self._connection, sa.select(schema.entity).where(e.registry == self._row.key)
        ):
            body = bytes(row.body)
            stream = self._streams.setdefault(row.stream, _Stream())
            stream.count += 1
            stream.total = statements.moved(stream.total, None, body)
            found[row.id] = row.seq, body if row.seq in steps else None, encoding.digest(body)
            try:
                document = decode_document(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                lines.append(f"document {row.id}: its bytes can't be read")
                continue
            if not _agrees(row, document):
                lines.append(f"document {row.id}: its row says something else than its bytes")
            number = document.facts.get("number")
            if document.kind == "version" and isinstance(number, int):
                stream.number = max(stream.number, number)
        return found, lines

    def _chain(self, bodies: dict[str, tuple[int, bytes | None, str]]) -> Iterator[str]:
        o, s, key = schema.operation.c, schema.step.c, self._row.key
        by_step = {seq: body for seq, body, _ in bodies.values() if body is not None}
        steps = {
            row.seq: bytes(row.link)
            for row in self._connection.execute(sa.select(s.seq, s.link).where(s.registry == key))
        }
        link, seq = chain.FIRST_LINK, 0
        query = sa.select(schema.operation).where(o.registry == key).order_by(o.seq)
        for row in (*_streamed(self._connection, query), None):
            until = self._row.seq + 1 if row is None else row.seq
            while (seq := seq + 1) < until:
                if seq not in steps:
                    yield f"operation {seq} is missing"
                    break
                body = by_step.get(seq)
                if body is not None and chain.link(link, b"restamp", body) != steps[seq]:
                    yield f"step {seq}: its link is not that of its bytes"
                link = steps[seq]
            seq = until
            if row is not None:
                yield from self._operation(row, link)
                link = bytes(row.link)
        if link != bytes(self._row.link):
            yield "the chain does not end where the registry says"

    def _operation(self, row: Any, link: bytes) -> Iterator[str]:
        data, verdict = bytes(row.bytes), bytes(row.verdict)
        stream = self._streams.setdefault(row.stream, _Stream())
        if chain.link(link, data, verdict) != bytes(row.link):
            yield f"operation {row.seq}: the registry's link is not that of its bytes"
        if chain.link(stream.link, data, verdict) != bytes(row.stream_link):
            yield f"operation {row.seq}: its stream's link is not that of its bytes"
        stream.link, stream.place = bytes(row.stream_link), stream.place + 1
        stream.head = row.seq
        self._authors.setdefault((row.stream, row.actor), row.seq)
        try:
            operation, decided = _heads.decode(data), _heads.decode(verdict)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            yield f"operation {row.seq}: its bytes can't be read"
            return
        said = operation.id, decided.op, operation.stream, operation.replica, operation.actor
        if said != (row.id, row.id, row.stream, row.replica, row.actor):
            yield f"operation {row.seq}: its row says something else than its bytes"
        if row.place != stream.place:
            yield f"operation {row.seq}: its place is {row.place} instead of {stream.place}"
        self._digests.update(decided.documents)

    def _compared(self, bodies: dict[str, tuple[int, bytes | None, str]]) -> Iterator[str]:
        """Compare documents with the last verdict on each."""
        for identity, digest in self._digests.items():
            known = bodies.get(identity)
            if known is None:
                yield f"document {identity} is missing"
            elif known[1] is None and known[2] != digest:
                yield f"document {identity}: its digest is not that of the last verdict on it"
        for identity in bodies.keys() - self._digests.keys():
            yield f"document {identity}: no operation made it"

    def _totals(self) -> Iterator[str]:
        s = schema.stream.c
        rows = {
            row.id: row
            for row in self._connection.execute(
                sa.select(schema.stream).where(s.registry == self._row.key)
            )
        }
        for identity, stream in self._streams.items():
            row = rows.pop(identity, None)
            if row is None:
                yield f"stream {identity} is missing"
                continue
            if row[5] != stream.count:
                yield f"stream {identity}: it has {stream.count} documents, not {row[5]}"
            if row.total != f"{stream.total:016x}":
                yield f"stream {identity}: its sum is not that of its documents"
            if bytes(row.link) != stream.link or row.place != stream.place:
                yield f"stream {identity}: its chain does not end where it says"
            if row.head < stream.head or row.last_number < stream.number:
                yield f"stream {identity}: its counters are behind"
        for identity, row in rows.items():
            # One that a restore lost has the numbers that its versions had, and nothing else yet.
            if row[5] or row.place or not row.last_number:
                yield f"stream {identity}: nothing is in it"

    def _people(self) -> Iterator[str]:
        """Compare authors with the operations that they made, and keys with the ids of replicas."""
        a, r = schema.author.c, schema.replica.c
        rows = self._connection.execute(
            sa.select(a.stream, a.user, a.seq).where(a.registry == self._row.key)
        )
        known = {(row.stream, row.user): row.seq for row in rows}
        for stream, user in sorted(dict(known.items() ^ self._authors.items())):
            yield f"stream {stream}: since when {user} is an author is not what operations say"
        rows = self._connection.execute(
            sa.select(r.id, r.public_key).where(r.registry == self._row.key)
        )
        for row in rows:
            if replica_id(bytes(row.public_key)) != row.id:
                yield f"replica {row.id}: its key is another one's"

    def _epochs(self) -> Iterator[str]:
        c = schema.epoch.c
        rows = self._connection.execute(
            sa.select(c.id, c.base).where(c.registry == self._row.key)
        ).all()
        if self._row.epoch not in {row.id for row in rows}:
            yield "its epoch is none that was begun"
        if any(row.base > self._row.seq for row in rows):
            yield "an epoch begins behind the end of the chain"

    def _usage(self) -> Iterator[str]:
        """Find what was counted of deployments that are not there."""
        u, e = schema.usage.c, schema.entity.c
        there = sa.select(e.id).where(e.registry == self._row.key, e.kind == "deployment")
        query = sa.select(u.deployment).where(
            u.registry == self._row.key, u.deployment.not_in(there)
        )
        for lost in self._connection.execute(query.distinct().limit(LINES)).scalars():
            yield f"usage of the deployment {lost}, which is not there"

    def _webhooks(self) -> Iterator[str]:
        """Find events that nobody is to be told, and those that are none."""
        h, d = schema.webhook.c, schema.webhook_delivery.c
        there = set(
            self._connection.execute(sa.select(h.id).where(h.registry == self._row.key)).scalars()
        )
        query = sa.select(d.id, d.webhook, d.body).where(d.registry == self._row.key)
        for row in _streamed(self._connection, query):
            if row.webhook not in there:
                yield f"event {row.id}: its webhook is not there"
            try:
                msgspec.json.decode(bytes(row.body))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                yield f"event {row.id}: its bytes can't be read"

    def _refusals(self) -> Iterator[str]:
        c = schema.refusal.c
        query = sa.select(schema.refusal).where(c.registry == self._row.key)
        for row in _streamed(self._connection, query):
            try:
                said = _heads.decode(bytes(row.bytes)).id, _heads.decode(bytes(row.verdict)).op
            except (msgspec.MsgspecError, UnicodeDecodeError):
                yield f"refused operation {row.id}: its bytes can't be read"
                continue
            if said != (row.id, row.id):
                yield f"refused operation {row.id}: its row says something else than its bytes"


def _agrees(row: Any, document: Document) -> bool:
    """Tell whether the columns of an entity are those of its document."""
    said = document.id, document.kind, document.stream, document.seq
    if said != (row.id, row.kind, row.stream, row.seq):
        return False
    if document.kind != "model":
        return True
    is_gone = document.value("state") == "deleted"
    minted = document.facts.get("name"), document.facts.get("generation")
    return (row.name, row.gone) == (document.value("name"), is_gone) and minted == (
        row.minted,
        row.generation,
    )


def _streamed(connection: Connection, query: Any) -> Iterator[Any]:
    return iter(connection.execution_options(yield_per=ROWS).execute(query))
