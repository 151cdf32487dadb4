"""Listing: the versions of a query by their number in its order, for lists that one scrolls.

`versions` pages forwards from a cursor, which is right for scripts. A list on a screen also jumps
to its middle and its end, and keeps its cursor on a version while others come and go. For that the
order is walked once (`regtui.replica.query_places`), and from then on any page costs what the first
one does.

A listing is true for the moment at which it was made. Rows that came or went since make places move
by as many. To walk a million versions again for each of them would take too long, so a listing is
brought up to date (`again`) by counting alone: its marks are boundaries in the order as before,
only that nobody knows how many rows lie before them now. A page of it starts from a mark nearby,
whose place is counted, and some rows further on. Without marks (`counted`) it starts from the first
row, which is quick for places near it.
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

PAGE = 64
"""Rows between two marks, and the rows that are read at once."""

TRIES = 3
"""Marks whose place is counted, before a page is looked for from the first row."""


class Listing(Struct, frozen=True):
    """The versions that a query asks for, as they stood at one moment.

    Attributes:
        query: As it was written.
        total: How many versions there are.
        marks: The last row of each full page, in order; none where nobody walked the order.
        now: The time that `created>7d` was counted from, milliseconds since 1970.
        is_moved: Whether the marks are those of an earlier moment.
    """

    query: str
    total: int
    marks: tuple[Cursor, ...]
    now: int
    is_moved: bool = False


class Page(Struct, frozen=True):
    """Rows of a listing.

    Attributes:
        rows: In order.
        end: The last of them, which the next page starts behind; None where there is none.
    """

    rows: list[VersionAnswer]
    end: Cursor | None


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


def counted(context: Context, query: str = "") -> Listing:
    """Return the listing of a query without marks, which takes next to no time to make.

    Raises:
        QueryError: The query is malformed; it knows where.
    """
    return again(context, Listing(query, 0, (), 0))


def again(context: Context, found: Listing) -> Listing:
    """Return a listing as it stands now, with the marks that it had."""
    now = context.replica.clock() // 1000
    with context.reading() as connection:
        total = _total(connection, parsed(found.query), now, put_away(connection))
    return Listing(found.query, total, found.marks, now, is_moved=True)


def first_page(context: Context, query: str = "") -> list[VersionAnswer]:
    """Return the first page of a query, which needs no listing.

    Raises:
        QueryError: The query is malformed; it knows where.
    """
    return page(context, Listing(query, PAGE, (), context.replica.clock() // 1000), 0)


def page(context: Context, found: Listing, number: int) -> list[VersionAnswer]:
    """Return a page of a listing: rows `number * PAGE` up to the next page; none past its end."""
    return read_page(context, found, number).rows


def read_page(context: Context, found: Listing, number: int, after: Cursor | None = None) -> Page:
    """Return a page of a listing with where it ends.

    Args:
        context: The registry.
        found: The listing.
        number: From 0; there is nothing before the first page and past the last one.
        after: Where the page before ends, if that is known.
    """
    if number < 0 or number * PAGE >= max(found.total, 1):
        return Page([], None)
    query = parsed(found.query)
    with context.reading() as connection:
        away, skipped = put_away(connection), 0
        if after is None and number and not found.is_moved:
            after = found.marks[number - 1]
        elif after is None and number:
            after, skipped = _behind(connection, query, found, number * PAGE, away)
        statement = compile_query(
            query, now=found.now, limit=skipped + PAGE, after=after, put_away=away
        )
        sql = f"from ({statement.sql}) offset ?"
        rows = connection.execute(sql, [*statement.parameters, skipped]).fetchall()
        answers = version_answers(connection, [row[0] for row in rows])
    return Page(answers, Cursor(tuple(rows[-1][1:]), rows[-1][0]) if rows else None)


def _behind(
    connection: Connection, query: Query, found: Listing, row: int, away: Sequence[int]
) -> tuple[Cursor | None, int]:
    """Return a mark at or before a row, and how many rows lie between them."""
    number = min(row // PAGE, len(found.marks))
    for _ in range(TRIES):
        if number <= 0:
            break
        mark = found.marks[number - 1]
        statement = after_query(query, mark.values, mark.key, now=found.now, put_away=away)
        counts = connection.execute(statement.sql, statement.parameters).fetchone() or (0, 0)
        between = row - (int(counts[0]) - int(counts[1]))
        if 0 <= between <= PAGE:
            return mark, between
        nearer = min(number + between // PAGE, len(found.marks))
        if between >= 0 and nearer == number:
            return mark, between
        number = nearer
    return None, row


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
