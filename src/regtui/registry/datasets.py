"""Datasets: what models are made from, by name and address.

A verb that changes one answers from the unit of work that it changes it in: what is done must not
fail for a reader's turn.
"""

from collections.abc import Mapping
from typing import Any

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import dataset_id, name_key, short_id
from regtui.core.operations import DatasetBody
from regtui.registry.answers import iso
from regtui.registry.answers_records import DatasetAnswer, MadeFrom
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.lookups import actor_names
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document

_USED = (
    "with wanted as (from base.dataset where key in (select unnest(?::bigint[]))), "
    "u as (select s.key, i.version, i.name from wanted s join base.input i on i.uri = s.uri union "
    "select s.key, i.version, i.name from wanted s "
    "join base.input i on lower(i.name) = lower(s.name)), "
    "used as (select u.key, u.name, m.name as model, v.key as version, v.number, v.id, v.state "
    "from u join base.version v on v.key = u.version and v.state <> 'deleted' "
    "join base.model m on m.key = v.model and m.state <> 'deleted') "
)
"""The versions that were made from some datasets, by their keys.

A version names a dataset by its address, or by the name that it has here.
"""


def put_dataset(
    context: Context, name: str, values: Mapping[str, Any]
) -> tuple[DatasetAnswer, bool]:
    """Make a dataset known, or change what is known of it; one that was removed comes back.

    Args:
        context: The registry.
        name: Its name, such as `team/reviews`.
        values: Value by path: `uri`, `digest`, `description`, `tags/NAME`; None takes it away.

    Returns:
        The dataset, and whether anything changed.

    Raises:
        BadInput: The name or a value is malformed, or a new one has no address.
    """
    key = name_key(name)
    given = {path: value or None if path == "digest" else value for path, value in values.items()}
    if not str(given.get("uri", "x")).strip():
        raise BadInput("the dataset has no address", "give its URI, such as s3://bucket/reviews")
    with context.writing() as authority:
        identity = dataset_id(key)
        found = authority.view.document(identity)
        gone = found is not None and found.value("state") == "deleted"
        # With its stamp, so that taking this back leads to the state before.
        made = changes(given | ({"state": "active"} if gone else {}), "dataset", found)
        if made or found is None:
            shown = name if found is None else str(found.facts["name"])
            authority.submit("dataset.put", "registry", identity, DatasetBody(shown, made))
            authority.flush()
        return _one(authority.connection, identity), bool(made)


def remove_dataset(context: Context, name: str) -> DatasetAnswer:
    """Remove a dataset; versions that were made from it keep its address.

    Raises:
        NotFound: There is no such dataset.
    """
    with context.writing() as authority:
        _, found = _find(authority.connection, name)
        made = changes({"state": "deleted"}, "dataset", found)
        body = DatasetBody(str(found.facts["name"]), made)
        authority.submit("dataset.put", "registry", found.id, body)
        authority.flush()
        return _one(authority.connection, found.id)


def datasets(context: Context, pattern: str | None = None) -> list[DatasetAnswer]:
    """Return the datasets, by name.

    Args:
        context: The registry.
        pattern: A name, a name's beginning up to a `/`, or a glob with `*`.
    """
    condition, parameters = "s.state = 'active'", []
    if pattern is not None:
        lowered = pattern.lower().rstrip("/")
        condition += (
            " and (lower(s.name) = ? or starts_with(lower(s.name), ? || '/')"
            " or lower(s.name) glob ?)"
        )
        parameters = [lowered] * 3
    with context.reading() as connection:
        return _answers(connection, condition, parameters)


def dataset(context: Context, name: str) -> DatasetAnswer:
    """Return one dataset.

    Raises:
        NotFound: There is no such dataset.
        BadInput: The name is malformed.
    """
    with context.reading() as connection:
        return _one(connection, _find(connection, name)[1].id)


def made_from(context: Context, name: str) -> list[MadeFrom]:
    """Return the versions that were made from a dataset, by model and number.

    Raises:
        NotFound: There is no such dataset.
        BadInput: The name is malformed.
    """
    with context.reading() as connection:
        key, found = _find(connection, name)
        rows = connection.execute(
            f"{_USED} select u.model, u.number, u.id::varchar, u.state, u.name, d.body "  # noqa: S608
            "from used u join base.document d on d.key = u.version "
            "order by u.model, u.number, u.name",
            [[key]],
        ).fetchall()
    now = (found.value("uri"), found.value("digest"))
    return [
        MadeFrom(
            model=model,
            number=number,
            version_id=version,
            short_id=short_id(version),
            state=state,
            input=name,
            current=_named_by(stored_document(body, version), name) in {now, (now[0], None)},
        )
        for model, number, version, state, name, body in rows
    ]


def input_value(connection: Connection, name: str, uri: str | None) -> dict[str, Any]:
    """Return what a version keeps of an input: the address given, or that of a known dataset.

    Raises:
        NotFound: No address is given and there is no such dataset.
        BadInput: The name is malformed, or the address empty.
    """
    if uri is None:
        _, found = _find(connection, name)
        return {"uri": found.value("uri"), "digest": found.value("digest")}
    if not str(uri).strip():
        raise BadInput(f"the input {name!r} has no address", "such as --input reviews=s3://reviews")
    return {"uri": uri, "digest": None}


def _named_by(version: Document, name: str) -> tuple[Any, Any]:
    value = version.value(f"inputs/{name}") or {}
    return value.get("uri"), value.get("digest")


def _find(connection: Connection, name: str) -> tuple[int, Document]:
    row = connection.execute(
        "select d.key, d.body, s.state, d.id::varchar from base.dataset s "
        "join base.document d on d.key = s.key where s.id = ?",
        [dataset_id(name_key(name))],
    ).fetchone()
    if row is not None and row[2] == "active":
        return row[0], stored_document(row[1], row[3])
    if row is not None:
        raise NotFound(f"the dataset {name!r} is removed", f"`regtui dataset put {name}` undoes it")
    near = connection.execute(
        "select name from base.dataset where state = 'active' "
        "order by jaro_winkler_similarity(name, ?) desc limit 3",
        [name],
    ).fetchall()
    names = ", ".join(found[0] for found in near)
    hint = f"did you mean {names}?" if names else "`regtui dataset put NAME URI` makes one known"
    raise NotFound(f"there is no dataset {name!r}", hint)


def _one(connection: Connection, identity: str) -> DatasetAnswer:
    return _answers(connection, "s.id = ?", [identity])[0]


def _answers(connection: Connection, condition: str, parameters: list[str]) -> list[DatasetAnswer]:
    rows = connection.execute(
        "select s.key, d.body, d.id::varchar from base.dataset s "  # noqa: S608 -- constants of this module
        f"join base.document d on d.key = s.key where {condition} order by s.name",
        parameters,
    ).fetchall()
    counted = connection.execute(
        f"{_USED} select key, count(distinct version) from used group by key",  # noqa: S608
        [[row[0] for row in rows]],
    ).fetchall()
    versions = dict(counted)
    found = [(stored_document(body, one), versions.get(key, 0)) for key, body, one in rows]
    authors = actor_names(connection, {document.facts["author"] for document, _ in found})
    return [_answer(document, count, authors) for document, count in found]


def _answer(document: Document, versions: int, authors: dict[str, str]) -> DatasetAnswer:
    facts, value = document.facts, document.value
    return DatasetAnswer(
        dataset=facts["name"],
        id=document.id,
        uri=value("uri"),
        digest=value("digest"),
        description=value("description"),
        tags=document.entries("tags"),
        versions=versions,
        state=value("state"),
        created=iso(facts["created"]),
        author=authors.get(facts["author"], facts["author"]),
    )
