"""One `.npy` file: a header in Python's notation, and the bytes of one array or a pickle.

The header is parsed as a literal of at most 64 KiB and 32 levels, never evaluated; it costs steps
of the reading, for a parser takes long over long ones and an archive may hold many. An array of
objects is a pickle, which is run by the symbolic machine.
"""

import ast
import warnings
from typing import Final

from msgspec import Struct

from regtui.formats import numpy_types
from regtui.formats.numpy_types import ArrayType
from regtui.formats.pickle_runs import run_all
from regtui.formats.reading import Reading
from regtui.formats.streams import Ended, SourceStream, Unreadable
from regtui.formats.values import Source, Tensor

NPY_MAGIC: Final = b"\x93NUMPY"

_LONGEST_HEADER: Final = 64 << 10
_NESTING: Final = 32
_SHORT: Final = 512  # bytes of a header that costs nothing
_STEPS: Final = 4  # that each further byte costs
_DAMAGED: Final = "it is a damaged .npy file"


class Header(Struct, frozen=True):
    """What the header of a `.npy` file says, and where the array starts."""

    type: ArrayType
    shape: tuple[int, ...]
    start: int


def read_array(source: Source, name: str, reading: Reading) -> Tensor | None:
    """Return the array of a `.npy` file; an array of objects is run as a pickle."""
    try:
        header = _header(source, reading)
    except Unreadable as error:
        reading.fail(error)
        return None
    if header.type.objects:
        run_all(SourceStream(source, header.start), reading, source)
        return Tensor(name, header.type.name, header.shape)
    size = (numpy_types.elements(header.shape) or 0) * header.type.size
    if header.start + size > source.size:
        reading.fail(Ended("the .npy file ends too early"))
    elif reading.complete is None:
        reading.complete = True
    return Tensor(name, header.type.name, header.shape, header.start, size)


def _header(source: Source, reading: Reading) -> Header:
    """Parse magic, version, length and the literal.

    Raises:
        Unreadable: It is none, or more than can be read.
    """
    start = source.read(0, 12)
    if len(start) < 10:  # noqa: PLR2004 - the shortest preamble
        raise Ended("the .npy file ends too early")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    if start[6] not in {1, 2, 3} or length > _LONGEST_HEADER:
        raise Unreadable(_DAMAGED)
    raw = source.read(8 + width, length)
    if len(raw) < length:
        raise Ended("the .npy file ends too early")
    reading.step(_STEPS * max(0, length - _SHORT))
    told = _literal(raw)
    kind = numpy_types.parse_description(told.get("descr"))
    shape = told.get("shape")
    if kind is None or not isinstance(shape, tuple) or numpy_types.elements(shape) is None:
        raise Unreadable(_DAMAGED)
    return Header(kind, shape, 8 + width + length)


def _literal(raw: bytes) -> dict[object, object]:
    text = raw.decode("utf-8", "replace").strip("\0 \n")
    if _depth(text) > _NESTING:
        raise Unreadable(_DAMAGED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stray escape in a field's name
            told = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise Unreadable(_DAMAGED) from error
    if not isinstance(told, dict):
        raise Unreadable(_DAMAGED)
    return told


def _depth(text: str) -> int:
    """Return an upper bound of how deeply brackets and signs nest; parsers recurse on both."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
        elif character in "-+~":
            return _NESTING + 1
    return deepest
