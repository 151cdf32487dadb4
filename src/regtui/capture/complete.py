"""Is a unit complete? By what its files say of themselves, never by how long nothing happened.

A size that stays proves nothing: a writer may stall, or reserve its space first. So each file of
weights must end where its format ends, an index must find all its parts, and the marker that the
trainer writes last must be there and say the step of the folder's name. What no format can tell
(`certain` is False) is left to the watcher, which waits for quiet.

Nothing here decides about writers and times; and nothing that a file holds raises.
"""

import json
import re
from collections.abc import Iterator
from posixpath import basename, dirname
from typing import Final

from msgspec import Struct

from regtui.capture.recognise import Unit
from regtui.capture.recogniser import matches
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import TooMuch
from regtui.formats.values import Facts

MODEL_NAMES: Final = (
    "*.safetensors", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.joblib", "*.skops", "*.keras",
    "*.h5", "*.onnx", "*.gguf", "*.ubj", "*.cbm", "*.pb", "*.json", "*.msgpack", "*.distcp",
)  # fmt: skip
"""Files of a folder whose formats may tell where they end."""

FILES_LIMIT: Final = 2_000
_ENDLESS: Final = frozenset({"safetensors", "gguf"})
"""Formats whose header promises a size, so that a file of that size may still lack bytes."""

_NAMED_BY_MLFLOW = re.compile(
    r"(?m)^\s+(?:data|model_path|pickled_model|model_data|saved_model_dir|conda|virtualenv"
    r"|file_path|weights|onnx_model)\s*:\s*['\"]?([^'\"\n{\[]+?)['\"]?\s*$"
)
_PARTS_OF_DCP = re.compile(rb"__\d+_\d+\.distcp")


class Completeness(Struct, frozen=True, kw_only=True):
    """What is known of a unit's end.

    Attributes:
        whole: Whether nothing is missing, as far as the files tell.
        certain: Whether their formats tell it; else quiet time has to.
        reason: What is missing, one sentence; empty where nothing is.
        other: Whether the file is, by its bytes, something else than its name says.
        reserved: Files that have their size before they have their bytes.
    """

    whole: bool
    certain: bool = False
    reason: str = ""
    other: bool = False
    reserved: tuple[str, ...] = ()


def completeness(unit: Unit, files: RunFiles) -> Completeness:
    """Return whether a unit is complete.

    Args:
        unit: What makes the version.
        files: Its files, as they are now.

    Raises:
        OSError: A file is gone or can't be read.
    """
    if unit.lacks:
        return _waiting(f"{unit.lacks[0]} is not there yet")
    missing = next(_missing(unit, files), None)
    if missing is not None:
        return _waiting(missing)
    certain = len(unit.files) == 1 or unit.recogniser.marker is not None
    reserved: list[str] = []
    for path in _told_by_format(unit):
        facts = files.facts(path)
        problem = _problem(unit, path, facts, files)
        if problem is not None:
            return problem
        certain &= facts.complete is True or not _is_weights(unit, path)
        if facts.format in _ENDLESS:
            reserved.append(path)
    return Completeness(whole=True, certain=certain, reserved=tuple(reserved))


def _waiting(reason: str) -> Completeness:
    return Completeness(whole=False, reason=reason)


def _told_by_format(unit: Unit) -> list[str]:
    """Return the files that are looked into: of a folder those that may be of a model."""
    if not unit.is_folder:
        return [unit.path, *(file for file in unit.files if file != unit.path)][:FILES_LIMIT]
    return [file for file in unit.files if matches(file, MODEL_NAMES)][:FILES_LIMIT]


def _is_weights(unit: Unit, path: str) -> bool:
    return matches(unit.inner(path) or basename(path), unit.recogniser.weights)


def _problem(unit: Unit, path: str, facts: Facts, files: RunFiles) -> Completeness | None:
    """Return what one file lacks; None where it lacks nothing that can be told."""
    name = unit.inner(path) or basename(path)
    if facts.complete is False:
        return _waiting(f"{name} is not whole: {facts.problem or 'it ends too early'}")
    if _is_weights(unit, path):
        with files.open(path) as source:
            if not source.size:
                return _waiting(f"{name} is empty")
    wanted = unit.recogniser.formats
    if path == unit.path and wanted and facts.format not in wanted:
        if facts.safety == "unread" and facts.complete is not True:
            return _waiting(f"{name} can't be read: {facts.problem or 'its format is not known'}")
        reason = f"{name} is no {unit.recogniser.title or unit.recogniser.name}: {facts.format}"
        return Completeness(whole=False, reason=reason, other=True)
    external = str(facts.metadata.get("external_data", "")) if facts.format == "onnx" else ""
    near = {basename(file) for file in unit.files}
    for one in filter(None, external.split(", ")):
        if basename(one) not in near:
            return _waiting(f"{one}, which {name} names, is not there yet")
    return None


def _missing(unit: Unit, files: RunFiles) -> Iterator[str]:
    """Yield what the files name and is not there, or says something else."""
    yield from _wrong_step(unit, files)
    for path in unit.files:
        name = basename(path)
        if name.endswith(".index.json"):
            yield from _missing_of_index(unit, path, files)
        elif name == "MLmodel":
            named = _NAMED_BY_MLFLOW.findall(_content(files, path).decode(errors="replace"))
            yield from _not_there(unit, path, [one.strip() for one in named])
        elif name == ".metadata":
            found = {one.decode() for one in _PARTS_OF_DCP.findall(_content(files, path))}
            yield from _not_there(unit, path, sorted(found))


def _wrong_step(unit: Unit, files: RunFiles) -> Iterator[str]:
    """Compare the step that the marker says with that of the folder's name."""
    marker, key = unit.recogniser.marker, unit.recogniser.marker_step
    path = next((file for file in unit.files if unit.inner(file) == marker), None)
    if path is None or key is None:
        return
    told = _json(files, path)
    step = told.get(key) if isinstance(told, dict) else None
    if not isinstance(step, int):
        yield f"{marker} is not whole"
    elif unit.step is not None and step != unit.step:
        yield f"{marker} says step {step}, the folder {unit.step}"


def _missing_of_index(unit: Unit, path: str, files: RunFiles) -> Iterator[str]:
    """Yield the first part of an index that is not there; an index without any part is a rest."""
    told = _json(files, path)
    parts = told.get("weight_map") if isinstance(told, dict) else None
    if not isinstance(parts, dict):
        yield f"{basename(path)} is not whole"
        return
    named = sorted({str(part) for part in parts.values()})
    there = set(_relative_to(unit, path))
    is_rest = not any(part in there for part in named) and any(
        _is_weights(unit, file) for file in unit.files
    )
    if not is_rest:
        yield from _not_there(unit, path, named)


def _not_there(unit: Unit, path: str, named: list[str]) -> Iterator[str]:
    there = _relative_to(unit, path)
    folders = {part for file in there for part in _folders(file)}
    for one in named:
        if one not in there and one.rstrip("/") not in folders and one != ".":
            yield f"{one}, which {basename(path)} names, is not there yet"


def _relative_to(unit: Unit, path: str) -> set[str]:
    start = dirname(path)
    return {file[len(start) + 1 :] if start else file for file in unit.files}


def _folders(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path


def _json(files: RunFiles, path: str) -> object:
    """Return what a JSON file says; None where it is no JSON, or not yet."""
    try:
        return json.loads(_content(files, path))
    except (ValueError, RecursionError):
        return None


def _content(files: RunFiles, path: str) -> bytes:
    """Return the bytes of a file; none of one that is too large for what it is called."""
    try:
        return files.content(path)
    except TooMuch:
        return b""
