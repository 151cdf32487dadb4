"""Audit: everything that vouches for the registry, recomputed from the stored bytes.

Operations are walked in order, a page at a time: their sequence has no gap; each fits its
replica's chain (`n`, `prev`), where operations of another replica may be missing, or stand behind
their successors (`regtui.core.replica_chain`); the links of registry and streams follow; signatures
hold over the tip and the link of their moment; history rows name the operation that they belong to.
What the verdicts vouch for is put beside what stands: documents (and through them the lists of
files) and texts. Last come the heads.

Pages are read in units of their own, so that writers get their turn: operations never change, and a
document that was written after the walk is compared with its own operation. What is remembered is
bounded: heads by stream and replica in memory, digests by document in a scratch database that
spills to the disk.

After a mismatch the walk goes on from what is stored, so that one damage is told once or twice and
not of everything behind it.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core import chain, encoding
from regtui.core.documents import Document, decode_document
from regtui.core.errors import BadInput
from regtui.core.identity import replica_id, user_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import Operation, UnknownKind, decode_operation
from regtui.core.replica_chain import Fit, ReplicaChain
from regtui.core.verdicts import Accepted, Verdict, decode_verdict
from regtui.replica.database import Connection, configuration, duckdb, quoted, translated
from regtui.replica.keys import verify_signature
from regtui.replica.texts import lost_texts

OPERATIONS_PAGE = 2_000
DOCUMENTS_PAGE = 2_000
FILES_PAGE = 20_000
TEXT_BYTES = 8 << 20
PROBLEMS_LIMIT = 100
"""Problems that are told; of more only the count."""

_MALFORMED = (BadInput, UnknownKind, msgspec.MsgspecError, UnicodeError, KeyError, TypeError)


class Problem(Struct, frozen=True, kw_only=True):
    """Something that is not what it was.

    Attributes:
        kind: `operation`, `document`, `text`, `files`, `history`, `actor`, `signature`,
            `enrolment`, `stream`, `replica` or `anchor`.
        name: Which: `#42` for an operation, else an id.
        problem: What is wrong with it.
    """

    kind: str
    name: str
    problem: str


class Findings:
    """What an audit found: problems, and how much it looked at."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0
        self.operations = 0
        self.documents = 0
        self.texts = 0
        self.files = 0
        self.signatures = 0

    def add(self, kind: str, name: str, problem: str) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.problems) < PROBLEMS_LIMIT:
            self.problems.append(Problem(kind=kind, name=name, problem=problem))


class Range(Struct, frozen=True):
    """Sequence numbers, both included."""

    first: int
    last: int


class _Chain(Struct):
    """The chain of one replica, as far as it was walked.

    Attributes:
        known: Its operations.
        gap: The first operation since its last signature that stands after a gap.
        unsigned: Operations since its last signature.
    """

    known: ReplicaChain = msgspec.field(default_factory=ReplicaChain)
    gap: int | None = None
    unsigned: list[Range] = []


class _Head(Struct):
    """A stream, as far as it was walked."""

    id: str
    head: int = 0
    count: int = 0
    link: bytes = chain.FIRST_LINK
    last_number: int = 0


class Walk:
    """The walk over all operations.

    Args:
        findings: Where problems are noted.
        scratch: Keeps which documents the verdicts vouch for.
        anchor: Sequence number and link that the history has to have; None without one.
    """

    def __init__(
        self, findings: Findings, scratch: "Scratch", anchor: tuple[int, bytes] | None
    ) -> None:
        self.seq = 0
        self.link = chain.FIRST_LINK
        self._findings = findings
        self._scratch = scratch
        self._anchor = anchor
        self._now = 0
        self._signed = 0
        self._chains: dict[str, _Chain] = {}
        self._streams: dict[int, _Head] = {}
        self._registry = ""
        self._keys: dict[str, bytes] = {}
        self._first_signed: dict[str, int] = {}
        if anchor is not None and anchor[0] == 0:
            self._check_anchor(chain.FIRST_LINK)

    def step(self, connection: Connection) -> bool:
        """Walk over a page; False where there was none, and then the heads were compared."""
        self._registry = str(_row(connection, "select registry::varchar from base.replica")[0])
        self._keys = dict(
            connection.execute("select replica::varchar, public_key from base.enrolment").fetchall()
        )
        rows = connection.execute(
            "select o.seq, o.id::varchar, o.stream, s.id, o.bytes, o.verdict, o.link, "
            "o.stream_link from base.operation o left join base.stream s on s.key = o.stream "
            "where o.seq > ? order by o.seq limit ?",
            [self.seq, OPERATIONS_PAGE],
        ).fetchall()
        if not rows:
            self._compare_heads(connection)
            return False
        signatures = _by_seq(
            connection.execute(
                "select seq, replica::varchar, n, signature from base.signature "
                "where seq between ? and ?",
                [rows[0][0], rows[-1][0]],
            ).fetchall()
        )
        history = _by_seq(
            connection.execute(
                "select l.seq, l.operation::varchar, l.via, l.time, a.id::varchar, d.id::varchar, "
                "l.result from base.log l left join base.actor a on a.key = l.actor "
                "left join base.document d on d.key = l.entity where l.seq between ? and ?",
                [rows[0][0], rows[-1][0]],
            ).fetchall()
        )
        for row in rows:
            self._take(row, history.get(row[0], []))
            for signature in signatures.get(row[0], []):
                self._check_signature(*signature)
        self._scratch.flush()
        return True

    def unsigned(self) -> list[Range]:
        """Return the operations that the replica that made them never signed here, in order."""
        found = sorted((r.first, r.last) for one in self._chains.values() for r in one.unsigned)
        merged: list[Range] = []
        for first, last in found:
            if merged and first <= merged[-1].last + 1:
                merged[-1] = Range(merged[-1].first, max(last, merged[-1].last))
            else:
                merged.append(Range(first, last))
        return merged

    def _take(self, row: tuple[Any, ...], history: Sequence[tuple[Any, ...]]) -> None:
        seq, identity, stream, stream_id, data, sealed, stored, stream_stored = row
        name = f"#{seq}"
        if seq != self.seq + 1:
            missing = "is there twice" if seq == self.seq else f"comes after #{self.seq}"
            self._findings.add("operation", name, f"it {missing}, the sequence is broken")
        self._findings.operations += 1
        self.seq = seq
        head = self._streams.setdefault(stream, _Head(stream_id or ""))
        expected = chain.link(self.link, data.encode(), sealed.encode())
        in_stream = chain.link(head.link, data.encode(), sealed.encode())
        if (stored, stream_stored) != (expected, in_stream):
            self._findings.add(
                "operation", name, "its bytes, its verdict or what came before it was changed"
            )
        self.link, head.link = stored, stream_stored
        head.head, head.count = seq, head.count + 1
        if self._anchor is not None and self._anchor[0] == seq:
            self._check_anchor(expected)
        try:
            operation, verdict = decode_operation(data.encode()), decode_verdict(sealed.encode())
        except _MALFORMED:
            self._findings.add("operation", name, "it can't be read")
            return
        self._check_operation(name, operation, verdict, (identity, stream_id))
        self._check_history(name, operation, verdict, history)
        self._continue(name, operation, data.encode())
        self._now = verdict.now
        if isinstance(verdict, Accepted):
            head.last_number = max(head.last_number, verdict.number or 0)
            self._scratch.vouch(seq, verdict.documents)

    def _check_operation(
        self, name: str, operation: Operation, verdict: Verdict, row: tuple[str, str]
    ) -> None:
        if (operation.id, operation.stream) != row:
            self._findings.add("operation", name, "it is filed under another id or stream")
        if verdict.op != operation.id or not isinstance(verdict, Accepted):
            self._findings.add("operation", name, "its verdict belongs to another operation")

    def _check_history(
        self, name: str, operation: Operation, verdict: Verdict, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        vouched = verdict.documents if isinstance(verdict, Accepted) else {}
        expected = (operation.id, operation.via, verdict.now // 1000, operation.actor)
        for _, *found, entity, result in rows:
            if tuple(found) != expected or entity is None:
                self._findings.add("history", name, "its history rows tell of something else")
                return
            if result == "created" and entity not in vouched:
                self._findings.add("document", entity, f"{name} did not make it")

    def _continue(self, name: str, operation: Operation, data: bytes) -> None:
        """Continue the chain of the replica that made an operation."""
        one = self._chains.setdefault(operation.replica, _Chain())
        fit = one.known.take(operation.n, operation.prev, chain.tip(data))
        if fit is Fit.TWICE:
            self._findings.add("operation", name, "it stands twice in its replica's chain")
        elif fit is Fit.BROKEN:
            self._findings.add(
                "operation", name, "it does not fit its replica's operations beside it"
            )
        elif fit is Fit.APART:
            one.gap = one.gap or self.seq
        if one.known.is_whole:
            one.gap = None
        last = one.unsigned[-1] if one.unsigned else None
        if last is not None and last.last == self.seq - 1:
            one.unsigned[-1] = Range(last.first, self.seq)
        else:
            one.unsigned.append(Range(self.seq, self.seq))

    def _check_signature(self, seq: int, replica: str, n: int, signature: bytes) -> None:
        self._findings.signatures += 1
        one = self._chains.setdefault(replica, _Chain())
        public = self._keys.get(replica)
        statement = chain.statement(
            self._registry, replica, n=n, prev=one.known.tip, seq=seq, last=self.link
        )
        if public is None or n != one.known.n or not verify_signature(public, signature, statement):
            self._findings.add("signature", f"#{seq}", "it does not belong to what stands here")
            return
        if one.gap is not None:
            self._findings.add(
                "operation", f"#{one.gap}", "an operation of its replica before it is missing"
            )
        one.gap, one.unsigned, self._signed = None, [], seq
        self._first_signed.setdefault(replica, self._now // 1000)

    def _check_anchor(self, link: bytes) -> None:
        if self._anchor is not None and self._anchor[1] != link:
            name = f"#{self._anchor[0]}"
            self._findings.add("anchor", name, "the history is not the one that was anchored")

    def _compare_heads(self, connection: Connection) -> None:
        add = self._findings.add
        if self._anchor is not None and self._anchor[0] > self.seq:
            add("anchor", f"#{self._anchor[0]}", f"the history ends at #{self.seq}, before it")
        streams = connection.execute(
            "select key, id, head, count, link, last_number from base.stream"
        ).fetchall()
        for key, *stored in streams:
            head = self._streams.pop(key, None)
            if head is None or tuple(stored) != msgspec.structs.astuple(head):
                add("stream", stored[0], "its head is not that of its operations")
        for head in self._streams.values():
            add("stream", head.id, "it is missing")
        self._compare_replica(connection)
        self._compare_enrolments(connection)
        for table, seen in (
            ("operation", self._findings.operations),
            ("signature", self._findings.signatures),
        ):
            count = _row(connection, f"select count(*) from base.{table}")[0]  # noqa: S608
            if count != seen:
                add(table, "", f"{abs(count - seen)} stand outside of the sequence")

    def _compare_replica(self, connection: Connection) -> None:
        add = self._findings.add
        identity, n, tip, clock, seq, link, next_key, known = _row(
            connection,
            "select id::varchar, n, tip, clock_us, seq, link, next_key, "
            "id in (select replica from base.enrolment) from base.replica",
        )
        own = self._chains.get(identity, _Chain())
        if (n, tip) != (own.known.n, own.known.tip) or own.gap is not None:
            add("replica", identity, "its place in its chain is not that of its operations")
        if (seq, link) != (self.seq, self.link) or (seq and clock != self._now):
            add("replica", identity, "its head is not that of its operations")
        if known and n and self._signed != self.seq:
            add("signature", f"#{self.seq}", "the last operations are not signed")
        (key,) = _row(
            connection,
            "select max(key) from (select key from base.document union all "
            "select key from base.actor union all select key from base.stream)",
        )
        if next_key <= (key or 0):
            add("replica", identity, "it would give a key out twice")

    def _compare_enrolments(self, connection: Connection) -> None:
        own, made = _row(connection, "select id::varchar, created from base.replica")
        for replica, public, created in connection.execute(
            "select replica::varchar, public_key, created from base.enrolment"
        ).fetchall():
            if replica_id(public) != replica:
                self._findings.add("enrolment", replica, "its key is not the one it is named after")
            # When others were enrolled in homes of their own is not known here.
            if replica == own and created not in {made, self._first_signed.get(replica)}:
                self._findings.add("enrolment", replica, "its time is not that of its first use")


class Scratch:
    """Which documents verdicts vouch for and which stand, in a database that spills to the disk."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[str, list[tuple[int, str, str]]] = {"vouched": [], "standing": []}
        for table in self._rows:
            connection.execute(f"create table {table} (seq bigint, id uuid, digest varchar)")

    def vouch(self, seq: int, documents: dict[str, str]) -> None:
        """Note the documents that a verdict lists."""
        self._rows["vouched"] += [(seq, entity, digest) for entity, digest in documents.items()]

    def stand(self, seq: int, entity: str, digest: str) -> None:
        """Note a document that stands."""
        self._rows["standing"].append((seq, entity, digest))

    def flush(self) -> None:
        """Write what was noted."""
        for table, rows in self._rows.items():
            if rows:
                self._connection.execute(
                    f"insert into {table} select r[1]::bigint, r[2]::uuid, r[3] "  # noqa: S608
                    "from (select unnest(from_json(?, '[[\"varchar\"]]')) as r)",
                    [encoding.encode(rows).decode()],
                )
                rows.clear()

    def differences(self, later: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the documents that are not what the last verdict on them says, and why.

        Args:
            later: Documents that were written after the walk, which are compared elsewhere.
        """
        rows = self._connection.execute(
            "with last as (select id, max(seq) as seq, arg_max(digest, seq) as digest "
            "from vouched group by id) "
            "select coalesce(v.id, s.id)::varchar, v.id is null, s.id is null "
            "from last v full join standing s on s.id = v.id "
            "where (v.id is null or s.id is null or v.seq <> s.seq or v.digest <> s.digest) "
            "and coalesce(v.id, s.id) not in (select unnest(?::uuid[])) limit ?",
            [list(later), PROBLEMS_LIMIT],
        ).fetchall()
        for identity, unknown, missing in rows:
            problem = "no operation made it" if unknown else "it is not what its operations made"
            yield identity, "it is missing" if missing else problem


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Scratch]:
    """Open a scratch database; what does not fit the memory goes into the folder meanwhile.

    Raises:
        RegtuiError: The folder can't be written, or its disk is full.
    """
    connection = duckdb.connect(":memory:", config=configuration())
    try:
        with translated(folder):
            connection.execute(f"set temp_directory = {quoted(folder)}")
            yield Scratch(connection)
    finally:
        connection.close()


class Standing:
    """The look at the documents that stand, after the walk.

    Args:
        findings: Where problems are noted.
        kept: Keeps them, to be put beside what the verdicts vouch for.
        head: The operation up to which the walk came.
    """

    def __init__(self, findings: Findings, kept: Scratch, head: int) -> None:
        self.later: list[str] = []
        self._findings = findings
        self._kept = kept
        self._head = head
        self._key = -(1 << 63)

    def step(self, connection: Connection) -> bool:
        """Look at a page of documents; False where there was none."""
        rows = connection.execute(
            "select d.key, d.id::varchar, d.kind, s.id, d.seq, d.body from base.document d "
            "left join base.stream s on s.key = d.stream where d.key > ? order by d.key limit ?",
            [self._key, DOCUMENTS_PAGE],
        ).fetchall()
        versions: list[tuple[int, Document]] = []
        readable: list[Document] = []
        for key, identity, kind, stream, seq, body in rows:
            self._key = key
            self._findings.documents += 1
            document = self._check(identity, (kind, stream, seq), body, connection)
            if document is not None and document.kind == "version":
                if _is_counted(document):
                    versions.append((key, document))
                else:
                    self._findings.add("document", identity, "it lacks what every version has")
            readable += [] if document is None else [document]
        self._kept.flush()
        for lost in lost_texts(connection, readable).values():
            self._findings.add("document", lost, "a text of it is missing")
        for page in _pages(versions):
            self._check_files(connection, page)
        return bool(rows)

    def _check(
        self, identity: str, row: tuple[str, str, int], body: str, connection: Connection
    ) -> Document | None:
        try:
            document = decode_document(body)
        except (msgspec.MsgspecError, UnicodeError):
            self._findings.add("document", identity, "it can't be read")
            self._kept.stand(row[2], identity, "")
            return None
        if (document.id, document.kind, document.stream, document.seq) != (identity, *row):
            self._findings.add("document", identity, "it is filed under another id, kind or place")
        digest = encoding.digest(body.encode())
        if document.seq <= self._head:
            self._kept.stand(document.seq, identity, digest)
            return document
        self.later.append(identity)
        found = connection.execute(
            "select verdict from base.operation where seq = ?", [document.seq]
        ).fetchone()
        if found is None or digest not in found[0]:
            self._findings.add("document", identity, "it is not what its operations made")
        return document

    def _check_files(self, connection: Connection, page: list[tuple[int, Document]]) -> None:
        entries: dict[int, list[FileEntry]] = {key: [] for key, _ in page}
        for version, *entry in connection.execute(
            "select version, path, size, executable, lower(hex(digest)) from base.file "
            "where version between ? and ?",
            [page[0][0], page[-1][0]],
        ).fetchall():
            if version in entries:
                entries[version].append(FileEntry(*entry))
        for key, document in page:
            found, facts = entries[key], document.facts
            self._findings.files += len(found)
            counted = (len(found), sum(entry.size for entry in found))
            is_whole = counted == (facts["files"], facts["size"])
            if not is_whole or content_digest(found) != facts["digest"]:
                self._findings.add(
                    "files", document.id, "its list of files is not the one that was captured"
                )


def check_texts(connection: Connection, after: int, findings: Findings) -> int | None:
    """Compare a page of kept texts with their digests; return where to go on, None at the end."""
    rows = connection.execute(
        "select rowid, strlen(value) from base.text where rowid > ? order by rowid limit ?",
        [after, DOCUMENTS_PAGE],
    ).fetchall()
    if not rows:
        return None
    total, last = 0, after
    for row, size in rows:
        total, last = total + size, row
        if total > TEXT_BYTES:
            break
    for digest, value in connection.execute(
        "select digest, value from base.text where rowid > ? and rowid <= ?", [after, last]
    ).fetchall():
        findings.texts += 1
        if encoding.digest(value.encode()) != digest:
            findings.add("text", digest, "it is not the text of that digest")
    return last


def check_foreign_files(connection: Connection, findings: Findings) -> None:
    """Note lists of files that belong to no version."""
    for (key,) in connection.execute(
        "select distinct version from base.file where version not in "
        "(select key from base.document where kind = 'version') limit ?",
        [PROBLEMS_LIMIT],
    ).fetchall():
        findings.add("files", str(key), "they belong to no version")


def check_actors(connection: Connection, findings: Findings) -> None:
    """Compare the names of those who acted with the ids that follow from them."""
    for identity, name in connection.execute("select id::varchar, name from base.actor").fetchall():
        if user_id(name) != identity:
            findings.add("actor", identity, f"the name {name!r} is not theirs")


def _is_counted(version: Document) -> bool:
    """Tell whether a version's document says how many files it has, how large, and their digest."""
    facts = version.facts
    counts = (facts.get("files"), facts.get("size"))
    return all(isinstance(count, int) for count in counts) and "digest" in facts


def _pages(versions: list[tuple[int, Document]]) -> Iterator[list[tuple[int, Document]]]:
    """Yield versions in pages whose files fit the memory."""
    page: list[tuple[int, Document]] = []
    files = 0
    for key, document in versions:
        count = document.facts["files"]
        if page and files + count > FILES_PAGE:
            yield page
            page, files = [], 0
        page.append((key, document))
        files += count
    if page:
        yield page


def _by_seq(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _row(connection: Connection, statement: str) -> tuple[Any, ...]:
    return connection.execute(statement).fetchone() or ()
