"""From the documents of conflicts to answers: names for ids, texts for digests, a page at once."""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from regtui.core.documents import Document, Register, Rule, field_of
from regtui.core.identity import short_id
from regtui.core.operations import Operation, UnknownKind, decode_operation
from regtui.registry.answers import iso
from regtui.registry.answers_conflicts import ConflictAnswer, Resolution, Side
from regtui.registry.lookups import actor_names, model_names
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document


class _Known(Struct, frozen=True):
    """What the documents of a page refer to."""

    documents: dict[str, Document]
    models: dict[str, str]
    setters: dict[str, str]
    names: dict[str, str]
    texts: dict[str, str]
    bases: dict[str, "_Set"]


class _Set(Struct, frozen=True):
    """A value as an operation set it."""

    operation: str
    value: Any
    actor: str
    at: int


def conflict_answers(connection: Connection, conflicts: Sequence[Document]) -> list[ConflictAnswer]:
    """Return the answers for the documents of conflicts, in their order."""
    known = _known(connection, conflicts)
    return [_answer(conflict, known) for conflict in conflicts]


def _known(connection: Connection, conflicts: Sequence[Document]) -> _Known:
    documents = _documents(connection, {conflict.facts["of"] for conflict in conflicts})
    about = {d.facts["of"] for d in documents.values() if d.kind == "comment"}
    pointed = {d.value("version") for d in documents.values() if d.kind == "alias"}
    asked = {c["value"] for conflict in conflicts for c in _candidates(conflict) if _is_id(c)}
    bases = _bases(connection, conflicts)
    asked |= {base.value for base in bases.values() if _is_identity(base.value)}
    documents |= _documents(connection, about | {one for one in pointed if one} | asked)
    setters = _setters(connection, conflicts, documents)
    people = {c["author"] for conflict in conflicts for c in _candidates(conflict)}
    people |= {(conflict.value("resolution") or {}).get("author") for conflict in conflicts}
    people |= {base.actor for base in bases.values()}
    return _Known(
        documents=documents,
        models=model_names(connection, {c.stream for c in conflicts} - {"registry"}),
        setters=setters,
        names=actor_names(connection, {one for one in people if one} | set(setters.values())),
        texts=_texts(connection, conflicts, documents),
        bases=bases,
    )


def _candidates(conflict: Document) -> Iterable[dict[str, Any]]:
    return conflict.entries("candidates").values()


def _is_id(candidate: dict[str, Any]) -> bool:
    return _is_identity(candidate["value"])


def _is_identity(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.count("-") == 4  # noqa: PLR2004


def _bases(connection: Connection, conflicts: Sequence[Document]) -> dict[str, _Set]:
    """Return by conflict what its oldest candidate was to take the place of, where that is known.

    The candidate's operation names what its author saw by the operation that had set it.
    """
    oldest = {conflict.id: _oldest(conflict) for conflict in conflicts}
    asking = _operations(connection, set(oldest.values()))
    seen: dict[str, str] = {}
    for conflict in conflicts:
        operation = asking.get(oldest[conflict.id])
        change = None if operation is None else operation.body.set.get(conflict.facts["path"])
        if change is not None and change.saw is not None:
            seen[conflict.id] = change.saw
    setting = _operations(connection, set(seen.values()))
    found = {}
    for conflict in conflicts:
        operation = setting.get(seen.get(conflict.id, ""))
        change = None if operation is None else operation.body.set.get(conflict.facts["path"])
        if operation is not None and change is not None:
            found[conflict.id] = _Set(operation.id, change.to, operation.actor, operation.at)
    return found


def _oldest(conflict: Document) -> str:
    start = "candidates/"
    found = [
        (register.at, path.removeprefix(start))
        for path, register in conflict.fields.items()
        if path.startswith(start)
    ]
    return min(found)[1] if found else ""


def _operations(connection: Connection, ids: set[str]) -> dict[str, Operation]:
    rows = connection.execute(
        "select id::varchar, bytes from base.operation "
        "where id in (select try_cast(unnest(?) as uuid))",
        [list(ids)],
    ).fetchall()
    found = {}
    for identity, data in rows:
        with contextlib.suppress(UnknownKind):  # of a newer program: it asks in its own way
            found[identity] = decode_operation(data.encode())
    return found


def _documents(connection: Connection, entities: set[str]) -> dict[str, Document]:
    rows = connection.execute(
        "select id::varchar, body from base.document "
        "where id in (select try_cast(unnest(?) as uuid))",
        [list(entities)],
    ).fetchall()
    return {identity: stored_document(body, identity) for identity, body in rows}


def _setters(
    connection: Connection, conflicts: Sequence[Document], documents: dict[str, Document]
) -> dict[str, str]:
    """Return the actor behind each stamp that stands at a value in conflict."""
    stamps = {documents[c.facts["of"]].stamp(c.facts["path"]) for c in conflicts}
    rows = connection.execute(
        "select id::varchar, json_extract_string(bytes, '$.actor') from base.operation "
        "where id in (select unnest(?::uuid[]))",
        [[stamp for stamp in stamps if stamp]],
    ).fetchall()
    return dict(rows)


def _texts(
    connection: Connection, conflicts: Sequence[Document], documents: dict[str, Document]
) -> dict[str, str]:
    """Return the texts that the values are digests of."""
    digests: set[str] = set()
    for conflict in conflicts:
        document, path = documents[conflict.facts["of"]], conflict.facts["path"]
        values = [candidate["value"] for candidate in _candidates(conflict)]
        edits = [value["edit"] for value in values if isinstance(value, dict) and "edit" in value]
        found = {path: [document.value(path), *values]} if not edits else {}
        for edit in edits:
            for changed, value in edit.items():
                found.setdefault(changed, []).append(value)
        for changed, kept in found.items():
            if field_of(document.kind, changed).rule is Rule.TEXT:
                digests |= {value for value in kept if isinstance(value, str)}
    rows = connection.execute(
        "select digest, value from base.text where digest in (select unnest(?::varchar[]))",
        [list(digests)],
    ).fetchall()
    return dict(rows)


def _answer(conflict: Document, known: _Known) -> ConflictAnswer:
    facts = conflict.facts
    document = known.documents[facts["of"]]
    about = known.documents[document.facts["of"]] if document.kind == "comment" else document
    resolution = conflict.fields.get("resolution")
    ended = None if resolution is None or resolution.v is None else resolution
    return ConflictAnswer(
        id=conflict.id,
        entity=document.id,
        kind=document.kind,
        model=known.models.get(conflict.stream),
        number=about.facts["number"] if about.kind == "version" else None,
        alias=document.facts["name"] if document.kind == "alias" else None,
        dataset=document.facts["name"] if document.kind == "dataset" else None,
        field=facts["path"],
        state="open" if ended is None else "resolved",
        base=_base(conflict, document, known),
        accepted=_accepted(document, facts["path"], known),
        candidates=_sides(conflict, document, known),
        resolution=None if ended is None else _resolution(ended, known),
    )


def _base(conflict: Document, document: Document, known: _Known) -> Side | None:
    base = known.bases.get(conflict.id)
    if base is None:
        return None
    path = conflict.facts["path"]
    return _side(base.operation, base.value, base.actor, base.at, document, path, known)


def _accepted(document: Document, path: str, known: _Known) -> Side:
    register = document.fields.get(path)
    if register is None:
        return Side(id=None, value=None, version=None, author=None, at=None)
    author = known.setters.get(register.by, "")
    return _side(register.by, register.v, author, register.at, document, path, known)


def _sides(conflict: Document, document: Document, known: _Known) -> list[Side]:
    start = "candidates/"
    found = [
        (register.at, path.removeprefix(start), register.v)
        for path, register in conflict.fields.items()
        if path.startswith(start)
    ]
    return [
        _side(op, value["value"], value["author"], at, document, conflict.facts["path"], known)
        for at, op, value in sorted(found, key=lambda one: one[:2])
    ]


def _side(  # noqa: PLR0913, PLR0917 -- everything that a side says
    op: str, value: Any, author: str, at: int, document: Document, path: str, known: _Known
) -> Side:
    version = known.documents.get(value) if document.kind == "alias" and value else None
    return Side(
        id=op,
        value=_shown(value, document.kind, path, known),
        version=None if version is None else _reference(version, known),
        author=known.names.get(author, author),
        at=iso(at),
    )


def _shown(value: Any, kind: str, path: str, known: _Known) -> Any:
    if isinstance(value, dict) and "edit" in value:
        edit = value["edit"].items()
        return {"edit": {changed: _shown(v, kind, changed, known) for changed, v in edit}}
    if value is not None and field_of(kind, path).rule is Rule.TEXT:
        return known.texts.get(value, value)
    return value


def _reference(version: Document, known: _Known) -> str:
    number = version.facts["number"]
    model = known.models.get(version.stream)
    return short_id(version.id) if number is None or model is None else f"{model}@{number}"


def _resolution(register: Register, known: _Known) -> Resolution:
    author = register.v["author"]
    return Resolution(
        choice=register.v["choice"], author=known.names.get(author, author), at=iso(register.at)
    )
