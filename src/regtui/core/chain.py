"""Chains: what makes a history that was rewritten noticeable.

The operations of one replica form a chain: each carries the digest of the one before it, so that
one signature over the tip vouches for all. What an authority decided forms chains too, one for each
stream and one for the registry: `link = H(domain ‖ previous ‖ H(operation) ‖ H(verdict))`. Both
hold digests only, so a body can be redacted without breaking them.
"""

from typing import TypeVar

import msgspec
from blake3 import blake3

from regtui.core import encoding
from regtui.core.operations import Operation, encode_operation

PREV_DIGITS = 32
GENESIS = "0" * PREV_DIGITS
"""What the first operation of a replica has before it."""

FIRST_LINK = b"\0" * 32
"""What the first link of a stream follows."""

_LINK_DOMAIN = b"regtui link 1"

AnyOp = TypeVar("AnyOp", bound=Operation)


def seal(draft: AnyOp, *, n: int, prev: str) -> tuple[AnyOp, bytes, str]:
    """Give an operation its place in its replica's chain.

    Returns:
        The operation, its exact bytes, and the new tip of the chain.
    """
    operation = msgspec.structs.replace(draft, n=n, prev=prev)
    data = encode_operation(operation)
    return operation, data, tip(data)


def tip(data: bytes) -> str:
    """Return what the operation after these bytes has as its `prev`."""
    return blake3(data).hexdigest()[:PREV_DIGITS]


def statement(  # noqa: PLR0913 -- everything that one signature vouches for
    registry: str, replica: str, *, n: int, prev: str, seq: int, last: bytes
) -> bytes:
    """Return what a replica signs: that its chain ends here, in a registry that ends here.

    Args:
        registry: Id of the registry.
        replica: Id of the replica.
        n: Place of its last operation.
        prev: The tip of its chain, what its next operation has as `prev`.
        seq: Sequence number of the registry's last operation.
        last: The registry's last link.
    """
    return encoding.encode(["regtui signature 1", registry, replica, n, prev, seq, last.hex()])


def link(previous: bytes, operation: bytes, verdict: bytes) -> bytes:
    """Return the next link of a stream's or registry's chain, 32 bytes."""
    return link_on(previous, decided(operation, verdict))


def decided(operation: bytes, verdict: bytes) -> bytes:
    """Return what a link says of an operation and its verdict, the same in every chain."""
    return blake3(operation).digest() + blake3(verdict).digest()


def link_on(previous: bytes, said: bytes) -> bytes:
    """Return the link behind another one, by what it says (`decided`)."""
    return blake3(_LINK_DOMAIN + previous + said).digest()
