"""Numbers are told from words in whatever trainers write."""

import doctest
import math

from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.readers import numbers_in
from regtui.capture.readers.numbers_in import measured, number, params, spelled_value, step


def test_the_examples_hold() -> None:
    assert doctest.testmod(numbers_in).failed == 0


@given(st.floats() | st.integers())
def test_what_python_writes_of_a_number_is_that_number(value: float) -> None:
    found = number(str(value))

    if isinstance(value, int) and len(str(value)) > 64:
        assert found is None
    else:
        assert found is not None
        assert found == float(value) or math.isnan(value)


@given(st.integers(-(1 << 52), 1 << 52))
def test_a_whole_number_is_a_step_however_it_is_written(value: int) -> None:
    assert step(value) == step(str(value)) == step(float(value)) == step(f"{value}.0") == value


@given(st.text(max_size=20))
def test_a_text_that_is_no_number_stays(text: str) -> None:
    found = spelled_value(text)

    assert found == text or number(text) == found


def test_measures_of_a_tree_leave_out_words_lists_and_truths() -> None:
    tree = {"a": {"b": 1, "c": "2", "d": [3]}, "e": True, "f": None, "g": 2.5}

    assert measured(tree) == {"a.b": 1.0, "g": 2.5}
    assert measured([1]) == {}


def test_params_of_a_tree_have_dotted_names() -> None:
    tree = {"a": {"b": 1, "c": "x"}, "d": [1, "y"], "e": None, "f": list(range(100))}

    assert params(tree) == {"a.b": 1, "a.c": "x", "d": '[1,"y"]', "f.length": 100}
    assert params({"b": 1}, "a") == {"a.b": 1}
