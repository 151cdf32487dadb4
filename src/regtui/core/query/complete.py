"""Completion: what can be written where the cursor stands in a query.

`wanted_at` says which piece is being written; `completions` gives the words for it, those of the
language itself from the table of fields, those of the registry from whoever knows them. A text
that is no query yet is the usual case here, so nothing in this module raises.
"""

import re
from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from regtui.core.query.fields import FIELDS, SORT
from regtui.core.query.text import quote

Known = Callable[[str, str, str], Iterable[str]]
"""Returns words of the registry, of a field or of one of its names, by their beginning.

`known("model", "", "nl")` are models, `known("metric", "", "f")` names of metrics and
`known("tag", "env", "")` values of the tag `env`.
"""

_OPERATOR = re.compile(r"!=|>=|<=|[><=:]")
_PLAIN = re.compile(r"[\w./@+-]+")

MOST = 50

TIMES = ("1d", "7d", "30d", "1y")


class Wanted(Struct, frozen=True):
    """The piece of a query that is being written.

    Attributes:
        kind: A `field` or bare word, the `name` of a metric or the like, a `value`, a `sort` key.
        field: The field before a name or value.
        name: Which metric or the like a value is of.
        typed: What stands there up to the cursor.
        start: Where it starts in the query.
        end: The cursor.
    """

    kind: Literal["field", "name", "value", "sort"]
    field: str
    name: str
    typed: str
    start: int
    end: int


def wanted_at(text: str, cursor: int) -> Wanted:
    """Return the piece of a query that ends at the cursor."""
    before = text[:cursor]
    start = _word_start(before)
    word = before[start:]
    if word.startswith("-"):
        start, word = start + 1, word[1:]
    found = _OPERATOR.search(word)
    if found is None:
        field, dot, name = word.partition(".")
        if dot and field in FIELDS and FIELDS[field].naming != "none":
            return Wanted("name", field, "", _unquoted(name), start + len(field) + 1, cursor)
        return Wanted("field", "", "", word, start, cursor)
    head, value = word[: found.start()], word[found.end() :]
    place = start + found.end() + value.rfind(",") + 1
    typed = value[value.rfind(",") + 1 :]
    if head == SORT:
        signed = typed.startswith("-")
        return Wanted("sort", SORT, "", typed[signed:], place + signed, cursor)
    field, _, name = head.partition(".")
    return Wanted("value", field, _unquoted(name), _unquoted(typed), place, cursor)


def completions(wanted: Wanted, known: Known) -> list[str]:
    """Return what the piece could become, best first; each takes the place of what is typed."""
    if wanted.kind == "field":
        return _fields(wanted.typed)
    if wanted.kind == "name":
        return [_spelled(name) for name in known(wanted.field, "", wanted.typed)][:MOST]
    if wanted.kind == "sort":
        return _sort_keys(wanted.typed, known)
    return _values(wanted, known)


def completed(text: str, wanted: Wanted, word: str) -> tuple[str, int]:
    """Return the query with a completion in place of what was typed, and the cursor's place."""
    done = text[: wanted.start] + word
    return done + text[wanted.end :], len(done)


def _fields(typed: str) -> list[str]:
    found = [
        field.name + ("." if field.naming == "required" else ":")
        for field in dict.fromkeys(FIELDS.values())
        if field.name.startswith(typed.lower())
    ]
    if SORT.startswith(typed.lower()):
        found.append(f"{SORT}:")
    return found


def _values(wanted: Wanted, known: Known) -> list[str]:
    field = FIELDS.get(wanted.field)
    if field is None:
        return []
    if field.choices or field.kind == "time":
        fixed = field.choices or TIMES
        return [choice for choice in fixed if choice.startswith(wanted.typed)]
    name, equals, value = wanted.typed.partition("=")
    if field.kind == "pair" and not wanted.name and equals:
        return [f"{_spelled(name)}={_spelled(v)}" for v in known(field.name, name, value)][:MOST]
    return [_spelled(word) for word in known(field.name, wanted.name, wanted.typed)][:MOST]


def _sort_keys(typed: str, known: Known) -> list[str]:
    field, dot, name = typed.partition(".")
    if dot:
        return [f"{field}.{_spelled(n)}" for n in known(field, "", _unquoted(name))][:MOST]
    return [
        field.name + ("." if field.naming == "required" else "")
        for field in dict.fromkeys(FIELDS.values())
        if field.name.startswith(typed) and field.sortable
    ]


def _word_start(before: str) -> int:
    start, is_quoted = 0, False
    for place, char in enumerate(before):
        if char == '"':
            is_quoted = not is_quoted
        elif char.isspace() and not is_quoted:
            start = place + 1
    return start


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return text[1:].removesuffix('"').replace('""', '"')


def _spelled(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else quote(word)
