"""Models: all of them, or one."""

from regtui.core.documents import Document
from regtui.registry.answers import ModelAnswer, iso
from regtui.registry.context import Context
from regtui.registry.lookups import actor_names
from regtui.registry.references import direction_of, find_model
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document


def models(
    context: Context, pattern: str | None = None, *, state: str = "active"
) -> list[ModelAnswer]:
    """Return the models, by name.

    Args:
        context: The registry.
        pattern: A name, a name's beginning up to a `/`, or a glob with `*`.
        state: Only those in this state; `any` for all.
    """
    with context.reading() as connection:
        rows = connection.execute(
            "select m.key, d.body, d.id::varchar from base.model m "
            "join base.document d on d.key = m.key where (? = 'any' or m.state = ?) "
            "and (?::varchar is null or m.name = ? or starts_with(m.name, ? || '/') "
            "     or m.name glob ?) "
            "order by m.name, m.generation",
            [state, state, *[None if pattern is None else pattern.lower()] * 4],
        ).fetchall()
        return _model_answers(
            connection, [(key, stored_document(body, one)) for key, body, one in rows]
        )


def model(context: Context, reference: str) -> ModelAnswer:
    """Return one model.

    Raises:
        NotFound: There is no such model.
    """
    with context.reading() as connection:
        return _model_answers(connection, [find_model(connection, reference)])[0]


def _model_answers(connection: Connection, found: list[tuple[int, Document]]) -> list[ModelAnswer]:
    keys = [key for key, _ in found]
    counts = {
        key: (count, archived, latest)
        for key, count, archived, latest in connection.execute(
            "select model, count(*), count(*) filter (where state = 'archived'), max(number) "
            "from base.version "
            "where state <> 'deleted' and model in (select unnest(?::bigint[])) group by model",
            [keys],
        ).fetchall()
    }
    aliases: dict[int, dict[str, int | None]] = {}
    for key, name, number in connection.execute(
        "select a.model, a.name, v.number from base.alias a "
        "join base.version v on v.key = a.version "
        "where a.model in (select unnest(?::bigint[])) order by a.name",
        [keys],
    ).fetchall():
        aliases.setdefault(key, {})[name] = number
    authors = actor_names(connection, {document.facts["author"] for _, document in found})
    return [
        _model_answer(document, counts.get(key, (0, 0, None)), aliases.get(key, {}), authors)
        for key, document in found
    ]


def _model_answer(
    document: Document,
    counted: tuple[int, int, int | None],
    aliases: dict[str, int | None],
    authors: dict[str, str],
) -> ModelAnswer:
    facts, value = document.facts, document.value
    return ModelAnswer(
        model=value("name"),
        display_name=value("display_name") or value("name"),
        id=document.id,
        versions=counted[0],
        archived=counted[1],
        latest=counted[2],
        aliases=aliases,
        description=value("description"),
        tags=document.entries("tags"),
        owners=sorted(document.entries("owners")),
        primary_metric=value("primary_metric"),
        direction=None if value("primary_metric") is None else direction_of(document),
        state=value("state"),
        created=iso(facts["created"]),
        author=authors.get(facts["author"], facts["author"]),
    )
