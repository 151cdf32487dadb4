"""Inverse: the operations that take another one back.

Undoing is no special power: it makes ordinary operations, which are judged like any other and name
in `undoes` what they take back. Redoing is undoing the undo. What an operation did stands in its
history rows, and only what it really did is taken back: a value that lost, or that stood there
already, changed nothing.

A value that was set again since is left alone: the whole is refused then, because half of an intent
taken back is an intent that nobody had. A later change that was itself taken back does not count
as one. What an operation made goes whole, with what was set on it since, and comes back so by redo.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from regtui.core.documents import Document, Rule, field_of, split_path
from regtui.core.errors import BadInput, NotFound
from regtui.core.operations import (
    ActBody,
    AliasBody,
    Change,
    Changes,
    CheckBody,
    DatasetBody,
    EditBody,
    EnvironmentBody,
    Operation,
    PolicyBody,
    ResolveBody,
    StateBody,
)
from regtui.core.verdicts import LogRow
from regtui.core.view import View

_DEFINED = frozenset({"policy", "check", "environment"})

_VERBS = {
    "active": "restore",
    "captured": "restore",
    "archived": "archive",
    "deleted": "delete",
}


DECIDED = {
    "check.report": "run the check again: `regtui check run`",
    "promotion.review": "`regtui review REQUEST clear` takes it back",
    "promotion.apply": "`regtui revert MODEL@ALIAS` goes back to what was there before",
    "promotion.withdraw": "`regtui promote` asks again",
    "deployment.record": "`regtui deploy rollback` goes back, `regtui deploy stop` ends it",
    "deployment.transition": "`regtui deploy rollback` goes back, `regtui deploy stop` ends it",
}
"""What can't be taken back as if it had not been, and what does instead."""


class Draft(Struct, frozen=True):
    """An operation that is still to be made: everything that `submit` wants to know."""

    kind: str
    stream: str
    entity: str
    body: Any


def inverse(operation: Operation, rows: Sequence[LogRow], view: View) -> Iterator[Draft]:
    """Yield the operations that take an operation back, to be submitted one by one.

    Each is made from the state that the one before it left, so the view has to move along.

    Args:
        operation: What to take back.
        rows: Its history rows.
        view: The registry now.

    Raises:
        BadInput: A value was set again since, or the operation opened a conflict.
        NotFound: What it changed is not there any more.
    """
    if operation.stream == "access":
        raise BadInput(
            "what people may do is not undone", "`regtui grant` and `regtui user` change it"
        )
    decided = operation.kind
    if decided == "promotion.request" and _is_applied(operation, view):
        decided = "promotion.apply"
    if decided in DECIDED:
        raise BadInput("what was decided is not undone", DECIDED[decided])
    if any(row.result == "conflict" for row in rows):
        raise BadInput(
            "a part of it became a candidate of a conflict", "`regtui resolve` settles that"
        )
    rows = _asked_for(operation, rows)
    # What came to be goes last: its values need it to be there.
    for row in rows:
        if row.result == "created" and row.kind != "conflict":
            yield from _uncreated(_document(view, row.entity), operation, view)
    changed = [row for row in rows if row.result in {"applied", "merged"}]
    for entity in dict.fromkeys(row.entity for row in changed if row.kind != "conflict"):
        document = _document(view, entity)
        mine = [row for row in changed if row.entity == entity]
        _refuse_later(document, operation, mine, view)
        if not isinstance(operation.body, ResolveBody):
            yield from _restored(document, mine, view)
    if isinstance(operation.body, ResolveBody):
        yield _turned(operation, operation.body, view)


def _asked_for(operation: Operation, rows: Sequence[LogRow]) -> Sequence[LogRow]:
    """Return the rows of what an operation asked for.

    What moved by itself when an edit or a restore was the last that a request waited for was
    decided, and stays.
    """
    if not isinstance(operation.body, EditBody) and operation.kind != "version.restore":
        return rows
    return [row for row in rows if row.entity == operation.entity]


def _is_applied(request: Operation, view: View) -> bool:
    """Tell whether what a request asks for was done, by itself or by somebody."""
    found = view.document(request.entity)
    return found is not None and found.value("state") == "applied"


def redone(operation: Operation, view: View) -> Operation:
    """Return the operation that a redo gave back, and that is taken back in its place; or itself.

    The redo of what made something finds more steps to take than there were at first (from deleted
    to archived there are two), and what became of it since is not its own doing.
    """
    undo = view.past(operation.undoes or "")
    first = None if undo is None else view.past(undo.operation.undoes or "")
    return operation if first is None else redone(first.operation, view)


def _uncreated(document: Document, operation: Operation, view: View) -> Iterator[Draft]:
    """Yield what takes away something that an operation made."""
    if document.kind == "alias":
        if origin(view, document, "version") != operation.id:
            raise _set_since(document, "version", view)
        if document.value("version") is not None:
            yield _alias(document, None)
    elif document.value("state") in {"deleted", "withdrawn", "removed"}:
        return
    elif document.kind in _DEFINED:
        yield _definition(document, {"state": "removed"})
    elif document.kind == "promotion":
        body = ActBody(None, {})
        yield Draft("promotion.withdraw", document.stream, document.id, body)
    elif document.kind == "comment":
        yield _edit(document, {"state": "withdrawn"}, view)
    elif document.kind == "dataset":
        yield _edit(document, {"state": "deleted"}, view)
    else:
        yield _state(document, "deleted")


def _restored(document: Document, rows: Sequence[LogRow], view: View) -> Iterator[Draft]:
    """Yield what gives an entity the values back that it had before an operation."""
    before = {row.path: row.before for row in rows}
    if document.kind == "alias":
        yield _alias(document, before["version"])
        return
    state = before.pop("state", None) if document.kind in {"model", "version"} else None
    # A version can be edited only while it is not deleted.
    if state is not None and document.value("state") == "deleted":
        yield from _states(document, state, view)
        state = None
        document = _document(view, document.id)
    if before:
        yield _edit(document, before, view)
        document = _document(view, document.id)
    if state is not None:
        yield from _states(document, state, view)


def _states(document: Document, wanted: str, view: View) -> Iterator[Draft]:
    """Yield the steps to a state: from deleted to archived there are two."""
    if document.value("state") == "deleted" and wanted == "archived":
        yield _state(document, "active" if document.kind == "model" else "captured")
        document = _document(view, document.id)
    yield _state(document, wanted)


def _definition(document: Document, values: dict[str, Any]) -> Draft:
    """Return the change of a policy, check or environment to earlier values.

    A definition is kept whole, and putting it brings back what was removed.
    """
    facts, kind = document.facts, document.kind
    name = str(facts["name"])
    if kind == "environment":
        made = {path: Change(to, saw=document.stamp(path)) for path, to in values.items()}
        return Draft("environment.put", document.stream, document.id, EnvironmentBody(name, made))
    removes = values.get("state") == "removed"
    path = "state" if removes else "definition"
    to = values.get(path, document.value(path))
    made = {path: Change(to, saw=document.stamp(path))}
    body = (PolicyBody if kind == "policy" else CheckBody)(name, str(facts["models"]), made)
    verb = "remove" if removes else "put"
    return Draft(f"{kind}.{verb}", document.stream, document.id, body)


def _state(document: Document, wanted: str) -> Draft:
    change = Change(wanted, saw=document.stamp("state"))
    body = StateBody(document.by, {"state": change})
    return Draft(f"{document.kind}.{_VERBS[wanted]}", document.stream, document.id, body)


def _alias(document: Document, version: str | None) -> Draft:
    change = Change(version, saw=document.stamp("version"))
    body = AliasBody(str(document.facts["name"]), {"version": change})
    kind = "alias.remove" if version is None else "alias.set"
    return Draft(kind, document.stream, document.id, body)


def _edit(document: Document, values: dict[str, Any], view: View) -> Draft:
    if document.kind in _DEFINED:
        return _definition(document, values)
    # An edit of what is deleted would be contested, or bring a dataset back.
    if document.value("state") == "deleted" and "state" not in values:
        raise BadInput(f"the {document.kind} is deleted by now", "restore it first")
    made = _changes(document, values, view)
    body: EditBody | DatasetBody = EditBody(made)
    kind = f"{document.kind}.edit"
    if document.kind == "dataset":
        kind, body = "dataset.put", DatasetBody(str(document.facts["name"]), made)
    return Draft(kind, document.stream, document.id, body)


def _turned(operation: Operation, body: ResolveBody, view: View) -> Draft:
    """Return what opens a conflict again that an operation ended, or ends one that it opened."""
    conflict, document = _document(view, operation.entity), _document(view, body.of)
    if body.choice is not None:
        made = _changes(document, (conflict.value("resolution") or {"before": {}})["before"], view)
        turned = ResolveBody(body.of, body.of_kind, None, [], made)
    else:
        ended = view.past(operation.undoes or "")
        if ended is None or not isinstance(ended.operation.body, ResolveBody):
            raise NotFound("how the conflict had ended is not known")
        again = ended.operation.body
        made = {
            path: Change(change.to, saw=document.stamp(path), was=_was(document, path))
            for path, change in again.set.items()
        }
        seen = sorted(conflict.entries("candidates"))
        turned = ResolveBody(body.of, body.of_kind, again.choice, seen, made)
    return Draft("conflict.resolve", operation.stream, operation.entity, turned)


def _changes(document: Document, values: dict[str, Any], view: View) -> Changes:
    """Return the changes to values as history rows hold them: texts by their digest."""
    made: Changes = {}
    for path, value in values.items():
        is_text = field_of(document.kind, path).rule is Rule.TEXT
        to = _text(view, value) if is_text and value is not None else value
        made[path] = Change(to, saw=document.stamp(path), was=_was(document, path))
    return made


def _was(document: Document, path: str) -> str | None:
    is_text = field_of(document.kind, path).rule is Rule.TEXT
    return document.value(path) if is_text else None


def _text(view: View, digest: str) -> str:
    text = view.text(digest)
    if text is None:
        raise NotFound("the text that stood there before is not kept any more")
    return text


def _refuse_later(
    document: Document, operation: Operation, rows: Sequence[LogRow], view: View
) -> None:
    for row in rows:
        keyed = field_of(document.kind, row.path).keyed
        taken_away = keyed and row.after is None
        expected = None if taken_away else _origin_of(view, operation.id, row.path)
        if origin(view, document, row.path) != expected:
            raise _set_since(document, row.path, view)


def origin(view: View, document: Document, path: str) -> str | None:
    """Return the operation whose value stands at a path, changes that were taken back left out."""
    return _origin_of(view, document.stamp(path), path)


def _origin_of(view: View, stamp: str | None, path: str) -> str | None:
    """Return the operation that first set the value that an operation put at a path."""
    seen: set[str] = set()
    while stamp is not None and stamp not in seen:
        seen.add(stamp)
        past = view.past(stamp)
        undone = None if past is None else view.past(past.operation.undoes or "")
        if undone is None:
            return stamp
        change = undone.operation.body.set.get(path)
        if change is None:
            return stamp
        stamp = change.saw
    return stamp


def _set_since(document: Document, path: str, view: View) -> BadInput:
    stamp = document.stamp(path)
    past = view.past(stamp or "")
    field, key = split_path(path)
    value = field if key is None else f"{field}.{key}"
    by = f" by the operation #{past.seq}" if past is not None else ""
    return BadInput(
        f"{value!r} was set again since{by}", "undo that one first, or edit the value yourself"
    )


def _document(view: View, entity: str) -> Document:
    found = view.document(entity)
    if found is None:
        raise NotFound("what the operation changed is not here")
    return found
