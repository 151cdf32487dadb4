"""Carrying a registry out: everything that cannot be made again, as records in pages.

Read from a copy of the database, so that all of it is of one moment and nobody waits. What follows
from something else stays behind: typed tables, layouts, the log's authors and times. Records name
entities by their ids, for local keys mean nothing elsewhere.

What can't be read, or has lost a text, is not carried: nobody could take it in.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from regtui.core.bundle import (
    ActorRecord,
    DocumentRecord,
    EnrolmentRecord,
    FileRecord,
    HistoryRecord,
    OperationRecord,
    ReleasedRecord,
    SignatureRecord,
    TextRecord,
)
from regtui.core.errors import Damaged
from regtui.core.identity import user_id
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document, stored_past
from regtui.replica.rebuild import key_ranges
from regtui.replica.texts import lost_texts

STEP = 1_000
"""Operations that are read at once."""

_TEXTS = 16
"""About how many texts are read at once, each of which may be long."""

Records = Iterator[tuple[str, Struct]]
"""Section and record."""


def carried_records(connection: Connection) -> Records:
    """Yield all records of a registry, section by section in the order of a bundle.

    Raises:
        Damaged: An operation or document can't be read, a text of it is missing, or the name of
            who acted was changed.
    """
    for identity, name in _rows(connection, "select id::varchar, name from base.actor order by id"):
        if user_id(name) != identity:
            raise Damaged(f"the name {name!r} is not that of who acted", "`regtui audit verify`")
        yield "actors", ActorRecord(identity, name)
    for row in _rows(
        connection,
        "select replica::varchar, lower(hex(public_key)), created from base.enrolment "
        "order by replica",
    ):
        yield "enrolments", EnrolmentRecord(*row)
    yield from _operations(connection)
    yield from _documents(connection)
    yield from _history(connection)
    yield from _texts(connection)
    yield from _files(connection)
    for row in _rows(
        connection,
        "select d.id::varchar, r.since from base.released r "
        "join base.document d on d.key = r.version order by r.version",
    ):
        yield "released", ReleasedRecord(*row)


def _operations(connection: Connection) -> Records:
    for start in _starts(connection):
        signatures: dict[int, list[SignatureRecord]] = {}
        for seq, *rest in _rows(
            connection,
            "select seq, replica::varchar, n, lower(hex(signature)) from base.signature "
            "where seq > ? and seq <= ? order by seq, rowid",
            [start, start + STEP],
        ):
            signatures.setdefault(seq, []).append(SignatureRecord(*rest))
        for seq, data, verdict in _rows(
            connection,
            "select seq, bytes, verdict from base.operation where seq > ? and seq <= ? "
            "order by seq",
            [start, start + STEP],
        ):
            stored_past(seq, data, verdict)
            yield "operations", OperationRecord(seq, data, verdict, signatures.get(seq, []))


def _documents(connection: Connection) -> Records:
    for low, high in key_ranges(connection):
        rows = connection.execute(
            "select id::varchar, body from base.document where key >= ? and key < ? order by key",
            [low, high],
        ).fetchall()
        documents = [stored_document(body, identity) for identity, body in rows]
        for identity in lost_texts(connection, documents).values():
            raise Damaged(
                f"a text of the document {identity} is missing", "`regtui doctor` names all"
            )
        for _, body in rows:
            yield "documents", DocumentRecord(body)


def _history(connection: Connection) -> Records:
    for start in _starts(connection):
        for row in _rows(
            connection,
            "select l.seq, d.id::varchar, l.kind, l.path, l.before, l.after, l.result, l.reason "
            "from base.log l join base.document d on d.key = l.entity "
            "where l.seq > ? and l.seq <= ? order by l.seq, l.rowid",
            [start, start + STEP],
        ):
            yield "history", HistoryRecord(*row)


def _texts(connection: Connection) -> Records:
    row = connection.execute("select count(*) from base.text").fetchone()
    width = max(1, 256 * _TEXTS // max(1, 0 if row is None else row[0]))
    for start in range(0, 256, width):
        end = start + width
        for row in _rows(
            connection,
            "select digest, any_value(value) from base.text where digest >= ? and digest < ? "
            "group by digest order by digest",
            [f"{start:02x}", f"{end:02x}" if end < 256 else "g"],  # noqa: PLR2004 -- the last
        ):
            yield "texts", TextRecord(*row)


def _files(connection: Connection) -> Records:
    for low, high in key_ranges(connection):
        for row in _rows(
            connection,
            "select d.id::varchar, f.path, f.size, f.executable, lower(hex(f.digest)) "
            "from base.file f join base.document d on d.key = f.version "
            "where f.version >= ? and f.version < ? order by f.version, f.path",
            [low, high],
        ):
            yield "files", FileRecord(*row)


def _starts(connection: Connection) -> range:
    row = connection.execute("select coalesce(max(seq), 0) from base.operation").fetchone()
    return range(0, 0 if row is None else int(row[0]), STEP)


def _rows(
    connection: Connection, statement: str, parameters: list[Any] | None = None
) -> Iterator[tuple[Any, ...]]:
    yield from connection.execute(statement, parameters or []).fetchall()
