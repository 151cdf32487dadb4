"""YAML becomes plain values; nothing it names is made, nothing it repeats is paid for twice."""

import contextlib
import math
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.readers.yaml_values import decode
from regtui.formats.cursor import Malformed, TooMuch

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).filter(
    lambda word: re.fullmatch(r"[-+]?[0-9]+[eE].*", word) is None  # which the library takes as text
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_the_library_dumps_is_read_back(value: object) -> None:
    assert decode(yaml.safe_dump(value, allow_unicode=True)) == value


@given(st.text(max_size=300) | st.text("&*!-:?[]{},#|>'\"%@` \n\tab1", max_size=80))
def test_any_text_is_a_value_or_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        decode(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4), ("1.", 1.0), (".5", 0.5), ("-.inf", -math.inf), ("0x10", 16), ("~", None),
        ("yes", True), ("'yes'", "yes"), ("007", "007"), ("1_000", "1_000"), ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"), ("!!float 3", 3.0), ("!!str 3", "3"), ("! 3", "3"),
        ("!!python/unicode x", "x"), ("!!python/tuple [1, 2]", [1, 2]), ("", None),
        ("1e999", math.inf),
    ],
)  # fmt: skip
def test_a_word_means_what_its_writer_means(text: str, value: object) -> None:
    assert decode(text) == value


def test_nan_stays_a_value() -> None:
    assert math.isnan(decode("a: .nan")["a"])


def test_tags_of_code_are_skipped_with_all_they_hold() -> None:
    text = """
lr: 0.1
act: !!python/name:torch.nn.functional.relu ''
run: !!python/object/apply:os.system ["touch /nowhere"]
opt: !!python/object/new:foo.Bar {args: [1]}
own: !thing {a: 1}
list: [1, !!python/name:os.remove '', 2]
? !!python/tuple [a]
: 5
extra: !!python/object:argparse.Namespace {depth: 3, sizes: !!python/tuple [4, 4]}
"""
    assert decode(text) == {
        "lr": 0.1, "list": [1, 2], "extra": {"depth": 3, "sizes": [4, 4]},
    }  # fmt: skip


def test_aliases_and_merges_are_followed() -> None:
    assert decode("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [*x, {r: 4}]}") == {
        "a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}, "c": {"p": 1, "q": 3},
        "d": {"p": 1, "q": 2, "r": 4},
    }  # fmt: skip


def test_an_alias_of_nothing_is_left_out() -> None:
    assert decode("[1, *nowhere]") == [1]


def test_what_contains_itself_ends() -> None:
    assert decode("&a [1, *a]") == [1]


def test_only_the_first_document_is_read() -> None:
    assert decode("a: 1\n---\n[broken") == {"a": 1}


def test_a_file_that_doubles_itself_is_too_much() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]

    with pytest.raises(TooMuch):
        decode("\n".join(lines))


@pytest.mark.parametrize("text", ["[" * 100_000, "a: [" * 5_000, "- " * 70 + "x"])
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode(text)


def test_a_long_list_is_too_much() -> None:
    with pytest.raises(TooMuch):
        decode("[" + "1," * 200_000 + "]")


@pytest.mark.parametrize("text", ["a: b: c", "%x", "\x00", '"unended', "{a: 1", "- a\nb"])
def test_what_is_no_yaml_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="YAML"):
        decode(text)
