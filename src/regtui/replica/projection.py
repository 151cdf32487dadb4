"""The projection: typed rows made from documents.

A pure function of documents, so that the typed tables can be rebuilt from the raw ones whenever a
newer program knows more columns.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from regtui.core import encoding
from regtui.core.documents import Document, first_place, split_path
from regtui.core.holders import holders
from regtui.core.identity import short_number
from regtui.core.policies import target_of
from regtui.replica.tables import Row

Rows = dict[str, list[Row]]
"""Rows by table."""

KeyOf = Callable[[str], int]
"""Returns the local key of a document or actor by its id."""

_Entries = Mapping[str, Mapping[str, Any]]
"""The values of a document's maps and sets by key, by field."""

_NONE: Mapping[str, Any] = {}


class _Source(Struct):
    """What rows are made of: a document with its local key, the keys of others, and its values."""

    key: int
    document: Document
    key_of: KeyOf
    entries: _Entries


_FIELDS = {
    "metrics": "metric",
    "params": "param",
    "tags": "tag",
    "parents": "parent",
    "inputs": "input",
}
_VERSION = frozenset({"version", *_FIELDS.values()})
_TABLES = {
    "model": {"model", "tag"},
    "alias": {"alias", "holder"},
    "conflict": {"conflict"},
    "comment": {"comment"},
    "dataset": {"dataset", "tag"},
    "policy": {"definition"},
    "check": {"definition"},
    "check_run": {"check_run", "figure"},
    "promotion": {"promotion", "review"},
    "environment": {"environment"},
    "deployment": {"deployment"},
}
_IN_VERSION_ROW = {"description", "state", "tags", "places"}


def changed_tables(before: Document | None, after: Document) -> set[str]:
    """Return the tables in which the rows of a document are no longer what they were."""
    if after.kind != "version":
        return _TABLES.get(after.kind, set())
    if before is None:
        return set(_VERSION)
    fields = {
        split_path(path)[0]
        for path in before.fields.keys() | after.fields.keys()
        if before.fields.get(path) != after.fields.get(path)
    }
    tables = {_FIELDS[field] for field in fields if field in _FIELDS}
    return tables | {"version"} if fields & _IN_VERSION_ROW else tables


def tables_of(kinds: Iterable[str]) -> list[str]:
    """Return the tables that have rows of documents of some kinds."""
    found = (_VERSION if kind == "version" else _TABLES.get(kind, set()) for kind in kinds)
    return sorted(set[str]().union(*found))


def project(key: int, document: Document, key_of: KeyOf, tables: Iterable[str]) -> Rows:
    """Return the rows of a document in the tables asked for.

    Args:
        key: The document's local key.
        document: What to project.
        key_of: Looks up the keys of other documents and of actors.
        tables: The tables wanted.
    """
    source = _Source(key, document, key_of, document.all_entries())
    return {table: _PROJECTORS[table](source) for table in tables}


def mentioned(document: Document) -> set[str]:
    """Return the ids whose keys the rows of a document have."""
    facts = document.facts
    names = ("model", "of", "author", "version")
    found: set[Any] = {facts.get(name) for name in names}
    if document.kind in {"promotion", "deployment"}:
        found |= {document.stream, *document.entries("reviews")}
    if document.kind == "alias":
        for _, holder in holders(document):
            found |= {holder.author, holder.version}
        found.add(document.value("version"))
    return found - {None}


def _model(one: _Source) -> list[Row]:
    facts, value = one.document.facts, one.document.value
    words = [value("name"), value("display_name"), value("description"), *_tag_words(one.entries)]
    return [
        (
            one.key,
            one.document.id,
            value("name"),
            facts["name"],
            facts["generation"],
            value("display_name") or value("name"),
            value("description"),
            value("state"),
            value("primary_metric"),
            value("direction"),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
            _search(words),
        )
    ]


def _version(one: _Source) -> list[Row]:
    facts, value = one.document.facts, one.document.value
    places = one.entries.get("places")
    source = None if places is None else first_place(places, facts)
    model, number, description = one.key_of(facts["model"]), facts["number"], value("description")
    return [
        (
            one.key,
            model,
            number,
            one.document.id,
            short_number(one.document.id),
            slot(model, number),
            facts["digest"],
            facts["size"],
            facts["files"],
            value("state"),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
            description,
            source,
            _search([description, source, *_tag_words(one.entries)]),
        )
    ]


def _alias(one: _Source) -> list[Row]:
    facts, register = one.document.facts, one.document.fields["version"]
    version = None if register.v is None else one.key_of(register.v)
    return [(one.key, one.key_of(facts["model"]), facts["name"], version, register.at // 1000)]


def _conflict(one: _Source) -> list[Row]:
    facts = one.document.facts
    is_open = "true" if one.document.value("resolution") is None else "false"
    return [(one.key, one.key_of(facts["of"]), facts["path"], is_open)]


def _holder(one: _Source) -> list[Row]:
    return [
        (
            one.key,
            None if holder.version is None else one.key_of(holder.version),
            operation,
            one.key_of(holder.author),
            holder.at // 1000,
        )
        for operation, holder in holders(one.document)
    ]


def _comment(one: _Source) -> list[Row]:
    facts, text = one.document.facts, one.document.fields["text"]
    edited = None if text.at == facts["created"] else text.at // 1000
    return [
        (
            one.key,
            one.key_of(facts["of"]),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
            edited,
            text.v,
            one.document.value("state"),
        )
    ]


def _dataset(one: _Source) -> list[Row]:
    facts, value = one.document.facts, one.document.value
    return [
        (
            one.key,
            one.document.id,
            facts["name"],
            value("uri"),
            value("digest"),
            value("description"),
            value("state"),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
        )
    ]


def _definition(one: _Source) -> list[Row]:
    facts, document = one.document.facts, one.document
    target = target_of(document.value("definition")) if document.kind == "policy" else None
    kind, name = (None, None) if target is None else target
    return [
        (
            one.key,
            document.id,
            document.kind,
            facts["name"],
            facts["models"],
            document.value("state"),
            kind,
            name,
            one.key_of(facts["author"]),
            facts["created"] // 1000,
        )
    ]


def _check_run(one: _Source) -> list[Row]:
    facts = one.document.facts
    return [
        (
            one.key,
            one.document.id,
            one.key_of(facts["version"]),
            facts["check"],
            facts["definition"],
            facts["outcome"],
            _bool(facts["counts"]),
            facts["runner"],
            facts["started"] // 1000,
            facts["ended"] // 1000,
            facts["told"] // 1000,
            one.key_of(facts["author"]),
        )
    ]


def _figure(one: _Source) -> list[Row]:
    return [(one.key, name, value) for name, value in one.document.facts["figures"].items()]


def _promotion(one: _Source) -> list[Row]:
    facts, value = one.document.facts, one.document.value
    return [
        (
            one.key,
            one.document.id,
            one.key_of(one.document.stream),
            None if facts["version"] is None else one.key_of(facts["version"]),
            facts["target_kind"],
            facts["target"],
            value("state"),
            _bool(facts["auto"]),
            value("break_glass"),
            value("reason"),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
        )
    ]


def _review(one: _Source) -> list[Row]:
    return [
        (
            one.key,
            one.key_of(user),
            review["verdict"],
            review["role"],
            review["text"],
            review["at"] // 1000,
        )
        for user, review in one.entries.get("reviews", _NONE).items()
    ]


def _environment(one: _Source) -> list[Row]:
    facts, value = one.document.facts, one.document.value
    return [
        (
            one.key,
            one.document.id,
            facts["name"],
            value("kind"),
            _bool(value("protected") is not False),
            value("description"),
            value("expect"),
            value("state"),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
        )
    ]


def _deployment(one: _Source) -> list[Row]:
    facts, value = one.document.facts, one.document.value
    since, until = value("since"), value("until")
    return [
        (
            one.key,
            one.document.id,
            one.key_of(one.document.stream),
            one.key_of(facts["version"]),
            facts["environment_name"],
            facts["target"],
            value("state"),
            None if since is None else since // 1000,
            None if until is None else until // 1000,
            facts["replaces"],
            value("replaced_by"),
            facts["rollback_of"],
            facts["request"],
            value("url"),
            value("reason"),
            value("expect"),
            one.key_of(facts["author"]),
            facts["created"] // 1000,
        )
    ]


def _metric(one: _Source) -> list[Row]:
    metrics = one.entries.get("metrics", _NONE).items()
    return [(one.key, name, value["value"], value.get("step")) for name, value in metrics]


def _param(one: _Source) -> list[Row]:
    params = one.entries.get("params", _NONE).items()
    return [(one.key, name, param_text(value), _number(value)) for name, value in params]


def _tag(one: _Source) -> list[Row]:
    return [(one.key, name, value) for name, value in one.entries.get("tags", _NONE).items()]


def _parent(one: _Source) -> list[Row]:
    return [(one.key, parent) for parent in one.entries.get("parents", _NONE)]


def _input(one: _Source) -> list[Row]:
    return [
        (one.key, name, value["uri"]) for name, value in one.entries.get("inputs", _NONE).items()
    ]


_PROJECTORS: dict[str, Callable[[_Source], list[Row]]] = {
    "model": _model,
    "version": _version,
    "alias": _alias,
    "conflict": _conflict,
    "holder": _holder,
    "comment": _comment,
    "dataset": _dataset,
    "definition": _definition,
    "check_run": _check_run,
    "figure": _figure,
    "promotion": _promotion,
    "review": _review,
    "environment": _environment,
    "deployment": _deployment,
    "metric": _metric,
    "param": _param,
    "tag": _tag,
    "parent": _parent,
    "input": _input,
}


def slot(model: int, number: int | None) -> int | None:
    """Return what stands for a model's key and a version's number in one indexed column."""
    return None if number is None else model << 32 | number


def param_text(value: Any) -> str:
    """Return a param as people read and queries compare it: strings bare, the rest as JSON."""
    return value if isinstance(value, str) else encoding.encode(value).decode()


def _number(value: Any) -> float | None:
    """Return the number that a param is or spells, None for any other."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        number = float(value) if value.strip()[:1] in set("+-.0123456789") else None
    except ValueError:
        return None
    return None if number is None or number != number else number  # noqa: PLR0124 -- NaN


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _tag_words(entries: _Entries) -> list[str]:
    tags = entries.get("tags")
    return [] if tags is None else [f"{name}={value}" for name, value in sorted(tags.items())]


def _search(words: Iterable[str | None]) -> str:
    return " ".join([word for word in words if word]).lower()
