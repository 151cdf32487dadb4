"""LightGBM's text: a description, the trees, the parameters.

Only the start and the end are read, since the trees between them may be long. Python's writer ends
the file with a line `pandas_categorical:`; that line makes `complete` certain. LightGBM's own
program stops at `end of parameters`, where Python's writer is not yet done, so there it can't tell.

The format carries no code.
"""

from typing import Final

from regtui.formats.cursor import Malformed, Truncated, unread
from regtui.formats.flat import Flat
from regtui.formats.json_text import decode
from regtui.formats.values import LIMITS, Facts, Limits, Source

FORMAT: Final = "lightgbm"

_START = b"tree\n"
_LAST = b"\npandas_categorical:"
_PARAMETERS, _END_OF_PARAMETERS = b"\nparameters:\n", b"\nend of parameters\n"
_HEAD, _TAIL = 1 << 20, 1 << 18
_KEPT: Final = (
    "version",
    "num_class",
    "num_tree_per_iteration",
    "max_feature_idx",
    "objective",
    "feature_names",
)


def matches(head: bytes, source: Source) -> bool:  # noqa: ARG001 - every format is asked alike
    """Whether the text starts as LightGBM's does."""
    return head.replace(b"\r\n", b"\n").startswith((_START + b"version=", _START + b"num_class="))


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return objective, features, parameters and the number of trees.

    Raises:
        OSError: The file could not be read.
    """
    head = source.read(0, _HEAD).replace(b"\r\n", b"\n")
    tail = source.read(max(0, source.size - _TAIL), _TAIL).replace(b"\r\n", b"\n")
    metadata = Flat(limits)
    try:
        description = _description(head)
        for key in _KEPT:
            if key in description:
                metadata.add(key, description[key])
        if "tree_sizes" in description:
            metadata.add("trees", len(description["tree_sizes"].split()))
        _parameters(tail, metadata)
        complete = _complete(tail)
    except Malformed as error:
        return unread(FORMAT, error)
    return Facts(FORMAT, "no-code", complete=complete, metadata=metadata.values, cut=metadata.cut)


def _description(head: bytes) -> dict[str, str]:
    """Return the lines `key=value` before the first tree."""
    lines, found, _ = head.partition(b"\n\n")
    if not lines.startswith(_START):
        raise Malformed("it does not start as LightGBM's text does")
    if not found:
        raise Truncated("the file ends within its description")
    pairs = (line.partition("=") for line in lines.decode("utf-8", "replace").splitlines())
    return {key: value for key, _, value in pairs}


def _parameters(tail: bytes, metadata: Flat) -> None:
    """Add the lines `[key: value]`."""
    _, found, lines = tail.rpartition(_PARAMETERS)
    if not found:
        return
    lines = lines.partition(_END_OF_PARAMETERS)[0]
    for line in lines.decode("utf-8", "replace").splitlines():
        key, found_value, value = line.strip("[]").partition(": ")
        if found_value and value:
            metadata.add(f"parameters.{key}", value)


def _complete(tail: bytes) -> bool | None:
    before, found, last = tail.rpartition(_LAST)
    if found and b"\nend of trees\n" in before and last.endswith(b"\n"):
        decode(last)  # one value of JSON: the categories of a pandas frame, or null
        return True
    return None if _END_OF_PARAMETERS in tail else False
