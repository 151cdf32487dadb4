"""The read side: a page of what is newer than a replica's cursor, of what its user may see.

Documents, texts, log rows and authors stand in the order of (stream, sequence number); a page takes
all of them up to one number. Streams that became readable since (*exceptions*) are read from their
beginning, one after the other, before the rest. What is read is one moment's state.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
import sqlalchemy as sa
from msgspec import Raw, Struct
from sqlalchemy.engine import Connection

from regtui.core import encoding
from regtui.wire.messages import Anchor, Cursor, Entry, Item, LogLine, Sum, Text
from regtui.wire.statements import certificate_statement, streams_digest, total_of
from sync_server import schema
from sync_server.authority import RegistryRow
from sync_server.database import chunks
from sync_server.rights import ACCESS, REGISTRY, People, Rights
from sync_server.secrets import Secrets

LOG_LIMIT = 1_000
"""Operations of the log that a first walk carries; older ones are read on demand."""

BYTES = 8 << 20
"""Bytes after which a page ends."""

_e, _o, _t = schema.entity.c, schema.operation.c, schema.text_ref.c
_lines = msgspec.json.Decoder(list[LogLine])

# Models alone have a first name. SQLite takes an index by how many columns of it are given: by the
# kind alone each walk would look at all that there is.
_IS_MODEL = sa.and_(_e.kind == "model", _e.minted.is_not(None))


class Page(Struct, kw_only=True):
    """What an answer carries down."""

    cursor: Cursor
    docs: list[Item] = []
    texts: list[Text] = []
    log: list[Entry] = []
    resets: list[str] = []
    streams: list[str] | None = None
    sums: dict[str, Sum] = {}
    names: dict[str, str] = {}
    more: bool = False


def head(secrets: Secrets, row: RegistryRow) -> Anchor:
    """Return the history as it is, marked."""
    link = row.link.hex()
    return Anchor(row.epoch, row.seq, link, secrets.mark(anchor_statement(row, row.seq, link)))


def anchor_statement(row: RegistryRow, seq: int, link: str, epoch: str | None = None) -> bytes:
    """Return what an anchor's mark is over."""
    return encoding.encode(["anchor", row.id, epoch or row.epoch, seq, link])


def cursor_statement(row: RegistryRow, cursor: Cursor, link: str, user: str) -> bytes:
    """Return what a cursor's mark is over: nobody reads on from where another one stopped."""
    bare = msgspec.structs.replace(cursor, mac="")
    return encoding.encode(["cursor", row.id, user, link, msgspec.to_builtins(bare)])


class Puller:
    """Reads pages for one user at one moment.

    Args:
        connection: Inside a transaction that sees one moment.
        row: The registry then.
        people: Everybody then.
        rights: The user's.
        secrets: The server's.
    """

    COLUMNS: ClassVar[list[Any]] = [
        _o.seq, _o.stream, _o.bytes, _o.verdict, _o.log, _o.stream_link, _o.place, _o.subject,
        _o.actor,
    ]  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        row: RegistryRow,
        people: People,
        rights: Rights,
        secrets: Secrets,
    ) -> None:
        self._connection = connection
        self._row = row
        self._people = people
        self._rights = rights
        self._secrets = secrets
        self._names: dict[str, str] | None = None

    def page(
        self, cursor: Cursor, known_streams: str, limit: int, refetch: Iterable[str] = ()
    ) -> Page:
        """Return the next page after a cursor.

        Args:
            cursor: How far the replica has read.
            known_streams: Digest of the streams that it knows to be readable.
            limit: Documents.
            refetch: Streams to read from their beginning.
        """
        row, rights = self._row, self._rights
        if cursor.view != rights.view:
            # Since when something is readable is told by grants, and a token is none.
            cursor = Cursor(view=rights.view)
        cursor, resets = self._begun(cursor)
        idle = (
            not cursor.exceptions
            and cursor.seq == row.seq
            and cursor.rights >= rights.changed
            and known_streams
            and not refetch
        )
        if idle:
            return Page(cursor=self._marked(self._ended(cursor)))
        readable = self.readable()
        resets += self._note_exceptions(cursor, readable)
        again = [one for one in refetch if one in readable]
        cursor.exceptions.update(dict.fromkeys(again, 0))
        resets += again
        cursor = msgspec.structs.replace(cursor, rights=row.seq)
        page = Page(cursor=cursor, resets=resets)
        budget = self._read_exceptions(page, cursor, readable, limit)
        waiting = [one for one, at in cursor.exceptions.items() if at < row.seq]
        if waiting:
            page.more = True
        else:
            others = None
            if not rights.sees_all:
                others = [one for one in readable if one not in cursor.exceptions]
            reached = cursor.seq
            if reached < row.seq and budget > 0:
                skip = list(cursor.exceptions) if others is None else []
                reached, _ = self._read(page, others, cursor.seq, budget, skip)
            cursor = msgspec.structs.replace(cursor, seq=reached)
            page.more = reached < row.seq
        if not page.more:
            listed = ["*"] if rights.sees_all else sorted(readable)
            if streams_digest(listed) != known_streams:
                page.streams = listed
            page.sums = self._sums(readable, cursor)
            cursor = self._ended(cursor)
        page.cursor = self._marked(cursor)
        return page

    def _begun(self, cursor: Cursor) -> tuple[Cursor, list[str]]:
        """Return the cursor of a walk that goes on or begins, and what is reset with that."""
        cursor = msgspec.structs.replace(cursor, exceptions=dict(cursor.exceptions))
        if cursor.began is not None:
            return cursor, []
        seq = self._row.seq
        if cursor.seq:
            return msgspec.structs.replace(cursor, began=cursor.seq), []
        begun = msgspec.structs.replace(cursor, began=0, logs=max(0, seq - LOG_LIMIT), rights=seq)
        return begun, ["*"]

    def _read_exceptions(
        self, page: Page, cursor: Cursor, readable: dict[str, int], limit: int
    ) -> int:
        """Read the streams that became readable; return how many documents may still come."""
        for stream in sorted(cursor.exceptions):
            if stream not in readable:
                del cursor.exceptions[stream]
                continue
            while limit > 0 and cursor.exceptions[stream] < self._row.seq:
                reached, taken = self._read(page, [stream], cursor.exceptions[stream], limit)
                limit -= taken
                cursor.exceptions[stream] = reached
            if limit <= 0:
                break
        return limit

    def _ended(self, cursor: Cursor) -> Cursor:
        # Of what becomes readable later, the log begins there, too.
        rights = max(cursor.rights, self._row.seq)
        return Cursor(seq=self._row.seq, rights=rights, logs=cursor.logs, view=cursor.view)

    def _marked(self, cursor: Cursor) -> Cursor:
        link = link_at(self._connection, self._row, cursor.seq)
        statement = cursor_statement(self._row, cursor, link or "", self._rights.user)
        return msgspec.structs.replace(cursor, mac=self._secrets.mark(statement))

    def readable(self) -> dict[str, int]:
        """Return the readable streams, each with the number since which it is."""
        rights = self._rights
        rows = self._connection.execute(
            sa.select(_e.id, _e.name).where(_e.registry == self._row.key, _IS_MODEL)
        ).all()
        found = {row.id: since for row in rows if (since := rights.since(row.name)) is not None}
        if rights.newest():
            # Its documents are chosen one by one, so any change of access counts.
            everything = rights.since("*") if rights.sees_all else None
            found[REGISTRY] = rights.changed if everything is None else everything
        return found

    def _note_exceptions(self, cursor: Cursor, readable: dict[str, int]) -> list[str]:
        """Read from its beginning whatever became readable since it was last looked."""
        if max(self._rights.newest(), self._rights.changed) <= cursor.rights:
            return []
        new = [stream for stream, since in readable.items() if since > cursor.rights]
        cursor.exceptions.update(dict.fromkeys(new, 0))
        return sorted(new)

    def _read(
        self,
        page: Page,
        streams: list[str] | None,
        after: int,
        limit: int,
        skip: Iterable[str] = (),
    ) -> tuple[int, int]:
        """Read everything of streams (None for all) after a number into the page.

        Returns:
            The number up to which all is read, and how many documents were.
        """
        until = self._row.seq
        docs = self._rows(
            schema.entity,
            [_e.seq, _e.body, _e.kind, _e.name, _e.stream, _e.id, _e.number],
            streams,
            skip,
            after,
            until,
            limit,
        )
        until = _bound(docs, limit, until, after)
        size = 0
        for row in docs:
            size += len(row.body)
            if size > BYTES and row.seq > docs[0].seq:
                until = min(until, max(row.seq - 1, docs[0].seq))
                break
        texts = self._rows(
            schema.text_ref, [_t.seq, _t.digest, _t.stream], streams, skip, after, until, limit * 4
        )
        until = _bound(texts, limit * 4, until, after)
        first = max(after, page.cursor.logs)
        entries = self._rows(
            schema.operation,
            self.COLUMNS,
            streams,
            skip,
            first,
            until,
            limit * 4,
        )
        until = _bound(entries, limit * 4, until, first)
        taken = [row for row in docs if row.seq <= until and self._shows(row.stream, row.name)]
        page.docs += [self._item(row) for row in taken]
        self._take_texts(page, [row for row in texts if row.seq <= until])
        page.log += self.entries([row for row in entries if row.seq <= until])
        a = schema.author.c
        people = self._rows(
            schema.author, [a.seq, a.user, a.stream], streams, skip, after, until, 1 << 30
        )
        page.names |= self.names(
            row.user for row in people if row.stream != REGISTRY or self._rights.sees_all
        )
        if not self._rights.sees_all:
            page.names |= self._names_of([row.id for row in taken if row.stream == REGISTRY])
        return until, len(taken)

    def _names_of(self, entities: list[str]) -> dict[str, str]:
        """Return the names of whoever changed these entities."""
        users: set[str] = set()
        for wanted in chunks(entities):
            users |= set(
                self._connection.execute(
                    sa.select(_o.actor)
                    .where(_o.registry == self._row.key, _o.subject.in_(wanted))
                    .distinct()
                ).scalars()
            )
        return self.names(users)

    def _rows(  # noqa: PLR0913, PLR0917 -- everything that a range is chosen by
        self,
        table: sa.Table,
        columns: list[Any],
        streams: list[str] | None,
        skip: Iterable[str],
        after: int,
        until: int,
        limit: int,
    ) -> list[Any]:
        c = table.c
        query = (
            sa.select(*columns)
            .where(c.registry == self._row.key, c.seq > after, c.seq <= until, c.stream != ACCESS)
            .order_by(c.seq)
            .limit(limit)
        )
        if streams is not None and len(streams) == 1:
            query = query.where(c.stream == streams[0])
        elif streams is not None:
            query = query.where(c.stream.in_(self._listed(streams)))
        skipped = list(skip)
        if skipped:
            query = query.where(c.stream.not_in(self._listed(skipped)))
        rows = list(self._connection.execute(query).all())
        if len(rows) == limit and rows[0].seq == rows[-1].seq:
            # One operation with more than a page of them.
            query = query.where(c.seq == rows[0].seq).limit(None)
            return list(self._connection.execute(query).all())
        return rows

    def _listed(self, values: list[str]) -> Any:
        """Return a list as one parameter, however long it is."""
        if self._connection.dialect.name == "postgresql":
            return sa.select(sa.func.unnest(sa.cast(values, sa.ARRAY(sa.String))))
        each = sa.func.json_each(encoding.encode(values).decode()).table_valued("value")
        return sa.select(each.c.value)

    def _shows(self, stream: str, name: str | None) -> bool:
        """Tell whether a document is shown: those of the registry's stream one by one."""
        if stream != REGISTRY or self._rights.sees_all:
            return True
        return name is not None and self._rights.shows(name)

    def _item(self, row: Any) -> Item:
        body = Raw(row.body)
        if row.kind != "version" or row.number is None:
            return Item(body)
        statement = certificate_statement(self._row.id, row.stream, row.id, row.number)
        return Item(body, self._secrets.mark(statement))

    def _take_texts(self, page: Page, rows: list[Any]) -> None:
        if not rows:
            return
        hidden = self._hidden_texts({row.digest for row in rows if row.stream == REGISTRY})
        wanted = [row for row in rows if row.stream != REGISTRY or row.digest not in hidden]
        values: dict[str, bytes] = {}
        c = schema.text.c
        digests = list(dict.fromkeys(row.digest for row in wanted))
        if digests:
            query = sa.select(c.digest, c.value).where(c.digest.in_(self._listed(digests)))
            values = {row.digest: row.value for row in self._connection.execute(query).all()}
        page.texts += [
            Text(row.stream, row.digest, bytes(values[row.digest]).decode())
            for row in wanted
            if row.digest in values
        ]

    def _hidden_texts(self, digests: set[str]) -> set[str]:
        """Texts of the registry's stream belong to datasets, which have none yet."""
        return set() if self._rights.sees_all else digests

    def operations_before(self, streams: list[str] | None, seq: int, limit: int) -> list[Any]:
        """Return the newest operations of streams before a sequence number, newest first.

        Args:
            streams: Ids; None for all but that of access.
            seq: The number.
            limit: How many at most.
        """
        query = (
            sa.select(*self.COLUMNS)
            .where(_o.registry == self._row.key, _o.seq < seq, _o.stream != ACCESS)
            .order_by(_o.seq.desc())
            .limit(limit)
        )
        if streams is not None:
            query = query.where(_o.stream.in_(self._listed(streams)))
        return list(self._connection.execute(query))

    def names(self, users: Iterable[str]) -> dict[str, str]:
        """Return the names of users, by id."""
        documents = self._people.documents
        return {one: str(documents[one].facts["name"]) for one in users if one in documents}

    def entries(self, rows: list[Any]) -> list[Entry]:
        """Return those operations as they are sent that may be seen."""
        names: dict[str, str | None] = {}
        subjects = [row.subject for row in rows if row.stream == REGISTRY]
        if subjects and not self._rights.sees_all:
            for wanted in chunks(subjects):
                found = self._connection.execute(
                    sa.select(_e.id, _e.name).where(_e.registry == self._row.key, _e.id.in_(wanted))
                )
                names.update({row.id: row.name for row in found})
        return [
            Entry(
                seq=row.seq,
                stream=row.stream,
                op=Raw(bytes(row.bytes)),
                verdict=Raw(bytes(row.verdict)),
                rows=_lines.decode(bytes(row.log)),
                link=bytes(row.stream_link).hex(),
                place=row.place,
            )
            for row in rows
            if self._shows(row.stream, names.get(row.subject))
        ]

    def _sums(self, readable: dict[str, int], cursor: Cursor) -> dict[str, Sum]:
        """Return the sums of the streams that this walk touched."""
        c = schema.stream.c
        rows = self._connection.execute(
            sa.select(c.id, c["count"], c.total).where(
                c.registry == self._row.key, c.head > (cursor.began or 0), c.id != ACCESS
            )
        ).all()
        found = {row[0]: Sum(row[1], row[2]) for row in rows if row[0] in readable}
        for stream in cursor.exceptions.keys() - found.keys():
            row = self._connection.execute(
                sa.select(c["count"], c.total).where(c.registry == self._row.key, c.id == stream)
            ).first()
            if row is not None:
                found[stream] = Sum(row[0], row[1])
        if REGISTRY in found and not self._rights.sees_all:
            bodies = [
                bytes(row.body)
                for row in self._connection.execute(
                    sa.select(_e.body, _e.name).where(
                        _e.registry == self._row.key, _e.stream == REGISTRY
                    )
                )
                if self._shows(REGISTRY, row.name)
            ]
            found[REGISTRY] = Sum(len(bodies), f"{total_of(bodies):016x}")
        return found


def link_at(connection: Connection, row: RegistryRow, seq: int) -> str | None:
    """Return the registry's link after an operation; None where there was no such one."""
    if seq == row.seq:
        return row.link.hex()
    if seq == 0:
        return bytes(32).hex()
    found = connection.execute(
        sa.select(_o.link).where(_o.registry == row.key, _o.seq == seq)
    ).scalar()
    if found is None:
        c = schema.step.c
        found = connection.execute(
            sa.select(c.link).where(c.registry == row.key, c.seq == seq)
        ).scalar()
    return None if found is None else bytes(found).hex()


def _bound(rows: list[Any], limit: int, until: int, after: int) -> int:
    """Return up to where rows are complete: the last number of a full page may go on behind it."""
    if len(rows) < limit:
        return until
    first, last = int(rows[0].seq), int(rows[-1].seq)
    return max(last - 1, first, after + 1) if first < last else last
