"""The types of numpy's arrays, from their pickles and from the headers of `.npy` files.

Only what numpy itself writes is understood. A type that says one thing in its name and another in
its state is none: a reader that believed the wrong one would lose its place in the stream.
"""

import re
from typing import Final

from msgspec import Struct

from regtui.formats.symbolic import Global, Made, Symbol

_NAMES: Final = {
    "b1": "bool", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8",
    "u2": "uint16", "u4": "uint32", "u8": "uint64", "f2": "float16", "f4": "float32",
    "f8": "float64", "f12": "float96", "f16": "float128", "c8": "complex64", "c16": "complex128",
    "c24": "complex192", "c32": "complex256", "M8": "datetime64", "m8": "timedelta64",
}  # fmt: skip
_CODE: Final = re.compile(r"[<>|=]?(?:(O)[48]?|([SaUV])(\d{1,9})|([a-zA-Z]\d{1,2})(?:\[\w+\])?)")
_OBJECTS: Final = 0x01
_DTYPES: Final = frozenset(
    f"{module}.dtype" for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
)
_MOST_FIELDS: Final = 1_000
_DEPTH: Final = 8


class ArrayType(Struct, frozen=True):
    """A type of an array's elements.

    Attributes:
        name: numpy's name, without the order of bytes: `float64`, `S10`, `V56`.
        size: Bytes of one element in memory.
        objects: Whether the elements are Python objects, stored as pickles.
        big_endian: Whether the bytes of a number come in the other order.
    """

    name: str
    size: int
    objects: bool = False
    big_endian: bool = False


def parse_code(code: str) -> ArrayType | None:
    """Return the type that a code such as `<f8` or `|V56` stands for, None if it is no such."""
    found = _CODE.fullmatch(code)
    if not found:
        return None
    objects, flexible, length, plain = found.groups()
    big = code.startswith(">")
    if objects:
        return ArrayType("object", 8, objects=True)
    if flexible:
        flexible = "S" if flexible == "a" else flexible
        return ArrayType(f"{flexible}{length}", int(length) * (4 if flexible == "U" else 1))
    name = _NAMES.get(plain)
    return None if name is None else ArrayType(name, int(plain[1:]), big_endian=big)


def parse_description(description: object, depth: int = 0) -> ArrayType | None:
    """Return the type that the `descr` of a `.npy` header stands for, None if it is no such."""
    if isinstance(description, str):
        return parse_code(description)
    if not isinstance(description, list) or depth > _DEPTH or len(description) > _MOST_FIELDS:
        return None
    size, objects = 0, False
    for field in description:
        inner = _field(field, depth)
        if inner is None:
            return None
        size += inner.size
        objects = objects or inner.objects
    return ArrayType(f"V{size}", size, objects=objects)


def _field(field: object, depth: int) -> ArrayType | None:
    if not isinstance(field, tuple) or len(field) not in {2, 3}:
        return None
    inner = parse_description(field[1], depth + 1)
    count = elements(field[2]) if len(field) > 2 else 1  # noqa: PLR2004 - name, type, shape
    if inner is None or count is None:
        return None
    return ArrayType(inner.name, inner.size * count, objects=inner.objects)


def elements(shape: object) -> int | None:
    """Return how many elements an array of a shape has, None if it is no shape."""
    if isinstance(shape, int) and not isinstance(shape, bool):
        shape = (shape,)
    if not isinstance(shape, tuple) or len(shape) > 64:  # noqa: PLR2004 - numpy's own bound
        return None
    count = 1
    for length in shape:
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length < 1 << 63:
            return None
        count *= length
    return count


def parse_pickled(symbol: Symbol) -> ArrayType | None:
    """Return the type that a pickled `numpy.dtype` is, None if that isn't certain."""
    if isinstance(symbol, Global):
        return _by_name(symbol)
    if not isinstance(symbol, Made) or symbol.path not in _DTYPES or symbol.builds > 1:
        return None
    if symbol.pairs is not None or symbol.items is not None:
        return None
    code = symbol.argument(0)
    found = parse_code(code) if isinstance(code, str) else None
    if found is None or symbol.builds == 0:
        return found
    return _with_state(found, symbol.state)


def _with_state(found: ArrayType, state: Symbol) -> ArrayType | None:
    """Check the state `(version, order, subtype, names, fields, size, alignment, flags)`."""
    if not isinstance(state, tuple) or len(state) not in {8, 9}:
        return None
    size, flags = state[5], state[7]
    extended = found.name[0] in "SUV" and found.name[1:].isdigit()
    if not isinstance(flags, int) or size != (found.size if extended else -1):
        return None
    objects = bool(flags & _OBJECTS)
    if objects != found.objects and not found.name.startswith("V"):
        return None
    return ArrayType(found.name, found.size, objects=objects, big_endian=state[1] == ">")


def _by_name(symbol: Global) -> ArrayType | None:
    if symbol.module != "numpy":
        return None
    code = next((code for code, name in _NAMES.items() if name == symbol.name.rstrip("_")), None)
    return parse_code(code) if code else None
