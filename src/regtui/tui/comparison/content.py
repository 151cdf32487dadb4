"""Content: how files and tensors differ from the baseline's, kept small.

A diff tells every tensor's type, shape, size and digest on both sides, which is half a gigabyte for
eight versions of 100,000 tensors. What a table shows of it is a short text, mostly the same one
again and again, so one object stands for all that are equal.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from regtui.registry.answers_compare import DiffAnswer, Difference
from regtui.registry.figures import size_text

Verdict = Literal[
    "", "same", "better", "worse", "changed", "added", "removed", "moved", "unknown"
]  # fmt: skip
"""What a version's value is to the baseline's; empty where that is not judged."""


class Change(Struct, frozen=True, gc=False):
    """One file or tensor that is not the same as in the baseline.

    Attributes:
        verdict: How it differs.
        before: What the baseline has; empty for nothing.
        after: What the version has; empty for nothing, the new path of a file that moved.
    """

    verdict: Verdict
    before: str
    after: str


class Content(Struct, frozen=True, kw_only=True):
    """How the content of a version differs from that of the baseline.

    Attributes:
        files: Change by path; a moved file stands under its old one.
        tensors: Change by name.
        same_files: How many files are the same.
        same_tensors: How many tensors are.
        partial: Whether the table of some file is not known whole.
    """

    files: Mapping[str, Change]
    tensors: Mapping[str, Change]
    same_files: int
    same_tensors: int
    partial: bool


def condensed(answer: DiffAnswer) -> Content:
    """Return what a table needs of a diff."""
    files = _changes(answer.files, _file)
    for moved in answer.files.moved.values():
        files[moved["before"]] = Change("moved", _file(moved), moved["after"])
    tensors = _changes(answer.tensors, _tensor)
    known: dict[Change, Change] = {}
    for name, pair in answer.tensors.unknown.items():
        change = Change("unknown", _tensor(pair["before"]), _tensor(pair["after"]))
        tensors[name] = known.setdefault(change, change)
    return Content(
        files=files,
        tensors=tensors,
        same_files=answer.files.same,
        same_tensors=answer.tensors.same,
        partial=answer.tensors.partial,
    )


def _changes(group: Difference, show: Callable[[Mapping[str, Any]], str]) -> dict[str, Change]:
    known: dict[Change, Change] = {}
    found: dict[str, Change] = {}
    for name, pair in group.changed.items():
        before, after = show(pair["before"]), show(pair["after"])
        change = Change("changed", before, after + _turned(pair["before"], pair["after"]))
        found[name] = known.setdefault(change, change)
    for name, value in group.added.items():
        change = Change("added", "", show(value))
        found[name] = known.setdefault(change, change)
    for name, value in group.removed.items():
        change = Change("removed", show(value), "")
        found[name] = known.setdefault(change, change)
    return found


def _turned(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return what became of the right to run a file, which its size and digest don't show."""
    if before.get("executable") == after.get("executable"):
        return ""
    return " executable" if after["executable"] else " not executable"


def _file(value: Mapping[str, Any]) -> str:
    return f"{size_text(value['size'])} {value['digest'][:8]}"


def _tensor(value: Mapping[str, Any]) -> str:
    shape = ",".join(map(str, value["shape"]))
    return f"{value['dtype']} [{shape}]"
