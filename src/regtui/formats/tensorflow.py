"""TensorFlow's `saved_model.pb`: the graphs of a SavedModel, without its variables.

A graph is a program of TensorFlow's own operations. All but a few compute; those few call Python
functions of the process that loads it, or write files (`_ACTING`), and make the file dangerous.
The values of the variables lie in other files.

A protocol buffer does not tell its own length, hence `complete` is False when a field is cut and
otherwise None.
"""

from collections.abc import Iterator
from typing import Final

from regtui.formats import protobuf
from regtui.formats.cursor import Cursor, Malformed, unread
from regtui.formats.flat import Flat
from regtui.formats.protobuf import BYTES, VARINT, Field
from regtui.formats.values import LIMITS, Facts, Limits, Source

FORMAT: Final = "tensorflow"

_VERSION, _META_GRAPH = 1, 2
_TRIED: Final = Limits(steps=100_000)  # for the question whether it is one
_ACTING: Final = frozenset(
    {
        "CreateSummaryDbWriter",
        "CreateSummaryFileWriter",
        "DatasetToTFRecord",
        "DatasetToTFRecordV2",
        "DebugIdentity",
        "DebugIdentityV2",
        "DebugIdentityV3",
        "DebugNanCount",
        "DebugNumericSummary",
        "DebugNumericSummaryV2",
        "DistributedSave",
        "EagerPyFunc",
        "ExperimentalDatasetToTFRecord",
        "LoadLibrary",
        "PyFunc",
        "PyFuncStateless",
        "SaveDataset",
        "SaveDatasetV2",
        "SnapshotDataset",
        "SnapshotDatasetV2",
        "WriteFile",
    }
)
# Paths of field numbers below a meta graph: MetaInfoDef's tags and version; the operations of the
# graph's nodes, and of those in its functions.
_TAGS, _TENSORFLOW_VERSION = (1, 4), (1, 5)
_OPERATIONS: Final = ((2, 1, 2), (2, 2, 1, 3, 2))


def matches(head: bytes, source: Source) -> bool:
    """Whether all fields are those of a SavedModel, to the end of the file."""
    if head[:2] != b"\x08\x01" or head[2:3] != b"\x12":
        return False
    wires = {_VERSION: VARINT, _META_GRAPH: BYTES}
    try:
        fields = protobuf.fields(Cursor(source, 0, _TRIED), source.size)
        return all(wires.get(field.number) == field.wire for field in fields)
    except Malformed:
        return False


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return the operations that do more than compute, and what the model says about itself.

    Raises:
        OSError: The file could not be read.
    """
    metadata = Flat(limits)
    acting: set[str] = set()
    cursor = Cursor(source, 0, limits)
    nodes = 0
    try:
        for field in protobuf.fields(cursor, source.size):
            if field.number == _META_GRAPH:
                nodes += _meta_graph(cursor, field, metadata, acting)
    except Malformed as error:
        return _acting(acting) or unread(FORMAT, error)
    metadata.add("nodes", nodes)
    found = _acting(acting)
    return Facts(
        FORMAT,
        found.safety if found else "no-code",
        globals=found.globals if found else (),
        metadata=metadata.values,
        problem=found.problem if found else None,
        cut=metadata.cut,
    )


def _acting(operations: set[str]) -> Facts | None:
    if not operations:
        return None
    names = tuple(sorted(f"tensorflow.{name}" for name in operations))
    problem = f"its graph does more than compute: {', '.join(sorted(operations))}"
    return Facts(FORMAT, "dangerous", globals=names, problem=problem)


def _meta_graph(cursor: Cursor, graph: Field, metadata: Flat, acting: set[str]) -> int:
    """Read one graph; return how many nodes it has."""
    tags = [protobuf.text(cursor, field) for field in _below(cursor, graph, _TAGS)]
    if tags:
        metadata.tree("tags", tags)
    for field in _below(cursor, graph, _TENSORFLOW_VERSION):
        metadata.add("tensorflow_version", protobuf.text(cursor, field))
    nodes = 0
    for path in _OPERATIONS:
        for field in _below(cursor, graph, path):
            nodes += 1
            name = protobuf.text(cursor, field)
            if name in _ACTING:
                acting.add(name)
    return nodes


def _below(cursor: Cursor, parent: Field, path: tuple[int, ...]) -> Iterator[Field]:
    """Yield the fields at the end of a path of field numbers."""
    if parent.wire != BYTES:
        raise Malformed("a message has the wrong wire type")
    cursor.at = parent.start
    for field in protobuf.fields(cursor, parent.end):
        if field.number != path[0]:
            continue
        if len(path) == 1:
            yield field
        else:
            yield from _below(cursor, field, path[1:])
