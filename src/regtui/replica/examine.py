"""Examining a database: whether what it holds still fits together.

Four things vouch for each other. The verdict of an operation holds the digests of the documents
that it produced; a document holds the digests of its texts, and that of a version the content
digest of its list of files; the typed tables follow from the documents. All are compared range by
range of local keys, each range in one short unit of work of the caller's. Before that every table
is read once, as many rows at a time as DuckDB stores together, and some rows of each range are
looked up by the indexes, since it checks the sums of blocks only as it reads them.

With a remote the operation of a document need not be here: it is older than what the first sync
brought, or there is none (a number that was given late). Then the remote's sum over the documents
of the stream vouches for all of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.documents import Document
from regtui.core.errors import Damaged
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.verdicts import Accepted, decode_verdict
from regtui.replica.audit_decided import ACCEPTED
from regtui.replica.database import Connection, configuration, duckdb
from regtui.replica.decoded import known_past
from regtui.replica.migrate import apply_all
from regtui.replica.rebuild import PROJECTED, key_ranges, projected, readable
from regtui.replica.remote import PENDING
from regtui.replica.tables import COLUMNS, insert
from regtui.replica.texts import lost_texts
from regtui.wire.statements import total_of

_INDEXED = (("document", "key"), ("document", "id"), ("version", "short"), ("version", "slot"))
_PROBED = 100
_OPERATIONS = 2_000
_TOGETHER = 122_880
"""Rows of a row group: DuckDB skips the others where row numbers are asked for."""

Opening = Callable[[], AbstractContextManager[Connection]]
"""Opens the database for one range."""


class Examination(Struct):
    """What was found.

    Attributes:
        documents: How many were read.
        unvouched: Ids of documents that no verdict vouches for, or that can't be read.
        unreadable: Ids of the latter.
        lists: Ids of versions whose list of files is not the one that was captured.
        differing: Number of rows that are not what the documents say, by table.
        ranges: Ranges of local keys in which there are any.
        operations: How many are missing, or there are too many.
        malformed: Sequence numbers of those that can't be read.
        lost: Ids of documents that operations made and that are not there.
        texts: Ids of documents that have lost a text.
    """

    documents: int = 0
    unvouched: list[str] = []
    unreadable: list[str] = []
    lists: list[str] = []
    differing: dict[str, int] = {}
    ranges: list[tuple[int, int]] = []
    operations: int = 0
    malformed: list[int] = []
    lost: list[str] = []
    texts: list[str] = []

    @property
    def is_sound(self) -> bool:
        """Tell whether everything fits but the typed tables, which can be made anew.

        Lost texts don't count: they are worth less than changes that an older copy would lack.
        """
        wrong = (self.unvouched, self.lists, self.operations, self.malformed, self.lost)
        return not any(wrong)


def examine(opening: Opening) -> Examination:
    """Compare documents, verdicts, lists of files and typed tables.

    Raises:
        Damaged: The database can't be read to its end.
    """
    found = Examination()
    _read_everything(opening)
    with opening() as connection:
        ranges = list(key_ranges(connection))
        found.operations = _missing_operations(connection)
    _examine_operations(opening, found)
    alone: dict[int, list[str]] = {}
    scratch = duckdb.connect(":memory:", config=configuration(read_only=False))
    try:
        apply_all(scratch, 0)
        for low, high in ranges:
            with opening() as connection:
                _examine_range(connection, scratch, found, alone, (low, high))
    finally:
        scratch.close()
    for stream, identities in alone.items():
        with opening() as connection:
            if not _is_summed(connection, stream):
                found.unvouched += identities
    return found


def _read_everything(opening: Opening) -> None:
    """Read all rows: a block that is never read is never found to be damaged.

    Raises:
        Damaged: One is.
    """
    with opening() as connection:
        tables = connection.execute(
            "select table_name, 0 from duckdb_tables() where schema_name = 'base'"
        ).fetchall()
    while tables:
        with opening() as connection:
            rows = 0
            while tables and rows < _TOGETHER:
                table, start = tables.pop()
                row = connection.execute(
                    f"select count(*), bit_xor(hash(t)), (select max(rowid) from base.{table}) "  # noqa: S608
                    f"from base.{table} t where rowid >= ? and rowid < ?",
                    [start, start + _TOGETHER],
                ).fetchone()
                count, _, last = row or (0, None, None)
                rows += count
                if last is not None and last >= start + _TOGETHER:
                    tables.append((table, start + _TOGETHER))


def _missing_operations(connection: Connection) -> int:
    row = connection.execute(
        # With a remote only a part of the history is here, and what waits is no part of it.
        "select case when (select count(*) from base.remote) > 0 then 0 else "
        "abs((select seq from base.replica) - (select count(*) from base.operation)) end"
    ).fetchone()
    return 1 if row is None or row[0] is None else int(row[0])


def _examine_operations(opening: Opening, found: Examination) -> None:
    """Read all operations, and look for the documents that their verdicts tell of."""
    lost: dict[str, None] = {}
    start, last = 0, 1
    while start < last:
        with opening() as connection:
            rows = connection.execute(
                "select seq, bytes, verdict from base.operation where seq > ? and seq <= ? "
                "order by seq",
                [start, start + _OPERATIONS],
            ).fetchall()
            row = connection.execute(
                "select max(seq) from base.operation where seq < ?", [PENDING]
            ).fetchone()
            lost |= dict.fromkeys(_lost_documents(connection, _made(rows, found)))
        start += _OPERATIONS
        last = 0 if row is None or row[0] is None else row[0]
    found.lost += lost


def _made(rows: Iterable[tuple[int, str, str]], found: Examination) -> set[str]:
    """Return the documents that operations made or changed; note those that can't be read."""
    made: set[str] = set()
    for seq, data, verdict in rows:
        try:
            past = known_past(seq, data, verdict)
        except Damaged:
            found.malformed.append(seq)
            continue
        if past is not None and isinstance(past.verdict, Accepted):
            made |= past.verdict.documents.keys()
    return made


def _lost_documents(connection: Connection, made: set[str]) -> list[str]:
    rows = connection.execute(
        "select id from (select unnest(?::varchar[]) as id) m "
        "where not exists (select 1 from base.document d where d.id = try_cast(m.id as uuid))",
        [sorted(made)],
    ).fetchall()
    return [row[0] for row in rows]


def _examine_range(
    connection: Connection,
    scratch: Connection,
    found: Examination,
    alone: dict[int, list[str]],
    keys: tuple[int, int],
) -> None:
    """Examine a range of keys; note the documents without an operation here, by stream."""
    low, high = keys
    rows = connection.execute(
        "select d.key, d.id::varchar, d.stream, d.seq, d.body, o.verdict from base.document d "
        "left join base.operation o on o.seq = d.seq where d.key >= ? and d.key < ?",
        [low, high],
    ).fetchall()
    documents: dict[int, Document] = {}
    unreadable: list[int] = []
    for key, identity, stream, seq, body, verdict in rows:
        found.documents += 1
        document = readable(body)
        if document is not None and seq and verdict is None:
            alone.setdefault(stream, []).append(identity)
        elif document is None or (seq and not _is_vouched(identity, body, verdict)):
            found.unvouched.append(identity)
        if document is None:
            unreadable.append(key)
            found.unreadable.append(identity)
        else:
            documents[key] = document
    for table, column in _INDEXED:
        _probe_index(connection, table, column, low, high)
    found.texts += lost_texts(connection, documents.values()).values()
    found.lists += _wrong_lists(connection, documents, low, high)
    expected = projected(connection, documents)
    before = sum(found.differing.values())
    for table in PROJECTED:
        insert(scratch, table, expected[table])
        wanted = _spelled(scratch, table, -(2**62), 2**62, [])
        scratch.execute(f"delete from base.{table}")  # noqa: S608 -- a constant
        there = _spelled(connection, table, low, high, unreadable)
        count = max((wanted - there).total(), (there - wanted).total())
        if count:
            found.differing[table] = found.differing.get(table, 0) + count
    if sum(found.differing.values()) > before:
        found.ranges.append((low, high))


def _probe_index(connection: Connection, table: str, column: str, low: int, high: int) -> None:
    """Look rows up by an index, whose blocks no other query reads.

    Raises:
        Damaged: One is not found.
    """
    rows = connection.execute(
        f"select {column} from base.{table} where key >= ? and key < ? order by key",  # noqa: S608
        [low, high],
    ).fetchall()
    for (value,) in rows[::_PROBED]:
        found = connection.execute(
            f"select 1 from base.{table} where {column} = ?",  # noqa: S608 -- constants
            [value],
        ).fetchall()
        if value is not None and not found:
            raise Damaged(f"the index of {table} by {column} is damaged")


def _is_summed(connection: Connection, stream: int) -> bool:
    """Tell whether the accepted documents of a stream are those of which a remote told the sum."""
    row = connection.execute(
        "select documents, total from base.total where stream = ? "
        "and (select count(*) from base.remote) > 0",
        [stream],
    ).fetchone()
    bodies = connection.execute(
        f"select body from ({ACCEPTED}) where stream = ?",  # noqa: S608 -- a constant
        [stream],
    ).fetchall()
    accepted = [body.encode() for (body,) in bodies]
    return row is not None and row == (len(accepted), f"{total_of(accepted):016x}")


def _is_vouched(identity: str, body: str, verdict: str) -> bool:
    try:
        decided = decode_verdict(verdict.encode())
    except msgspec.DecodeError:
        return False
    digest = encoding.digest(body.encode())
    return isinstance(decided, Accepted) and decided.documents.get(identity) == digest


def _wrong_lists(
    connection: Connection, documents: dict[int, Document], low: int, high: int
) -> list[str]:
    versions = {key: one for key, one in documents.items() if one.kind == "version"}
    right: set[int] = set()
    result = connection.execute(
        "select version, path, size, executable, lower(hex(digest)) from base.file "
        "where version >= ? and version < ? order by version",
        [low, high],
    )
    entries: list[FileEntry] = []
    present: int | None = None
    while page := result.fetchmany(10_000):
        for version, *entry in page:
            if version != present:
                right |= _right(versions, present, entries)
                present, entries = version, []
            entries.append(FileEntry(*entry))
    right |= _right(versions, present, entries)
    return [one.id for key, one in versions.items() if key not in right]


def _right(
    versions: dict[int, Document], key: int | None, entries: Iterable[FileEntry]
) -> set[int]:
    """Return the key of a version whose list of files is the one that was captured."""
    if key is None or key not in versions:
        return set()
    return {key} if content_digest(entries) == versions[key].facts["digest"] else set()


def _spelled(
    connection: Connection, table: str, low: int, high: int, without: list[int]
) -> Counter[str]:
    """Return rows by their spelling, for NaN is not equal to itself; but those of some keys."""
    key = next(iter(COLUMNS[table]))
    rows = connection.execute(
        f"select * from base.{table} where {key} >= ? and {key} < ? "  # noqa: S608 -- constants
        f"and {key} not in (select unnest(?::bigint[]))",
        [low, high, without],
    ).fetchall()
    return Counter(map(repr, rows))
