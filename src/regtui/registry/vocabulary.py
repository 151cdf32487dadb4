"""Vocabulary: the words of a registry that one can ask for, for completion."""

from regtui.registry.context import Context

LIMIT = 50
"""Words of one kind; who wants others types one letter more."""

_WORDS = {
    "model": "select name from base.model where state = 'active'",
    "alias": "select name from base.alias where version is not null",
    "author": "select name from base.actor",
    "metric": "select name from base.metric",
    "param": "select name from base.param",
    "tag": "select name from base.tag",
    "input": "select name from base.input",
}
_VALUES = {
    "tag": "select value from base.tag where name = ?",
    "param": "select value from base.param where name = ? and value is not null",
}


def words(context: Context, field: str, name: str, beginning: str) -> list[str]:
    """Return the words of a field that begin so, in their order.

    Args:
        context: The registry.
        field: Of the query language.
        name: The tag or parameter whose values are wanted; empty for names.
        beginning: What they begin with, in any case.
    """
    statement = _VALUES.get(field) if name else _WORDS.get(field)
    if statement is None:
        return []
    with context.reading() as connection:
        rows = connection.execute(
            f"select distinct word from ({statement}) as found(word) "  # noqa: S608 -- constants above
            "where starts_with(lower(word), lower(?)) order by word limit ?",
            [*([name] if name else []), beginning, LIMIT],
        ).fetchall()
    return [row[0] for row in rows]
