"""A cursor reads back to the row that it was made of, and nothing else is taken for one."""

import base64
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.errors import BadInput
from regtui.core.query import parse_query
from regtui.replica.query_cursor import Cursor, decode_cursor, encode_cursor

QUERY = parse_query("cat sort:-metric.f1,name,-created")
TEXT = encode_cursor(QUERY, (0.5, "nlp", 7), 3)

bigints = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"))


@given(st.none() | st.floats(allow_nan=False), st.none() | texts, st.none() | bigints, bigints)
def test_a_cursor_reads_back_to_its_row(
    metric: float | None, name: str | None, created: int | None, key: int
) -> None:
    text = encode_cursor(QUERY, (metric, name, created), key)

    assert decode_cursor(text, QUERY) == Cursor((metric, name, created), key)


def test_a_number_that_is_none_survives_and_a_name_that_looks_like_one_stays_a_name() -> None:
    metric, name, _ = decode_cursor(encode_cursor(QUERY, (math.nan, "NaN", 1), 1), QUERY).values

    assert isinstance(metric, float)
    assert math.isnan(metric)
    assert name == "NaN"


def test_a_cursor_can_stand_in_a_url() -> None:
    assert TEXT.replace("-", "").replace("_", "").isalnum()


def test_the_same_query_in_other_words_takes_the_cursor() -> None:
    same = parse_query("sort:-metric.f1  cat  sort:model,-created")

    assert decode_cursor(TEXT, same).key == 3


@pytest.mark.parametrize("query", ["dog sort:-metric.f1,name,-created", "cat sort:name", "cat", ""])
def test_a_cursor_of_another_query_is_refused(query: str) -> None:
    with pytest.raises(BadInput, match="another query"):
        decode_cursor(TEXT, parse_query(query))


@given(st.text())
def test_a_garbled_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        decode_cursor(text, QUERY)


@given(st.integers(0, len(TEXT) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_cursor_with_a_changed_letter_is_refused_or_still_well_typed(at: int, new: str) -> None:
    text = TEXT[:at] + new + TEXT[at + 1 :]

    try:
        metric, name, created = decode_cursor(text, QUERY).values
    except BadInput:
        return
    assert isinstance(metric, float)
    assert isinstance(name, str)
    assert isinstance(created, int)


@pytest.mark.parametrize(
    "values",
    [
        '"high","nlp",7',
        "0.5,7,7",
        '0.5,"nlp",7.5',
        '0.5,"nlp",9223372036854775808',
        '0.5,"nlp"',
        '0.5,"nlp",7,7',
        "[],{},true",
    ],
)
def test_values_of_the_wrong_type_are_refused(values: str) -> None:
    digest = base64.urlsafe_b64decode(TEXT + "==").decode().split('"')[1]
    forged = base64.urlsafe_b64encode(f'["{digest}",3,[{values}]]'.encode()).decode()

    with pytest.raises(BadInput, match="is no cursor"):
        decode_cursor(forged, QUERY)
