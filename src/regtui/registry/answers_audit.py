"""Rows of an exported audit, in the shape that scripts and auditors rely on."""

from msgspec import Struct

from regtui.registry.history import ChangeAnswer


class AuditGate(Struct, frozen=True, kw_only=True):
    """What a gate said when something that policies govern moved.

    Attributes:
        policy: Name of the policy that asked; empty where every target has the gate.
        gate: Its name, such as `approvals` or `check:smoke`.
        reason: One sentence.
        evidence: UUID of what it looked at; None where that is no entity.
    """

    policy: str
    gate: str
    reason: str
    evidence: str | None


class AuditReview(Struct, frozen=True, kw_only=True):
    """What somebody said to the request that a move follows from.

    Attributes:
        author: Name.
        verdict: `approve` or `reject`.
        role: The role that he had then.
        time: When.
        text: Why.
        not_counted: Why it did not count as the target moved; empty where it did.
    """

    author: str
    verdict: str
    role: str
    time: str
    text: str
    not_counted: str = ""


class AuditRow(Struct, frozen=True, kw_only=True):
    """One operation: who did what, when, from where, and on whose approval.

    Attributes:
        seq: Its place in the registry's history; one that waits for a server has a number from
            2^52 on.
        waiting: Whether it waits for the server, which has decided nothing of it yet.
        id: UUID.
        time: When it was decided.
        actor: Name of who did it.
        via: `cli`, `app`, `watcher`, `api` or `runner`.
        session: Id of the invocation.
        replica: Id of the copy of the registry that made it.
        host: The machine, where the operation itself tells it: of a capture or a check's runner.
        kind: Such as `alias.set`.
        model: Name of the model; None where it is about none.
        version: Reference of the version that it is about.
        target: The alias, or `env:NAME` (with `/TARGET`), that it is about.
        entity: UUID of what it is about.
        summary: One plain line.
        changes: Value by value.
        request: UUID of the promotion request that it is about or follows from.
        approved_by: Who approved that request.
        reviews: What people said to it.
        gates: What the gates said as it moved what policies govern.
        break_glass: Why an admin passed the gates; None where nobody did.
        verdict: `accepted`, or `conflicted` where a part of it became a candidate of a conflict.
        digest: blake3 of the operation's bytes.
        link: The registry's chain after it; None where a server decides or has still to.
        stream_link: The chain of its model or of the registry's own documents after it.
    """

    seq: int
    waiting: bool
    id: str
    time: str
    actor: str
    via: str
    session: str
    replica: str
    host: str | None
    kind: str
    model: str | None
    version: str | None
    target: str | None
    entity: str
    summary: str
    changes: list[ChangeAnswer]
    request: str | None
    approved_by: list[str]
    reviews: list[AuditReview]
    gates: list[AuditGate]
    break_glass: str | None
    verdict: str
    digest: str
    link: str | None
    stream_link: str | None


class AuditExport(Struct, frozen=True, kw_only=True):
    """What was exported.

    Attributes:
        file: Where to; `-` for standard output.
        format: `jsonl` or `csv`.
        rows: How many operations.
        first: Number of the first one; None without any.
        last: Number of the last one.
        missing_before: Operations before this number are not here; None where all are.
        unknown: Operations of a newer program, which are left out.
    """

    file: str
    format: str
    rows: int
    first: int | None
    last: int | None
    missing_before: int | None
    unknown: int
