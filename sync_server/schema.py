"""The tables of the server's database, alike on SQLite and Postgres.

Whatever was encoded once is kept as its exact bytes. Each registry has a number, by which its rows
are found; sequence numbers are its own.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as text_clause

from regtui.core.latency import SLOTS

metadata = MetaData()

registry = Table(
    "registry",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("name", String, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("epoch", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Column("clock_us", BigInteger, nullable=False),
    Column("healing", Boolean, nullable=False),
)
"""One row a registry: its counters. Who writes takes this row first."""

epoch = Table(
    "epoch",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String, primary_key=True),
    Column("base", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    Column("began", BigInteger, nullable=False),
)
"""Every epoch: the sequence number at which its history parts from the one before."""

stream = Table(
    "stream",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("head", BigInteger, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("total", String(16), nullable=False),
    Column("last_number", BigInteger, nullable=False),
)
"""`place` counts operations, `count` documents, and `total` is the sum over these."""

operation = Table(
    "operation",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False),
    Column("stream", String(36), nullable=False),
    Column("replica", String(36), nullable=False),
    Column("subject", String(36), nullable=False),
    Column("actor", String(36), nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    Column("verdict", LargeBinary, nullable=False),
    Column("log", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Column("stream_link", LargeBinary, nullable=False),
    Column("place", BigInteger, nullable=False),
    UniqueConstraint("registry", "id"),
    Index("operation_stream", "registry", "stream", "seq"),
    Index("operation_subject", "registry", "subject", "seq"),
)
"""What was accepted. `subject` is what it changed."""

step = Table(
    "step",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("link", LargeBinary, nullable=False),
)
"""Sequence numbers that no operation has: documents that the server changed by itself."""

refusal = Table(
    "refusal",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("replica", String(36), nullable=False),
    Column("actor", String(36), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    Column("verdict", LargeBinary, nullable=False),
)
"""What was refused, so that it gets the same verdict again, and the operator can look at it."""

entity = Table(
    "entity",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("stream", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("name", String),
    Column("minted", String),
    Column("generation", Integer),
    Column("number", BigInteger),
    Column("gone", Boolean, nullable=False),
    Column("target", String(36)),
    Column("path", String),
    Index("entity_stream", "registry", "stream", "seq"),
    Index("entity_name", "registry", "name"),
    Index("entity_minted", "registry", "minted"),
    Index("entity_target", "registry", "target"),
    Index("entity_seq", "registry", "seq"),
    Index("entity_kind", "registry", "stream", "kind"),
    Index(
        "entity_model",
        "registry",
        "id",
        "name",
        sqlite_where=text_clause("kind = 'model'"),
        postgresql_where=text_clause("kind = 'model'"),
    ),
)
"""The documents as they are. `name` decides access; `target` is the version that an alias points to
or the subject of a conflict, whose `path` is that of the value; `gone` is a deleted model, a
conflict that was settled."""

text = Table(
    "text",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

text_ref = Table(
    "text_ref",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("stream", String(36), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Index("text_ref_stream", "registry", "stream", "seq"),
    Index("text_ref_seq", "registry", "seq"),
)
"""The texts of a stream: a digest alone gives nothing."""

author = Table(
    "author",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("stream", String(36), primary_key=True),
    Column("user", String(36), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Index("author_stream", "registry", "stream", "seq"),
    Index("author_seq", "registry", "seq"),
)
"""Who ever did something in a stream: whose names its readers may know."""

replica = Table(
    "replica",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("user", String(36), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("last_n", BigInteger, nullable=False),
    Column("tip", String(32), nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("seen", BigInteger, nullable=False),
)

push_signature = Table(
    "push_signature",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("replica", String(36), primary_key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", String, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("link", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
"""What replicas signed: up to their operation `n`, knowing the history up to `known`."""

claim = Table(
    "claim",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("version", String(36), primary_key=True),
    Column("stream", String(36), nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""Numbers that versions had before a restore; they get them again."""

token = Table(
    "token",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("registry", Integer, nullable=False),
    Column("user", String(36), nullable=False),
    Column("name", String, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("roles", LargeBinary),
    Column("once", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("created_by", String(36), nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    Column("used", BigInteger),
)
"""Secrets are kept as digests. `roles` narrows what the user may do; None takes nothing away."""

device = Table(
    "device",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("code", String(16), nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("registry", Integer),
    Column("user", String(36)),
    Column("roles", LargeBinary),
    Column("until", BigInteger),
    Column("token", String(36)),
)
"""Machines that wait for somebody to sign them in: `code` is what he types, `digest` is of what the
machine asks with. `roles` and `until` are those of the `token` that he approved it with, which has
to be good still when the machine asks."""

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""What belongs to the server itself: its key."""

piece = Table(
    "piece",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("generation", String(16), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("state", String(9), nullable=False),
    Column("since", BigInteger, nullable=False),
    Index(
        "piece_present",
        "digest",
        unique=True,
        sqlite_where=text_clause("state = 'present'"),
        postgresql_where=text_clause("state = 'present'"),
    ),
    Index("piece_state", "state", "since"),
)
"""Stored bytes: `arriving` while they are being stored, `present`, or `condemned` to be deleted. A
digest has one present generation at most."""

piece_ref = Table(
    "piece_ref",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("stream", String(36), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Index("piece_ref_digest", "digest"),
)
"""The pieces of a stream: made by an upload that was verified, or by a copy, by nothing else."""

lease = Table(
    "lease",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("stream", String(36), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Index("lease_digest", "digest"),
)
"""Pieces that no version names yet, and until when the stream keeps them nevertheless."""

scan = Table(
    "scan",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("suffix", String, primary_key=True),
    Column("reader", Integer, nullable=False),
    Column("safe", Boolean, nullable=False),
    Column("reason", String, nullable=False),
)
"""What a stored file was found to hold when it is opened as what a name with that ending is, by the
reader of that number: whether it runs code. The reader 0 is of what could not be read."""

usage = Table(
    "usage",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("deployment", String(36), primary_key=True),
    Column("span", BigInteger, primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("reporter", String(64), primary_key=True),
    Column("minutes", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    *(Column(f"l{place}", BigInteger, nullable=False) for place in range(SLOTS)),
    Index("usage_age", "span", "bucket"),
    Index("usage_folded", "span", "minutes", "bucket"),
)
"""What serving processes counted: `span` microseconds from `bucket` on. A minute has a row for each
process that told of it; an hour, too, with the bits of its minutes that are in it, until one row
without a reporter holds what all of them told: `minutes` is 0 there, and -1 as soon as the row of
its day holds it, too. `l0` and so on are a histogram of latencies."""

webhook = Table(
    "webhook",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("url", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("events", String, nullable=False),
    Column("models", String, nullable=False),
    Column("allow_private", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
)
"""Where events are sent. The secret is kept as it is: what is sent is signed with it."""

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("registry", Integer, primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("webhook", String(36), nullable=False),
    Column("event", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("status", Integer),
    Column("told", String),
    Column("ended", BigInteger),
    Index("webhook_delivery_due", "state", "due"),
    Index("webhook_delivery_webhook", "registry", "webhook", "state", "due"),
)
"""What webhooks are told: `waiting` until it is `due`, `done`, or `dead` after too many tries. The
transaction of the operation that it tells of writes it."""
