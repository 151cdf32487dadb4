"""Pages: the versions that a query asks for, a page at a time."""

from typing import TYPE_CHECKING

from regtui.core.query.syntax import Query
from regtui.registry.answers import VersionPage
from regtui.registry.context import Context
from regtui.registry.lookups import version_answers
from regtui.replica.database import Connection
from regtui.replica.query_sql import compile_query, count_query

if TYPE_CHECKING:
    from regtui.replica.query_cursor import Cursor


def versions(
    context: Context, query: str = "", *, limit: int = 50, after: str | None = None
) -> VersionPage:
    """Return a page of the versions that a query asks for, newest first unless it sorts.

    Args:
        context: The registry.
        query: In the query language.
        limit: Versions of the page.
        after: Cursor of the page before.

    Raises:
        QueryError: The query is malformed; it knows where.
        BadInput: The cursor is malformed or belongs to another query.
    """
    wanted = parsed(query)
    cursor = _cursor(after, wanted)
    now = context.replica.clock() // 1000
    with context.reading() as connection:
        statement = compile_query(
            wanted, now=now, limit=limit + 1, after=cursor, put_away=put_away(connection)
        )
        rows = connection.execute(statement.sql, statement.parameters).fetchall()
        answers = version_answers(connection, [row[0] for row in rows[:limit]])
    last = rows[limit - 1] if len(rows) > limit else None
    if last is None:
        return VersionPage(versions=answers, next=None)
    from regtui.replica.query_cursor import encode_cursor

    return VersionPage(versions=answers, next=encode_cursor(wanted, last[1:], last[0]))


def count(context: Context, query: str = "") -> int:
    """Return how many versions a query asks for.

    Raises:
        QueryError: The query is malformed.
    """
    wanted = parsed(query)
    now = context.replica.clock() // 1000
    with context.reading() as connection:
        statement = count_query(wanted, now=now, put_away=put_away(connection))
        row = connection.execute(statement.sql, statement.parameters).fetchone()
    return 0 if row is None else int(row[0])


def put_away(connection: Connection) -> list[int]:
    """Return the keys of the models that are archived or deleted."""
    rows = connection.execute("select key from base.model where state <> 'active'").fetchall()
    return [row[0] for row in rows]


def parsed(query: str) -> Query:
    """Return the query of a text; a listing without one starts without the parser."""
    if not query.strip():
        return Query()
    from regtui.core.query.parse import parse_query

    return parse_query(query)


def _cursor(after: str | None, query: Query) -> "Cursor | None":
    if after is None:
        return None
    from regtui.replica.query_cursor import decode_cursor

    return decode_cursor(after, query)
