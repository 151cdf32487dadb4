"""What must hold of every replica at any moment, recomputed from its stored bytes.

The operations of each replica form its chain (`n`, `prev`), that of this one without gaps and in
order; the
links of the registry and of each stream follow from operations and verdicts; the verdicts vouch for
the documents; every unit of work is signed over chain and link by the key that its replica is named
after; what takes back others is noted; the typed tables are what the documents say; every version
has its whole manifest; every alias names a version.
"""

import functools
import uuid
from pathlib import Path
from typing import Any

from regtui.core import chain, encoding
from regtui.core.documents import Document, decode_document
from regtui.core.identity import replica_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import decode_operation
from regtui.core.verdicts import Accepted, decode_verdict
from regtui.replica.database import Connection, connected, duckdb
from regtui.replica.keys import verify_signature
from regtui.replica.migrate import apply_all
from regtui.replica.projection import changed_tables, project
from regtui.replica.tables import insert

PROJECTED = (
    "model", "version", "alias", "conflict", "metric", "param", "tag", "parent", "input",
    "holder", "comment", "dataset", "definition", "check_run", "figure", "promotion", "review",
    "environment", "deployment",
)  # fmt: skip


def check_replica(home: Path) -> None:
    """Check everything that must hold of the replica in a folder."""
    with connected(home / "registry.duckdb", read_only=True) as connection:
        documents = {
            key: decode_document(body)
            for key, body in connection.execute("select key, body from base.document").fetchall()
        }
        check_operations(connection)
        check_signatures(connection)
        check_undos(connection)
        check_manifests(connection, documents)
        check_aliases(documents)
        check_projection(connection, documents)


def check_operations(connection: Connection) -> None:
    """Recompute the chain and the links, and compare documents with what verdicts vouch for."""
    replica = row(connection, "select id::varchar, n, tip, seq, link from base.replica")
    streams = {
        key: (name, head, count, link)
        for key, name, head, count, link in connection.execute(
            "select key, id, head, count, link from base.stream"
        ).fetchall()
    }
    tips: dict[str, tuple[int, str]] = {}
    places: dict[tuple[str, int], tuple[str, str]] = {}
    link = chain.FIRST_LINK
    stream_links = dict.fromkeys(streams, chain.FIRST_LINK)
    heads, counts = dict.fromkeys(streams, 0), dict.fromkeys(streams, 0)
    vouched: dict[str, str] = {}
    rows = connection.execute(
        "select seq, id::varchar, stream, bytes, verdict, link, stream_link "
        "from base.operation order by seq"
    ).fetchall()
    for place, (seq, identity, stream, data, sealed, stored, stream_stored) in enumerate(rows, 1):
        operation, verdict = decode_operation(data.encode()), decode_verdict(sealed.encode())
        n, tip = tips.get(operation.replica, (0, chain.GENESIS))
        follows = (operation.n, operation.prev) == (n + 1, tip)
        # What was refused of another replica's operations has left a gap, or came later.
        assert follows or operation.replica != replica[0]
        assert operation.n >= 1
        assert (operation.replica, operation.n) not in places
        places[operation.replica, operation.n] = (operation.prev, chain.tip(data.encode()))
        assert (seq, operation.id) == (place, identity)
        assert operation.stream == streams[stream][0]
        link = chain.link(link, data.encode(), sealed.encode())
        stream_links[stream] = chain.link(stream_links[stream], data.encode(), sealed.encode())
        assert (stored, stream_stored) == (link, stream_links[stream])
        heads[stream], counts[stream] = seq, counts[stream] + 1
        tips[operation.replica] = (operation.n, chain.tip(data.encode()))
        assert isinstance(verdict, Accepted)
        vouched |= verdict.documents
    for (name, n), (prev, _) in places.items():
        before = (chain.GENESIS, chain.GENESIS) if n == 1 else places.get((name, n - 1))
        assert before is None or before[1] == prev
    assert replica[1:] == (*tips.get(replica[0], (0, chain.GENESIS)), len(rows), link)
    for key, (_, head, count, stored) in streams.items():
        assert (head, count, stored) == (heads[key], counts[key], stream_links[key])
    stored_documents = connection.execute("select id::varchar, body from base.document").fetchall()
    assert {name: encoding.digest(body.encode()) for name, body in stored_documents} == vouched


def check_signatures(connection: Connection) -> None:
    """Check each signature, and that none is missing once a replica has a key."""
    registry, replica, n = row(
        connection, "select registry::varchar, id::varchar, n from base.replica"
    )
    keys = dict(
        connection.execute("select replica::varchar, public_key from base.enrolment").fetchall()
    )
    assert all(replica_id(public) == name for name, public in keys.items())
    signatures = connection.execute(
        "select seq, replica::varchar, n, signature from base.signature order by seq"
    ).fetchall()
    by_seq = {seq: rest for seq, *rest in signatures}
    assert len(by_seq) == len(signatures)
    tips: dict[str, tuple[int, str]] = {}
    seq, signed = 0, 0
    for seq, data, link in connection.execute(
        "select seq, bytes, link from base.operation order by seq"
    ).fetchall():
        operation = decode_operation(data.encode())
        tips[operation.replica] = (operation.n, chain.tip(data.encode()))
        if seq in by_seq:
            signer, count, signature = by_seq.pop(seq)
            place, tip = tips.get(signer, (0, chain.GENESIS))
            statement = chain.statement(registry, signer, n=count, prev=tip, seq=seq, last=link)
            assert count == place
            assert verify_signature(keys[signer], signature, statement)
            signed = seq
    assert by_seq == {}
    assert signed == seq or replica not in keys or n == 0


def check_undos(connection: Connection) -> None:
    """Check that the operations that take back others are noted as such, and no others."""
    noted = connection.execute(
        "select seq, operation::varchar, undoes::varchar from base.undo order by seq"
    ).fetchall()
    stored = connection.execute("select seq, bytes from base.operation order by seq").fetchall()
    operations = ((seq, decode_operation(data.encode())) for seq, data in stored)
    assert noted == [(seq, o.id, o.undoes) for seq, o in operations if o.undoes is not None]


def check_manifests(connection: Connection, documents: dict[int, Document]) -> None:
    """Check that every version has all files, and that its digest is theirs."""
    manifests: dict[int, list[FileEntry]] = {}
    for version, *entry in connection.execute(
        "select version, path, size, executable, lower(hex(digest)) from base.file"
    ).fetchall():
        manifests.setdefault(version, []).append(FileEntry(*entry))
    versions = {key: document for key, document in documents.items() if document.kind == "version"}
    assert manifests.keys() == versions.keys()
    for key, document in versions.items():
        assert content_digest(manifests[key]) == document.facts["digest"]
        assert len(manifests[key]) == document.facts["files"]
        assert sum(entry.size for entry in manifests[key]) == document.facts["size"]


def check_aliases(documents: dict[int, Document]) -> None:
    """Check that aliases name versions, none of them deleted."""
    by_id = {document.id: document for document in documents.values()}
    for document in documents.values():
        if document.kind == "alias" and document.value("version") is not None:
            version = by_id[document.value("version")]
            assert version.kind == "version"
            assert version.value("state") != "deleted"


def check_projection(connection: Connection, documents: dict[int, Document]) -> None:
    """Rebuild the typed tables from the documents and compare."""
    keys = {document.id: key for key, document in documents.items()}
    actors = connection.execute("select id::varchar, key from base.actor").fetchall()
    keys |= dict(actors)
    rows: dict[str, list[Any]] = {table: [] for table in PROJECTED}
    for key, document in documents.items():
        tables = changed_tables(None, document)
        for table, found in project(key, document, keys.__getitem__, tables).items():
            rows[table] += found
    for table in PROJECTED:
        insert(empty_tables(), table, rows[table])
        statement = f"select * from base.{table} order by all"
        expected = empty_tables().execute(statement).fetchall()
        empty_tables().execute(f"delete from base.{table}")
        # By their spelling, for NaN is not equal to itself.
        assert repr(connection.execute(statement).fetchall()) == repr(expected), table


@functools.cache
def empty_tables() -> Connection:
    """Return a database in memory with the tables of a replica and nothing in them."""
    connection = duckdb.connect(":memory:")
    apply_all(connection, 0)
    return connection


def row(connection: Connection, statement: str) -> tuple[Any, ...]:
    """Return the one row of a statement."""
    found = connection.execute(statement).fetchone()
    assert found is not None
    return tuple(str(cell) if isinstance(cell, uuid.UUID) else cell for cell in found)
