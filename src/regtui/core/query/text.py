"""A query back to text, so that it can be shown, saved and compared.

`parse_query(to_text(query)) == query` for every query that was parsed. Whatever is not plainly safe
is put in quotes, with a quote inside doubled.
"""

import re

from regtui.core.query import times, values
from regtui.core.query.fields import FIELDS, SORT
from regtui.core.query.syntax import (
    Ago,
    Anything,
    Condition,
    Number,
    Pair,
    Query,
    SortKey,
    Span,
    Term,
    Text,
    Value,
    Word,
)

_PLAIN = re.compile(r"[\w./@+][\w./@+-]*")
_PLAIN_VALUE = re.compile(r"[\w./@+*:=-]+")


def to_text(query: Query) -> str:
    """Return the query in its one canonical spelling."""
    parts = [_term(term) for term in query.terms]
    if query.sort:
        parts.append(f"{SORT}:{','.join(map(_sort_key, query.sort))}")
    return " ".join(parts)


def quote(text: str) -> str:
    """Return the text in quotes, as one value or phrase."""
    return '"' + text.replace('"', '""') + '"'


def _term(term: Term) -> str:
    test = term.test
    body = _safe(test.text, _PLAIN) if isinstance(test, Text) else _condition(test)
    return f"-{body}" if term.negated else body


def _condition(test: Condition) -> str:
    operator = ":" if test.operator == "=" else test.operator
    pairs = [value for value in test.values if isinstance(value, Pair)]
    if pairs and len({pair.name for pair in pairs}) == 1:
        # The only spelling for a tag whose name has a `=` in it.
        shown = [_safe("*" if pair.value is None else pair.value, _PLAIN_VALUE) for pair in pairs]
        return _field(test.field, pairs[0].name) + operator + ",".join(shown)
    scalar = FIELDS[test.field].kind == "scalar"
    return (
        _field(test.field, test.name)
        + operator
        + ",".join(_value(value, scalar=scalar) for value in test.values)
    )


def _sort_key(key: SortKey) -> str:
    return ("-" if key.descending else "") + _field(key.field, key.name)


def _field(field: str, name: str) -> str:
    return f"{field}.{_safe(name, _PLAIN)}" if name else field


def _value(value: Value, *, scalar: bool) -> str:
    shown = "*"
    match value:
        case Word(text):
            # Where numbers are read as such, only quotes keep a text of digits a text.
            digits = scalar and values.is_number(text)
            shown = quote(text) if digits else _safe(text, _PLAIN_VALUE)
        case Number(number):
            shown = repr(number)
        case Ago(milliseconds):
            shown = times.duration_text(milliseconds)
        case Span():
            shown = times.date_text(value)
        case Pair(name, text):
            shown = _safe(name if text is None else f"{name}={text}", _PLAIN_VALUE)
        case Anything():
            pass
    return shown


def _safe(text: str, plain: re.Pattern[str]) -> str:
    return text if plain.fullmatch(text) else quote(text)
