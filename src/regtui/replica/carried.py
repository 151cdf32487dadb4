"""A carried registry: a database built from the records of a bundle, and verified.

The records come page by page and are written as they come; what is known of the history (links,
chains, signatures) is checked in passing by the `Ledger`. When all are there, sets are compared:

- every document is the one that the last verdict about it vouches for, and none is missing;
- every version has the list of files behind its content digest;
- every text has its digest, and none that a document names is missing; every line of the history
  has an operation and an entity.

Only then can the database take a registry's place, or its operations be handed to one. It is built
in a folder of its own, so whatever stops it leaves nothing behind.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core import chain, encoding
from regtui.core.bundle import (
    ActorRecord,
    DocumentRecord,
    EnrolmentRecord,
    FileRecord,
    HistoryRecord,
    OperationRecord,
    RegistryBundle,
    ReleasedRecord,
    TextRecord,
    check_actor,
    check_files,
    damaged,
)
from regtui.core.documents import decode_document, texts_of
from regtui.core.errors import BadInput
from regtui.core.identity import replica_id
from regtui.core.ledger import Ledger
from regtui.core.manifest import FileEntry, content_digest
from regtui.replica.database import ABOUT_VALUES, Connection, another
from regtui.replica.keys import verify_signature
from regtui.replica.rebuild import rebuild
from regtui.replica.tables import insert

_STAGING = """
    create temp table vouched (id uuid, seq bigint, digest varchar);
    create temp table held (id uuid, seq bigint, digest varchar);
    create temp table named (id uuid, seq bigint, digest varchar);
"""

_UNVOUCHED = """
    select count(*)
      from held h
      full join (
           select id, max(seq) as seq, arg_max(digest, seq) as digest from vouched group by id
           ) v on v.id = h.id
     where v.digest is distinct from h.digest or v.seq is distinct from h.seq
"""

_LOST = """
    select count(*) from named where digest not in (select digest from base.text)
"""

_TWICE = "select count(*) - count(distinct id) from base.operation"

_HISTORY = """
    insert into base.log
    select r[2]::bigint, o.id, a.key, o.bytes ->> '$.via',
           cast(o.verdict ->> '$.now' as bigint) // 1000, d.key, r[4], r[5], r[6], r[7], r[8], r[9]
      from (select unnest(from_json(?, '[["varchar"]]')) as r)
      join base.operation o on o.seq = r[2]::bigint
      join base.actor a on a.id = cast(o.bytes ->> '$.actor' as uuid)
      join base.document d on d.id = r[3]::uuid
     order by r[1]::bigint
"""

_FILES = """
    insert into base.file
    select d.key, r[3], r[4]::bigint, r[5]::boolean, unhex(r[6])
      from (select unnest(from_json(?, '[["varchar"]]')) as r)
      join base.document d on d.id = r[2]::uuid and d.kind = 'version'
     order by r[1]::bigint
"""

_RELEASED = """
    insert into base.released
    select d.key, r[3]::bigint
      from (select unnest(from_json(?, '[["varchar"]]')) as r)
      join base.document d on d.id = r[2]::uuid and d.kind = 'version'
     order by r[1]::bigint
"""

_FILE_ROWS = 5_000


class CarriedRegistry:
    """A registry that is being built from records.

    Args:
        connection: An empty database with the present schema; nothing else uses it.
        bundle: What the registry says of itself.
        shown: What it is read from, for errors.
    """

    def __init__(self, connection: Connection, bundle: RegistryBundle, shown: str) -> None:
        self._connection = connection
        self._bundle = bundle
        self._shown = shown
        self._keys: dict[str, bytes] = {}
        self._actors: set[str] = set()
        self._streams: dict[str, int] = {}
        self._next_key = 1
        self._ledger = Ledger(bundle.registry, self._keys, verify_signature, shown)
        self._sections: dict[str, Callable[[Sequence[Any]], None]] = {
            "actors": self._add_actors,
            "enrolments": self._add_enrolments,
            "operations": self._add_operations,
            "documents": self._add_documents,
            "history": self._add_history,
            "texts": self._add_texts,
            "files": self._add_files,
            "released": self._add_released,
        }
        connection.execute(_STAGING)

    def add(self, section: str, records: Sequence[Struct]) -> None:
        """Take in a page.

        Raises:
            Damaged: A record contradicts the others or itself.
            BadInput: A newer program made it.
        """
        self._connection.execute("begin")
        try:
            self._sections[section](records)
        except ABOUT_VALUES:
            raise damaged(self._shown, f"its {section} hold what is no value there") from None
        self._connection.execute("commit")

    def finish(self) -> None:
        """Compare the sets, write what counts the registry, and make the typed tables.

        Raises:
            Damaged: Something is missing, or is not what is vouched for.
        """
        self._ledger.finish(self._bundle.head, self._bundle.link)
        if _count(self._connection, _TWICE):
            raise damaged(self._shown, "an operation is there twice")
        unvouched = _count(self._connection, _UNVOUCHED)
        if unvouched:
            raise damaged(self._shown, f"{unvouched} documents are not what was decided")
        lost = _count(self._connection, _LOST)
        if lost:
            raise damaged(self._shown, f"{lost} texts that its documents name are missing")
        for identity in self._wrong_lists():
            raise damaged(self._shown, f"the version {identity} has another list of files")
        self._connection.execute("drop table vouched; drop table held; drop table named")
        self._write_counters()
        self._project()

    def _add_actors(self, records: Sequence[ActorRecord]) -> None:
        for record in records:
            check_actor(record, self._shown)
            if record.id in self._actors:
                raise damaged(self._shown, f"{record.name!r} is there twice")
            self._actors.add(record.id)
        insert(self._connection, "actor", [(self._key(), one.id, one.name) for one in records])

    def _add_enrolments(self, records: Sequence[EnrolmentRecord]) -> None:
        for record in records:
            try:
                public = bytes.fromhex(record.public_key)
            except ValueError:
                public = b""
            known = record.replica in self._keys
            if known or replica_id(public) != record.replica or not 0 <= record.created < 2**62:
                raise damaged(self._shown, f"the key of {record.replica} is not its own")
            self._keys[record.replica] = public
        insert(
            self._connection,
            "enrolment",
            [(one.replica, one.public_key, one.created) for one in records],
        )

    def _add_operations(self, records: Sequence[OperationRecord]) -> None:
        operations, signatures, undone, vouched = [], [], [], []
        for record in records:
            step = self._ledger.follow(record)
            operation = step.operation
            if operation.actor not in self._actors:
                raise damaged(self._shown, f"nobody made the operation {operation.id}")
            if operation.stream not in self._streams:
                self._streams[operation.stream] = self._key()
            stream = self._streams[operation.stream]
            links = (step.link.hex(), step.stream_link.hex())
            operations.append(
                (record.seq, operation.id, stream, record.operation, record.verdict, *links)
            )
            signatures += [
                (record.seq, one.replica, one.n, one.signature) for one in record.signatures
            ]
            if operation.undoes is not None:
                undone.append((record.seq, operation.id, operation.undoes))
            vouched += [
                (identity, record.seq, digest)
                for identity, digest in step.verdict.documents.items()
            ]
        for table, rows in (
            ("operation", operations),
            ("signature", signatures),
            ("undo", undone),
        ):
            insert(self._connection, table, rows)
        self._stage("vouched", vouched)

    def _add_documents(self, records: Sequence[DocumentRecord]) -> None:
        rows, held, named = [], [], []
        for record in records:
            try:
                document = decode_document(record.document)
            except (msgspec.DecodeError, RecursionError):
                raise damaged(self._shown, "a document is malformed") from None
            stream = self._streams.get(document.stream)
            if stream is None:
                raise damaged(self._shown, f"nothing made the document {document.id}")
            rows.append(
                (self._key(), document.id, document.kind, stream, document.seq, record.document)
            )
            held.append((document.id, document.seq, encoding.digest(record.document.encode())))
            named += [(document.id, document.seq, digest) for digest in texts_of(document)]
        # First compared with what is vouched for: what is not is no UUID either.
        self._stage("held", held)
        self._stage("named", named)
        insert(self._connection, "document", rows)

    def _add_history(self, records: Sequence[HistoryRecord]) -> None:
        rows = [
            (place, r.seq, r.entity, r.kind, r.path, r.before, r.after, r.result, r.reason)
            for place, r in enumerate(records)
        ]
        self._insert_joined(_HISTORY, rows, "a line of its history is of nothing")

    def _add_texts(self, records: Sequence[TextRecord]) -> None:
        for record in records:
            if encoding.digest(record.text.encode()) != record.digest:
                raise damaged(self._shown, f"the text {record.digest} is another one")
        insert(self._connection, "text", [(one.digest, one.text) for one in records])

    def _add_files(self, records: Sequence[FileRecord]) -> None:
        rows = [
            (place, r.version, r.path, r.size, "true" if r.executable else "false", r.digest)
            for place, r in enumerate(records)
        ]
        self._insert_joined(_FILES, rows, "a file is of no version")

    def _add_released(self, records: Sequence[ReleasedRecord]) -> None:
        if any(not 0 <= record.since < 2**62 for record in records):
            raise damaged(self._shown, "the time of a release is out of range")
        rows = [(place, r.version, r.since) for place, r in enumerate(records)]
        self._insert_joined(_RELEASED, rows, "what was released is no version")

    def _insert_joined(self, statement: str, rows: Sequence[tuple[Any, ...]], lost: str) -> None:
        """Insert rows that find all they refer to; each refers to exactly one of everything."""
        for start in range(0, len(rows), _FILE_ROWS):
            page = rows[start : start + _FILE_ROWS]
            inserted = _count(self._connection, statement, [encoding.encode(page).decode()])
            if inserted != len(page):
                raise damaged(self._shown, lost)

    def _stage(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), _FILE_ROWS):
            page = encoding.encode(rows[start : start + _FILE_ROWS]).decode()
            self._connection.execute(
                f"insert into {table} select r[1]::uuid, r[2]::bigint, r[3] "  # noqa: S608
                "from (select unnest(from_json(?, '[[\"varchar\"]]')) as r)",
                [page],
            )

    def _wrong_lists(self) -> Iterator[str]:
        """Yield the versions whose files are not those behind their content digest."""
        connection = another(self._connection)
        wanted = connection.execute(
            "select key, id::varchar, body ->> '$.facts.digest' from base.document "
            "where kind = 'version' order by key"
        )
        files = another(self._connection).execute(
            "select version, path, size, executable, lower(hex(digest)) from base.file "
            "order by version"
        )
        lists = _grouped(files)
        found = next(lists, None)
        while row := wanted.fetchone():
            key, identity, digest = row
            if found is None or found[0] != key or not _is_list(found[1], digest):
                yield identity
                return
            found = next(lists, None)

    def _write_counters(self) -> None:
        """Write what a registry counts. Who it is and since when is for `adopt`."""
        streams = [
            (self._streams[name], name, one.head, one.count, one.link.hex(), one.last_number)
            for name, one in self._ledger.streams.items()
        ]
        self._connection.execute("begin")
        insert(self._connection, "stream", streams)
        self._connection.execute(
            "insert into base.replica values (?, ?, 0, 0, ?, ?, ?, ?, ?)",
            [
                replica_id(b""),
                self._bundle.registry,
                chain.GENESIS,
                self._ledger.clock,
                self._ledger.seq,
                self._ledger.link,
                self._next_key,
            ],
        )
        self._connection.execute("commit")

    def _project(self) -> None:
        try:
            unreadable = rebuild(self._connection).unreadable
        except ABOUT_VALUES:
            unreadable = [""]
        if unreadable:  # whoever vouched for it
            raise damaged(self._shown, "a document lacks what every one of its kind has")

    def _key(self) -> int:
        key = self._next_key
        self._next_key += 1
        return key


def _count(connection: Connection, statement: str, parameters: list[Any] | None = None) -> int:
    row = connection.execute(statement, parameters or []).fetchone()
    return 0 if row is None else int(row[0])


def _grouped(files: Connection) -> Iterator[tuple[int, list[FileEntry]]]:
    present: int | None = None
    entries: list[FileEntry] = []
    while page := files.fetchmany(10_000):
        for version, *entry in page:
            if present is not None and version != present:
                yield present, entries
                entries = []
            present = version
            entries.append(FileEntry(*entry))
    if present is not None:
        yield present, entries


def _is_list(entries: list[FileEntry], digest: str) -> bool:
    try:
        check_files(entries)
    except BadInput:
        return False
    return content_digest(entries) == digest
