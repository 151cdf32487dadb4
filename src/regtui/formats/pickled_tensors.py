"""Which array a symbolic object stands for.

Known are the functions by which torch, numpy and joblib write arrays; each line of `_READERS` is
one of them. A reader answers None for what it does not understand, which is then no array and
nothing worse: the verdict does not depend on it.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from regtui.formats import numpy_types
from regtui.formats.joblib_arrays import ArrayPlace
from regtui.formats.symbolic import Blob, Global, Made, Persistent, Symbol
from regtui.formats.values import Tensor

_STORAGE_TYPES: Final = {
    "FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "UntypedStorage": "uint8", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "QInt8Storage": "qint8", "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
}  # fmt: skip
"""The element type of each of torch's typed storages."""

ELEMENT_BYTES: Final = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "bool": 1, "complex32": 4,
    "complex64": 8, "complex128": 16, "qint8": 1, "quint8": 1, "qint32": 4, "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1, "float8_e5m2": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
    "quint4x2": 1, "quint2x4": 1,
}  # fmt: skip

_TORCH_NAMES: Final = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32",
    "short": "int16", "cfloat": "complex64", "cdouble": "complex128",
}  # fmt: skip


class StoragePlace(Struct, frozen=True):
    """Where the bytes of one of torch's storages lie in the file."""

    offset: int
    size: int


Storages = dict[str, StoragePlace]
"""Places by the key that persistent ids have."""

Described = tuple[str, tuple[int, ...], int | None, int]
"""Type, shape, offset and size of an array."""


def tensor_of(made: Made, name: str, storages: Storages) -> Tensor | None:
    """Return the array that `made` stands for, None if it is none."""
    if isinstance(made.array, ArrayPlace):
        place = made.array
        return Tensor(name, place.type.name, place.shape, place.offset, place.size)
    reader = _READERS.get(made.path)
    found = reader(made, storages) if reader else None
    if found is None:
        return None
    kind, shape, offset, size = found
    return Tensor(name, kind, shape, offset, size)


def unwrapped(made: Made) -> Symbol:
    """Return the object within, where `made` only wraps another, else itself."""
    for _ in range(_WRAPPERS):
        inner = made.argument(0)
        if made.path == "torch._tensor._rebuild_from_type_v2":
            made = Made(inner, made.argument(2))
        elif made.path in _PARAMETERS and isinstance(inner, Made):
            made = inner
        else:
            break
    return made


_WRAPPERS: Final = 8
_PARAMETERS: Final = frozenset(
    {"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"}
)


def _torch_tensor(made: Made, storages: Storages) -> Described | None:
    """`_rebuild_tensor_v2(storage, offset, shape, strides, …)`, quantised ones alike."""
    return _strided(made, storages, None)


def _torch_typed_tensor(made: Made, storages: Storages) -> Described | None:
    """`_rebuild_tensor_v3(storage, offset, shape, strides, grad, hooks, type, …)`."""
    return _strided(made, storages, _torch_name(made.argument(6)))


def _strided(made: Made, storages: Storages, kind: str | None) -> Described | None:
    storage, start = storage_of(made.argument(0)), made.argument(1)
    shape, strides = _shape(made.argument(2)), _shape(made.argument(3))
    if storage is None or shape is None:
        return None
    key, storage_kind = storage
    kind = kind or storage_kind
    width, count = ELEMENT_BYTES.get(kind), numpy_types.elements(shape)
    place = storages.get(key)
    if place is None or width is None or count is None or not isinstance(start, int):
        return kind, shape, None, 0
    first, size = start * width, count * width
    if strides is None or not _contiguous(shape, strides) or first < 0 or first + size > place.size:
        return kind, shape, None, 0
    return kind, shape, place.offset + first, size


def storage_of(symbol: Symbol) -> tuple[str, str] | None:
    """Return key and element type of `("storage", type, key, device, count)`."""
    if isinstance(symbol, Made) and symbol.path == "torch.storage.TypedStorage":
        symbol = symbol.argument(0)
    if not isinstance(symbol, Persistent) or not isinstance(symbol.id, tuple):
        return None
    told = symbol.id
    if len(told) < 3 or told[0] != "storage" or not isinstance(told[1], Global):  # noqa: PLR2004
        return None
    key = told[2]
    if not isinstance(key, str | int):
        return None
    return str(key), _STORAGE_TYPES.get(told[1].name, "uint8")


def _shape(symbol: Symbol) -> tuple[int, ...] | None:
    if isinstance(symbol, Made) and symbol.path == "torch.Size":
        symbol = symbol.argument(0)
    if not isinstance(symbol, tuple) or numpy_types.elements(symbol) is None:
        return None
    return tuple(length for length in symbol if isinstance(length, int))


def _contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    if len(shape) != len(strides):
        return False
    expected = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length != 1 and stride != expected:
            return 0 in shape
        expected *= length
    return True


def _torch_name(symbol: Symbol) -> str | None:
    if not isinstance(symbol, Global) or symbol.module != "torch":
        return None
    return _TORCH_NAMES.get(symbol.name, symbol.name)


def _without_storage(made: Made, _: Storages) -> Described | None:
    """`_rebuild_meta_tensor_no_storage(type, shape, strides, grad)`."""
    kind, shape = _torch_name(made.argument(0)), _shape(made.argument(1))
    return None if kind is None or shape is None else (kind, shape, None, 0)


def _sparse(made: Made, storages: Storages) -> Described | None:
    """`_rebuild_sparse_tensor(layout, (indices, values, shape, …))`, CSR with two indices."""
    parts = made.argument(1)
    if not isinstance(parts, tuple):
        return None
    shape = next((shape for part in parts if (shape := _shape(part)) is not None), None)
    arrays = [part for part in parts if isinstance(part, Made) and part.path != "torch.Size"]
    values = tensor_of(arrays[-1], "", storages) if arrays and _plain(arrays[-1]) else None
    return None if values is None or shape is None else (values.dtype, shape, None, 0)


def _plain(made: Made) -> bool:
    """Whether it is no sparse tensor itself, which could go on for ever."""
    return _READERS.get(made.path) in {_torch_tensor, _torch_typed_tensor}


def _numpy_array(made: Made, _: Storages) -> Described | None:
    """`_reconstruct(class, …)` with the state `(version, shape, type, fortran, bytes)`."""
    state = made.state
    if not isinstance(state, tuple) or len(state) != 5 or made.builds != 1:  # noqa: PLR2004
        return None
    return _array(state[2], state[1], state[4])


def _numpy_buffer(made: Made, _: Storages) -> Described | None:
    """`_frombuffer(bytes, type, shape, order)` of protocol 5."""
    return _array(made.argument(1), made.argument(2), made.argument(0))


def _array(kind: Symbol, shape: Symbol, content: Symbol) -> Described | None:
    known, lengths = numpy_types.parse_pickled(kind), _shape(shape)
    count = numpy_types.elements(lengths)
    if known is None or lengths is None or count is None:
        return None
    size = count * known.size
    if isinstance(content, Blob) and content.kind == "bytes" and content.size == size:
        return known.name, lengths, content.offset, size if content.offset is not None else 0
    return known.name, lengths, None, 0


_READERS: Final[dict[str, Callable[[Made, Storages], Described | None]]] = {
    "torch._utils._rebuild_tensor": _torch_tensor,
    "torch._utils._rebuild_tensor_v2": _torch_tensor,
    "torch._utils._rebuild_tensor_v3": _torch_typed_tensor,
    "torch._utils._rebuild_qtensor": _torch_tensor,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_sparse_csr_tensor": _sparse,
    "torch._utils._rebuild_meta_tensor_no_storage": _without_storage,
    "numpy.core.multiarray._reconstruct": _numpy_array,
    "numpy._core.multiarray._reconstruct": _numpy_array,
    "numpy.core.numeric._frombuffer": _numpy_buffer,
    "numpy._core.numeric._frombuffer": _numpy_buffer,
}
