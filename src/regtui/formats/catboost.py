"""CatBoost's `.cbm`: magic, the size of a FlatBuffer, the buffer, and parts that it names.

The buffer (TModelCore) holds a map of texts, among them the training parameters as JSON. Without
further parts the file ends where the buffer does, which makes `complete` certain; parts (tables of
categories and texts) do not tell their size in one place.

The format carries no code. CatBoost's JSON is one of the texts that `text_formats` knows.
"""

from itertools import islice
from typing import Any, Final

from regtui.formats import json_text
from regtui.formats.cursor import Cursor, Malformed, TooMuch, Truncated, unread
from regtui.formats.flat import Flat
from regtui.formats.flatbuffer import Table
from regtui.formats.values import LIMITS, Facts, Limits, Source

FORMAT: Final = "catboost"
MAGIC: Final = b"CBM1"

# Fields of TModelCore, TModelTrees and TKeyValue.
_VERSION, _TREES, _INFO, _PARTS = 0, 1, 2, 3
_TREE_SIZES = 2
_KEY, _VALUE = 0, 1
_JSON_VALUES: Final = frozenset({"params", "training"})
_LEFT_OUT: Final = frozenset({"output_options"})


def matches(head: bytes, source: Source) -> bool:  # noqa: ARG001 - every format is asked alike
    """Whether the file starts with CatBoost's magic."""
    return head.startswith(MAGIC)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return version, number of trees and training parameters.

    Raises:
        OSError: The file could not be read.
    """
    try:
        return _read(Cursor(source, len(MAGIC), limits), limits)
    except Malformed as error:
        return unread(FORMAT, error)


def _read(cursor: Cursor, limits: Limits) -> Facts:
    length = cursor.uint(4)
    missing = cursor.at + length - cursor.size
    if missing > 0:
        raise Truncated(f"the file ends {missing} bytes early")
    if length > limits.header_bytes:
        problem = "it is too large to be read whole"
        return Facts(FORMAT, "no-code", problem=problem, cut=True)
    core = Table.root(cursor.take(length))
    parts = core.count(_PARTS)
    if cursor.at != cursor.size and not parts:
        raise Malformed(f"{cursor.size - cursor.at} bytes behind the model belong to nothing")
    metadata = Flat(limits)
    metadata.tree("format_version", core.text(_VERSION))
    trees = core.table(_TREES)
    if trees is not None:
        metadata.add("trees", trees.length(_TREE_SIZES))
    left = limits.header_bytes
    for entry in islice(core.tables(_INFO), limits.metadata):
        key, value = entry.text(_KEY) or "", entry.text(_VALUE) or ""
        left -= len(key) + len(value)
        if left < 0:
            raise TooMuch("the model has more texts than can be read")
        describe(key, value, metadata, limits)
    return Facts(
        FORMAT,
        "no-code",
        complete=None if parts else True,
        metadata=metadata.values,
        cut=metadata.cut or core.count(_INFO) > limits.metadata,
    )


def describe(key: str, value: Any, metadata: Flat, limits: Limits) -> None:
    """Add one entry of the model's map; some are JSON in a text."""
    if key in _LEFT_OUT:
        return
    if key in _JSON_VALUES and isinstance(value, str):
        try:
            value = json_text.decode(value.encode("utf-8", "replace"), limits)
        except TooMuch:
            raise
        except Malformed:
            metadata.add(key, value)
            return
    metadata.tree(key, value)
