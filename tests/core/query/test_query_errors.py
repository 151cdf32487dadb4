"""The `^` below a query stands under the faulty piece, on any terminal."""

import pytest

from regtui.core.query import QueryError, parse_query


def pointer(query: str) -> str:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    return caught.value.pointer


def test_the_pointer_stands_under_the_faulty_piece() -> None:
    assert pointer("cat number:x") == "cat number:x\n           ^"


def test_the_pointer_stands_behind_the_query_when_something_is_missing() -> None:
    assert pointer("model:") == "model:\n      ^"


def test_wide_characters_take_two_columns_and_accents_none() -> None:
    assert pointer("模型 number:x").splitlines()[1] == " " * 12 + "^"
    assert pointer("e\u0301 number:x").splitlines()[1] == " " * 9 + "^"


def test_tabs_and_line_ends_are_shown_as_one_space() -> None:
    assert pointer("a\tb\nnumber:x") == "a b number:x\n           ^"


def test_a_query_can_not_send_commands_to_the_terminal() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("number:\x1b[2J")

    assert "\x1b" not in caught.value.pointer + str(caught.value)
