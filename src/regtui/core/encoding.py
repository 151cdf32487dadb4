"""Canonical bytes: one value, one spelling.

JSON with sorted keys, UTF-8, integers as they are and floats as the shortest text that reads back
to the same float. JSON has no NaN and no infinities, so those travel as the strings `"NaN"`,
`"Infinity"` and `"-Infinity"`. What was encoded once is stored and sent as those very bytes and is
never encoded again.
"""

import math
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="sorted")

INTEGERS = range(-(2**63), 2**64)
"""The integers that readers of JSON agree on; what is counted or dated stays below 2⁶³."""

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value or struct; a bare NaN or infinity is a bug."""
    return _encoder.encode(value)


def digest(data: bytes) -> str:
    """Return the blake3 digest of the bytes as 64 hex digits."""
    from blake3 import blake3  # most listings need no digest

    return blake3(data).hexdigest()


def tag_float(value: float) -> float | str:
    """Return the float, or its tagged string where JSON has no spelling for it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def untag_float(value: float | str) -> float:
    """Return the float behind a number or a tagged string; KeyError for any other string."""
    return _SPECIAL[value] if isinstance(value, str) else float(value)
