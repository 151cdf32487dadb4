"""safetensors: eight bytes of length, a JSON table, the raw values.

The table must account for every byte behind it exactly once: no overlap, no hole, nothing behind
the last tensor. That is what the format demands, and it leaves no room for a second file inside the
first. A name that is there twice is refused, since two readers could then see two models.

The format carries no code. `complete` is certain: the table says where the file ends.
"""

import math
import re
from typing import Annotated, Final

import msgspec

from regtui.formats.cursor import Cursor, Malformed, TooMuch, unread
from regtui.formats.flat import Flat
from regtui.formats.json_text import decode_as
from regtui.formats.values import LIMITS, Facts, Limits, Source, Tensor

FORMAT: Final = "safetensors"

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_METADATA = "__metadata__"
_FIELDS = 3  # of one tensor
# For each tensor of the limit, before the table is decoded at all.
_COLONS = 10
_COMMAS = 20

# Short name, bits of one value.
_DTYPES: Final[dict[str, tuple[str, int]]] = {
    "BOOL": ("bool", 8),
    "F4": ("float4_e2m1fn", 4),
    "F6_E2M3": ("float6_e2m3fn", 6),
    "F6_E3M2": ("float6_e3m2fn", 6),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "I16": ("int16", 16),
    "U16": ("uint16", 16),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "I32": ("int32", 32),
    "U32": ("uint32", 32),
    "F32": ("float32", 32),
    "C64": ("complex64", 64),
    "F64": ("float64", 64),
    "I64": ("int64", 64),
    "U64": ("uint64", 64),
}

_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Entry(msgspec.Struct, gc=False):
    """One tensor as the table names it; the offsets count from the end of the table."""

    dtype: str
    shape: list[_Count]
    data_offsets: tuple[_Count, _Count]


_DECODER: Final = msgspec.json.Decoder(_Entry)


def matches(head: bytes, source: Source) -> bool:
    """Whether the file starts as a table of its length would."""
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and 1 < length <= max(LIMITS.header_bytes, source.size)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return the tensors and `__metadata__`.

    Raises:
        OSError: The file could not be read.
    """
    try:
        cursor = Cursor(source, 0, limits)
        text = cursor.take(cursor.uint(8))
        entries, metadata = _table(text, limits)
        return _facts(source, cursor.at, entries, metadata)
    except Malformed as error:
        return unread(FORMAT, error)


def _table(text: bytes, limits: Limits) -> tuple[dict[str, _Entry], Flat]:
    if text.count(b":") > _COLONS * limits.tensors or text.count(b",") > _COMMAS * limits.tensors:
        raise TooMuch("the table has more entries than can be read")
    rows: dict[str, msgspec.Raw] = decode_as(text, dict[str, msgspec.Raw])
    colons = (1 + _FIELDS) * len(rows)
    own: dict[str, str] = {}
    if _METADATA in rows:
        own = decode_as(rows.pop(_METADATA), dict[str, str])
        colons += len(own) - _FIELDS
    if len(rows) > limits.tensors:
        raise TooMuch(f"{len(rows)} tensors are more than can be read")
    if _STRINGS.sub(b"", text).count(b":") != colons:
        raise Malformed("the table names something twice, or something that the format has not")
    flat = Flat(limits)
    for key, value in own.items():
        flat.add(key, value)
    return {name: decode_as(row, _DECODER) for name, row in rows.items()}, flat


def _facts(source: Source, start: int, entries: dict[str, _Entry], metadata: Flat) -> Facts:
    ordered = sorted(entries.items(), key=lambda item: item[1].data_offsets)
    tensors = []
    end = 0
    for name, entry in ordered:
        tensors.append(_tensor(name, entry, start))
        if entry.data_offsets[0] != end:
            raise Malformed(f"the tensor {name[:200]!r} overlaps another or leaves a hole")
        end = entry.data_offsets[1]
    missing = start + end - source.size
    if missing < 0:
        raise Malformed(f"{-missing} bytes behind the last tensor belong to nothing")
    return Facts(
        FORMAT,
        "no-code",
        complete=not missing,
        tensors=tuple(tensors),
        metadata=metadata.values,
        problem=f"the file ends {missing} bytes early" if missing else None,
        cut=metadata.cut,
    )


def _tensor(name: str, entry: _Entry, start: int) -> Tensor:
    if entry.dtype not in _DTYPES:
        raise Malformed(f"the type {entry.dtype[:40]!r} of {name[:200]!r} is not known")
    dtype, bits = _DTYPES[entry.dtype]
    first, last = entry.data_offsets
    if len(entry.shape) > LIMITS.depth or math.prod(entry.shape) * bits != (last - first) * 8:
        raise Malformed(f"the size of {name[:200]!r} is not that of its shape")
    return Tensor(name, dtype, tuple(entry.shape), start + first, last - first)
