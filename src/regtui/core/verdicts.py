"""Verdicts: what an authority decided about an operation.

A verdict is final, stored as its exact bytes beside the operation, and lists the digests of the
documents that it produced, so that a chain over verdicts vouches for states too.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.documents import Document


class PathResult(Struct, frozen=True, omit_defaults=True):
    """What became of one change that was not simply applied.

    Attributes:
        result: `lost` to a later value, `merged` with it (texts), `same` as the value that stood
            there, or made a candidate of a `conflict`.
        stamp: For `same`, the stamp of the equal value.
        conflict: Id of the conflict.
        of: Path that the conflict is of, where it is another one: an edit of what was deleted is in
            conflict with the state.
    """

    result: Literal["lost", "merged", "same", "conflict"]
    stamp: str | None = None
    conflict: str | None = None
    of: str | None = None


class Decided(Struct, frozen=True, kw_only=True, tag_field="result"):
    """What every verdict carries: the operation's id and the authority's clock, in microseconds."""

    op: str
    now: int


class Accepted(Decided, frozen=True, tag="accepted", omit_defaults=True):
    """The operation took effect.

    Attributes:
        at_used: Microseconds: the time by which it counts in ties.
        documents: Digest of each document that it produced, by id.
        number: The number of the version that it captured.
        merged_into: Id of the entity it went into, where that is not the one it named.
        paths: What became of changes that were not simply applied.
        role: In which its author made or reviewed a promotion request, or reported a check.
        applied: Ids of the promotion requests that it made apply themselves.
        first: Microseconds of the authority's clock when it was accepted first, where a restore
            lost that and it came back.
    """

    at_used: int
    documents: dict[str, str]
    number: int | None = None
    merged_into: str | None = None
    paths: dict[str, PathResult] = {}
    role: str | None = None
    applied: tuple[str, ...] = ()
    first: int | None = None

    @property
    def decided(self) -> int:
        """When it was decided, whatever restores came between."""
        return self.now if self.first is None else self.first


class Conflicted(Accepted, frozen=True, tag="conflicted", omit_defaults=True):
    """Some of its changes are candidates of conflicts; the rest took effect."""

    conflicts: tuple[str, ...] = ()


class Rejected(Decided, frozen=True, tag="rejected", omit_defaults=True):
    """The operation has no effect.

    Attributes:
        code: Stable word for programs.
        message: One sentence that says why.
        hint: What to do about it.
        cause: Id of the rejected operation that it depended on.
    """

    code: str
    message: str
    hint: str = ""
    cause: str | None = None


class Unsupported(Decided, frozen=True, tag="unsupported"):
    """This authority does not know the operation's kind or format."""

    kind: str


Verdict = Accepted | Conflicted | Rejected | Unsupported

_decoder: msgspec.json.Decoder[Verdict] = msgspec.json.Decoder(Verdict)


class LogRow(Struct, frozen=True):
    """One line of the history that people read.

    Attributes:
        entity: Id of what changed.
        kind: Its kind.
        path: Path of the value; empty where the entity itself came to be.
        before: The value before.
        after: The value that the operation asked for.
        result: `created`, `applied`, `lost`, `merged`, `same` or `conflict`; `noted` for a value
            that nobody asked for.
    """

    entity: str
    kind: str
    path: str
    before: Any
    after: Any
    result: str


class Judged(Struct, frozen=True):
    """A verdict with its effects.

    Attributes:
        verdict: The decision.
        documents: Changed documents with their canonical bytes.
        log: History rows.
        texts: Texts to keep, by digest.
        requested: Whether it moves what policies govern, and takes effect where that is decided.
        gates: What the gates said, where something governed moves (`regtui.core.governance`).
    """

    verdict: Verdict
    documents: tuple[tuple[Document, bytes], ...] = ()
    log: tuple[LogRow, ...] = ()
    texts: dict[str, str] = {}
    requested: bool = False
    gates: tuple[Any, ...] = ()


def encode_verdict(verdict: Verdict) -> bytes:
    """Return the canonical bytes of a verdict."""
    return encoding.encode(verdict)


def decode_verdict(data: bytes) -> Verdict:
    """Return the verdict behind its bytes; msgspec.ValidationError where they hold none."""
    return _decoder.decode(data)
