"""Audit: does the registry's history hold, and does it extend one that was seen before?

An *anchor* is a short text that names registry, sequence number and link. Who keeps it elsewhere
can later prove that the history still begins with what it was then; without one, who holds the
replica's key could write another history from the start.
"""

import base64
import binascii
import re
import uuid

from msgspec import Struct

from regtui.artifacts.leases import lease
from regtui.core.errors import BadInput, NotFound
from regtui.registry.capture import Progress
from regtui.registry.context import Context
from regtui.replica.audit import (
    OPERATIONS_PAGE,
    Findings,
    Problem,
    Range,
    Standing,
    Walk,
    check_actors,
    check_foreign_files,
    check_texts,
    scratch,
)
from regtui.replica.audit_decided import audit_decided
from regtui.replica.database import Connection
from regtui.replica.remote import read_remote

PREFIX = "regtui1"


class Anchor(Struct, frozen=True, kw_only=True):
    """A moment of a registry's history.

    Attributes:
        anchor: The text to keep elsewhere.
        registry: Id of the registry.
        seq: Sequence number of the last operation; 0 where there was none.
        link: The registry's link there, hex digits.
    """

    anchor: str
    registry: str
    seq: int
    link: str


class RemoteAudit(Struct, kw_only=True):
    """What was compared with the server.

    Attributes:
        streams: Models, and the registry itself, whose history was read there.
        operations: Their operations.
        proven: Of these, how many are proven to be their replicas': signed with a push, or tied to
            what was signed.
        unread: Streams of which the server shows this user a part only.
    """

    streams: int = 0
    operations: int = 0
    proven: int = 0
    unread: int = 0


class Audit(Struct, frozen=True, kw_only=True):
    """What an audit found.

    Attributes:
        ok: Whether everything holds.
        anchor: The moment up to which it looked.
        extends: Whether the history extends the anchor that was given; None without one.
        operations, documents, texts, files, signatures: How many it looked at.
        unsigned: Operations that the replica that made them never signed: they were made before
            signing existed or came from another replica. Later signatures cover them by the link.
        problems: What is not what it was, at most 100.
        count: How many problems there are.
        remote: What was compared with the server; None where it was not asked.
    """

    ok: bool
    anchor: Anchor
    extends: bool | None
    operations: int
    documents: int
    texts: int
    files: int
    signatures: int
    unsigned: list[Range]
    problems: list[Problem]
    count: int
    remote: RemoteAudit | None = None


def anchor(context: Context) -> Anchor:
    """Return the anchor of the present moment."""
    with context.reading() as connection:
        return _anchor(connection)


def verify(
    context: Context,
    given: str | None = None,
    on_progress: Progress | None = None,
    *,
    remote: bool = False,
) -> Audit:
    """Recompute everything that vouches for the registry; others may write meanwhile.

    Args:
        context: The registry.
        given: An anchor that the history has to extend.
        on_progress: Is told how many more operations and documents were looked at.
        remote: Whether to read the history of the server, too, and compare it.

    Raises:
        BadInput: The anchor is malformed or that of another registry.
        NotFound: The server is to be asked, and nobody is signed in to one.
        Unreachable: It does not answer.
        RegtuiError: The home has no room for what is put beside each other.
    """
    wanted = None if given is None else _read(given)
    findings = Findings()
    with context.reading() as connection:
        now = _anchor(connection)
        decider = read_remote(connection)
    if wanted is not None and wanted[0] != now.registry:
        raise BadInput("the anchor is that of another registry", f"this one is {now.registry}")
    expected = None if wanted is None else wanted[1:]
    if remote and decider is None:
        raise NotFound("no server decides for this registry", "`regtui audit verify` alone")
    if decider is not None:
        return _verify_decided(context, findings, now, expected, on_progress, asks=remote)
    with lease(context.home) as folder, scratch(folder / "audit") as kept:
        walk = Walk(findings, kept, expected)
        is_left = True
        while is_left:
            with context.reading() as connection:
                is_left = walk.step(connection)
            if on_progress is not None:
                on_progress(OPERATIONS_PAGE)
        standing = Standing(findings, kept, walk.seq)
        is_left = True
        while is_left:
            with context.reading() as connection:
                is_left = standing.step(connection)
            if on_progress is not None:
                on_progress(OPERATIONS_PAGE)
        for identity, problem in kept.differences(standing.later):
            findings.add("document", identity, problem)
    _verify_texts(context, findings)
    with context.reading() as connection:
        check_foreign_files(connection, findings)
        check_actors(connection, findings)
    return _audit(findings, walk, now.registry, expected)


def _verify_decided(  # noqa: PLR0913 -- what is checked, against what, and how
    context: Context,
    findings: Findings,
    now: Anchor,
    expected: tuple[int, bytes] | None,
    on_progress: Progress | None,
    *,
    asks: bool,
) -> Audit:
    """Recompute what a server decided, as far as it is here or it is asked."""
    with context.reading() as connection:
        audit_decided(connection, findings)
    compared = None
    extends = None
    if expected is not None and expected[0] == now.seq:
        extends = expected[1].hex() == now.link
    elif expected is not None and expected[0] > now.seq:
        extends = False
    if asks:
        from regtui.registry.audit_remote import audit_remote, link_there

        compared = audit_remote(context, findings, on_progress)
        if expected is not None and extends is None:
            extends = link_there(context, expected[0]) == expected[1].hex()
    return Audit(
        ok=not findings.count and extends is not False,
        anchor=now,
        extends=extends,
        operations=findings.operations,
        documents=findings.documents,
        texts=findings.texts,
        files=findings.files,
        signatures=0,
        unsigned=[],
        problems=findings.problems,
        count=findings.count,
        remote=compared,
    )


def _verify_texts(context: Context, findings: Findings) -> None:
    after: int | None = -1
    while after is not None:
        with context.reading() as connection:
            after = check_texts(connection, after, findings)


def _audit(
    findings: Findings, walk: Walk, registry: str, expected: tuple[int, bytes] | None
) -> Audit:
    broken = any(problem.kind == "anchor" for problem in findings.problems)
    return Audit(
        ok=not findings.count,
        anchor=_made(registry, walk.seq, walk.link),
        extends=None if expected is None else not broken,
        operations=findings.operations,
        documents=findings.documents,
        texts=findings.texts,
        files=findings.files,
        signatures=findings.signatures,
        unsigned=walk.unsigned(),
        problems=findings.problems,
        count=findings.count,
    )


def _anchor(connection: Connection) -> Anchor:
    row = connection.execute("select registry::varchar, seq, link from base.replica").fetchone()
    return _made(*(row or ("", 0, b"")))


def _made(registry: str, seq: int, link: bytes) -> Anchor:
    identity = _text(uuid.UUID(registry).bytes)
    text = f"{PREFIX}.{identity}.{seq}.{_text(link)}"
    return Anchor(anchor=text, registry=registry, seq=seq, link=link.hex())


def _read(text: str) -> tuple[str, int, bytes]:
    found = re.fullmatch(rf"{PREFIX}\.([\w-]{{22}})\.([0-9]{{1,18}})\.([\w-]{{43}})", text.strip())
    try:
        if found is not None:
            registry = uuid.UUID(bytes=_bytes(found[1]))
            return str(registry), int(found[2]), _bytes(found[3])
    except (ValueError, binascii.Error):
        pass
    raise BadInput(f"{text[:100]!r} is no anchor", "`regtui audit anchor` prints one")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
