"""Making the typed tables anew from the documents.

Documents are read in ranges of their local keys, so that memory is bounded; the rows of a range are
written set-based. The rows of a document follow from it alone, so each range may be a transaction
of its own: its rows are either as they were or what the documents say, and a kill between two
ranges leaves the one anew and the other as it was.

Of a document that can't be read the rows stay as they were: they are what is still known of it, and
what others refer to.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from regtui.core.documents import Document, decode_document
from regtui.replica.database import Connection
from regtui.replica.decoded import UNREADABLE
from regtui.replica.projection import Rows, changed_tables, mentioned, project
from regtui.replica.tables import COLUMNS, insert

PROJECTED = (
    "model", "version", "alias", "conflict", "metric", "param", "tag", "parent", "input",
    "holder", "comment", "dataset", "definition", "check_run", "figure", "promotion", "review",
    "environment", "deployment",
)  # fmt: skip
"""The tables that follow from documents."""

RANGE = 2_000
"""Local keys of one page."""

_INCOMPLETE = (LookupError, TypeError, ValueError, AttributeError)
"""What projecting a document raises that lacks what every one of its kind has."""


class Rebuilt(Struct, frozen=True):
    """How many documents the tables were made of, and the ids of those that can't be read."""

    documents: int
    unreadable: list[str]


class Page(Struct, frozen=True):
    """The documents of a range of keys, and the ids of those that can't be read; by key."""

    documents: dict[int, Document]
    unreadable: dict[int, str]


def rebuild(connection: Connection) -> Rebuilt:
    """Make the rows of all documents in tables without any, one transaction a range.

    For a database that nobody else has yet: one transaction for all would not fit the memory.
    """
    count = 0
    unreadable: list[str] = []
    for low, high in key_ranges(connection):
        connection.execute("begin")
        page = read_documents(connection, low, high)
        _insert(connection, page)
        connection.execute("commit")
        count += len(page.documents)
        unreadable += page.unreadable.values()
    return Rebuilt(count, unreadable)


def rebuild_range(connection: Connection, low: int, high: int) -> Rebuilt:
    """Make the rows of a range of local keys anew, inside the caller's transaction."""
    page = read_documents(connection, low, high)
    for table in PROJECTED:
        key = next(iter(COLUMNS[table]))
        connection.execute(
            f"delete from base.{table} where {key} >= ? and {key} < ? "  # noqa: S608 -- constants
            f"and {key} not in (select unnest(?::bigint[]))",
            [low, high, list(page.unreadable)],
        )
    _insert(connection, page)
    return Rebuilt(len(page.documents), list(page.unreadable.values()))


def key_ranges(connection: Connection) -> Iterator[tuple[int, int]]:
    """Yield ranges of local keys, each from its first key to before its last; all keys are in one.

    The first and the last reach further than any key that was given, to meet rows of no document.
    """
    row = connection.execute("select max(key) from base.document").fetchone()
    largest = 0 if row is None or row[0] is None else int(row[0])
    starts = list(range(RANGE, largest + 1, RANGE))
    yield from zip([-(2**62), *starts], [*starts, 2**62], strict=True)


def read_documents(connection: Connection, low: int, high: int) -> Page:
    """Return the documents of a range."""
    rows = connection.execute(
        "select key, id::varchar, body from base.document where key >= ? and key < ? order by key",
        [low, high],
    ).fetchall()
    page = Page({}, {})
    for key, identity, body in rows:
        document = readable(body)
        if document is None:
            page.unreadable[key] = identity
        else:
            page.documents[key] = document
    return page


def readable(body: str) -> Document | None:
    """Return the document of a body; None where it lacks what every one of its kind has."""
    try:
        document = decode_document(body)
        project(0, document, len, changed_tables(None, document))
    except (*UNREADABLE, *_INCOMPLETE):
        return None
    return document


def projected(connection: Connection, documents: Mapping[int, Document]) -> Rows:
    """Return the rows that documents have in the typed tables."""
    keys = _keys(connection, set().union(*map(mentioned, documents.values())))
    rows: Rows = {table: [] for table in PROJECTED}
    for key, document in documents.items():
        tables = changed_tables(None, document)
        for table, found in project(key, document, keys.__getitem__, tables).items():
            rows[table] += found
    return rows


def _insert(connection: Connection, page: Page) -> None:
    for table, rows in projected(connection, page.documents).items():
        insert(connection, table, rows)


def _keys(connection: Connection, identities: set[str]) -> dict[str, int]:
    """Return the local keys of documents and actors; 0 for one that is not there."""
    rows = connection.execute(
        "select id::varchar, key from base.document where id in (select unnest(?::uuid[])) "
        "union all select id::varchar, key from base.actor where id in (select unnest(?::uuid[]))",
        [list(identities), list(identities)],
    ).fetchall()
    return dict.fromkeys(identities, 0) | dict(rows)
