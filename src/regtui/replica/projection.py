"""The projection: typed rows made from documents.

A pure function of documents, so that the typed tables can be rebuilt from the raw ones whenever a
newer program knows more columns.
"""

from collections.abc import Callable, Iterable
from typing import Any

from regtui.core import encoding
from regtui.core.documents import Document, source_of, split_path
from regtui.core.holders import holders
from regtui.core.identity import short_number
from regtui.replica.tables import Row

Rows = dict[str, list[Row]]
"""Rows by table."""

KeyOf = Callable[[str], int]
"""Returns the local key of a document or actor by its id."""

_FIELDS = {
    "metrics": "metric",
    "params": "param",
    "tags": "tag",
    "parents": "parent",
    "inputs": "input",
}
_TABLES = {
    "model": {"model", "tag"},
    "alias": {"alias", "holder"},
    "conflict": {"conflict"},
    "comment": {"comment"},
    "dataset": {"dataset", "tag"},
}
_IN_VERSION_ROW = {"description", "state", "tags", "places"}


def changed_tables(before: Document | None, after: Document) -> set[str]:
    """Return the tables in which the rows of a document are no longer what they were."""
    if after.kind != "version":
        return _TABLES.get(after.kind, set())
    if before is None:
        return {"version", *_FIELDS.values()}
    fields = {
        split_path(path)[0]
        for path in before.fields.keys() | after.fields.keys()
        if before.fields.get(path) != after.fields.get(path)
    }
    tables = {_FIELDS[field] for field in fields if field in _FIELDS}
    return tables | {"version"} if fields & _IN_VERSION_ROW else tables


def project(key: int, document: Document, key_of: KeyOf, tables: Iterable[str]) -> Rows:
    """Return the rows of a document in the tables asked for.

    Args:
        key: The document's local key.
        document: What to project.
        key_of: Looks up the keys of other documents and of actors.
        tables: The tables wanted.
    """
    rows: Rows = {}
    for table in tables:
        rows[table] = _PROJECTORS[table](key, document, key_of)
    return rows


def _model(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    facts, value = document.facts, document.value
    words = [value("name"), value("display_name"), value("description"), *_tag_words(document)]
    return [
        (
            key,
            document.id,
            value("name"),
            facts["name"],
            facts["generation"],
            value("display_name") or value("name"),
            value("description"),
            value("state"),
            value("primary_metric"),
            value("direction"),
            key_of(facts["author"]),
            facts["created"] // 1000,
            _search(words),
        )
    ]


def _version(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    facts, value = document.facts, document.value
    source = source_of(document)
    return [
        (
            key,
            key_of(facts["model"]),
            facts["number"],
            document.id,
            short_number(document.id),
            slot(key_of(facts["model"]), facts["number"]),
            facts["digest"],
            facts["size"],
            facts["files"],
            value("state"),
            key_of(facts["author"]),
            facts["created"] // 1000,
            value("description"),
            source,
            _search([value("description"), source, *_tag_words(document)]),
        )
    ]


def _alias(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    facts, register = document.facts, document.fields["version"]
    version = None if register.v is None else key_of(register.v)
    return [(key, key_of(facts["model"]), facts["name"], version, register.at // 1000)]


def _conflict(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    facts = document.facts
    is_open = "true" if document.value("resolution") is None else "false"
    return [(key, key_of(facts["of"]), facts["path"], is_open)]


def _holder(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    return [
        (
            key,
            None if holder.version is None else key_of(holder.version),
            operation,
            key_of(holder.author),
            holder.at // 1000,
        )
        for operation, holder in holders(document)
    ]


def _comment(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    facts, text = document.facts, document.fields["text"]
    edited = None if text.at == facts["created"] else text.at // 1000
    return [
        (
            key,
            key_of(facts["of"]),
            key_of(facts["author"]),
            facts["created"] // 1000,
            edited,
            text.v,
            document.value("state"),
        )
    ]


def _dataset(key: int, document: Document, key_of: KeyOf) -> list[Row]:
    facts, value = document.facts, document.value
    return [
        (
            key,
            document.id,
            facts["name"],
            value("uri"),
            value("digest"),
            value("description"),
            value("state"),
            key_of(facts["author"]),
            facts["created"] // 1000,
        )
    ]


def _metric(key: int, document: Document, _: KeyOf) -> list[Row]:
    entries = document.entries("metrics").items()
    return [(key, name, value["value"], value.get("step")) for name, value in entries]


def _param(key: int, document: Document, _: KeyOf) -> list[Row]:
    entries = document.entries("params").items()
    return [(key, name, param_text(value), _number(value)) for name, value in entries]


def _tag(key: int, document: Document, _: KeyOf) -> list[Row]:
    return [(key, name, value) for name, value in document.entries("tags").items()]


def _parent(key: int, document: Document, _: KeyOf) -> list[Row]:
    return [(key, parent) for parent in document.entries("parents")]


def _input(key: int, document: Document, _: KeyOf) -> list[Row]:
    return [(key, name, value["uri"]) for name, value in document.entries("inputs").items()]


_PROJECTORS: dict[str, Callable[[int, Document, KeyOf], list[Row]]] = {
    "model": _model,
    "version": _version,
    "alias": _alias,
    "conflict": _conflict,
    "holder": _holder,
    "comment": _comment,
    "dataset": _dataset,
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


def _tag_words(document: Document) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(document.entries("tags").items())]


def _search(words: Iterable[str | None]) -> str:
    return " ".join(word for word in words if word).lower()
