"""Where a page of a query ended, as text that can be handed around.

The text is opaque: urlsafe base64 of canonical JSON with the sort values and key of the page's last
row and a short digest of the query. A cursor is only good for the query that it came from, order
included; anything else is refused instead of giving a page of nonsense. It is no secret and no
proof: its values are checked for their types and then bound like any other.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.errors import BadInput
from regtui.core.query.syntax import Query
from regtui.replica.query_order import Sorted, columns, sort_keys

_DIGEST_DIGITS = 16
_LARGEST = 2**63

SortValue = int | float | str | None


class Cursor(Struct, frozen=True):
    """The last row of a page.

    Attributes:
        values: Its sort values.
        key: The key of its version.
    """

    values: tuple[SortValue, ...]
    key: int


class _Wire(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    query: str
    key: int
    values: list[SortValue]


def encode_cursor(query: Query, values: Sequence[SortValue], key: int) -> str:
    """Return the cursor of the page that follows the row with these sort values and this key."""
    tagged = [encoding.tag_float(value) if isinstance(value, float) else value for value in values]
    data = encoding.encode(_Wire(_digest(query), key, tagged))
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_cursor(text: str, query: Query) -> Cursor:
    """Return the cursor that the text stands for.

    Raises:
        BadInput: It is garbled, or comes from another query.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        wire = msgspec.json.decode(data, type=_Wire)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _garbled(text) from None
    if wire.query != _digest(query):
        raise BadInput("this cursor belongs to another query", "start again without a cursor")
    types = [column.type for column in columns(sort_keys(query))]
    if len(types) != len(wire.values) or not _is_bigint(wire.key):
        raise _garbled(text)
    pairs = zip(types, wire.values, strict=True)
    return Cursor(tuple(_untag(text, kind, value) for kind, value in pairs), wire.key)


def _untag(text: str, kind: Sorted, value: Any) -> SortValue:
    match kind, value:
        case _, None:
            return None
        case "bigint", int() if _is_bigint(value):
            return value
        case "varchar", str():
            return value
        case "double", int() | float() | "NaN" | "Infinity" | "-Infinity":
            return encoding.untag_float(value)
    raise _garbled(text)


def _is_bigint(value: int) -> bool:
    return -_LARGEST <= value < _LARGEST


def _garbled(text: str) -> BadInput:
    return BadInput(f"{text[:40]!r} is no cursor", "take it from the page before as it is")


def _digest(query: Query) -> str:
    return encoding.digest(encoding.encode(query))[:_DIGEST_DIGITS]
