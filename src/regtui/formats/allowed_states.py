"""Whether what a pickle hands on and fills in is what honest files hand on and fill in.

Loading calls more than its REDUCE opcodes show. It asks an object for `__setstate__`, `extend`,
`append` or `add`, and libraries ask their arguments for `__array__` or `keys`; an object that got
such a name in its state answers with what the pickle put there. So

- a function with a rule for its arguments (`allowed_calls.py`) is called and never a value
- nothing with the name of a special method is put into an object
- an object is filled in the order that picklers have: items, pairs, its state, and that once
- only what is newly made is filled, never what a function may have handed back
- a type of numpy's says of itself what its parts say
"""

import re
from typing import Final

from regtui.formats.reading import Reading
from regtui.formats.symbolic import Blob, Global, Made, Pairs, Persistent, Symbol

_SPECIAL: Final = re.compile(r"__\w+__", re.DOTALL)
_HARMLESS: Final = frozenset({"__doc__"})
_PLAIN_PACKAGES: Final = frozenset({"builtins", "__builtin__", "collections"})
_FILLED: Final = frozenset({"bare", "plain", "any"})
# Functions that always make a new object.
_MAKING: Final = re.compile(
    r"_reconstructor|_reconstruct|_mareconstruct|newObj|__pyx_unpickle_\w+|\w*ArrayWrapper"
    r"|__(bit_generator|generator|randomstate)_ctor"
)
_KEYS_IN_A_STEP: Final = 16
# Of the state of a type of numpy's.
_FLAGS: Final = 7
_OBJECTS: Final = 0x01


def check_values(values: list[Symbol] | tuple[Symbol, ...], reading: Reading) -> None:
    """Suspect names among values that are only ever called."""
    if Global in map(type, values):
        for place, value in enumerate(values):
            if isinstance(value, Global):
                _check_value(value, values, place, reading)


def check_value(value: Symbol, reading: Reading) -> None:
    """Suspect a single value; see `check_values`."""
    if isinstance(value, Global):
        _check_value(value, (value,), 0, reading)


def _check_value(
    name: Global, values: list[Symbol] | tuple[Symbol, ...], place: int, reading: Reading
) -> None:
    calls = reading.calls(name)
    if calls == "rule" and name.name not in _ALSO_VALUES:
        # The one function that calls another is given it with class, arguments and state.
        rebuilding = name.name.startswith("_rebuild_") and len(values) == 4 and not place  # noqa: PLR2004
        if not rebuilding or name.name == "_rebuild_from_type_v2":
            reading.suspect(f"<{name.path}>")
    if name.name == "memmap":
        reconstructed = isinstance(values, tuple) and len(values) == 3 and not place  # noqa: PLR2004
        wrapped = isinstance(values, list) and place % 2 and values[place - 1] == "subclass"
        if not reconstructed and not wrapped:
            reading.suspect(f"<{name.path}>")


_ALSO_VALUES: Final = frozenset({"dtype", "__bit_generator_ctor"})


def check_fill(target: Made, reading: Reading, *, ordered: bool) -> None:
    """Suspect that an object is filled.

    Args:
        target: The object.
        reading: Is told.
        ordered: Whether it is filled in the order that picklers have.
    """
    by = target.by
    if not isinstance(by, Global):
        return  # told already, when it was called
    calls = reading.calls(by)
    making = calls is None or calls in _FILLED or (calls == "rule" and _makes_new(target, by.name))
    if not making or not ordered:
        reading.suspect(f"{by.path}()=")


def _makes_new(target: Made, name: str) -> bool:
    if name == "dtype":
        copied = target.argument(2)
        return isinstance(copied, int) and copied == 1  # else it may be one that everybody shares
    return _MAKING.fullmatch(name) is not None


def check_state(state: Symbol, reading: Reading) -> None:
    """Suspect a state that has more than plain attributes."""
    check_value(state, reading)
    for part in state if isinstance(state, tuple) else (state,):
        if isinstance(part, Pairs):
            check_keys(part.flat, reading)


def check_type(target: Made, state: Symbol, reading: Reading) -> None:
    """Suspect a type of numpy's whose fields are objects while its flags say that it has none.

    numpy believes the flags, and would take bytes of the file for addresses of objects.
    """
    if target.path.endswith(".dtype") and isinstance(state, tuple) and len(state) > _FLAGS:
        flags = state[_FLAGS]
        if not (isinstance(flags, int) and flags & _OBJECTS) and any(
            map(_is_object, _parts(state))
        ):
            reading.suspect(f"{target.path}()=")


def _parts(state: tuple[Symbol, ...]) -> list[Symbol]:
    """Return the types that a type consists of: of its elements, of its fields."""
    inner, fields = state[2], state[4]
    found = [inner[0]] if isinstance(inner, tuple) and inner else []
    if isinstance(fields, Pairs):
        found += [field[0] for _, field in fields if isinstance(field, tuple) and field]
    return found


def _is_object(kind: Symbol) -> bool:
    if isinstance(kind, Global):
        return kind.name.startswith("object")
    if not isinstance(kind, Made):
        return True  # a type that is none
    code, state = kind.argument(0), kind.state
    flags = state[_FLAGS] if isinstance(state, tuple) and len(state) > _FLAGS else 0
    plain = isinstance(code, str) and "O" not in code
    return not plain or not isinstance(flags, int) or bool(flags & _OBJECTS)


def check_keys(flat: list[Symbol], reading: Reading) -> None:
    """Suspect names of special methods, and such as are computed, among the keys of an object."""
    reading.step(len(flat) // _KEYS_IN_A_STEP)
    for key in flat[::2]:
        if isinstance(key, str):
            if key.startswith("__") and _SPECIAL.fullmatch(key) and key not in _HARMLESS:
                reading.suspect(f"<{key}>=")
        elif isinstance(key, Made | Blob | Persistent):
            reading.suspect("<computed>=")


def has_attributes(made: Made) -> bool:
    """Tell whether what is set in it may become an attribute: not in plain containers."""
    return not isinstance(made.by, Global) or made.by.module not in _PLAIN_PACKAGES
