"""JSON of a file that nobody vouches for.

A decoded value takes far more memory than its text (`[],` is three bytes and a list of 56), so the
parts are counted before they are made; a typed decode makes only what the type names, so there the
size alone is bounded. Depth is bounded by the decoder, which raises instead of overflowing.
"""

from typing import Any, Final

import msgspec

from regtui.formats.cursor import Malformed, TooMuch, Truncated
from regtui.formats.values import LIMITS, Limits, Source

_CONTAINERS: Final = 1_000_000


def content(source: Source, limits: Limits = LIMITS) -> bytes:
    """Return a whole text, which must be within `Limits.header_bytes`.

    Raises:
        TooMuch: It is longer.
        OSError: The file could not be read.
    """
    if source.size > limits.header_bytes:
        raise TooMuch(f"{source.size} bytes of text are more than can be read")
    return source.read(0, source.size)


def decode(text: bytes, limits: Limits = LIMITS) -> Any:
    """Return any JSON value.

    Raises:
        Malformed: It is none, is deeper or has more parts than the limits allow.
    """
    containers = text.count(b"[") + text.count(b"{")
    if containers > _CONTAINERS or text.count(b",") > limits.steps:
        raise TooMuch("the JSON text has more parts than can be read")
    return decode_as(text, Any)


def decode_as(text: bytes | msgspec.Raw, kind: Any) -> Any:
    """Return a JSON value of a type, or by its decoder; what the type does not name is skipped.

    Raises:
        Malformed: It is none, or deeper than can be read.
    """
    try:
        if isinstance(kind, msgspec.json.Decoder):
            return kind.decode(text)
        return msgspec.json.decode(text, type=kind)
    except RecursionError:
        raise TooMuch("the JSON text is nested too deeply") from None
    except ValueError as error:  # of msgspec, of UTF-8, of a number with too many digits
        early = "truncated" in str(error)
        raise (Truncated if early else Malformed)(f"the JSON text can't be read: {error}") from None
