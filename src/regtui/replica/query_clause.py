"""Pieces of SQL that carry the values of their `?` along.

Nothing that a person wrote ever becomes part of the SQL: a clause is made of constant text, and the
values travel beside it in the order of their marks.

How conditions on other tables are written was measured on a million versions with four million
metrics. `v.key in (select unnest((select list(version) from …)))` makes DuckDB read that table
first and look its few keys up; the plain `in (select version from …)` does it the other way round
and takes two to three times as long when few match, and as long when many do.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Clause(NamedTuple):
    """A condition in SQL and the values of its `?`."""

    sql: str
    parameters: list[Any]


def chain(joint: str, clauses: Sequence[Clause]) -> Clause:
    """Return the clauses in a row, with the joint between them."""
    sql = joint.join(clause.sql for clause in clauses)
    return Clause(sql, [value for clause in clauses for value in clause.parameters])


def among(column: str, table: str, key: str, condition: Clause) -> Clause:
    """Return that the column is among the keys of the table's rows that fulfil the condition."""
    keys = f"select list({key}) from {table} where {condition.sql}"  # noqa: S608 -- bound values
    return Clause(f"{column} in (select unnest(({keys})))", condition.parameters)


def glob(column: str, pattern: str) -> Clause:
    """Return that the column is the pattern, in which `*` stands for any characters."""
    if "*" not in pattern:
        return Clause(f"{column} = ?", [pattern])
    for special in "\\%_":
        pattern = pattern.replace(special, f"\\{special}")
    return Clause(f"{column} like ? escape '\\'", [pattern.replace("*", "%")])


def either(clauses: Iterable[Clause]) -> Clause:
    """Return that at least one of the clauses holds."""
    found = list(clauses)
    if len(found) == 1:
        return found[0]
    whole = chain(" or ", found)
    return Clause(f"({whole.sql})", whole.parameters)
