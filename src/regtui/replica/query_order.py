"""The order of a query's versions, and where the page after a given row starts.

Each sort key becomes one column, or two for parameters (as a number, then as text). Nulls come last
whichever way the order goes, and the key of the version, the newer first, breaks ties; so the order
is total, and a page starts exactly where the one before ended.

The start of a page is a condition on the columns, spelled out lexicographically: the first column
lies beyond that of the last row, or is equal and the second lies beyond, and so on. Written as
`created <= ? and (created < ? or …)` it lets DuckDB skip the blocks of versions that lie before.
Metrics that are NaN count as missing.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from regtui.core.query.syntax import Query, SortKey
from regtui.replica.query_clause import Clause

Sorted = Literal["bigint", "double", "varchar"]


class Column(NamedTuple):
    """One column of the order."""

    expression: str
    type: Sorted
    descending: bool
    nullable: bool


class Side(NamedTuple):
    """A table beside `base.version` that sort values come from.

    Attributes:
        table: Its name in the schema `base`.
        label: Its name in the statement.
        condition: Which of its rows belongs to a version.
        name: Which metric or parameter; None for what every version has.
        present: Which of its rows hold a value to sort by.
        join: How it is joined.
    """

    table: str
    label: str
    condition: Clause
    name: str | None = None
    present: str = "true"
    join: str = "left join"


class Key(NamedTuple):
    """One sort key: its columns, and the side table that they come from if there is one."""

    columns: list[Column]
    side: Side | None = None


NEWEST_FIRST = SortKey("created", descending=True)

_ATTRIBUTES: dict[str, list[tuple[str, Sorted]]] = {
    "metric": [("value", "double")],
    "param": [("number", "double"), ("value", "varchar")],
}
# A diverged run's NaN is the greatest number for DuckDB; it must not lead the best.
_PRESENT = {"metric": "value <= 'infinity'::double", "param": "value is not null"}
_NAMES = {"model": "model", "author": "actor"}


def sort_keys(query: Query) -> list[Key]:
    """Return the keys of the query's order; a key that is given twice counts where it is first."""
    distinct: dict[tuple[str, str], SortKey] = {}
    for key in query.sort or (NEWEST_FIRST,):
        distinct.setdefault((key.field, key.name), key)
    return [_key(key, f"t{index}") for index, key in enumerate(distinct.values())]


def columns(keys: Sequence[Key]) -> list[Column]:
    """Return the columns of all keys, in order."""
    return [column for key in keys for column in key.columns]


def order_by(sorts: Sequence[Column], key: str) -> str:
    """Return the `order by` over the columns `s0`, `s1` … and the version's key."""
    ways = ["desc" if column.descending else "asc" for column in sorts]
    parts = [f"s{index} {way} nulls last" for index, way in enumerate(ways)]
    return f"order by {', '.join([*parts, f'{key} desc'])}"


def beyond(keys: Sequence[Key], values: Sequence[Any], key: int) -> Clause:
    """Return the condition that a row comes after the one with these sort values and this key."""
    side = keys[0].side
    # Taken from the table of the leading sort value where that is the same, so that the condition
    # is on one table alone: a condition across the join makes it twice as slow.
    same = f"{side.label}.version" if side is not None and side.join == "join" else "v.key"
    clause = Clause(f"{same} < ?", [key])
    for column, value in reversed(list(zip(columns(keys), values, strict=True))):
        clause = _beyond(column, value, clause)
    return clause


def _beyond(column: Column, value: Any, ties: Clause) -> Clause:
    here = column.expression
    if value is None:
        return Clause(f"({here} is null and {ties.sql})", ties.parameters)
    way = "<" if column.descending else ">"
    # The outer comparison says nothing new, but it is one that a scan can skip blocks by.
    sql = f"({here} {way}= ? and ({here} {way} ? or {ties.sql}))"
    if column.nullable:
        sql = f"({here} is null or {sql})"
    return Clause(sql, [value, value, *ties.parameters])


def _key(key: SortKey, label: str) -> Key:
    if key.field in _ATTRIBUTES:
        found = _ATTRIBUTES[key.field]
        sorts = [
            Column(f"{label}.{name}", kind, key.descending, nullable=True) for name, kind in found
        ]
        present = _PRESENT[key.field]
        belongs = f"{label}.version = v.key and {label}.name = ? and {label}.{present}"
        condition = Clause(belongs, [key.name])
        return Key(sorts, Side(key.field, label, condition, key.name, present))
    if key.field in _NAMES:
        column = Column(f"{label}.name", "varchar", key.descending, nullable=False)
        return Key(
            [column], Side(_NAMES[key.field], label, Clause(f"{label}.key = v.{key.field}", []))
        )
    kind: Sorted = "varchar" if key.field == "state" else "bigint"
    nullable = key.field == "number"
    return Key([Column(f"v.{key.field}", kind, key.descending, nullable=nullable)])
