"""One operation in words: who, when, through what, and what became of each value."""

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.text import Text

from regtui.registry.figures import age_text
from regtui.registry.history import ChangeAnswer, OperationAnswer
from regtui.tui.comparison.rows import value_text
from regtui.tui.safe_text import one_line

LONGEST = 2_000
"""Characters of a value that are shown."""

LONGEST_STRUCTURE = 200
"""Characters of a structure, such as where a version was found; the command shows it whole."""

RESULTS = {"applied": "", "created": ""}
"""Results that go without saying; every other one is said."""


def subject(operation: OperationAnswer) -> str:
    """Return what an operation was done to."""
    if operation.dataset is not None:
        return f"dataset {operation.dataset}"
    if operation.model is None:
        return "the registry"
    if operation.number is not None:
        return f"{operation.model}@{operation.number}"
    return f"{operation.model}@{operation.alias}" if operation.alias else operation.model


def operation_text(operation: OperationAnswer) -> Text:
    """Return everything that is known of an operation."""
    text = Text()
    for line, style in _lines(operation):
        text.append(one_line(line)[: LONGEST * 2] + "\n", style)
    text.rstrip()
    return text


def _lines(operation: OperationAnswer) -> Iterator[tuple[str, str]]:
    yield f"#{operation.seq}  {operation.summary}", "bold"
    moment = operation.time[:19].replace("T", " ")
    yield f"{operation.kind} on {subject(operation)}", ""
    yield f"by {operation.actor} via {operation.via}, {moment} ({age_text(operation.time)} ago)", ""
    if operation.undone_by is not None:
        yield f"undone by {operation.undone_by}", "bold"
    if operation.undoes is not None:
        yield f"undoes    {operation.undoes}", ""
    if operation.changes:
        yield "", ""
    for change in operation.changes:
        yield f"{_path(change)}: {_change(change)}", ""
    yield "", ""
    yield f"id       {operation.id}", "dim"
    yield f"session  {operation.session}", "dim"
    if operation.group is not None:
        yield f"intent   {operation.group}", "dim"


def _path(change: ChangeAnswer) -> str:
    if change.path.startswith("places/"):  # whose keys are digests
        return "found at"
    return change.path or "all of it"


def _change(change: ChangeAnswer) -> str:
    before, after = shown(change.before), shown(change.after)
    said = RESULTS.get(change.result, change.result)
    beside = f"  ({said})" if said else ""
    if change.result == "created" or change.before is None:
        return (after or "made") + beside
    return f"{before} → {after or 'nothing'}{beside}"


def shown(value: Any) -> str:
    """Return a value as one line: metrics and places in words, other structures as JSON."""
    if isinstance(value, dict):
        if set(value) <= {"value", "step"} and "value" in value:
            step = value.get("step")
            return value_text(value["value"]) + ("" if step is None else f" at step {step}")
        if {"host", "folder", "name"} <= set(value):
            return f"{value['host']}:{value['folder']}/{value['name']}"[:LONGEST]
        text = msgspec.json.encode(value).decode()
        return text if len(text) <= LONGEST_STRUCTURE else text[:LONGEST_STRUCTURE] + "…"
    return value_text(value)[:LONGEST]
