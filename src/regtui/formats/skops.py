"""skops files: a zip archive with `schema.json`, a tree of nodes that each name a type.

There is no pickle in it, but loading imports the named types and functions and fills them, so the
same allow-list judges their names. Arrays lie beside the tree as `.npy` members.

Every node names a type or function by `__class__` and `__module__`, and that is what loading
imports. It hands them on as values, so what pickles only call is not for it. Nodes of plain JSON
are named after their types and import nothing.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import structs

from regtui.formats.allowed_states import check_value
from regtui.formats.archives import open_member
from regtui.formats.numpy_arrays import read_arrays
from regtui.formats.reading import Reading
from regtui.formats.streams import Unreadable
from regtui.formats.symbolic import Global
from regtui.formats.values import LIMITS, Facts, Limits, Source, Tensor, Value
from regtui.formats.zip_directory import MAGIC, BadArchive, Member, members

_SCHEMA: Final = "schema.json"
_PLAIN: Final = frozenset({"builtins.str", "builtins.int", "builtins.float", "builtins.NoneType"})


def matches(head: bytes, source: Source) -> bool:
    """Tell whether it is a zip archive with a `schema.json` at its top."""
    if not head.startswith(MAGIC):
        return False
    try:
        return any(member.name == _SCHEMA for member in members(source))
    except BadArchive:
        return False


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Read a skops file.

    Raises:
        OSError: The file could not be read.
    """
    reading = Reading(limits)
    tensors: list[Tensor] = []
    metadata: dict[str, Value] = {}
    places: dict[str, str] = {}
    try:
        found = members(source, limits)
        for member in found:
            if member.name == _SCHEMA:
                places, metadata = _read_schema(source, member, reading)
        rest = tuple(member for member in found if member.name != _SCHEMA)
        tensors = [
            structs.replace(tensor, name=places.get(f"{tensor.name}.npy") or tensor.name)
            for tensor in read_arrays(source, rest, reading)
        ]
        reading.complete = True
    except BadArchive as error:
        reading.fail(error)
        reading.complete = False if error.truncated else None
    except Unreadable as error:
        reading.fail(error)
    return reading.facts("skops", tensors, metadata)


def _read_schema(
    source: Source, member: Member, reading: Reading
) -> tuple[dict[str, str], dict[str, Value]]:
    inner = open_member(source, member, reading)
    reading.hold(inner.size)
    try:
        tree = msgspec.json.decode(inner.read(0, inner.size))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("the schema of the skops file is damaged") from error
    if not isinstance(tree, dict):
        raise Unreadable("the schema of the skops file is damaged")
    return _walk(tree, reading), _described(tree, reading)


def _walk(tree: object, reading: Reading) -> dict[str, str]:
    """Judge every name in the tree, and return where in it each file of the archive belongs."""
    places: dict[str, str] = {}
    waiting: list[tuple[object, str]] = [(tree, "")]
    while waiting:
        node, path = waiting.pop()
        reading.step()
        if isinstance(node, dict):
            _judge(node, reading)
            file = node.get("file")
            if isinstance(file, str):
                places.setdefault(file, path)
        waiting += [(inner, _joined(path, key, reading)) for key, inner in _inner(node)]
    return places


def _inner(node: object) -> list[tuple[str, object]]:
    """Return the nodes within a node, in reverse, for they are taken from the end."""
    if isinstance(node, list):
        found = [(str(place), inner) for place, inner in enumerate(node)]
    elif isinstance(node, dict):
        found = list(node.items())
    else:
        found = []
    return [(key, inner) for key, inner in reversed(found) if isinstance(inner, dict | list)]


def _joined(path: str, key: str, reading: Reading) -> str:
    """Join keys by dots; `content` is the loader's word, not the model's."""
    if key == "content" or len(path) > reading.limits.text:
        return path
    return f"{path}.{key}" if path else key


def _judge(node: dict[str, object], reading: Reading) -> None:
    name, module = node.get("__class__"), node.get("__module__")
    if name is None and module is None:
        return
    if not isinstance(name, str) or not isinstance(module, str):
        reading.suspect(f"<{type(module).__name__}>.<{type(name).__name__}>")
        return
    if f"{module}.{name}" not in _PLAIN:
        reading.see(module, name)
        check_value(Global(module, name), reading)


def _described(tree: dict[str, object], reading: Reading) -> dict[str, Value]:
    """Return versions, and the classes and plain attributes of the objects in the tree."""
    metadata: dict[str, Value] = {}
    for key in ("protocol", "_skops_version"):
        value = tree.get(key)
        if isinstance(value, str | int):
            metadata[key.strip("_")] = value
    waiting: deque[tuple[object, str]] = deque([(tree, "")])
    while waiting:
        node, path = waiting.popleft()
        reading.step()
        if len(metadata) >= reading.limits.metadata or len(path) > reading.limits.text:
            reading.cut = True
            break
        waiting += _parts(node, path, metadata)
    return metadata


def _parts(node: object, path: str, metadata: dict[str, Value]) -> list[tuple[object, str]]:
    """Tell what a node says itself, and return the nodes within that have names."""
    if not isinstance(node, dict):
        return []
    start = f"{path}." if path else ""
    plain = _plain(node)
    content = node.get("content")
    if plain is not None:
        if path:
            metadata.setdefault(path, plain[0])
        return []
    if node.get("__loader__") == "ObjectNode":
        metadata[f"{start}class"] = f"{node.get('__module__')}.{node.get('__class__')}"
        attributes = content.get("content") if isinstance(content, dict) else None
        named = attributes if isinstance(attributes, dict) else {}
        return [(inner, f"{start}{_filed(key, inner)}") for key, inner in named.items()]
    if isinstance(content, dict):
        return [(inner, f"{start}{key}") for key, inner in content.items()]
    return [(inner, f"{start}{key}") for key, inner in _items(content)]


def _filed(key: str, node: object) -> str:
    """Return the name of an attribute; plain ones that a person chose stand under `params`."""
    own = not key.startswith("_") and not key.endswith("_")
    return f"params.{key}" if own and _plain(node) is not None else key


def _items(content: object) -> Iterator[tuple[str, object]]:
    """Yield the items of a list, those of a pipeline by the names of its steps."""
    for place, node in enumerate(content if isinstance(content, list) else ()):
        parts = node.get("content") if isinstance(node, dict) else None
        name = _plain(parts[0]) if isinstance(parts, list) and len(parts) > 1 else None
        if name is not None and isinstance(name[0], str) and isinstance(parts, list):
            yield name[0], parts[1]
        else:
            yield str(place), node


def _plain(node: object) -> tuple[Value] | None:
    """Return the value of a node that holds JSON."""
    if not isinstance(node, dict) or node.get("__loader__") != "JsonNode":
        return None
    try:
        value = msgspec.json.decode(str(node.get("content")))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if isinstance(value, str):
        return (value[: LIMITS.text],)
    return (value,) if value is None or isinstance(value, int | float) else None
