"""Audit of what a server decided, as far as it is here.

Of a registry with a remote a replica has the documents as they are and the newest part of each
stream's history. What can be recomputed from that is: the links of each stream from the first
operation that is here, the documents that the verdicts vouch for, the lists of files, and the sums
that the server compared last. What waits for the server is no part of it.
"""

from msgspec import MsgspecError

from regtui.core import chain, encoding
from regtui.core.documents import decode_document
from regtui.core.manifest import content_digest
from regtui.core.verdicts import Accepted, decode_verdict
from regtui.replica.audit import DOCUMENTS_PAGE, OPERATIONS_PAGE, Findings
from regtui.replica.database import Connection
from regtui.replica.file_lists import by_version
from regtui.replica.remote import PENDING
from regtui.wire.statements import total_of

ACCEPTED = (
    "select d.key, d.stream, coalesce(s.body, d.body) as body, d.id::varchar as id "
    "from base.document d left join base.shadow s on s.id = d.id "
    "where not (s.id is not null and s.body is null)"
)
"""Documents as they were accepted, whatever waits on top of them."""


def audit_decided(connection: Connection, findings: Findings) -> None:
    """Recompute what vouches for a replica of a server's registry, and note what differs."""
    vouched = _walk(connection, findings)
    _check_documents(connection, vouched, findings)
    _check_files(connection, findings)


def _walk(connection: Connection, findings: Findings) -> dict[str, tuple[int, str]]:
    """Follow each stream's links; return sequence number and digest by document."""
    links: dict[int, bytes] = {}
    vouched: dict[str, tuple[int, str]] = {}
    after = 0
    while True:
        rows = connection.execute(
            "select seq, stream, bytes, verdict, stream_link from base.operation "
            "where seq > ? and seq < ? order by seq limit ?",
            [after, PENDING, OPERATIONS_PAGE],
        ).fetchall()
        if not rows:
            return vouched
        after = rows[-1][0]
        for seq, stream, data, sealed, link in rows:
            findings.operations += 1
            before = links.get(stream)
            if before is not None and chain.link(before, data.encode(), sealed.encode()) != link:
                findings.add(
                    "operation",
                    f"#{seq}",
                    "its bytes, its verdict or what came before it was changed",
                )
            links[stream] = bytes(link)
            try:
                verdict = decode_verdict(sealed.encode())
            except MsgspecError:
                findings.add("operation", f"#{seq}", "it can't be read")
                continue
            if isinstance(verdict, Accepted):
                vouched |= {one: (seq, digest) for one, digest in verdict.documents.items()}


def _check_documents(
    connection: Connection, vouched: dict[str, tuple[int, str]], findings: Findings
) -> None:
    bodies: dict[int, list[bytes]] = {}
    after = 0
    while True:
        rows = connection.execute(
            f"select * from ({ACCEPTED}) where key > ? order by key limit ?",  # noqa: S608
            [after, DOCUMENTS_PAGE],
        ).fetchall()
        if not rows:
            break
        after = rows[-1][0]
        for _, stream, body, identity in rows:
            findings.documents += 1
            data = body.encode()
            bodies.setdefault(stream, []).append(data)
            try:
                document = decode_document(data)
            except MsgspecError:
                findings.add("document", identity, "it can't be read")
                continue
            seq, digest = vouched.get(identity, (0, ""))
            if document.seq == seq and encoding.digest(data) != digest:
                findings.add("document", identity, f"it is not what #{seq} made of it")
            elif document.seq < seq:
                findings.add("document", identity, f"it is older than #{seq}, which changed it")
    for stream, count, total, name in connection.execute(
        "select t.stream, t.documents, t.total, s.id from base.total t "
        "join base.stream s on s.key = t.stream"
    ).fetchall():
        found = bodies.get(stream, [])
        if (len(found), f"{total_of(found):016x}") != (count, total):
            findings.add("stream", name, "its documents are not those of the server")


def _check_files(connection: Connection, findings: Findings) -> None:
    after = 0
    while True:
        versions = connection.execute(
            "select key, id::varchar, digest from base.version where key > ? order by key limit ?",
            [after, DOCUMENTS_PAGE],
        ).fetchall()
        if not versions:
            return
        after = versions[-1][0]
        rows = connection.execute(
            "select version, path, size, executable, lower(hex(digest)) from base.file "
            "where version between ? and ?",
            [versions[0][0], after],
        ).fetchall()
        lists = by_version(rows)
        for key, identity, digest in versions:
            findings.files += len(lists.get(key, []))
            if content_digest(lists.get(key, [])) != digest:
                findings.add("files", identity, "its list of files is not the one captured")
