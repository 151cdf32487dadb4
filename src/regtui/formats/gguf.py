"""GGUF, versions 1 to 3, in either order of bytes: llama.cpp's models.

A header of counted metadata and tensor infos, padding up to the alignment, then the raw values. The
order of bytes is told by the version, which is small. Long arrays (a vocabulary) are walked over,
never kept. A tensor's size follows from its type; a type that is not known ends where the next
tensor starts. A header is no longer than `Limits.header_bytes`, and no name longer than
`Limits.text`.

The format carries no code; a chat template in its metadata is text that a program may render.
`complete` is certain, but for files whose last tensor lacks its padding or is of an unknown type.
"""

import math
import struct
from itertools import pairwise
from typing import Any, Final

from regtui.formats.cursor import Cursor, Malformed, TooMuch, unread
from regtui.formats.flat import Flat
from regtui.formats.values import LIMITS, Facts, Limits, Source, Tensor

FORMAT: Final = "gguf"
MAGIC: Final = b"GGUF"

_NEWEST = 3
_STRING, _ARRAY = 8, 9
_SCALARS: Final = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_KEPT = 64  # values of an array that are kept
_ENTRY = 10  # steps that an entry costs
_MOST_DIMENSIONS = 8
_ALIGNMENT = 32
_STRING_BLOCK = 1 << 20

# Name, values of one block, bytes of one block.
_TYPES: Final[dict[int, tuple[str, int, int]]] = {
    0: ("float32", 1, 4),
    1: ("float16", 1, 2),
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
    9: ("q8_1", 32, 40),
    10: ("q2_k", 256, 84),
    11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210),
    15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74),
    18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18),
    21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82),
    23: ("iq4_xs", 256, 136),
    24: ("int8", 1, 1),
    25: ("int16", 1, 2),
    26: ("int32", 1, 4),
    27: ("int64", 1, 8),
    28: ("float64", 1, 8),
    29: ("iq1_m", 256, 56),
    30: ("bfloat16", 1, 2),
    34: ("tq1_0", 256, 54),
    35: ("tq2_0", 256, 66),
    39: ("mxfp4", 32, 17),
    40: ("nvfp4", 64, 36),
    41: ("q1_0", 128, 18),
}


def matches(head: bytes, source: Source) -> bool:  # noqa: ARG001 - every format is asked alike
    """Whether the file starts with GGUF's magic."""
    return head.startswith(MAGIC)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return the tensors and the metadata.

    Raises:
        OSError: The file could not be read.
    """
    try:
        return _Header(source, limits).facts()
    except Malformed as error:
        return unread(FORMAT, error)


class _Info:
    """A tensor as the header names it."""

    __slots__ = ("kind", "name", "offset", "shape")

    def __init__(self, name: str, shape: tuple[int, ...], kind: int, offset: int) -> None:
        self.name = name
        self.shape = shape
        self.kind = kind
        self.offset = offset

    def size(self) -> int | None:
        """Its bytes, None if its type is not known."""
        if self.kind not in _TYPES:
            return None
        _, values, width = _TYPES[self.kind]
        return -(-math.prod(self.shape) // values) * width


class _Header:
    """The header while it is read."""

    def __init__(self, source: Source, limits: Limits) -> None:
        little = source.read(len(MAGIC), 4)
        order = ">" if len(little) == 4 and little[:2] == b"\0\0" != little[2:] else "<"  # noqa: PLR2004
        self._cursor = Cursor(source, len(MAGIC), limits, order=order)
        self._limits = limits
        self._metadata = Flat(limits)
        self._alignment: Any = _ALIGNMENT
        self._version = self._cursor.uint(4)
        if not 1 <= self._version <= _NEWEST:
            raise Malformed(f"version {self._version} of GGUF is not known")
        self._metadata.add("gguf.version", self._version)
        self._width = 4 if self._version == 1 else 8  # bytes of a count

    def facts(self) -> Facts:
        """Read to the end of the header."""
        tensors, entries = self._count(), self._count()
        for _ in range(entries):
            key = self._name()
            self._entry(key, self._cursor.uint(4))
        if tensors > self._limits.tensors:
            raise TooMuch(f"{tensors} tensors are more than can be read")
        infos = [self._info() for _ in range(tensors)]
        return self._answer(infos, self._cursor.at)

    def _count(self) -> int:
        return self._cursor.uint(self._width)

    def _text(self, most: int | None = None) -> str:
        length = self._count()
        whole = self._cursor.at + length
        if whole > self._limits.header_bytes or (most is not None and length > most):
            raise TooMuch("the header has more or longer names and texts than can be read")
        return self._cursor.take(length).decode("utf-8", "replace")

    def _name(self) -> str:
        return self._text(self._limits.text)

    def _entry(self, key: str, kind: int) -> None:
        self._cursor.step(_ENTRY)
        if kind == _ARRAY:
            self._array(key, 0)
        else:
            value = self._value(kind)
            if key == "general.alignment":
                self._alignment = value
            self._metadata.add(key, value)

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind not in _SCALARS:
            raise Malformed(f"metadata of the type {kind} is not known")
        return self._cursor.number(_SCALARS[kind])

    def _array(self, key: str, depth: int) -> None:
        kind, count = self._cursor.uint(4), self._count()
        if depth > self._limits.depth:
            raise TooMuch("arrays are nested too deeply")
        if kind == _ARRAY:
            for index in range(count):
                self._cursor.step()
                self._array(f"{key}.{index}", depth + 1)
        elif count <= _KEPT:
            self._metadata.tree(key, [self._value(kind) for _ in range(count)])
        else:
            self._metadata.add(f"{key}.length", count)
            self._skip(kind, count)

    def _skip(self, kind: int, count: int) -> None:
        if kind == _STRING:
            self._skip_strings(count)
        elif kind in _SCALARS:
            self._cursor.skip(struct.calcsize(_SCALARS[kind]) * count)
        else:
            raise Malformed(f"metadata of the type {kind} is not known")

    def _skip_strings(self, count: int) -> None:
        for _ in range(count):
            self._cursor.step()
            self._cursor.skip(self._count())

    def _info(self) -> _Info:
        name = self._name()
        dimensions = self._cursor.uint(4)
        if dimensions > _MOST_DIMENSIONS:
            raise Malformed(f"the tensor {name[:200]!r} claims {dimensions} dimensions")
        # GGUF counts the fastest dimension first; shapes are told the other way round.
        shape = tuple(self._count() for _ in range(dimensions))[::-1]
        kind, offset = self._cursor.uint(4), self._cursor.uint(8)
        return _Info(name, shape, kind, offset)

    def _answer(self, infos: list[_Info], end: int) -> Facts:
        alignment = self._alignment
        if isinstance(alignment, bool) or not isinstance(alignment, int) or alignment <= 0:
            raise Malformed("the alignment is no positive number")
        start = -(-end // alignment) * alignment if infos else end
        infos.sort(key=lambda info: info.offset)
        tensors = _tensors(infos, start)
        complete, problem = _complete(tensors, alignment, self._cursor.size)
        return Facts(
            FORMAT,
            "no-code",
            complete=complete,
            tensors=tensors,
            metadata=self._metadata.values,
            problem=problem,
            cut=self._metadata.cut,
        )


def _tensors(infos: list[_Info], start: int) -> tuple[Tensor, ...]:
    """Return the tensors in the order of the file, which `infos` has."""
    following: list[int | None] = [after.offset for _, after in pairwise(infos)]
    found = []
    for info, after in zip(infos, [*following, None], strict=False):
        size = info.size()
        name = _TYPES[info.kind][0] if info.kind in _TYPES else f"type-{info.kind}"
        if size is not None and after is not None and info.offset + size > after:
            raise Malformed(f"the tensor {info.name[:200]!r} overlaps the next one")
        if size is None and after is not None:
            size = after - info.offset
        offset = None if size is None else start + info.offset
        found.append(Tensor(info.name, name, info.shape, offset, size or 0))
    return tuple(found)


def _complete(
    tensors: tuple[Tensor, ...], alignment: int, size: int
) -> tuple[bool | None, str | None]:
    last = tensors[-1] if tensors else None
    if last is None:
        return True, None
    if last.offset is None:
        return None, f"the size of {last.name[:200]!r} is not known: its type is {last.dtype}"
    end = last.offset + last.size
    if size < end:
        return False, f"the file ends {end - size} bytes early"
    return (True if size >= -(-end // alignment) * alignment else None), None
