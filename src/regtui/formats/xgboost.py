"""XGBoost: `.json`, `.ubj` and the binary files of old versions.

JSON and UBJSON hold the same tree of values, of which only the description is kept; the trees are
skipped. The old binary layout tells its parameters and no length.

None of them carries code. `complete` is certain for JSON and UBJSON, which close what they open; a
JSON text beyond `Limits.header_bytes` is known by its start only.
"""

from typing import Any, Final, Optional

import msgspec

from regtui.formats import json_text, ubjson
from regtui.formats.cursor import Cursor, Malformed, unread
from regtui.formats.flat import Flat
from regtui.formats.values import LIMITS, Facts, Limits, Source

FORMAT: Final = "xgboost"

_UBJSON = b"{L\0\0\0\0\0\0\0"
_BINARY = b"binf"
_LEARNER = b"learner"
_KEPT: Final = (
    "objective",
    "learner_model_param",
    "attributes",
    "feature_names",
    "feature_types",
)


class _Forest(msgspec.Struct):
    gbtree_model_param: msgspec.Raw = msgspec.Raw(b"{}")


class _Booster(msgspec.Struct):
    name: str = ""
    model: _Forest | None = None
    gbtree: Optional["_Booster"] = None


class _Learner(msgspec.Struct):
    attributes: msgspec.Raw = msgspec.Raw(b"{}")
    feature_names: msgspec.Raw = msgspec.Raw(b"[]")
    feature_types: msgspec.Raw = msgspec.Raw(b"[]")
    objective: msgspec.Raw = msgspec.Raw(b"{}")
    learner_model_param: msgspec.Raw = msgspec.Raw(b"{}")
    gradient_booster: _Booster | None = None


class _Model(msgspec.Struct):
    """What is decoded of the JSON text; the trees are skipped."""

    learner: _Learner
    version: list[int] = []


def matches(head: bytes, source: Source) -> bool:
    """Whether it is one of XGBoost's three layouts."""
    if head.startswith(_BINARY) or (head.startswith(_UBJSON) and _LEARNER in head[:64]):
        return True
    start = head.lstrip()
    if not start.startswith(b"{"):
        return False
    # The key may stand at either end, for some versions sort the keys and others don't.
    tail = source.read(max(0, source.size - 512), 512)
    return start[1:].lstrip().startswith(b'"learner"') or (
        start[1:].lstrip().startswith(b'"version"') and b'"learner"' in head + tail
    )


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return objective, version, numbers of features and trees, and the model's attributes.

    Raises:
        OSError: The file could not be read.
    """
    head = source.read(0, 16)
    try:
        if head.startswith(_BINARY):
            return _binary(source, limits)
        if head.startswith(b"{") and head[1:2] in b"LiUIul$#mM" and head[1:2]:
            return _facts(_ubjson(source, limits), limits)
        if source.size > limits.header_bytes:
            return Facts(FORMAT, "no-code", cut=True, problem="it is too large to be read whole")
        return _facts(_json(json_text.content(source, limits), limits), limits)
    except Malformed as error:
        return unread(FORMAT, error)


def _json(text: bytes, limits: Limits) -> dict[str, Any]:
    """Return the description as the tree that it is in both layouts."""
    model: _Model = json_text.decode_as(text, _Model)
    kept: dict[str, Any] = {
        key: json_text.decode(bytes(getattr(model.learner, key)), limits) for key in _KEPT
    }
    booster = model.learner.gradient_booster or _Booster()
    forest = (booster.gbtree or booster).model or _Forest()
    params = json_text.decode(bytes(forest.gbtree_model_param), limits)
    kept["gradient_booster"] = {"name": booster.name, "model": {"gbtree_model_param": params}}
    return {"learner": kept, "version": model.version}


def _ubjson(source: Source, limits: Limits) -> Any:
    cursor = Cursor(source, 0, limits, order=">")
    found = ubjson.value(cursor)
    if cursor.at != source.size:
        raise Malformed(f"{source.size - cursor.at} bytes behind the model belong to nothing")
    return found


def _binary(source: Source, limits: Limits) -> Facts:
    cursor = Cursor(source, len(_BINARY), limits)
    metadata = Flat(limits)
    for key, code in (("base_score", "f"), ("num_feature", "I"), ("num_class", "i")):
        metadata.add(key, cursor.number(code))
    return Facts(FORMAT, "no-code", metadata=metadata.values, cut=metadata.cut)


def _facts(model: Any, limits: Limits) -> Facts:
    learner = model.get("learner") if isinstance(model, dict) else None
    if not isinstance(learner, dict):
        raise Malformed("the model has no learner")
    metadata = Flat(limits)
    version = model.get("version")
    if isinstance(version, list):
        metadata.add("version", ".".join(str(part) for part in version[:4]))
    for key in ("objective", "learner_model_param", "attributes"):
        metadata.tree(key, _map(learner, key))
    for key in ("feature_names", "feature_types"):
        metadata.tree(key, learner.get(key))
    booster = _map(learner, "gradient_booster")
    metadata.tree("booster", booster.get("name"))
    inner = _map(booster, "gbtree") or booster  # dart holds its trees one level deeper
    metadata.tree("", _map(_map(inner, "model"), "gbtree_model_param"))
    return Facts(FORMAT, "no-code", complete=True, metadata=metadata.values, cut=metadata.cut)


def _map(parent: dict[str, Any], key: str) -> dict[str, Any]:
    found = parent.get(key)
    return found if isinstance(found, dict) else {}
