"""A query as one SQL statement with bound values.

A page is a sorted and limited `select` over `base.version v` that gives the keys of its versions
and their sort values; the caller fetches what it wants to show of them. `query_where` says what
terms mean, `query_order` how rows are ordered and where pages start, `query_cursor` how the end of
a page travels.

An order by a metric or parameter has to name the versions without it too, last. A left join does
that and takes twice the time of an inner one, for rows that hardly anyone pages to. So such a page
has two halves: the versions that have the attribute, through an inner join, and those that have
not, which DuckDB only looks for when the first half runs short of the limit, because everything in
the second half hangs on a table that is empty otherwise.

The statements are put together from pieces of this package alone (hence `noqa: S608`): everything
that a person wrote is bound.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from regtui.core.query.syntax import Query
from regtui.replica.query_clause import Clause, chain
from regtui.replica.query_order import Key, Side, beyond, columns, order_by, sort_keys
from regtui.replica.query_where import requires, where

if TYPE_CHECKING:
    from regtui.replica.query_cursor import Cursor


class Statement(Struct, frozen=True):
    """One SQL statement and the values of its `?`, in order."""

    sql: str
    parameters: list[Any]


def compile_query(
    query: Query,
    *,
    now: int,
    limit: int,
    after: "Cursor | None" = None,
    put_away: Sequence[int] = (),
) -> Statement:
    """Return the statement for a page of the versions that match.

    Its columns are `key` and the sort values `s0`, `s1` …; its last row is the cursor of the page
    that follows.

    Args:
        query: What to look for.
        now: Milliseconds since 1970, for times ago.
        limit: The most rows to give.
        after: The row that the page starts behind; None for the first page.
        put_away: Keys of the models whose versions show only where the query names a state.
    """
    keys = sort_keys(query)
    conditions = [where(query, now, put_away)]
    lead, *others = keys
    if lead.side is None or lead.side.name is None:
        page = _page(keys, conditions, limit, after)
    elif after is not None and all(value is None for value in after.values[: len(lead.columns)]):
        lacking = _lacking(lead.side, Clause("?", [lead.side.name]))
        page = _page([_empty(lead), *others], [*conditions, lacking], limit, after)
    else:
        present = _page([_required(lead), *others], conditions, limit, after)
        if requires(query, lead.side.table, lead.side.name):
            return Statement(*present)
        page = _two_halves(present, lead.side, [_empty(lead), *others], conditions, limit)
    return Statement(*page)


def count_query(query: Query, *, now: int, put_away: Sequence[int] = ()) -> Statement:
    """Return the statement for the number of versions that match."""
    condition = where(query, now, put_away)
    sql = f"select count(*) from base.version v where {condition.sql}"  # noqa: S608 -- bound values
    return Statement(sql, condition.parameters)


def _page(
    keys: Sequence[Key], conditions: Sequence[Clause], limit: int, after: "Cursor | None" = None
) -> Clause:
    """Return the first of the rows that fulfil the conditions and come after the cursor."""
    sorts = columns(keys)
    behind = [] if after is None else [beyond(keys, after.values, after.key)]
    shown = [f"{column.expression} as s{index}" for index, column in enumerate(sorts)]
    sides = [joined(key.side) for key in keys if key.side is not None]
    return chain(
        " ",
        [
            Clause(f"select v.key as key, {', '.join(shown)} from base.version v", []),  # noqa: S608
            *sides,
            Clause("where", []),
            chain(" and ", [*conditions, *behind]),
            Clause(f"{order_by(sorts, 'v.key')} limit ?", [limit]),
        ],
    )


def _two_halves(
    present: Clause,
    side: Side,
    keys: Sequence[Key],
    conditions: Sequence[Clause],
    limit: int,
) -> Clause:
    """Return the page of those with the leading sort value, filled up with those without.

    Args:
        present: The page of those with it.
        side: Where it comes from.
        keys: The order of those without.
        conditions: What matches, wherever the page starts.
        limit: The most rows to give.
    """
    wanted = Clause("select ? as name where (select count(*) from present) < ?", [side.name, limit])
    lacking = _lacking(side, Clause("select name from wanted", []))
    gate = Clause("exists (select name from wanted)", [])
    absent = _page(keys, [*conditions, gate, lacking], limit)
    order = order_by(columns(keys), "key")
    return Clause(
        f"with present as materialized ({present.sql}), "
        f"wanted as materialized ({wanted.sql}), "
        f"absent as ({absent.sql}) "
        f"from (from present union all from absent) {order} limit ?",
        [*present.parameters, *wanted.parameters, *absent.parameters, limit],
    )


def joined(side: Side) -> Clause:
    """Return the join of the table that a sort value comes from."""
    return Clause(
        f"{side.join} base.{side.table} {side.label} on {side.condition.sql}",
        side.condition.parameters,
    )


def _required(key: Key) -> Key:
    """Return the key for rows that have a value to sort by; the last column always does."""
    if key.side is None:
        return key
    *others, last = key.columns
    return Key([*others, last._replace(nullable=False)], key.side._replace(join="join"))


def _empty(key: Key) -> Key:
    """Return the key for rows that have none."""
    return Key([column._replace(expression=f"null::{column.type}") for column in key.columns])


def _lacking(side: Side, names: Clause) -> Clause:
    """Return that a version has no row in the side table by any of the names."""
    named = f"{side.present} and name in ({names.sql})"
    sql = f"v.key not in (select version from base.{side.table} where {named})"  # noqa: S608
    return Clause(sql, names.parameters)
