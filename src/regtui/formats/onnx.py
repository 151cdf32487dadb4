"""ONNX: a model as one protocol buffer, read field by field.

Initialisers of the graph are the tensors; those with `raw_data` have a place in the file. Files
that any tensor lies in, also a constant or a sparse one, are named in the metadata
(`external_data`).
Nodes are walked for their domains, also inside of the graphs of branches, loops, functions and
training.

The format carries no code: an operator of a custom domain needs a library that is registered by the
program, so the domains are listed (`custom_domains`). A protocol buffer does not tell its own
length, hence `complete` is False when a field is cut and otherwise None.
"""

from collections.abc import Iterator
from typing import Final

from regtui.formats import protobuf
from regtui.formats.cursor import Cursor, Malformed, TooMuch, Truncated, unread
from regtui.formats.flat import Flat
from regtui.formats.protobuf import BYTES, VARINT, Field
from regtui.formats.values import LIMITS, Facts, Limits, Source, Tensor

FORMAT: Final = "onnx"

# ModelProto: number of the field -> its wire type.
_MODEL: Final = {
    1: VARINT,  # ir_version
    2: BYTES,  # producer_name
    3: BYTES,  # producer_version
    4: BYTES,  # domain
    5: VARINT,  # model_version
    6: BYTES,  # doc_string
    7: BYTES,  # graph
    8: BYTES,  # opset_import
    14: BYTES,  # metadata_props
    20: BYTES,  # training_info
    25: BYTES,  # functions
    26: BYTES,  # configuration
}
_NUMBERS: Final = {1: "ir_version", 5: "model_version"}
_TEXTS: Final = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}
_GRAPH, _OPSET, _PROPERTY, _TRAINING, _FUNCTION = 7, 8, 14, 20, 25
_MOST_DIMENSIONS = 64
_LARGEST_IR = 1000
_TRIED: Final = Limits(steps=100_000)  # for the question whether it is one

_BUILT_IN: Final = frozenset(
    {
        "",
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "com.microsoft",
        "com.microsoft.nchwc",
        "com.ms.internal.nhwc",
        "org.pytorch.aten",
    }
)

# TensorProto.data_type -> name.
_DTYPES: Final = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4_e2m1fn",
    24: "float8_e8m0fnu",
    25: "uint2",
    26: "int2",
}
_EXTERNAL = 1


def matches(head: bytes, source: Source) -> bool:
    """Whether all fields are those of a model, to the end of the file, and one is a graph."""
    if not head or head[0] != 1 << 3 | VARINT:
        return False
    numbers = set()
    try:
        for field in protobuf.fields(Cursor(source, 0, _TRIED), source.size):
            if _MODEL.get(field.number) != field.wire:
                return False
            if field.number == 1 and not 0 < field.value < _LARGEST_IR:
                return False
            numbers.add(field.number)
    except Malformed:
        return False
    return _GRAPH in numbers


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return the initialisers, and what the model says about itself.

    Raises:
        OSError: The file could not be read.
    """
    try:
        return _Model(source, limits).facts()
    except Malformed as error:
        return unread(FORMAT, error)


class _Model:
    """A model while it is read."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._cursor = Cursor(source, 0, limits)
        self._limits = limits
        self._metadata = Flat(limits)
        self._tensors: list[Tensor] = []
        self._names = limits.header_bytes  # characters that tensors may still be named by
        self._nodes = 0
        self._functions = 0
        self._domains: set[str] = set()
        self._external: set[str] = set()
        self._away: str | None = None
        """Where data lies that is outside of its folder, the first such place."""

    def facts(self) -> Facts:
        """Read all fields of the model."""
        graphs = 0
        for field in protobuf.fields(self._cursor, self._cursor.size):
            if _MODEL.get(field.number, field.wire) != field.wire:
                raise Malformed("a field of the model has the wrong wire type")
            graphs += field.number == _GRAPH
            self._field(field)
        if not graphs:
            raise Truncated("the model has no graph")
        self._summary()
        away = self._away
        return Facts(
            FORMAT,
            "no-code",
            tensors=tuple(self._tensors),
            metadata=self._metadata.values,
            problem=None if away is None else f"data outside of its folder: {away!r}",
            cut=self._metadata.cut,
        )

    def _field(self, field: Field) -> None:
        if field.number in _NUMBERS:
            self._metadata.add(_NUMBERS[field.number], protobuf.signed(field.value))
        elif field.number in _TEXTS:
            self._metadata.add(_TEXTS[field.number], protobuf.text(self._cursor, field))
        elif field.number == _GRAPH:
            self._graph(field, 0, "")
        elif field.number == _OPSET:
            self._opset(field)
        elif field.number == _PROPERTY:
            key, value = self._pair(field)
            self._metadata.add(f"metadata_props.{key}", value)
        elif field.number == _FUNCTION:
            self._functions += 1
            self._function(field)
        elif field.number == _TRAINING:
            self._training(field)

    def _summary(self) -> None:
        self._metadata.add("nodes", self._nodes)
        if self._functions:
            self._metadata.add("functions", self._functions)
        if custom := sorted(self._domains - _BUILT_IN):
            self._metadata.add("custom_domains", ", ".join(custom))
        if self._external:
            self._metadata.add("external_data", ", ".join(sorted(self._external)))

    def _inside(self, field: Field) -> Iterator[Field]:
        """Return the fields of a message."""
        if field.wire != BYTES:
            raise Malformed("a message has the wrong wire type")
        self._cursor.at = field.start
        return protobuf.fields(self._cursor, field.end)

    def _pair(self, field: Field) -> tuple[str, str]:
        found = {1: "", 2: ""}
        for item in self._inside(field):
            if item.number in found:
                found[item.number] = protobuf.text(self._cursor, item)
        return found[1], found[2]

    def _opset(self, field: Field) -> None:
        domain, version = "", 0
        for item in self._inside(field):
            if item.number == 1:
                domain = protobuf.text(self._cursor, item)
            elif item.number == 2 and item.wire == VARINT:  # noqa: PLR2004 - version
                version = protobuf.signed(item.value)
        self._metadata.add(f"opset.{domain or 'ai.onnx'}", version)

    def _graph(self, field: Field, depth: int, prefix: str) -> None:
        """GraphProto: node = 1, name = 2, initializer = 5, sparse_initializer = 15."""
        if depth > self._limits.depth:
            raise TooMuch("graphs are nested too deeply")
        for item in self._inside(field):
            if item.number == 1:
                self._node(item, depth)
            elif item.number == 2 and not depth:  # noqa: PLR2004 - name
                self._metadata.add("graph.name", protobuf.text(self._cursor, item))
            elif item.number == 5:  # noqa: PLR2004 - initializer
                self._tensor(item, prefix)
            elif item.number == 15:  # noqa: PLR2004 - sparse_initializer
                self._sparse(item)

    def _training(self, field: Field) -> None:
        """TrainingInfoProto: initialization = 1, algorithm = 2."""
        for item in self._inside(field):
            if item.number in {1, 2}:
                self._graph(item, 1, "training.")

    def _function(self, field: Field) -> None:
        """FunctionProto: node = 7, domain = 10, attribute_proto = 11."""
        for item in self._inside(field):
            if item.number == 7:  # noqa: PLR2004 - node
                self._node(item, 0)
            elif item.number == 11:  # noqa: PLR2004 - attribute_proto
                self._attribute(item, 0)

    def _node(self, field: Field, depth: int) -> None:
        """NodeProto: attribute = 5, domain = 7."""
        self._nodes += 1
        for item in self._inside(field):
            if item.number == 7:  # noqa: PLR2004 - domain
                self._domain(protobuf.text(self._cursor, item)[: self._limits.text])
            elif item.number == 5:  # noqa: PLR2004 - attribute
                self._attribute(item, depth)

    def _attribute(self, field: Field, depth: int) -> None:
        """AttributeProto: t = 5, g = 6, tensors = 10, graphs = 11, sparse ones = 22 and 23."""
        for item in self._inside(field):
            if item.number in {6, 11}:
                self._graph(item, depth + 1, f"branch-{self._nodes}.")
            elif item.number in {5, 10}:
                self._locations(item)
            elif item.number in {22, 23}:
                self._sparse(item)

    def _sparse(self, field: Field) -> None:
        """SparseTensorProto: values = 1, indices = 2."""
        for item in self._inside(field):
            if item.number in {1, 2}:
                self._locations(item)

    def _locations(self, field: Field) -> None:
        """Look at a tensor that is no weight for where it lies: external_data = 13."""
        for item in self._inside(field):
            if item.number == 13:  # noqa: PLR2004 - external_data
                self._location(item)

    def _domain(self, domain: str) -> None:
        if len(self._domains) < self._limits.metadata:
            self._domains.add(domain)

    def _tensor(self, field: Field, prefix: str) -> None:
        """TensorProto: dims = 1, data_type = 2, name = 8, raw_data = 9, external_data = 13, 14."""
        if len(self._tensors) >= self._limits.tensors:
            raise TooMuch("there are more tensors than can be read")
        shape: list[int] = []
        kind, name, place, external = 0, "", None, False
        for item in self._inside(field):
            if item.number == 1:
                shape += protobuf.numbers(self._cursor, item, _MOST_DIMENSIONS)
            elif item.number == 2:  # noqa: PLR2004 - data_type
                kind = item.value
            elif item.number == 8:  # noqa: PLR2004 - name
                name = self._name(item)
            elif item.number == 9 and item.wire == BYTES:  # noqa: PLR2004 - raw_data
                place = item
            elif item.number == 13:  # noqa: PLR2004 - external_data
                self._location(item)
            elif item.number == 14:  # noqa: PLR2004 - data_location
                external = item.value == _EXTERNAL
        if len(shape) > _MOST_DIMENSIONS:
            raise TooMuch("a tensor has more dimensions than can be read")
        dtype = _DTYPES.get(kind, f"type-{kind}")
        inside = place if place is not None and not external else None
        offset, size = (inside.start, inside.size) if inside else (None, 0)
        self._tensors.append(Tensor(prefix + name, dtype, tuple(shape), offset, size))

    def _name(self, field: Field) -> str:
        """Return a tensor's name."""
        self._names -= field.size
        if field.size > self._limits.text or self._names < 0:
            raise TooMuch("the names of tensors are longer than can be read")
        return protobuf.text(self._cursor, field)

    def _location(self, field: Field) -> None:
        key, value = self._pair(field)
        if key != "location":
            return
        if self._away is None and _leaves_the_folder(value):
            self._away = value[:200]
        if len(self._external) < self._limits.metadata:
            self._external.add(value[: self._limits.text])


def _leaves_the_folder(path: str) -> bool:
    parts = path.replace("\\", "/").split("/")
    return ".." in parts or not parts[0] or ":" in parts[0]
