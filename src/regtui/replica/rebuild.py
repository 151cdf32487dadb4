"""Making the typed tables anew from the documents.

Documents are read in ranges of their local keys, so that memory is bounded; the rows of a range are
written set-based. Everything happens in the caller's transaction: the tables are either as they
were or what the documents say.
"""

from collections.abc import Iterator, Mapping

from regtui.core.documents import Document, decode_document
from regtui.replica.database import Connection
from regtui.replica.projection import Rows, changed_tables, project
from regtui.replica.tables import insert

PROJECTED = (
    "model", "version", "alias", "conflict", "metric", "param", "tag", "parent", "input",
    "holder", "comment", "dataset",
)  # fmt: skip
"""The tables that follow from documents."""

RANGE = 2_000
"""Local keys of one page."""


def rebuild(connection: Connection) -> int:
    """Make all typed tables anew, inside the caller's transaction; return the documents read.

    Raises:
        Damaged: A document can't be read.
    """
    for table in PROJECTED:
        connection.execute(f"delete from base.{table}")  # noqa: S608 -- constants of this module
    count = 0
    for low, high in key_ranges(connection):
        documents = read_documents(connection, low, high)
        for table, rows in projected(connection, documents).items():
            insert(connection, table, rows)
        count += len(documents)
    return count


def key_ranges(connection: Connection) -> Iterator[tuple[int, int]]:
    """Yield ranges of local keys, each from its first key to before its last; all keys are in one.

    The first and the last reach further than any key that was given, to meet rows of no document.
    """
    row = connection.execute("select max(key) from base.document").fetchone()
    largest = 0 if row is None or row[0] is None else int(row[0])
    starts = list(range(RANGE, largest + 1, RANGE))
    yield from zip([-(2**62), *starts], [*starts, 2**62], strict=True)


def read_documents(connection: Connection, low: int, high: int) -> dict[int, Document]:
    """Return the documents of a range by their keys."""
    rows = connection.execute(
        "select key, body from base.document where key >= ? and key < ? order by key", [low, high]
    ).fetchall()
    return {key: decode_document(body) for key, body in rows}


def projected(connection: Connection, documents: Mapping[int, Document]) -> Rows:
    """Return the rows that documents have in the typed tables."""
    mentioned: set[str] = set()

    def note(identity: str) -> int:
        mentioned.add(identity)
        return 0

    for key, document in documents.items():
        project(key, document, note, changed_tables(None, document))
    keys = _keys(connection, mentioned)
    rows: Rows = {table: [] for table in PROJECTED}
    for key, document in documents.items():
        tables = changed_tables(None, document)
        for table, found in project(key, document, keys.__getitem__, tables).items():
            rows[table] += found
    return rows


def _keys(connection: Connection, identities: set[str]) -> dict[str, int]:
    """Return the local keys of documents and actors; 0 for one that is not there."""
    rows = connection.execute(
        "select id::varchar, key from base.document where id in (select unnest(?::uuid[])) "
        "union all select id::varchar, key from base.actor where id in (select unnest(?::uuid[]))",
        [list(identities), list(identities)],
    ).fetchall()
    return dict.fromkeys(identities, 0) | dict(rows)
