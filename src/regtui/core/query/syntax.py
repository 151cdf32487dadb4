"""What a query is once it has been read.

Frozen values without positions or spelling: two queries that mean the same word for word are
equal, however they were written. Times before now stay relative (`Ago`), because a saved query such
as `created>7d` has to mean the last seven days whenever it is run; whoever compiles it brings the
clock.
"""

from typing import Literal

from msgspec import Struct

Operator = Literal["=", "!=", ">", ">=", "<", "<="]


class Word(Struct, frozen=True, tag="word"):
    """Text to equal or contain, or a glob: the field decides; `*` stands for any characters."""

    text: str


class Number(Struct, frozen=True, tag="number"):
    """A number; bytes for a size."""

    value: int | float


class Ago(Struct, frozen=True, tag="ago"):
    """So many milliseconds before now."""

    milliseconds: int


class Span(Struct, frozen=True, tag="span"):
    """A date as written: the day, minute or second from `start` up to but without `end`.

    Both are milliseconds since 1970 in UTC. `created>2026-11-01` is after that whole day and
    `created:2026-11-01` is within it.
    """

    start: int
    end: int


class Pair(Struct, frozen=True, tag="pair"):
    """A tag and its value, or any value where it is None."""

    name: str
    value: str | None = None


class Anything(Struct, frozen=True, tag="anything"):
    """`*`: there is one, whichever."""


Value = Word | Number | Ago | Span | Pair | Anything


class Text(Struct, frozen=True, tag="text"):
    """A bare word or quoted phrase: matches name, description, tags and source."""

    text: str


class Condition(Struct, frozen=True, tag="condition"):
    """A field compared with values; several values mean any of them.

    Attributes:
        field: A name from the table of fields.
        operator: `:` is read as `=`. `!=` is the exact opposite of `=`, so it also matches where
            there is no value at all.
        values: At least one; only `=` and `!=` take several.
        name: Which metric, parameter or the like; empty for fields without.
    """

    field: str
    operator: Operator
    values: tuple[Value, ...]
    name: str = ""


class Term(Struct, frozen=True):
    """A test, or with `-` before it the opposite of it."""

    test: Text | Condition
    negated: bool = False


class SortKey(Struct, frozen=True):
    """One key of the order; rows without a value come last either way."""

    field: str
    name: str = ""
    descending: bool = False


class Query(Struct, frozen=True):
    """All of the terms have to match; no sort keys means newest first."""

    terms: tuple[Term, ...] = ()
    sort: tuple[SortKey, ...] = ()
