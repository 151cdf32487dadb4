"""Where rows stand in the order of a query: marks to start pages from, and the place of a version.

A list that can be scrolled to any place wants rows by their number. `offset` counts every row
before the place each time (56 ms in the middle of a million). So the order is walked once, and each
row that ends a page is a *mark*: its sort values and key, from which the page after it is a page by
key like any other. A million versions have some thousands of marks.
"""

from collections.abc import Sequence

from regtui.core.query.syntax import Query
from regtui.replica.query_clause import Clause, chain
from regtui.replica.query_order import Column, beyond, columns, order_by, sort_keys
from regtui.replica.query_sql import Statement, joined
from regtui.replica.query_where import where


def marks_query(query: Query, *, now: int, every: int, put_away: Sequence[int] = ()) -> Statement:
    """Return the statement for the rows that end a page: sort values, then key, in order.

    Args:
        query: What to look for.
        now: Milliseconds since 1970, for times ago.
        every: Rows of a page.
        put_away: Keys of the models whose versions show only where the query names a state.
    """
    keys = sort_keys(query)
    sorts = columns(keys)
    names = ", ".join(f"s{index}" for index in range(len(sorts)))
    rows = chain(
        " ",
        [
            Clause(f"select v.key as key, {_shown(sorts)} from base.version v", []),  # noqa: S608
            *[joined(key.side) for key in keys if key.side is not None],
            Clause("where", []),
            where(query, now, put_away),
        ],
    )
    order = order_by(sorts, "key")
    placed = f"select *, row_number() over ({order}) as place from ({rows.sql})"  # noqa: S608
    sql = f"select {names}, key from ({placed}) where place % ? = 0 order by place"  # noqa: S608
    return Statement(sql, [*rows.parameters, every])


def sort_values_query(query: Query, key: int) -> Statement:
    """Return the statement for the sort values of one version."""
    keys = sort_keys(query)
    rows = chain(
        " ",
        [
            Clause(f"select {_shown(columns(keys))} from base.version v", []),  # noqa: S608
            *[joined(side.side) for side in keys if side.side is not None],
            Clause("where v.key = ?", [key]),
        ],
    )
    return Statement(rows.sql, rows.parameters)


def after_query(
    query: Query,
    values: Sequence[int | float | str | None],
    key: int,
    *,
    now: int,
    put_away: Sequence[int] = (),
) -> Statement:
    """Return the statement for the number of versions that match, and of those after a version."""
    keys = sort_keys(query)
    rows = chain(
        " ",
        [
            Clause("select count(*), count(*) filter (where", []),
            beyond(keys, values, key),
            Clause("), count(*) filter (where v.key = ?) from base.version v", [key]),
            *[joined(side.side) for side in keys if side.side is not None],
            Clause("where", []),
            where(query, now, put_away),
        ],
    )
    return Statement(rows.sql, rows.parameters)


def _shown(sorts: Sequence[Column]) -> str:
    return ", ".join(f"{column.expression} as s{index}" for index, column in enumerate(sorts))
