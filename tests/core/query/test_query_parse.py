"""What a query means, and what it is told when it means nothing."""

import math

import pytest

from regtui.core.errors import BadInput
from regtui.core.query import Query, QueryError, parse_query
from regtui.core.query.parse import MOST_SORT_KEYS, MOST_TERMS, MOST_VALUES
from regtui.core.query.syntax import (
    Ago,
    Anything,
    Condition,
    Number,
    Operator,
    Pair,
    SortKey,
    Span,
    Term,
    Text,
    Value,
    Word,
)


def condition(query: str) -> Condition:
    """The only term of the query, which is a condition."""
    (term,) = parse_query(query).terms
    assert isinstance(term.test, Condition)
    return term.test


def complaint(query: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    return caught.value


def test_an_empty_query_matches_everything() -> None:
    assert parse_query("  \t ") == Query()


def test_terms_are_separated_by_spaces_and_keep_their_order() -> None:
    query = parse_query('sentiment  "new corpus" -tag:broken')

    assert query.terms == (
        Term(Text("sentiment")),
        Term(Text("new corpus")),
        Term(Condition("tag", "=", (Pair("broken"),)), negated=True),
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"a ""b"" c"', 'a "b" c'),
        ('"https://host/x?a=b"', "https://host/x?a=b"),
        ('"C:\\models\\x\\"', "C:\\models\\x\\"),
        ("a,b", "a,b"),
        ("model.pt", "model.pt"),
        ("wow!", "wow!"),
        ("--force", "-force"),
        ("été", "été"),
    ],
)
def test_words_and_phrases_are_text(written: str, text: str) -> None:
    (term,) = parse_query(written).terms

    assert term.test == Text(text)


@pytest.mark.parametrize(
    ("query", "field", "name", "operator", "value"),
    [
        ("model:nlp/sentiment", "model", "", "=", Word("nlp/sentiment")),
        ("name:nlp*", "model", "", "=", Word("nlp*")),
        ("Model=nlp", "model", "", "=", Word("nlp")),
        ("number>=3", "number", "", ">=", Number(3)),
        ("number:v7", "number", "", "=", Number(7)),
        ("id::3F9C", "id", "", "=", Word("3f9c")),
        ("id:3f9c0000-1111", "id", "", "=", Word("3f9c00001111")),
        ("digest:A41", "digest", "", "=", Word("a41")),
        ("alias:*", "alias", "", "=", Anything()),
        ("alias!=champ*", "alias", "", "!=", Word("champ*")),
        ("author:ann", "author", "", "=", Word("ann")),
        ("state:Archived", "state", "", "=", Word("archived")),
        ("created>7d", "created", "", ">", Ago(604_800_000)),
        ("created<=2026-11-01", "created", "", "<=", Span(1793491200000, 1793577600000)),
        ("size>1.5GB", "size", "", ">", Number(1_500_000_000)),
        ("size<=4GiB", "size", "", "<=", Number(4 * 1024**3)),
        ("size=900", "size", "", "=", Number(900)),
        ("files!=1", "files", "", "!=", Number(1)),
        ("tag:env=prod", "tag", "", "=", Pair("env", "prod")),
        ("tag.env:prod", "tag", "", "=", Pair("env", "prod")),
        ("tag:env", "tag", "", "=", Pair("env")),
        ("tag.env:*", "tag", "", "=", Pair("env")),
        ('tag:"note=two words"', "tag", "", "=", Pair("note", "two words")),
        ('tag."a=b":c', "tag", "", "=", Pair("a=b", "c")),
        ("metric.f1>0.9", "metric", "f1", ">", Number(0.9)),
        ("metric.eval/f1-macro.x<-1e-3", "metric", "eval/f1-macro.x", "<", Number(-0.001)),
        ('metric."top 5">=.5', "metric", "top 5", ">=", Number(0.5)),
        ("metric.loss<inf", "metric", "loss", "<", Number(math.inf)),
        ("metric.f1:*", "metric", "f1", "=", Anything()),
        ("param.lr<=1e-4", "param", "lr", "<=", Number(0.0001)),
        ("param.lr:1", "param", "lr", "=", Number(1.0)),
        ('param.lr:"1"', "param", "lr", "=", Word("1")),
        ("param.optimizer:adam*", "param", "optimizer", "=", Word("adam*")),
        ('description:"new corpus"', "description", "", "=", Word("new corpus")),
        ("source:s3://bucket/x=1", "source", "", "=", Word("s3://bucket/x=1")),
        ("parent::3f9c", "parent", "", "=", Word("3f9c")),
        ("input:reviews-*", "input", "", "=", Word("reviews-*")),
    ],
)
def test_a_condition_has_field_name_operator_and_value(
    query: str, field: str, name: str, operator: Operator, value: Value
) -> None:
    assert condition(query) == Condition(field, operator, (value,), name)


def test_nan_is_a_number_that_one_can_ask_for() -> None:
    (value,) = condition("metric.loss:NaN").values

    assert isinstance(value, Number)
    assert math.isnan(value.value)


def test_values_separated_by_commas_mean_either() -> None:
    assert condition('author:ann,"ben b"').values == (Word("ann"), Word("ben b"))
    assert condition("tag:env=prod,gpu").values == (Pair("env", "prod"), Pair("gpu"))


def test_sort_keys_are_collected_apart() -> None:
    query = parse_query('sort:-metric.f1,name cat sort:metric."top, 5"')

    assert query.terms == (Term(Text("cat")),)
    assert query.sort == (
        SortKey("metric", "f1", descending=True),
        SortKey("model"),
        SortKey("metric", "top, 5"),
    )


@pytest.mark.parametrize(
    ("query", "position", "length", "message"),
    [
        ("metric.f1>high", 10, 4, 'metric.f1>high: "high" is no number'),
        ("cat metric.f1>nan", 14, 3, "metric.f1>nan: nan can't be compared with >"),
        ("metric.f1>*", 10, 1, "metric.f1>*: * can't be compared with >"),
        ("number:three", 7, 5, 'number:three: "three" is no whole number'),
        ("number:1,x", 9, 1, 'number:x: "x" is no whole number'),
        ("files:" + "9" * 5000, 6, 5000, None),
        ("created>2026-02-29", 8, 10, None),
        ("created>soon", 8, 4, None),
        ("created>99999999y", 8, 9, None),
        ("size>big", 5, 3, None),
        ("size>1.GB", 5, 4, None),
        ("size>" + "9" * 18 + "TB", 5, 20, None),
        ("id:xyz", 3, 3, None),
        ("id:" + "a" * 33, 3, 33, "id:" + "a" * 33 + ": it has 33 digits, and there are only 32"),
        ("state:gone", 6, 4, 'state:gone: "gone" is none of captured, archived, deleted, any'),
        ("tag:=x", 4, 2, "tag:=x: there is no tag name before the ="),
        ("tag:env=", 4, 4, "tag:env=: there is no value after the ="),
        ("tag:env!=prod", 4, 9, "tag:env!=prod: write -tag:env=prod for the opposite"),
        ("param.lr>fast", 9, 4, 'param.lr>fast: "fast" is no number'),
        ("author>ann", 6, 1, "author takes only : and !="),
        ("created>7d,1d", 11, 2, "> takes one value"),
        ("autor:ann", 0, 5, "there is no field autor"),
        ("metrics.f1>1", 0, 10, "there is no field metrics"),
        ("metric>0.9", 6, 0, "metric needs a name"),
        ("metric.>0.9", 7, 0, "metric needs a name"),
        ('metric."">0.9', 9, 0, "metric needs a name"),
        ("tag.:x", 4, 0, "tag needs a name"),
        ("size.x>3", 0, 6, "size takes no name after it"),
        ("model:", 6, 0, "model: has an empty value"),
        ("model:a,,b", 8, 0, "model:a, has an empty value"),
        ('model:""', 6, 2, "model: has an empty value"),
        ('""', 0, 2, "there is nothing in the quotes"),
        ('cat "dog', 4, 1, "this quote is not closed"),
        ('model:"a""', 6, 1, "this quote is not closed"),
        ('metric."top', 7, 1, "this quote is not closed"),
        ('"a"b', 3, 1, "a space has to follow the quote"),
        ('model:"a"b', 9, 1, "a comma or space has to follow the quote"),
        ('do"g', 2, 1, "a quote stands inside a word"),
        ('model:a"b"', 7, 1, "a quote stands inside a value"),
        ('metric."f1"', 11, 0, "an operator has to follow"),
        ("f1 > 0.9", 3, 1, "nothing stands before the >"),
        ("cat -", 4, 1, "nothing follows the -"),
        ("sort:", 5, 0, "a sort key is missing"),
        ("sort:name,", 10, 0, "a sort key is missing"),
        ("sort:-nam", 6, 3, "there is no sort key nam"),
        ("sort:alias", 5, 5, "alias can't be sorted by"),
        ("sort:metric", 11, 0, "metric needs a name"),
        ("sort:size>3", 9, 1, "a comma or space has to follow a sort key"),
        ("-sort:name", 0, 1, "the order is written sort:-created,name"),
        ("sort>name", 0, 1, "the order is written sort:-created,name"),
        ("cat \udcff", 4, 1, "this character is no valid text"),
    ],
)
def test_a_complaint_says_where_and_why(
    query: str, position: int, length: int, message: str | None
) -> None:
    error = complaint(query)

    assert (error.position, error.length) == (position, length)
    assert message is None or error.message == message


def test_a_complaint_is_bad_input() -> None:
    assert isinstance(complaint("model:"), BadInput)
    assert complaint("model:").exit_code == 2


def test_an_unknown_field_lists_the_near_ones() -> None:
    assert "author" in complaint("autor:ann").hint
    assert "metric" in complaint("metrics.f1>1").hint
    assert "model" in complaint("sort:mode").hint
    assert "sort" in complaint("srot:name").hint


def test_a_url_outside_quotes_is_told_to_go_into_quotes() -> None:
    assert "quotes" in complaint("https://host/x").hint


@pytest.mark.parametrize(
    "query",
    [
        "a " * (MOST_TERMS + 1),
        "model:" + ",".join("a" * (MOST_VALUES + 1)),
        "sort:" + ",".join(["name"] * (MOST_SORT_KEYS + 1)),
    ],
)
def test_the_size_of_a_query_is_bounded(query: str) -> None:
    assert "at most" in complaint(query).message
