"""Audit against the server: does it still have the history that this replica saw?

Each stream's operations are read from the server, from the first one on. Its links are recomputed
from the bytes; every operation that is here has to be the same there; the documents here have to be
those that the last verdicts produced. An operation that a replica signed with its push, or that is
tied to one through its chain, is that replica's; others are told as unproven: their successors are
in streams that may not be read here, were refused, or came back after a restore.

What this can't find: which key belongs to whom is the server's word, and what it never showed is
not missed.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from regtui.core import chain, encoding
from regtui.core.documents import decode_document
from regtui.core.errors import NotFound
from regtui.core.operations import Operation, decode_operation
from regtui.core.verdicts import Accepted, decode_verdict
from regtui.registry.audit import RemoteAudit
from regtui.registry.capture import Progress
from regtui.registry.context import Context
from regtui.registry.syncing import signed_in
from regtui.replica.audit import Findings
from regtui.replica.database import Connection
from regtui.replica.keys import verify_signature
from regtui.replica.remote import PENDING
from regtui.sync.transport import HttpTransport
from regtui.wire.history import PushSignature, ReplicaKey, StreamHead, stream_decoder
from regtui.wire.messages import Entry
from regtui.wire.statements import push_statement


def audit_remote(
    context: Context, findings: Findings, on_progress: Progress | None = None
) -> RemoteAudit:
    """Compare the history here with that of the server, and note what differs.

    Args:
        context: The registry; it has just been synced.
        findings: Where problems are noted.
        on_progress: Is told how many more operations were read.

    Raises:
        NotFound: There is no remote, or nobody is signed in.
        Unreachable: The server does not answer.
    """
    done = RemoteAudit()
    with signed_in(context) as transport:
        with context.reading() as connection:
            rows = connection.execute(
                "select distinct s.id from base.stream s "
                "join base.document d on d.stream = s.key order by s.id"
            ).fetchall()
        for (stream,) in rows:
            try:
                walk = _Walk(transport.registry, stream, findings)
                for entries in _pages(transport, stream, walk):
                    with context.reading() as connection:
                        walk.take(entries, _here(connection, stream, entries))
                    done.operations += len(entries)
                    if on_progress is not None:
                        on_progress(len(entries))
            except NotFound:
                done.unread += 1
                continue
            with context.reading() as connection:
                walk.finish(connection)
            done.streams += 1
            done.proven += walk.proven
    return done


def link_there(context: Context, seq: int) -> str:
    """Return the registry's link after an operation as the server has it, hex digits.

    Raises:
        NotFound: It has no such operation, or nobody is signed in.
        Unreachable: The server does not answer.
    """
    with signed_in(context) as transport:
        path = f"/v1/registries/{transport.registry}/links/{seq}"
        return str(transport.ask("GET", path)["link"])


def _pages(transport: HttpTransport, stream: str, walk: "_Walk") -> Iterator[list[Entry]]:
    place = 0
    while True:
        path = f"/v1/registries/{transport.registry}/streams/{stream}/log"
        page = stream_decoder.decode(transport.read(path, after=place))
        walk.learn(page.head, page.replicas, page.signatures)
        yield page.entries
        if not page.more:
            return
        place = page.entries[-1].place


class _Here(Struct, frozen=True):
    """An operation as it is here."""

    data: str
    verdict: str
    link: str


def _here(connection: Connection, stream: str, entries: Iterable[Entry]) -> dict[int, _Here]:
    rows = connection.execute(
        "select o.seq, o.bytes, o.verdict, lower(hex(o.stream_link)) from base.operation o "
        "join base.stream s on s.key = o.stream "
        "where s.id = ? and o.seq in (select unnest(?::bigint[]))",
        [stream, [entry.seq for entry in entries]],
    ).fetchall()
    return {seq: _Here(*rest) for seq, *rest in rows}


class _Unsigned(Struct, frozen=True):
    """A replica's last operation, and how many up to it wait for a signature."""

    n: int
    tip: str
    count: int


class _Walk:
    """The walk over one stream of the server."""

    def __init__(self, registry: str, stream: str, findings: Findings) -> None:
        self.proven = 0
        self._registry = registry
        self._stream = stream
        self._findings = findings
        self._link = chain.FIRST_LINK
        self._place = 0
        self._seq = 0
        self._head: StreamHead | None = None
        self._keys: dict[str, ReplicaKey] = {}
        self._signatures: dict[tuple[str, int], PushSignature] = {}
        self._matched = 0
        self._open: dict[str, _Unsigned] = {}
        self._vouched: dict[str, tuple[int, str]] = {}

    def learn(
        self,
        head: StreamHead,
        replicas: dict[str, ReplicaKey],
        signatures: Iterable[PushSignature],
    ) -> None:
        """Note what vouches for the next page."""
        self._head = head
        self._keys.update(replicas)
        self._signatures.update({(one.replica, one.n): one for one in signatures})

    def take(self, entries: Iterable[Entry], here: dict[int, _Here]) -> None:
        """Check a page of operations."""
        for entry in entries:
            data, sealed = bytes(entry.op), bytes(entry.verdict)
            name = f"#{entry.seq}"
            if entry.place != self._place + 1 or entry.seq <= self._seq:
                self._findings.add("operation", name, "the server left operations out before it")
            self._place, self._seq = entry.place, entry.seq
            link = chain.link(self._link, data, sealed)
            if link.hex() != entry.link:
                self._findings.add(
                    "operation",
                    name,
                    "the server changed its bytes, its verdict or what was before",
                )
            self._link = bytes.fromhex(entry.link)
            known = here.get(entry.seq)
            self._matched += known is not None
            if known is not None and known != _Here(data.decode(), sealed.decode(), entry.link):
                self._findings.add("operation", name, "the server has another one than is here")
            self._check(name, data, sealed)

    def _check(self, name: str, data: bytes, sealed: bytes) -> None:
        try:
            operation, verdict = decode_operation(data), decode_verdict(sealed)
        except Exception:  # noqa: BLE001 -- whatever the server sends instead
            self._findings.add("operation", name, "it can't be read")
            return
        if verdict.op != operation.id or not isinstance(verdict, Accepted):
            self._findings.add("operation", name, "its verdict belongs to another operation")
            return
        if operation.stream != self._stream:
            self._findings.add("operation", name, "it is filed under another stream")
        for identity, digest in verdict.documents.items():
            self._vouched[identity] = (self._seq, digest)
        self._prove(name, operation, data)

    def _prove(self, name: str, operation: Operation, data: bytes) -> None:
        """Tie an operation to what its replica signed."""
        key = self._keys.get(operation.replica)
        if key is not None and key.user != operation.actor:
            self._findings.add("operation", name, "it names another person than its replica")
        tip = chain.tip(data)
        last = self._open.get(operation.replica)
        count = 1
        if last is not None and operation.n == last.n + 1:
            if operation.prev == last.tip:
                count += last.count
            else:
                self._findings.add("operation", name, "it does not follow its replica's last one")
        # Where numbers are missing, what is between is not shown here.
        self._open[operation.replica] = _Unsigned(operation.n, tip, count)
        signed = self._signatures.get((operation.replica, operation.n))
        if signed is None or key is None:
            return
        statement = push_statement(
            self._registry, operation.replica, operation.n, tip,
            signed.epoch, signed.seq, signed.link,
        )  # fmt: skip
        public, signature = bytes.fromhex(key.public_key), bytes.fromhex(signed.signature)
        if verify_signature(public, signature, statement):
            self.proven += count
        else:
            self._findings.add("signature", name, "its replica did not sign this")
        self._open[operation.replica] = _Unsigned(operation.n, tip, 0)

    def finish(self, connection: Connection) -> None:
        """Compare the end of the stream, and the documents that are here."""
        if self._head is not None and (self._place, self._link.hex()) != (
            self._head.place,
            self._head.link,
        ):
            self._findings.add(
                "stream", self._stream, "the server's head is not its last operation"
            )
        rows = connection.execute(
            "select coalesce(s.body, d.body) from base.document d "
            "left join base.shadow s on s.id = d.id "
            "where not (s.id is not null and s.body is null) "
            "and d.stream = (select key from base.stream where id = ?)",
            [self._stream],
        ).fetchall()
        for (body,) in rows:
            document = decode_document(body.encode())
            seq, digest = self._vouched.get(document.id, (0, ""))
            if document.seq == seq and encoding.digest(body.encode()) != digest:
                self._findings.add("document", document.id, f"it is not what #{seq} made of it")
            elif seq == 0:
                self._findings.add("document", document.id, "no operation of the server made it")
        row = connection.execute(
            "select count(*), max(o.seq) from base.operation o "
            "join base.stream s on s.key = o.stream where s.id = ? and o.seq < ?",
            [self._stream, PENDING],
        ).fetchone()
        count, last = row or (0, None)
        if count != self._matched:
            self._findings.add(
                "stream",
                self._stream,
                f"the server lacks {count - self._matched} operations up to #{last}",
            )
