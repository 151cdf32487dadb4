"""The messages of a sync: one request, one answer.

A request carries operations up and says how far the replica has read; the answer carries verdicts
and a page of what is newer. `Cursor` is the replica's and the server's together: opaque to the
client, which hands back what it got.
"""

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

PROTOCOL = 2
"""The protocol that this program speaks."""

MIN_PROTOCOL = 2
"""The oldest one that its server understands."""

OPERATIONS_LIMIT = 4_000
"""Operations of one request, unless one group has more."""

NOTHING = 0
"""The limit of a push that wants verdicts alone: it is followed by more operations."""

BODY_LIMIT = 4 << 20
"""Bytes of operations and texts of one request, unless one operation alone has more."""


class Anchor(Struct, frozen=True):
    """How far a replica knows the history of the registry: what it may hold the server to.

    Attributes:
        epoch: Id of the epoch.
        seq: Sequence number of the last operation that it knows of.
        link: The registry's link after it, 64 hex digits.
        mac: The server's own mark on it: what a replica made up starts no healing.
    """

    epoch: str
    seq: int
    link: str
    mac: str


class Cursor(Struct, frozen=True, omit_defaults=True):
    """How far a replica has read. It is the server's own: replicas hand back what they got.

    Attributes:
        seq: Everything up to it was read, of every stream without an exception.
        rights: The sequence number at which it was last asked what the user may read.
        began: Where this walk began; None between walks.
        exceptions: Streams that became readable since: what was read of them.
        logs: Where the log begins that a first walk carries.
        view: What the token may do at most, where it narrows the rights of its user; read with
            another one, the registry is another one.
        mac: The server's mark on all of it, with the registry's link at `seq`.
    """

    seq: int = 0
    rights: int = 0
    began: int | None = None
    exceptions: dict[str, int] = {}
    logs: int = 0
    view: str = ""
    mac: str = ""


class Evidence(Struct, frozen=True):
    """What the server said of a batch of operations, under its signature.

    Attributes:
        epoch: Of the server at that time.
        verdicts: Digest of each verdict in the batch, in order (`verdict_digest`).
        signature: Ed25519, 128 hex digits, over `receipt_statement`.
    """

    epoch: str
    verdicts: list[str]
    signature: str


class Offer(Struct, frozen=True):
    """An operation that was judged before a restore of the server, with the proof of its verdict.

    Attributes:
        op: Its exact bytes.
        verdict: The exact bytes of its verdict.
        seq: Its sequence number then.
        evidence: Index into `Push.evidence`.
    """

    op: Raw
    verdict: Raw
    seq: int
    evidence: int


class Claim(Struct, frozen=True):
    """A version's number with the server's certificate of it."""

    model: str
    version: str
    number: int
    certificate: str


class Push(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a replica sends.

    Attributes:
        protocol: Version of this protocol; the first one where it is not said.
        schema: Version of the operation format.
        replica: Id of the replica.
        acked_n: The last of its operations of which it has a verdict.
        anchor: The newest history that it knows of; None before its first sync.
        cursor: How far it has read.
        ops: Exact bytes of operations, in their order.
        texts: Texts that the operations name by digest: series, packages, diffs, manifests.
        n: Place of the last operation, or of the last one sent before.
        tip: The tip of its chain after it.
        signature: Ed25519 over `push_statement`, 128 hex digits.
        offers: Operations that the server may have lost.
        evidence: Of the offers.
        claims: Numbers of versions that the server may have lost.
        streams_digest: Digest of the streams that it knows to be readable.
        refetch: Streams that it wants from their beginning.
        limit: Documents that the answer may have at most; `NOTHING` for none of anything.
    """

    protocol: int = 1
    schema: int
    replica: str
    acked_n: int
    anchor: Anchor | None
    cursor: Cursor
    ops: list[Raw] = []
    texts: dict[str, str] = {}
    n: int
    tip: str
    signature: str
    offers: list[Offer] = []
    evidence: list[Evidence] = []
    claims: list[Claim] = []
    streams_digest: str = ""
    refetch: list[str] = []
    limit: int = 2000


class LogLine(Struct, frozen=True, array_like=True):
    """One history row: entity, its kind, path, values as JSON or None, and what became of it."""

    entity: str
    kind: str
    path: str
    before: Any
    after: Any
    result: str


class Entry(Struct, frozen=True):
    """One operation that was decided.

    Attributes:
        seq: Its sequence number.
        stream: Its stream.
        op: Its exact bytes.
        verdict: The exact bytes of its verdict.
        rows: Its history rows.
        link: The stream's link after it, 64 hex digits.
        place: Its number in the stream, from 1.
    """

    seq: int
    stream: str
    op: Raw
    verdict: Raw
    rows: list[LogLine]
    link: str
    place: int


class Item(Struct, frozen=True):
    """A document as it stands, and the certificate of a version's number."""

    doc: Raw
    certificate: str | None = None


class Text(Struct, frozen=True):
    """A text that documents of a stream name by its digest."""

    stream: str
    digest: str
    value: str


class Sum(Struct, frozen=True):
    """What a stream's documents come to: their number, and the sum over them."""

    count: int
    total: str


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the server answers.

    Attributes:
        status: `ok`; `epoch` where the history that the replica knows is not this one; `forked`
            where another replica acts under the same id; `gap` where operations are missing.
        epoch: The server's present epoch.
        head: The history as it is now.
        verdicts: Exact bytes of verdicts, in the order of what was sent.
        parked: Ids of offers that wait for what they refer to.
        receipt: Signature over the verdicts; empty without any.
        cursor: How far the replica has read with this answer.
        docs: Documents that are newer.
        texts: Texts that are newer.
        log: Operations that are newer.
        resets: Streams of which everything that is here goes first; `*` for all.
        streams: Readable streams, `*` for all; None where they are those that the replica knows.
        sums: Sum by stream, for those that the walk touched.
        names: Name of each user that documents and log mention, by id.
        more: Whether another page follows.
        expect: For `gap`, the number that should have come.
        base: For `epoch`, the number up to which this history is the one that the replica knows.
        healing: Whether the server takes operations back that it lost.
        roles: The user's roles as `[role, scope]`; None between the pages of a walk.
        min_protocol: The oldest protocol that it speaks; the first one where it is not said.
        now: The server's clock, microseconds.
    """

    status: Literal["ok", "epoch", "forked", "gap"] = "ok"
    epoch: str
    head: Anchor
    verdicts: list[Raw] = []
    parked: list[str] = []
    receipt: str = ""
    cursor: Cursor
    docs: list[Item] = []
    texts: list[Text] = []
    log: list[Entry] = []
    resets: list[str] = []
    streams: list[str] | None = None
    sums: dict[str, Sum] = {}
    names: dict[str, str] = {}
    more: bool = False
    expect: int = 0
    base: int = 0
    healing: bool = False
    roles: list[tuple[str, str]] | None = None
    min_protocol: int = 1
    now: int = 0


encoder = msgspec.json.Encoder(order="sorted")
push_decoder = msgspec.json.Decoder(Push)
answer_decoder = msgspec.json.Decoder(Answer)
