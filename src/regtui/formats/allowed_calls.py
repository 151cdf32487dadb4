"""Whether a call of an allowed name is one that honest files make.

`allowed_groups.py` says how each name is called; where that is by a rule, the rule stands here.
Rules are needed for functions that call or return what they are given: the first could call
anything, the second could hide from a reader what a loader has on its stack, such as a class that
is then changed. What no rule allows is dangerous, also where it might be harmless.

- `_codecs.encode`, `str`, `bytes`, `bytearray` look a codec up by name: those that pickle writes
- `copyreg._reconstructor`, `_reconstruct`, `_mareconstruct`, pandas' indexes and the makers of
  Cython's classes make an object of a class that they are given: one of their own library
- `_rebuild_from_type_v2` and numpy's random states call an argument: one that is called so
- `numpy.core.multiarray.scalar` and TorchScript's typed lists return an argument: a plain one
- `torch.storage._load_from_bytes` loads a file of torch's within: its bytes are read as one
"""

from collections.abc import Callable, Iterator
from typing import Final

from regtui.formats.allowed import makes_objects
from regtui.formats.allowed_groups import Calls
from regtui.formats.allowed_states import check_state
from regtui.formats.reading import Reading
from regtui.formats.symbolic import Blob, Global, Items, Made, Pairs, Symbol

Rule = Callable[[Made, Reading], bool]

CODECS: Final = frozenset({"latin1", "latin-1", "ascii", "utf-8", "utf8"})
"""The codecs that picklers write."""

_LATIN: Final = frozenset({"latin1", "latin-1"})
_BUILTINS: Final = frozenset({"builtins", "__builtin__"})
_ARRAYS: Final = frozenset({"ndarray", "memmap", "recarray", "MaskedArray"})
_CLASSES: Final = frozenset({"bare", "plain", "any"})
_OF_TENSORS: Final = frozenset({"torch", "numpy", "collections", "joblib"})


def check_call(made: Made, reading: Reading) -> None:
    """Suspect the call of a name unless honest files make it so."""
    if isinstance(made.by, Global):
        calls = reading.calls(made.by)
        # A loader in Python takes any sequence for arguments; no pickler writes one.
        fits = isinstance(made.arguments, tuple) and (calls is None or _CALLS[calls](made, reading))
        if not fits:
            reading.suspect(f"{made.path}()")


def _never(_: Made, __: Reading) -> bool:
    return False


def _bare(made: Made, _: Reading) -> bool:
    return not made.arguments


def _member(made: Made, _: Reading) -> bool:
    return len(_given(made)) == 1 and isinstance(made.argument(0), str | int | None)


def _plain(made: Made, reading: Reading) -> bool:
    if _holds_names(_given(made), reading):
        return False
    return not _name(made).startswith(_TEXTS) or _decodes(made)


def _any(_: Made, __: Reading) -> bool:
    return True


def _rule(made: Made, reading: Reading) -> bool:
    name = _name(made)
    rule = _makes if makes_objects(name) else _RULES.get(name, _never)
    return rule(made, reading)


_CALLS: Final[dict[Calls, Rule]] = {
    "never": _never,
    "bare": _bare,
    "member": _member,
    "plain": _plain,
    "any": _any,
    "rule": _rule,
}
_TEXTS: Final = ("str", "unicode", "bytes", "bytearray")


def _given(made: Made) -> tuple[Symbol, ...]:
    return made.arguments if isinstance(made.arguments, tuple) else ()


def _name(made: Made) -> str:
    return made.by.name if isinstance(made.by, Global) else ""


def _root(symbol: Symbol) -> str:
    """Return the package of a name, or of what made an object."""
    by = symbol.by if isinstance(symbol, Made) else symbol
    return by.module.partition(".")[0] if isinstance(by, Global) else ""


def _holds_names(values: tuple[Symbol, ...], reading: Reading) -> bool:
    """Whether a class or function is among values, or a wrapper that joblib did not yet replace."""
    waiting: list[Symbol] = list(values)
    seen: set[int] = set()
    for symbol in waiting:  # grows while it is walked
        if isinstance(symbol, Global) or _is_wrapper(symbol):
            return True
        inner = _inside(symbol)
        if inner and id(symbol) not in seen:
            seen.add(id(symbol))
            reading.step(len(inner))
            waiting += inner
    return False


def _inside(symbol: Symbol) -> tuple[Symbol, ...] | list[Symbol]:
    if isinstance(symbol, tuple):
        return symbol
    if isinstance(symbol, Items):
        return symbol.values
    return symbol.flat if isinstance(symbol, Pairs) else ()


def _is_wrapper(symbol: Symbol) -> bool:
    made = symbol if isinstance(symbol, Made) else None
    return made is not None and made.array is None and made.path.endswith("ArrayWrapper")


def _decodes(made: Made) -> bool:
    given = _given(made)
    return len(given) <= 1 or (len(given) == 2 and _is_codec(given[1], CODECS))  # noqa: PLR2004


def _is_codec(symbol: Symbol, codecs: frozenset[str]) -> bool:
    return isinstance(symbol, str) and symbol in codecs


def _encodes(made: Made, _: Reading) -> bool:
    return isinstance(made.argument(0), str | Blob) and _is_codec(made.argument(1), CODECS)


def _is_class(symbol: Symbol, reading: Reading) -> bool:
    return isinstance(symbol, Global) and reading.calls(symbol) in _CLASSES


def _reconstructs(made: Made, reading: Reading) -> bool:
    """`_reconstructor(class, base, value)` calls the base's constructor with the value."""
    base = made.argument(1)
    plain = isinstance(base, Global) and base.module in _BUILTINS | {"collections"}
    unknown = isinstance(made.argument(0), Global) and reading.calls(made.argument(0)) is None  # type: ignore[arg-type]
    return plain and (unknown or _is_class(made.argument(0), reading))


def _makes(made: Made, reading: Reading) -> bool:
    """Cython's `__pyx_unpickle_…(class, checksum, state)` and `newObj(class)`."""
    kind = made.argument(0)
    return _root(kind) == _root(made) and (
        _is_class(kind, reading) or (isinstance(kind, Global) and reading.calls(kind) is None)
    )


def _makes_array(made: Made, _: Reading) -> bool:
    kind = made.argument(0)
    return isinstance(kind, Global) and _root(kind) == "numpy" and kind.name in _ARRAYS


def _makes_masked_array(made: Made, reading: Reading) -> bool:
    kind = made.argument(0)
    masked = isinstance(kind, Global) and kind.name == "MaskedArray"
    inner = made.argument(1)
    plain = isinstance(inner, Global) and inner.name != "memmap" and _root(inner) == "numpy"
    return masked and plain and not _holds_names(_given(made)[2:], reading)


def _is_scalar(made: Made, _: Reading) -> bool:
    return len(_given(made)) <= 2 and _is_type(made.argument(0)) and _is_bytes(made.argument(1))  # noqa: PLR2004


def _is_type(symbol: Symbol) -> bool:
    """Whether it is a type of numpy's."""
    if isinstance(symbol, Made):
        return symbol.path.startswith("numpy.") and symbol.path.endswith(".dtype")
    return isinstance(symbol, Global) and _root(symbol) == "numpy"


def _is_bytes(symbol: Symbol) -> bool:
    if isinstance(symbol, Made):
        return symbol.path == "_codecs.encode"
    return symbol is None or isinstance(symbol, bytes | str | Blob)


def _is_dtype(made: Made, _: Reading) -> bool:
    kind, *flags = _given(made) or (None,)
    code = isinstance(kind, str) or (isinstance(kind, Global) and _root(kind) == "numpy")
    return code and len(flags) <= 2 and all(isinstance(flag, int) for flag in flags)  # noqa: PLR2004


def _is_array(made: Made, reading: Reading) -> bool:
    """`_frombuffer(bytes, type, shape, order)`."""
    content = made.argument(0)
    plain = isinstance(content, bytes | Blob) or (
        isinstance(content, Made) and content.path in {"builtins.bytearray", "_codecs.encode"}
    )
    return plain and _is_type(made.argument(1)) and not _holds_names(_given(made)[2:], reading)


def _within_tuples(symbol: Symbol, depth: int = 0) -> Iterator[Symbol]:
    if isinstance(symbol, tuple) and depth < _DEEPEST:
        for inner in symbol:
            yield from _within_tuples(inner, depth + 1)
    else:
        yield symbol


_DEEPEST: Final = 4


def _is_of_tensors(made: Made, _: Reading) -> bool:
    """Whether a tensor is made of storages, arrays and other tensors, which have no attributes."""
    for part in _within_tuples(made.arguments):
        if isinstance(part, Global) and _root(part) != "torch":
            return False
        if isinstance(part, tuple) or (isinstance(part, Made) and _root(part) not in _OF_TENSORS):
            return False
    return True


def _is_parameter(made: Made, reading: Reading) -> bool:
    """`_rebuild_parameter(tensor, …)` calls methods of what it is given."""
    tensor = made.argument(0)
    check_state(made.argument(3), reading)
    return isinstance(tensor, Made) and tensor.path.startswith(_REBUILDING)


_REBUILDING: Final = ("torch._utils._rebuild_", "torch._tensor._rebuild_")


def _rebuilds(made: Made, reading: Reading) -> bool:
    """`_rebuild_from_type_v2(function, class, arguments, state)`."""
    by, kind = made.argument(0), made.argument(1)
    if not isinstance(by, Global) or not by.path.startswith("torch._utils._rebuild_"):
        return False
    check_call(Made(by, made.argument(2)), reading)
    check_state(made.argument(3), reading)
    return isinstance(kind, Global) and _root(kind) == "torch" and kind.name in _TENSORS


_TENSORS: Final = frozenset({"Tensor", "Parameter", "Buffer"})


def _embeds(made: Made, reading: Reading) -> bool:
    content = made.argument(0)
    if isinstance(content, Made):
        known = content.path == "_codecs.encode" and isinstance(content.argument(0), str)
        if not known or not _is_codec(content.argument(1), _LATIN):
            return False
    elif not isinstance(content, bytes | str | Blob):
        return False
    reading.embedded.append(content)
    return True


def _is_list(made: Made, _: Reading) -> bool:
    """The typed lists of TorchScript are the very list that they are given."""
    return isinstance(made.argument(0), Items | Pairs | tuple | int)


def _is_text(made: Made, _: Reading) -> bool:
    return isinstance(made.argument(0), str)


def _is_pattern(made: Made, _: Reading) -> bool:
    return isinstance(made.argument(0), str | bytes) and isinstance(made.argument(1), int)


def _generates_bits(made: Made, _: Reading) -> bool:
    kind = made.argument(0)
    own = isinstance(kind, Global) and kind.module.startswith("numpy.random.")
    return not made.arguments or own or isinstance(kind, str)


def _generates(made: Made, _: Reading) -> bool:
    """Of bits and, in older releases, of what to make them with."""
    bits, *maker = _given(made) or ("",)
    known = isinstance(bits, str) or (isinstance(bits, Made) and _root(bits) == "numpy")
    return known and all(
        isinstance(one, Global) and one.name == "__bit_generator_ctor" for one in maker
    )


def _is_index(made: Made, reading: Reading) -> bool:
    """`_new_Index(class, keywords)` calls the class."""
    kind = made.argument(0)
    return _root(kind) == "pandas" and _is_class(kind, reading)


def _is_plain(made: Made, reading: Reading) -> bool:
    return not _holds_names(_given(made), reading)


_RULES: Final[dict[str, Rule]] = {
    "encode": _encodes,
    "_reconstructor": _reconstructs,
    "_compile": _is_pattern,
    # numpy and joblib
    "_reconstruct": _makes_array,
    "_mareconstruct": _makes_masked_array,
    "scalar": _is_scalar,
    "dtype": _is_dtype,
    "_frombuffer": _is_array,
    "__bit_generator_ctor": _generates_bits,
    "__generator_ctor": _generates,
    "__randomstate_ctor": _generates,
    "NumpyArrayWrapper": _bare,
    "NDArrayWrapper": _bare,
    "ZNDArrayWrapper": _bare,
    # pandas
    "_new_Index": _is_index,
    "_new_DatetimeIndex": _is_index,
    "_new_PeriodIndex": _is_index,
    "_new_IntervalIndex": _is_index,
    "new_block": _is_plain,
    "_unpickle_block": _is_plain,
    "_unpickle_timestamp": _is_plain,
    "_timedelta_unpickle": _is_plain,
    "_nat_unpickle": _is_plain,
    # torch
    "_rebuild_tensor": _is_of_tensors,
    "_rebuild_tensor_v2": _is_of_tensors,
    "_rebuild_tensor_v3": _is_of_tensors,
    "_rebuild_qtensor": _is_of_tensors,
    "_rebuild_sparse_tensor": _is_of_tensors,
    "_rebuild_sparse_csr_tensor": _is_of_tensors,
    "_rebuild_meta_tensor_no_storage": _is_of_tensors,
    "_rebuild_nested_tensor": _is_of_tensors,
    "_rebuild_device_tensor_from_numpy": _is_of_tensors,
    "_rebuild_device_tensor_from_cpu_tensor": _is_of_tensors,
    "_rebuild_parameter": _is_parameter,
    "_rebuild_parameter_with_state": _is_parameter,
    "_rebuild_from_type_v2": _rebuilds,
    "_load_from_bytes": _embeds,
    "_get_layout": _is_text,
    "build_boollist": _is_list,
    "build_doublelist": _is_list,
    "build_intlist": _is_list,
    "build_tensorlist": _is_list,
    "build_tensor_from_id": _is_list,
    "restore_type_tag": _is_list,
}
