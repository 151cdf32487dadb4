"""JSON as trainers write it is read within bounds."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.readers.json_values import decode, objects
from regtui.formats.cursor import Malformed, TooMuch, Truncated
from regtui.formats.values import BytesSource

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_python_writes_is_read_back(value: object) -> None:
    assert decode(json.dumps(value).encode()) == value


@given(
    st.binary(max_size=200) | st.text('[]{},:"0123456789eE+-.ntf \n', max_size=60).map(str.encode)
)
def test_any_bytes_are_a_value_or_malformed(content: bytes) -> None:
    with contextlib.suppress(Malformed):
        decode(content)


def test_nan_and_infinities_stay_values() -> None:
    found = decode(b"[NaN, Infinity, -Infinity]")

    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize("content", [b"[" * 1_000, b'{"a":' * 100_000, b"[" + b"0," * 1_100_000])
def test_what_is_deep_or_has_too_many_parts_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        decode(content)


def test_a_number_of_many_digits_is_malformed() -> None:
    with pytest.raises(Malformed):
        decode(b"1" * 10_000)


def test_a_text_that_ends_early_is_truncated() -> None:
    with pytest.raises(Truncated):
        decode(b'{"a": 1, ')


def test_lines_are_read_one_by_one_without_the_one_that_is_being_written() -> None:
    source = BytesSource(b'{"a": 1}\n\n{"a": NaN}\n{"a": 3, "b')

    found = list(objects(source))

    assert found[0] == {"a": 1}
    assert math.isnan(found[1]["a"])
    assert len(found) == 2


def test_a_whole_last_line_counts_without_its_end() -> None:
    assert list(objects(BytesSource(b'{"a": 1}\n{"a": 2}'))) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("content", [b'{"a": \n{"a": 2}\n', b"[1]\n", b"plain text\n"])
def test_a_line_that_is_no_object_is_named(content: bytes) -> None:
    with pytest.raises(Malformed, match="line 1"):
        list(objects(BytesSource(content)))


def test_a_line_without_end_is_too_much() -> None:
    with pytest.raises(TooMuch, match="longer"):
        list(objects(BytesSource(b"x" * (2 << 20))))
