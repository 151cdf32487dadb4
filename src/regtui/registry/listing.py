"""Listing: the versions of a query by their number in its order, for lists that one scrolls.

`versions` pages forwards from a cursor, which is right for scripts. A list on a screen also jumps
to its middle and its end, and keeps its cursor on a version while others come and go. For that the
order is walked once (`regtui.replica.query_places`), and from then on any page costs what the first
one does.

A listing is true for the moment at which it was made. Rows that came or went since make places move
by as many; whoever shows them makes a new one when the registry changed.
"""

from collections.abc import Sequence

from msgspec import Struct

from regtui.core.query.syntax import Query
from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context
from regtui.registry.lookups import version_answers
from regtui.registry.pages import parsed, put_away
from regtui.replica.database import Connection
from regtui.replica.query_cursor import Cursor
from regtui.replica.query_places import after_query, marks_query, sort_values_query
from regtui.replica.query_sql import compile_query, count_query

PAGE = 128
"""Rows between two marks, and the rows that are read at once."""


class Listing(Struct, frozen=True):
    """The versions that a query asks for, as they stood at one moment.

    Attributes:
        query: As it was written.
        total: How many versions there are.
        marks: The last row of each full page, in order.
        now: The time that `created>7d` was counted from, milliseconds since 1970.
    """

    query: str
    total: int
    marks: tuple[Cursor, ...]
    now: int


def listing(context: Context, query: str = "") -> Listing:
    """Return the listing of a query.

    Raises:
        QueryError: The query is malformed; it knows where.
    """
    wanted = parsed(query)
    now = context.replica.clock() // 1000
    with context.reading() as connection:
        away = put_away(connection)
        total = _total(connection, wanted, now, away)
        marks: list[Cursor] = []
        if total > PAGE:
            statement = marks_query(wanted, now=now, every=PAGE, put_away=away)
            rows = connection.execute(statement.sql, statement.parameters).fetchall()
            marks = [Cursor(tuple(row[:-1]), row[-1]) for row in rows]
    return Listing(query, total, tuple(marks), now)


def first_page(context: Context, query: str = "") -> list[VersionAnswer]:
    """Return the first page of a query, which needs no listing.

    Raises:
        QueryError: The query is malformed; it knows where.
    """
    return page(context, Listing(query, PAGE, (), context.replica.clock() // 1000), 0)


def page(context: Context, found: Listing, number: int) -> list[VersionAnswer]:
    """Return a page of a listing: rows `number * PAGE` up to the next page; none past its end."""
    if number < 0 or number > len(found.marks):
        return []
    after = found.marks[number - 1] if number else None
    with context.reading() as connection:
        statement = compile_query(
            parsed(found.query),
            now=found.now,
            limit=PAGE,
            after=after,
            put_away=put_away(connection),
        )
        rows = connection.execute(statement.sql, statement.parameters).fetchall()
        return version_answers(connection, [row[0] for row in rows])


def place(context: Context, found: Listing, version: str) -> int | None:
    """Return the number of the row at which a version stands now, from 0; None if it doesn't.

    Args:
        context: The registry.
        found: The listing.
        version: Id of the version.
    """
    wanted = parsed(found.query)
    with context.reading() as connection:
        row = connection.execute("select key from base.version where id = ?", [version]).fetchone()
        if row is None:
            return None
        values = _one(connection, wanted, row[0])
        statement = after_query(
            wanted, values, row[0], now=found.now, put_away=put_away(connection)
        )
        counts = connection.execute(statement.sql, statement.parameters).fetchone()
    if counts is None or not counts[2]:
        return None
    return int(counts[0]) - int(counts[1]) - 1


def _one(connection: Connection, query: Query, key: int) -> Sequence[int | float | str | None]:
    statement = sort_values_query(query, key)
    row = connection.execute(statement.sql, statement.parameters).fetchone()
    return () if row is None else row


def _total(connection: Connection, query: Query, now: int, away: Sequence[int]) -> int:
    statement = count_query(query, now=now, put_away=away)
    row = connection.execute(statement.sql, statement.parameters).fetchone()
    return 0 if row is None else int(row[0])
