"""The table of fields is the documentation, so what it says has to be true."""

from typing import get_args

import pytest

from regtui.core.query import parse_query
from regtui.core.query.fields import FIELDS, SORT_EXAMPLE, Field, Kind, find
from regtui.core.query.syntax import Condition
from regtui.core.query.values import _READERS

every = pytest.mark.parametrize("field", FIELDS.values(), ids=list(FIELDS))


@every
def test_the_example_of_a_field_is_a_query_on_it(field: Field) -> None:
    (term,) = parse_query(field.example).terms

    assert isinstance(term.test, Condition)
    assert term.test.field == field.name


@every
def test_the_help_of_a_field_is_one_short_line(field: Field) -> None:
    assert field.help
    assert len(field.help) < 100
    assert "\n" not in field.help


@every
def test_a_field_is_found_by_all_of_its_spellings_in_any_case(field: Field) -> None:
    assert all(find(name.upper()) is field for name in (field.name, *field.aliases))


def test_the_example_of_an_order_is_an_order() -> None:
    assert len(parse_query(SORT_EXAMPLE).sort) == 2


def test_every_kind_of_value_has_a_reader_and_a_field() -> None:
    assert set(_READERS) == set(get_args(Kind)) == {field.kind for field in FIELDS.values()}
