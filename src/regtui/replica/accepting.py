"""Accepting: what came down takes its place under what still waits.

The end of a walk is one transaction: what waiting operations showed is taken back, so that the
state is the accepted one; pages that were staged are applied, streams that may not be read any more
go; then every operation that still waits is judged again on top. Sums are compared with the
server's, and a stream that differs is read anew.
"""

from collections.abc import Container, Iterable, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from regtui.core.documents import Document, decode_document
from regtui.core.encoding import encode
from regtui.core.manifest import FileEntry
from regtui.replica.database import Connection, make_room
from regtui.replica.hidden_captures import hidden_keys
from regtui.replica.projection import Rows, changed_tables, mentioned, project, tables_of
from regtui.replica.remote import PENDING
from regtui.replica.tables import COLUMNS, Row, insert
from regtui.replica.texts import forget_unnamed, keep
from regtui.wire.messages import Answer, Entry, Item, Sum
from regtui.wire.statements import moved

MANY = 100_000
"""Documents from which a walk needs more memory than other transactions."""

EVERY = "*"
"""Stands for all streams."""


class Brought(Struct):
    """What a walk brought.

    Attributes:
        documents: How many came.
        purged: How many went, because they may not be read any more.
        kept: Stored files of these that were never sent.
        wrong: Streams whose sum is not the server's.
        resets: Whether streams were read from their beginning.
    """

    documents: int = 0
    purged: int = 0
    kept: int = 0
    wrong: list[str] = []
    resets: bool = False


class Accepting:
    """Puts the answers of one walk into a replica, inside the caller's transaction.

    Args:
        connection: The open replica.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        row = connection.execute("select next_key from base.replica").fetchone()
        self._next = 1 if row is None else int(row[0])
        self._keys: dict[str, int] = {}
        self._streams: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._totals: dict[int, list[int]] = {}
        self._dropped: dict[int, list[int]] = {}
        self._is_new = False
        self.result = Brought()

    @property
    def keys(self) -> dict[str, int]:
        """The local keys of what was met so far, also of what is not here any more."""
        return self._keys

    def take(self, answers: Iterable[Answer]) -> Answer:
        """Apply the pages of a walk, in their order; return the last one, which ends it.

        Raises:
            ValueError: There is none.
        """
        self.take_back()
        self._is_new = self._holds_nothing()
        last: Answer | None = None
        for answer in answers:
            last = answer
            for stream in answer.resets:
                self.result.resets = True
                self._drop(None if stream == EVERY else [stream])
            self._names.update(answer.names)
            self._apply(answer)
        if last is None:
            raise ValueError("a walk has a page")
        if last.streams is not None and last.streams != [EVERY]:
            self._purge(set(last.streams))
        self._write_totals()
        self._compare(last.sums)
        self._connection.execute("update base.replica set next_key = ?", [self._next])
        return last

    def take_history(self, entries: Sequence[Entry], names: dict[str, str]) -> None:
        """Keep older operations, which change no document.

        Args:
            entries: Of streams that are here.
            names: Name of each user, by id.
        """
        self._names.update(names)
        self._keep_log(entries)
        self._connection.execute("update base.replica set next_key = ?", [self._next])

    def leave_accepted(self) -> None:
        """Leave the accepted state, for what waits to be shown anew on top of it."""
        self.take_back()
        self._connection.execute("update base.replica set next_key = ?", [self._next])

    def take_back(self) -> None:
        """Leave the accepted state, without what waiting operations showed."""
        run = self._connection.execute
        run("delete from base.log where seq >= ?", [PENDING])
        run("delete from base.undo where seq >= ?", [PENDING])
        run("delete from base.operation where seq >= ?", [PENDING])
        self._keys.update(hidden_keys(self._connection))
        rows = run("select id::varchar, body from base.shadow").fetchall()
        if not rows:
            return
        keys = dict(
            run(
                "select d.id::varchar, d.key from base.document d join base.shadow s on s.id = d.id"
            ).fetchall()
        )
        self._delete_rows(list(keys.values()))
        self._keys.update(keys)
        bodies = [body for _, body in rows if body is not None]
        self._insert_documents([decode_document(body) for body in bodies], bodies)
        run("delete from base.shadow")

    def _holds_nothing(self) -> bool:
        """Tell whether the replica is new: nothing is here of what a page brings.

        Then all that is here while the walk is applied came with it, and has its key in `_keys`:
        most look-ups are over before they begin.
        """
        if not holds_nothing(self._connection):
            return False
        actors = self._connection.execute("select id::varchar, key from base.actor").fetchall()
        self._keys.update(actors)
        return True

    def _maybe_here(self, identities: Iterable[str]) -> list[str]:
        """Return those of which something may be here already."""
        if self._is_new:
            return [one for one in identities if one in self._keys]
        return list(identities)

    def _apply(self, answer: Answer) -> None:
        """Apply a page."""
        data = [bytes(item.doc) for item in answer.docs]
        documents = [decode_document(one) for one in data]
        self.result.documents += len(data)
        if self.result.documents > MANY:
            make_room(self._connection, self.result.documents)
        here = set(self._maybe_here(document.id for document in documents))
        before = self._bodies(here)
        self._delete_rows([key for key, _ in before.values()])
        self._insert_documents(documents, [one.decode() for one in data])
        streams = dict.fromkeys(document.stream for document in documents)
        totals = {one: self._total(self._stream(one)) for one in streams}
        for document, body in zip(documents, data, strict=True):
            old = before.get(document.id)
            total = totals[document.stream]
            total[0] += old is None
            total[1] = moved(total[1], None if old is None else old[1].encode(), body)
        self._keep_certificates(documents, answer.docs, here)
        self._keep_texts(answer, documents, here)
        self._keep_log(answer.log)

    def _insert_documents(self, documents: Sequence[Document], bodies: Sequence[str]) -> None:
        """Write documents whose rows are not there."""
        self._find_keys(documents)
        rows: Rows = {}
        stored = rows.setdefault("document", [])
        tables = {document.kind: changed_tables(None, document) for document in documents}
        for document, body in zip(documents, bodies, strict=True):
            key, stream = self._key(document.id), self._stream(document.stream)
            stored.append((key, document.id, document.kind, stream, document.seq, body))
            made = project(key, document, self._key, tables[document.kind])
            for table, found in made.items():
                if found:
                    rows.setdefault(table, []).extend(found)
        for table, found in rows.items():
            insert(self._connection, table, found)

    def _bodies(self, identities: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Return key and body of the documents that newer ones take the place of."""
        ids = list(identities)
        if not ids:
            return {}
        rows = self._connection.execute(
            "select id::varchar, key, body from base.document "
            "where id in (select unnest(?::uuid[]))",
            [ids],
        ).fetchall()
        self._keys.update({one: key for one, key, _ in rows})
        return {one: (key, body) for one, key, body in rows}

    def _delete_rows(self, keys: Sequence[int]) -> None:
        """Delete documents and what follows from them; files of versions stay."""
        if not keys:
            return
        run, named = self._connection.execute, [list(keys)]
        kinds = run(
            "select distinct kind from base.document where key in (select unnest(?::bigint[]))",
            named,
        ).fetchall()
        for table in ("document", *tables_of(kind for (kind,) in kinds)):
            column = next(iter(COLUMNS[table]))
            run(
                f"delete from base.{table} "  # noqa: S608 -- constants
                f"where {column} in (select unnest(?::bigint[]))",
                named,
            )

    def _drop(self, streams: Sequence[str] | None) -> None:
        """Delete everything that was accepted of streams; None for all of them."""
        run = self._connection.execute
        if streams is None:
            keys = [row[0] for row in run("select key from base.stream").fetchall()]
        else:
            keys = [
                row[0]
                for row in run(
                    "select key from base.stream where id in (select unnest(?::varchar[]))",
                    [list(streams)],
                ).fetchall()
            ]
        if not keys:
            return
        # What comes again has the key that it had, and so its files. What does not may have to be
        # purged, with everything that hangs on its key.
        kinds = set()
        for identity, key, stream, kind in run(
            "select id::varchar, key, stream, kind from base.document "
            "where stream in (select unnest(?::bigint[]))",
            [keys],
        ).fetchall():
            self._keys[identity] = key
            self._dropped.setdefault(stream, []).append(key)
            kinds.add(kind)
        for table in tables_of(kinds):
            column = next(iter(COLUMNS[table]))
            run(
                f"delete from base.{table} where {column} in (select key from base.document "  # noqa: S608 -- constants
                "where stream in (select unnest(?::bigint[])))",
                [keys],
            )
        run("delete from base.document where stream in (select unnest(?::bigint[]))", [keys])
        run(
            "delete from base.log where seq in (select seq from base.operation "
            "where stream in (select unnest(?::bigint[])))",
            [keys],
        )
        run(
            "delete from base.undo where seq in (select seq from base.operation "
            "where stream in (select unnest(?::bigint[])))",
            [keys],
        )
        run("delete from base.operation where stream in (select unnest(?::bigint[]))", [keys])
        run("delete from base.total where stream in (select unnest(?::bigint[]))", [keys])
        for key in keys:
            self._totals.pop(key, None)

    def _purge(self, readable: set[str]) -> None:
        """Let nothing stay of streams that may not be read any more."""
        run = self._connection.execute
        names = dict(run("select id, key from base.stream").fetchall())
        gone = {name: key for name, key in names.items() if name not in readable}
        keys = list(gone.values())
        self._drop(list(gone))
        # They may have been dropped before, by a walk that began anew, and what hangs on them is
        # here all the same.
        documents = {one for key in keys for one in self._dropped.get(key, ())}
        texts = run(
            "select 1 from base.text_of where stream in (select unnest(?::bigint[])) limit 1",
            [keys],
        ).fetchone()
        if not documents and texts is None:
            return
        self.result.purged += len(documents)
        self._purge_files(documents)
        self._purge_texts(gone)

    def _purge_files(self, documents: set[int]) -> None:
        """Let go of files and certificates of versions that went, by the keys that they had.

        Stored files that nobody else has stay where they are: whoever captured them may have no
        other copy. That nothing names them any more, `gc` sees to.
        """
        run = self._connection.execute
        versions = sorted(documents)
        own = {
            row[0]
            for row in run(
                "select distinct lower(hex(f.digest)) from base.file f "
                "join base.unsent u on u.version = f.version "
                "where f.version in (select unnest(?::bigint[]))",
                [versions],
            ).fetchall()
        }
        self.result.kept += len(own)
        digests = [
            row[0]
            for row in run(
                "select distinct lower(hex(digest)) from base.file "
                "where version in (select unnest(?::bigint[]))",
                [versions],
            ).fetchall()
        ]
        for table in ("file", "released", "unsent"):
            run(
                f"delete from base.{table} where version in (select unnest(?::bigint[]))",  # noqa: S608
                [versions],
            )
        run(
            "delete from base.certificate where version in (select unnest(?::uuid[]))",
            [[identity for identity, key in self._keys.items() if key in documents]],
        )
        unneeded = [
            row[0]
            for row in run(
                "select d from (select unnest(?::varchar[]) as d) "
                "where unhex(d) not in (select digest from base.file)",
                [digests],
            ).fetchall()
        ]
        run(
            "insert into base.purged select unnest(?::varchar[]) union all select null",
            [[one for one in unneeded if one not in own]],
        )
        for table in ("tensor", "piece"):
            run(
                f"delete from base.{table} where layout in (select key from base.layout "  # noqa: S608
                "where lower(hex(digest)) in (select unnest(?::varchar[])))",
                [unneeded],
            )
        run(
            "delete from base.layout where lower(hex(digest)) in (select unnest(?::varchar[]))",
            [unneeded],
        )

    def _purge_texts(self, gone: dict[str, int]) -> None:
        """Let go of texts that only such streams name; `gone` has their keys by id."""
        run, keys = self._connection.execute, list(gone.values())
        run(
            "delete from base.text where digest in (select digest from base.text_of "
            "where stream in (select unnest(?::bigint[]))) and digest not in "
            "(select digest from base.text_of where stream not in (select unnest(?::bigint[])))",
            [keys, keys],
        )
        run("delete from base.text_of where stream in (select unnest(?::bigint[]))", [keys])
        forget_unnamed(self._connection, gone)

    def _keep_certificates(
        self, documents: Sequence[Document], items: Sequence[Item], here: Container[str]
    ) -> None:
        rows = [
            (document.id, item.certificate)
            for document, item in zip(documents, items, strict=True)
            if item.certificate is not None
        ]
        earlier = [one for one, _ in rows if one in here]
        if earlier:
            self._connection.execute(
                "delete from base.certificate where version in (select unnest(?::uuid[]))",
                [earlier],
            )
        insert(self._connection, "certificate", rows)

    def _keep_texts(
        self, answer: Answer, documents: Sequence[Document], here: Container[str]
    ) -> None:
        """Keep texts and the lists of files of versions."""
        values = {text.digest: text.value for text in answer.texts}
        named = dict.fromkeys((text.stream, text.digest) for text in answer.texts)
        rows = [(self._stream(stream), digest) for stream, digest in named]
        lists: set[str] = set()
        new = [(self._key(d.id), str(d.facts["digest"])) for d in documents if d.kind == "version"]
        files: list[Row] = []
        having = self._versions_with_files(
            [self._key(d.id) for d in documents if d.kind == "version" and d.id in here]
        )
        earlier = self._earlier_texts(
            {digest for key, digest in new if key not in having and digest not in values}
        )
        without: list[int] = []
        for key, digest in new:
            text = values.get(digest) or earlier.get(digest)
            if text is not None:
                lists.add(digest)
            if key in having:
                continue
            if text is None:
                without.append(key)
                continue
            files += [
                (key, e.path, e.size, "true" if e.executable else "false", e.digest)
                for e in _files.decode(text)
            ]
        insert(self._connection, "file", files)
        # Their bytes are on the server, and missed by nobody until they are fetched.
        fetched = {file[0] for file in files}
        self._connection.execute(
            "insert into base.released select unnest(?::bigint[]), 0", [sorted(fetched)]
        )
        self._copy_files(without)
        keep(
            self._connection,
            [(digest, text) for digest, text in values.items() if digest not in lists],
        )
        self._name_texts(rows)

    def _name_texts(self, rows: Sequence[tuple[int, str]]) -> None:
        """Note which streams name which texts; a stream that comes anew names them again."""
        if not rows:
            return
        self._connection.execute(
            "insert into base.text_of "
            "select n.stream, n.digest from (select unnest(?::bigint[]) as stream, "
            "unnest(?::varchar[]) as digest) n "
            "anti join base.text_of t on t.stream = n.stream and t.digest = n.digest",
            [[stream for stream, _ in rows], [digest for _, digest in rows]],
        )

    def _earlier_texts(self, digests: set[str]) -> dict[str, str]:
        """Return lists of files that came on an earlier page than their versions."""
        if not digests:
            return {}
        rows = self._connection.execute(
            "select digest, value from base.text where digest in (select unnest(?::varchar[]))",
            [sorted(digests)],
        ).fetchall()
        return dict(rows)

    def _versions_with_files(self, keys: Sequence[int]) -> set[int]:
        if not keys:
            return set()
        rows = self._connection.execute(
            "select distinct version from base.file where version in (select unnest(?::bigint[]))",
            [list(keys)],
        ).fetchall()
        return {row[0] for row in rows}

    def _copy_files(self, keys: Sequence[int]) -> None:
        """Give versions the list of files of another one with the same content."""
        if not keys:
            return
        self._connection.execute(
            "insert into base.file "
            "select v.key, f.path, f.size, f.executable, f.digest from base.version v "
            "join (select digest, min(key) as key from base.version "
            "  where key in (select distinct version from base.file) group by digest) o "
            "on o.digest = v.digest "
            "join base.file f on f.version = o.key "
            "where v.key in (select unnest(?::bigint[])) "
            "and v.key not in (select distinct version from base.file)",
            [list(keys)],
        )

    def _keep_log(self, log: Sequence[Entry]) -> None:
        if not log:
            return
        seqs = [entry.seq for entry in log]
        for table in ("operation", "log", "undo"):
            self._connection.execute(
                f"delete from base.{table} where seq in (select unnest(?::bigint[]))",  # noqa: S608
                [seqs],
            )
        operations, lines, undone = [], [], []
        decoded = [(entry, *_headers(entry)) for entry in log]
        self._find_ids({row.entity for entry in log for row in entry.rows})
        self._find_ids({made.actor for _, made, _ in decoded})
        for entry, made, decided in decoded:
            operations.append(
                (
                    entry.seq,
                    decided.op,
                    self._stream(entry.stream),
                    bytes(entry.op).decode(),
                    bytes(entry.verdict).decode(),
                    "",
                    entry.link,
                )
            )
            actor = self._key(made.actor)
            lines += [
                (
                    entry.seq,
                    decided.op,
                    actor,
                    made.via,
                    decided.now // 1000,
                    self._key(row.entity),
                    row.kind,
                    row.path,
                    None if row.before is None else encode(row.before).decode(),
                    None if row.after is None else encode(row.after).decode(),
                    row.result,
                    None,
                )
                for row in entry.rows
            ]
            if made.undoes is not None:
                undone.append((entry.seq, decided.op, made.undoes))
        insert(self._connection, "operation", operations)
        insert(self._connection, "log", lines)
        insert(self._connection, "undo", undone)

    def _compare(self, sums: dict[str, Sum]) -> None:
        """Find the streams whose documents are not those of the server."""
        for name, known in sums.items():
            total = self._total(self._stream(name))
            found = (total[0], f"{total[1]:016x}")
            if found != (known.count, known.total):
                self.result.wrong.append(name)

    def _total(self, stream: int) -> list[int]:
        if stream not in self._totals:
            row = self._connection.execute(
                "select documents, total from base.total where stream = ?", [stream]
            ).fetchone()
            self._totals[stream] = [0, 0] if row is None else [int(row[0]), int(row[1], 16)]
        return self._totals[stream]

    def _write_totals(self) -> None:
        if not self._totals:
            return
        self._connection.execute(
            "delete from base.total where stream in (select unnest(?::bigint[]))",
            [list(self._totals)],
        )
        insert(
            self._connection,
            "total",
            [(key, count, f"{total:016x}") for key, (count, total) in self._totals.items()],
        )

    def _find_keys(self, documents: Sequence[Document]) -> None:
        """Look up the keys of everything that documents mention."""
        found = {document.id for document in documents}
        self._find_ids(found.union(*map(mentioned, documents)))

    def _find_ids(self, identities: set[str]) -> None:
        wanted = [one for one in identities if one not in self._keys]
        if not wanted:
            return
        if not self._is_new:
            rows = self._connection.execute(
                "select id::varchar, key from base.document where id in (select unnest(?::uuid[])) "
                "union all "
                "select id::varchar, key from base.actor where id in (select unnest(?::uuid[]))",
                [wanted, wanted],
            ).fetchall()
            self._keys.update(rows)
        unknown = [one for one in wanted if one not in self._keys and one in self._names]
        insert(
            self._connection, "actor", [(self._key(one), one, self._names[one]) for one in unknown]
        )

    def _key(self, identity: str) -> int:
        if identity not in self._keys:
            self._keys[identity] = self._next
            self._next += 1
        return self._keys[identity]

    def _stream(self, name: str) -> int:
        if name not in self._streams:
            row = self._connection.execute(
                "select key from base.stream where id = ?", [name]
            ).fetchone()
            if row is None:
                key = self._next
                self._next += 1
                insert(self._connection, "stream", [(key, name, 0, 0, "00" * 32, 0)])
            else:
                key = int(row[0])
            self._streams[name] = key
        return self._streams[name]


def holds_nothing(connection: Connection) -> bool:
    """Tell whether nothing is in a replica of what pages bring."""
    row = connection.execute(
        "select not exists (from base.document) and not exists (from base.file) "
        "and not exists (from base.certificate)"
    ).fetchone()
    return row is not None and bool(row[0])


class _Made(Struct):
    """What the history tells of an operation, whatever its kind; newer programs may say less."""

    actor: str = str(UUID(int=0))
    via: str = ""
    undoes: str | None = None


class _Decided(Struct):
    op: str
    now: int


def _headers(entry: Entry) -> tuple[_Made, _Decided]:
    """Return what the history tells of an operation and of its verdict."""
    try:
        made = _made.decode(bytes(entry.op))
    except msgspec.DecodeError:
        made = _Made()
    return made, _decided.decode(bytes(entry.verdict))


_made = msgspec.json.Decoder(_Made)
_decided = msgspec.json.Decoder(_Decided)
_files = msgspec.json.Decoder(list[FileEntry])
