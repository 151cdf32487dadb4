"""A query and its text are the same thing, and no text breaks the parser."""

import math
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regtui.core.query import Query, QueryError, parse_query, to_text
from regtui.core.query.fields import FIELDS, Field
from regtui.core.query.syntax import (
    Ago,
    Anything,
    Condition,
    Number,
    Pair,
    SortKey,
    Span,
    Term,
    Text,
    Value,
    Word,
)
from regtui.core.query.times import DAY, MINUTE, SECOND

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
floats = st.floats(allow_nan=False) | st.just(math.nan)
digits = st.text("0123456789abcdef", min_size=1, max_size=32)
words = texts.filter(lambda text: text != "*").map(Word)
seconds = st.integers(-62_135_596_800, 253_402_300_799)


def span(second: int, unit: int) -> Span:
    start = second * SECOND // unit * unit
    return Span(start, start + unit)


values: dict[str, st.SearchStrategy[Value]] = {
    "path": texts.map(Word),
    "glob": words,
    "contains": words,
    "hex": digits.map(Word),
    "integer": st.integers(0, 10**18 - 1).map(Number),
    "size": st.integers(0, 10**18 - 1).map(Number),
    "float": floats.map(Number),
    "scalar": floats.map(Number) | words,
    "time": st.integers(0, 10**11).map(lambda number: Ago(number * SECOND))
    | st.builds(span, seconds, st.sampled_from([SECOND, MINUTE, DAY])),
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(list(FIELDS.values())))
    operator = draw(st.sampled_from(field.operators))
    if field.kind == "pair":
        return Condition(field.name, operator, draw(pairs()))
    name = draw(texts) if field.naming == "required" else ""
    one = value_of(field)
    if operator not in {"=", "!="}:
        value = draw(one.filter(is_comparable))
        return Condition(field.name, operator, (value,), name)
    if field.presence:
        one |= st.just(Anything())
    return Condition(field.name, operator, tuple(draw(st.lists(one, min_size=1, max_size=3))), name)


def value_of(field: Field) -> st.SearchStrategy[Value]:
    if field.choices:
        return st.sampled_from(field.choices).map(Word)
    return values[field.kind]


def is_comparable(value: Value) -> bool:
    return not isinstance(value, Word) and value != Number(math.nan)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Pair, ...]:
    some = st.none() | texts.filter(lambda text: text != "*")
    if draw(st.booleans()):
        name = draw(texts)
        return tuple(Pair(name, value) for value in draw(st.lists(some, min_size=1, max_size=3)))
    names = texts.filter(lambda text: "=" not in text and not text.endswith("!"))
    return tuple(draw(st.lists(st.builds(Pair, names, some), min_size=1, max_size=3)))


sortable = [field for field in FIELDS.values() if field.sortable]


@st.composite
def sort_keys(draw: st.DrawFn) -> SortKey:
    field = draw(st.sampled_from(sortable))
    name = draw(texts) if field.naming == "required" else ""
    return SortKey(field.name, name, draw(st.booleans()))


queries = st.builds(
    Query,
    st.lists(st.builds(Term, texts.map(Text) | conditions(), st.booleans()), max_size=4).map(tuple),
    st.lists(sort_keys(), max_size=3).map(tuple),
)


@given(queries)
@example(Query((Term(Condition("metric", "=", (Number(math.nan),), "f1")),)))
def test_the_text_of_a_query_reads_back_to_it(query: Query) -> None:
    assert parse_query(to_text(query)) == query


pieces = st.sampled_from(
    [
        *("metric", "tag", "sort", "created", "size", "id", "f1", "2026-11-01", "7d", "0.9"),
        *(".", ":", "=", "!=", ">", ">=", "<", '"', ",", "-", "*", "nan", "1e999"),
        *(" ", "\t", "\0", "\udc80"),
    ]
)


@given(st.text() | st.text(st.characters()) | st.lists(pieces).map("".join))
def test_any_text_is_a_query_or_a_complaint_that_points_into_it(text: str) -> None:
    found = query_or_complaint(text)

    if isinstance(found, Query):
        assert parse_query(to_text(found)) == found
    else:
        assert 0 <= found.position <= found.position + found.length <= len(text) + 1
        assert found.pointer.endswith("^")
        str(found).encode()


def query_or_complaint(text: str) -> Query | QueryError:
    try:
        return parse_query(text)
    except QueryError as error:
        return error


@given(texts)
def test_an_empty_metric_name_is_the_only_one_that_can_not_be_asked_for(name: str) -> None:
    query = parse_query('metric."' + name.replace('"', '""') + '">0')

    assert cast("Condition", query.terms[0].test).name == name


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("  cat   name=nlp  ", "cat model:nlp"),
        ("sort:name cat", "cat sort:model"),
        ("tag:env=prod", "tag.env:prod"),
        ("created>35d", "created>5w"),
        ("size>1KB", "size>1000"),
        ('param.seed:"7"', 'param.seed:"7"'),
        ("id:1234", "id:1234"),
        ('"a:b"', '"a:b"'),
    ],
)
def test_every_query_has_one_canonical_spelling(written: str, canonical: str) -> None:
    assert to_text(parse_query(written)) == canonical
