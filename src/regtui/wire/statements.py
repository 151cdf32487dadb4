"""What is signed, what is certified and what is summed: the same on both sides."""

from collections.abc import Iterable

import msgspec
from blake3 import blake3
from msgspec import Raw, Struct

from regtui.core import encoding

_SUM_MODULUS = 1 << 64


def push_statement(  # noqa: PLR0913, PLR0917 -- everything that one signature vouches for
    registry: str, replica: str, n: int, tip: str, epoch: str, seq: int, link: str
) -> bytes:
    """Return what a replica signs with a push: its chain up to here, and the history it knows."""
    return encoding.encode(["regtui push 1", registry, replica, n, tip, epoch, seq, link])


def receipt_statement(registry: str, epoch: str, verdicts: Iterable[str]) -> bytes:
    """Return what the server signs: that in this epoch it gave these verdicts (their digests)."""
    return encoding.encode(["regtui receipt 2", registry, epoch, list(verdicts)])


def certificate_statement(registry: str, model: str, version: str, number: int) -> bytes:
    """Return what the server certifies: that a version of a model has this number."""
    return encoding.encode(["regtui number 1", registry, model, version, number])


def enrolment_statement(registry: str, user: str, nonce: str) -> bytes:
    """Return what a replica signs to show that the key that it enrols is its own."""
    return encoding.encode(["regtui enrol 1", registry, user, nonce])


_NOTHING = Raw(b"")


class _Asked(Struct):
    """What an operation asks for as it is written, wherever it stands in a replica's chain."""

    id: str
    v: Raw = _NOTHING
    kind: Raw = _NOTHING
    actor: Raw = _NOTHING
    at: Raw = _NOTHING
    stream: Raw = _NOTHING
    entity: Raw = _NOTHING
    via: Raw = _NOTHING
    session: Raw = _NOTHING
    group: Raw = _NOTHING
    undoes: Raw = _NOTHING
    body: Raw = _NOTHING


_asked = msgspec.json.Decoder(_Asked)


def verdict_digest(operation: bytes, verdict: bytes) -> str:
    """Return the digest of a verdict and of what it was given to, as a receipt has it.

    A verdict names its operation by the id alone, which its author chose: beside another one of the
    same id it would prove that the server allowed that. A replica that is a copy sends operations
    in a chain of its own, so their place in it does not count.
    """
    identity, *others = msgspec.structs.astuple(_asked.decode(operation))
    # No JSON has a zero byte.
    parts = (identity.encode(), *map(bytes, others), verdict)
    return blake3(b"\0".join(parts)).hexdigest()[:32]


def weight(document: bytes) -> int:
    """Return what a document adds to the sum of its stream, a number of 64 bits."""
    return int.from_bytes(blake3(document).digest()[:8])


def moved(total: int, before: bytes | None, after: bytes | None) -> int:
    """Return a stream's sum after a document took the place of another one."""
    if before is not None:
        total -= weight(before)
    if after is not None:
        total += weight(after)
    return total % _SUM_MODULUS


def total_of(documents: Iterable[bytes]) -> int:
    """Return the sum over documents."""
    return sum(map(weight, documents)) % _SUM_MODULUS


def streams_digest(streams: Iterable[str]) -> str:
    """Return the digest of a list of streams, whatever order it has."""
    return blake3("\n".join(sorted(streams)).encode()).hexdigest()[:16]
