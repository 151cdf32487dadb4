"""Look-ups: names for the ids in documents, read for a whole page at once."""

from collections.abc import Iterable, Sequence

from regtui.core.access import scope_key
from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import name_key
from regtui.registry.answers import VersionAnswer, version_answer
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document


def document_by_id(connection: Connection, identity: str) -> Document | None:
    """Return a document by its id; None where there is none."""
    row = connection.execute("select body from base.document where id = ?", [identity]).fetchone()
    return None if row is None else stored_document(row[0], identity)


def documents_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Document]:
    """Return documents by their ids, in one query."""
    rows = connection.execute(
        "select id::varchar, body from base.document where id in (select unnest(?::uuid[]))",
        [sorted(set(ids))],
    ).fetchall()
    return {identity: stored_document(body, identity) for identity, body in rows}


def one_named(kind: str, documents: list[Document], name: str, models: str | None) -> Document:
    """Return the policy or check of a name.

    Args:
        kind: `policy` or `check`.
        documents: Those that are active.
        name: What somebody typed.
        models: Its scope; None where only one scope has the name.

    Raises:
        NotFound: There is none.
        BadInput: Several scopes have the name, or it is malformed.
    """
    key, scope = name_key(name, segments=False), None if models is None else scope_key(models)
    named = [one for one in documents if one.facts["name"] == key]
    found = [one for one in named if scope in {None, one.facts["models"]}]
    if len(found) == 1:
        return found[0]
    several = {"policy": "policies", "check": "checks"}[kind]
    if found:
        scopes = ", ".join(f"--models '{one.facts['models']}'" for one in found)
        raise BadInput(f"there are {len(found)} {several} called {key!r}", f"add one of {scopes}")
    others = ", ".join(dict.fromkeys(str(one.facts["name"]) for one in documents[:10]))
    hint = f"there are {others}" if others else f"`regtui {kind} put FILE` makes one"
    where = "" if scope is None else f" for {scope}"
    raise NotFound(f"there is no {kind} {key!r}{where}", hint)


def version_answers(connection: Connection, keys: Sequence[int]) -> list[VersionAnswer]:
    """Return the versions with these keys, in their order, in four queries."""
    if not keys:
        return []
    rows = connection.execute(
        "select key, body, id::varchar from base.document "
        "where key in (select unnest(?::bigint[]))",
        [list(keys)],
    ).fetchall()
    documents = {key: stored_document(body, identity) for key, body, identity in rows}
    models = model_names(connection, {d.facts["model"] for d in documents.values()})
    authors = actor_names(connection, {d.facts["author"] for d in documents.values()})
    aliases = aliases_by_version(connection, keys)
    return [
        version_answer(
            document,
            model=models[document.facts["model"]],
            author=authors.get(document.facts["author"], document.facts["author"]),
            aliases=aliases.get(key, {}),
        )
        for key in keys
        if (document := documents.get(key)) is not None
    ]


def one_version(connection: Connection, key: int, document: Document) -> VersionAnswer:
    """Return the answer for one version."""
    facts = document.facts
    return version_answer(
        document,
        model=model_names(connection, {facts["model"]})[facts["model"]],
        author=actor_names(connection, {facts["author"]}).get(facts["author"], facts["author"]),
        aliases=aliases_by_version(connection, [key]).get(key, {}),
    )


def model_names(connection: Connection, models: set[str]) -> dict[str, str]:
    """Return the present name of each model by id."""
    rows = connection.execute(
        "select id::varchar, name from base.model where id in (select unnest(?::uuid[]))",
        [list(models)],
    ).fetchall()
    return dict(rows)


def actor_names(connection: Connection, actors: set[str]) -> dict[str, str]:
    """Return the name of each actor by id."""
    rows = connection.execute(
        "select id::varchar, name from base.actor where id in (select unnest(?::uuid[]))",
        [list(actors)],
    ).fetchall()
    return dict(rows)


def aliases_by_version(connection: Connection, keys: Sequence[int]) -> dict[int, dict[str, bool]]:
    """Return what points to each version, by its key: whether a conflict is open, by alias."""
    rows = connection.execute(
        "select version, name, exists(select 1 from base.conflict c "
        "where c.open and c.path = 'version' and c.entity = a.key) "
        "from base.alias a where version in (select unnest(?::bigint[])) order by name",
        [list(keys)],
    ).fetchall()
    found: dict[int, dict[str, bool]] = {}
    for key, name, is_contested in rows:
        found.setdefault(key, {})[name] = is_contested
    return found
