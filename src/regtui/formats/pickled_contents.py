"""The table of tensors and the plain metadata in what a pickle would make.

Algorithm: the symbolic value is walked breadth first, so that what stands at the top is found even
where a limit cuts the rest. Keys of dictionaries, attributes and names in lists of pairs (the steps
of a pipeline) are joined by dots, but not before something is told under them. Arrays become
tensors; texts, numbers, booleans and None become metadata; an object also says its `class`.

Constructor parameters of scikit-learn and the boosting libraries are filed under `params`: the
attributes that neither start nor end with an underscore, as these libraries have it.

Invariants: a container is walked once, however often it is shared, so a pickle that doubles itself
costs no more than its opcodes, and no more than a bounded number of them waits. Containers with
more than 64 plain values inside others (a vocabulary, ids) are data, not metadata, and left out,
with `cut` set. All names of tensors together are no longer than `Limits.header_bytes`.
"""

import math
import struct
from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec import structs

from regtui.formats import numpy_types
from regtui.formats.dotted_names import DottedName
from regtui.formats.joblib_arrays import ArrayPlace
from regtui.formats.pickled_tensors import Storages, tensor_of, unwrapped
from regtui.formats.reading import Reading
from regtui.formats.symbolic import Global, Items, Made, Pairs, Symbol
from regtui.formats.values import Tensor, Value

_LONG: Final = 64
_PARAMETERS_OF: Final = frozenset({"sklearn", "xgboost", "lightgbm", "catboost", "imblearn"})
_MISSING: Final = object()
_WORD: Final = 1 << 63
_WAITING: Final = 200_000  # containers

Within = Iterator[tuple[Symbol, str]]


class Contents:
    """Collects tensors and metadata of one file.

    Attributes:
        tensors: In the order found.
        metadata: By their dotted names.
    """

    def __init__(self, reading: Reading, storages: Storages | None = None) -> None:
        self.tensors: list[Tensor] = []
        self.metadata: dict[str, Value] = {}
        self._reading = reading
        self._storages = storages or {}
        self._seen: dict[int, object] = {}  # kept, so that no id comes back
        self._names = reading.limits.header_bytes  # characters that tensors may still be named by

    def walk(self, value: Symbol, name: str = "") -> None:
        """Collect what `value` holds. Where a limit ends it, the rest is left out (`cut`)."""
        waiting: deque[tuple[Symbol, DottedName, int]] = deque()
        self._meet(value, DottedName(name), 0, waiting)
        while waiting:
            symbol, path, depth = waiting.popleft()
            for inner, key in self._look(symbol, path, depth):
                self._reading.steps -= 1
                if self._reading.steps <= 0:
                    self._reading.cut = True
                    return
                self._meet(inner, path.under(key), depth + 1, waiting)

    def _meet(
        self,
        symbol: Symbol,
        path: DottedName,
        depth: int,
        waiting: deque[tuple[Symbol, DottedName, int]],
    ) -> None:
        """Take what is plain, and let wait what holds more."""
        if isinstance(symbol, Made):
            symbol = unwrapped(symbol)
        limits = self._reading.limits
        plain = _plain(symbol)
        if path.length > limits.text:
            self._reading.cut = True
        elif plain is not _MISSING:
            if path.length:
                self._tell(path, plain)
        elif not isinstance(symbol, Made | Items | Pairs | tuple):
            return
        elif depth > limits.depth or len(waiting) >= _WAITING:
            self._reading.cut = True
        else:
            waiting.append((symbol, path, depth))

    def in_file_order(self) -> list[Tensor]:
        """Return the tensors by where they lie, where that is known of all."""
        if any(tensor.offset is None for tensor in self.tensors):
            return self.tensors
        return sorted(self.tensors, key=lambda tensor: tensor.offset or 0)

    def _look(self, symbol: Symbol, path: DottedName, depth: int) -> Within:
        """Take an array, else return what is within, with its key."""
        if isinstance(symbol, Made):
            tensor = tensor_of(symbol, "", self._storages)
            if tensor is not None:
                return self._array(symbol, tensor, path)
        if id(symbol) in self._seen or not isinstance(symbol, Made | Items | Pairs | tuple):
            return iter(())
        self._seen[id(symbol)] = symbol
        if isinstance(symbol, Made):
            return self._object(symbol, path)
        return self._within(symbol, depth)

    def _array(self, made: Made, tensor: Tensor, path: DottedName) -> Within:
        if len(self.tensors) < self._reading.limits.tensors and path.length <= self._names:
            self._names -= path.length
            self.tensors.append(structs.replace(tensor, name=str(path)))
        else:
            self._reading.cut = True
        place = made.array
        if isinstance(place, ArrayPlace) and isinstance(place.value, Made):
            yield from _object_array(place.value)

    def _within(self, symbol: Items | Pairs | tuple[Symbol, ...], depth: int) -> Within:
        if depth and _is_data(symbol):
            self._reading.cut = True
            return ((value, key) for value, key in _pairs(symbol) if _plain(value) is _MISSING)
        return _pairs(symbol)

    def _object(self, made: Made, path: DottedName) -> Within:
        if made.path.startswith("numpy.random."):
            return
        kind = _class_of(made)
        if kind and kind not in _CONTAINERS:
            self._tell(path.under("class"), kind)
        library = kind.partition(".")[0] in _PARAMETERS_OF
        for value, key in _attributes(made):
            parameter = library and key and not key.startswith("_") and not key.endswith("_")
            yield value, f"params.{key}" if parameter and _plain(value) is not _MISSING else key
        if made.pairs is not None:
            yield from _pairs(made.pairs)
        if made.items is not None:
            yield from _pairs(Items(made.items))
        if kind in _CONTAINERS and isinstance(made.arguments, tuple):
            yield from ((value, "") for value in made.arguments if not isinstance(value, Global))

    def _tell(self, path: DottedName, value: object) -> None:
        most = self._reading.limits.text
        if len(self.metadata) >= self._reading.limits.metadata or path.length > most:
            self._reading.cut = True
            return
        if isinstance(value, str):
            if len(value) > most:
                value, self._reading.cut = value[:most], True
            value = value.encode("utf-8", "replace").decode()
        if isinstance(value, str | int | float) or value is None:
            key = str(path).encode("utf-8", "replace").decode()
            self.metadata.setdefault(key, value)


def _is_data(symbol: Items | Pairs | tuple[Symbol, ...]) -> bool:
    """Whether there are many plain values in a container."""
    plain = 0
    for value, _ in _pairs(symbol):
        plain += _plain(value) is not _MISSING
        if plain > _LONG:
            return True
    return False


_CONTAINERS: Final = frozenset({"torch.Size"}) | frozenset(
    f"{module}.{name}"
    for module in ("builtins", "__builtin__", "collections")
    for name in (
        "OrderedDict", "defaultdict", "deque", "Counter", "dict", "list", "set", "frozenset",
        "tuple", "UserDict", "UserList",
    )
)  # fmt: skip
_PATHS: Final = ("pathlib.", "pathlib._local.")


def _class_of(made: Made) -> str:
    """Return the class of an object, also where a function made it."""
    kind = made.argument(0)
    name = made.by.name if isinstance(made.by, Global) else ""
    if isinstance(kind, Global) and (name in _MAKERS or name.startswith("__pyx_unpickle_")):
        return kind.path
    return made.path


_MAKERS: Final = frozenset({"_reconstructor", "_reconstruct", "newObj"})


def _attributes(made: Made) -> Within:
    """Return what an object's state gives it: `__dict__`, slots, or the state of Cython's."""
    parts = made.state if isinstance(made.state, tuple) else (made.state,)
    for part in parts:
        if isinstance(part, Pairs):
            yield from _pairs(part)
        elif isinstance(part, Made):
            yield part, ""
    if made.state is None and isinstance(made.arguments, tuple):
        yield from ((value, "") for value in made.arguments if isinstance(value, Made | Pairs))


def _pairs(symbol: Items | Pairs | tuple[Symbol, ...]) -> Within:
    """Return what a container holds, each with its key."""
    if isinstance(symbol, Pairs):
        for key, value in symbol:
            name = _key(key)
            if name is not None:
                yield value, name
        return
    values = symbol.values if isinstance(symbol, Items) else symbol
    for place, value in enumerate(values):
        if isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str):
            yield (value[1], value[0])  # a step of a pipeline: name, estimator
        else:
            yield value, str(place)


def _key(key: Symbol) -> str | None:
    plain = _plain(key)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, int) and abs(plain) < _WORD:
        return str(plain)
    return None


def _object_array(made: Made) -> Within:
    """Return what an array of objects holds: its state has them as a list."""
    state = made.state
    values = state[4] if isinstance(state, tuple) and len(state) > 4 else None  # noqa: PLR2004
    if isinstance(values, Items) and not all(isinstance(value, str) for value in values.values):
        yield from _pairs(values)


def _plain(symbol: Symbol) -> object:
    """Return what a symbol says as plain JSON, `_MISSING` if it can't be said so."""
    if symbol is None or isinstance(symbol, bool | str):
        return symbol
    if isinstance(symbol, int):
        return symbol if abs(symbol) < _WORD else str(symbol)
    if isinstance(symbol, float):
        return symbol if math.isfinite(symbol) else str(symbol)
    if isinstance(symbol, Global):
        return symbol.path
    return _plain_object(symbol) if isinstance(symbol, Made) else _MISSING


def _plain_object(made: Made) -> object:
    """Numbers of numpy, members of enumerations, devices, paths and the like."""
    given = made.arguments
    if made.state is not None or made.pairs is not None or not isinstance(given, tuple):
        return _MISSING
    if made.path.endswith("multiarray.scalar"):
        return _scalar(made)
    if made.path.startswith(_PATHS):
        return "/".join(part for part in given if isinstance(part, str)).replace("//", "/")
    if made.path == "torch.device":
        return ":".join(str(part) for part in given if isinstance(part, str | int))
    if len(given) == 1 and isinstance(given[0], str | int | float) and _named(made):
        return _plain(given[0])
    return _MISSING


def _named(made: Made) -> bool:
    """Whether it is a member of an enumeration or a number written as text."""
    return isinstance(made.by, Global) and made.by.module not in {"builtins", "__builtin__"}


def _scalar(made: Made) -> object:
    """`scalar(type, bytes)` of numpy."""
    kind, raw = numpy_types.parse_pickled(made.argument(0)), made.argument(1)
    if isinstance(raw, Made) and raw.path == "_codecs.encode":
        text = raw.argument(0)
        raw = text.encode("latin-1", "replace") if isinstance(text, str) else None
    if kind is None or not isinstance(raw, bytes) or len(raw) != kind.size:
        return _MISSING
    order = ">" if kind.big_endian else "<"
    if kind.name.startswith("float") and kind.size in _FLOATS:
        return _plain(struct.unpack(order + _FLOATS[kind.size], raw)[0])
    if kind.name.startswith(("int", "uint")):
        signed = kind.name.startswith("int")
        endian = "big" if kind.big_endian else "little"
        return _plain(int.from_bytes(raw, endian, signed=signed))  # type: ignore[arg-type]
    if kind.name == "bool":
        return raw != b"\0"
    if kind.name.startswith("U"):
        encoding = "utf-32-be" if kind.big_endian else "utf-32-le"
        return raw.decode(encoding, "replace").rstrip("\0")
    return _MISSING


_FLOATS: Final = {2: "e", 4: "f", 8: "d"}
