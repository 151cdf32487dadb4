"""What the metadata and tensors of a model file mean, which `regtui.formats` reads."""

import re
import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed
from regtui.formats.values import Facts, Tensor, Value

_NUMBERS: Final = {
    "float64": "<d", "float32": "<f", "float16": "<e", "int64": "<q", "int32": "<i", "int16": "<h",
    "int8": "<b", "uint8": "<B",
}  # fmt: skip
_BRAIN: Final = "bfloat16"
_OMEGA: Final = re.compile(r"\._content(?=\.)|\._val$")


def understood(files: RunFiles, path: str) -> Facts:
    """Return the facts of a model file.

    Raises:
        Malformed: Nothing of it could be read.
        OSError: The file could not be read.
    """
    facts = files.facts(path)
    if facts.safety == "unread" and not facts.metadata and not facts.tensors:
        raise Malformed(facts.problem or "it can't be read")
    return facts


def under(metadata: dict[str, Value], *prefixes: str) -> dict[str, Value]:
    """Return the plain entries below the first of some prefixes that has any, without the prefix.

    What is None, names a class or starts with an underscore is left out. Configurations of
    OmegaConf lose the names of its own parts.
    """
    for prefix in prefixes:
        found = dict(_below(metadata, prefix))
        if found:
            return _with_lists(found)
    return {}


def plain(metadata: dict[str, Value]) -> dict[str, Value]:
    """Return the entries that are no None, name no class and don't start with an underscore."""
    return _with_lists(dict(_below(metadata, "")))


def scalars(files: RunFiles, path: str) -> dict[str, float]:
    """Return the tensors of one number that lie in a file as they are, by name.

    Raises:
        OSError: The file could not be read.
    """
    found: dict[str, float] = {}
    singles = [one for one in files.facts(path).tensors if one.shape in {(), (1,)}]
    if not singles:
        return found
    with files.open(path) as source:
        for tensor in singles[:1000]:
            if tensor.offset is not None and tensor.size <= 8:  # noqa: PLR2004 - bytes of a number
                value = _value(tensor, source.read(tensor.offset, tensor.size))
                if value is not None:
                    found[tensor.name] = value
    return found


def _below(metadata: dict[str, Value], prefix: str) -> Iterator[tuple[str, Value]]:
    start = f"{prefix}." if prefix else ""
    for key, value in metadata.items():
        if key.startswith(start) and value is not None:
            name = _OMEGA.sub("", "." + key[len(start) :])[1:]
            parts = name.split(".")
            if parts[-1] != "class" and not any(part.startswith("_") for part in parts):
                yield name, value


def _with_lists(entries: dict[str, Value]) -> dict[str, Value]:
    """Return entries with `betas.0`, `betas.1` and so on as one, `betas`, in JSON."""
    within: dict[str, list[str]] = {}
    for key in entries:
        within.setdefault(key.rpartition(".")[0], []).append(key)
    told: dict[str, Value] = {}
    for key, value in entries.items():
        name, _, place = key.rpartition(".")
        keys = within[name]
        if name and place.isdecimal() and keys == [f"{name}.{at}" for at in range(len(keys))]:
            if place == "0":
                told[name] = msgspec.json.encode([entries[one] for one in keys]).decode()
        else:
            told[key] = value
    return told


def _value(tensor: Tensor, raw: bytes) -> float | None:
    if tensor.dtype == _BRAIN and len(raw) == 2:  # noqa: PLR2004 - the upper half of a float32
        return float(struct.unpack("<f", b"\0\0" + raw)[0])
    code = _NUMBERS.get(tensor.dtype)
    if code is None or struct.calcsize(code) != len(raw):
        return None
    return float(struct.unpack(code, raw)[0])
