"""Three-way merge by lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.text_merge import merge_text

BASE = "1\n2\n3\n4\n5\n"
texts = st.lists(st.sampled_from(["a", "b", "c\n", "d\n", "\n", "e\r\n", "\u2028"])).map("".join)


@pytest.mark.parametrize(
    ("theirs", "mine", "merged"),
    [
        ("A\n2\n3\n4\n5\n", "1\n2\nC\n4\n5\n", "A\n2\nC\n4\n5\n"),
        ("1\n2\n3\n4\nE\n", "A\n2\n3\n4\n5\n", "A\n2\n3\n4\nE\n"),
        ("0\n1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n6\n", "0\n1\n2\n3\n4\n5\n6\n"),
        ("2\n3\n4\n5\n", "1\n2\n3\n4\n", "2\n3\n4\n"),
        ("1\n2\nX\n4\n5\n", "1\n2\nX\n4\n5\n", "1\n2\nX\n4\n5\n"),
        ("1\n2\nX\n4\n5\n", "1\n2\nX\n4\nE\n", "1\n2\nX\n4\nE\n"),
        ("A\n2\n3\n4\n5\n", "1\n2\n3\n4\n5", "A\n2\n3\n4\n5"),
    ],
)
def test_changes_apart_from_each_other_are_both_taken(theirs: str, mine: str, merged: str) -> None:
    assert merge_text(BASE, theirs, mine) == merged


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("1\nA\n3\n4\n5\n", "1\nB\n3\n4\n5\n"),
        ("1\nA\n3\n4\n5\n", "1\n2\nB\n4\n5\n"),
        ("1\nA\n3\n4\n5\n", "1\n2\n+\n3\n4\n5\n"),
        ("1\n2\n3\n4\n5\nA\n", "1\n2\n3\n4\n5\nB\n"),
        ("", "1\n2\nC\n4\n5\n"),
        ("A\nB\nC\nD\nE\n", "1\n2\nX\n4\n5\n"),
    ],
)
def test_changes_of_the_same_or_adjacent_lines_are_for_a_person(theirs: str, mine: str) -> None:
    assert merge_text(BASE, theirs, mine) is None


def test_two_first_texts_of_nothing_are_for_a_person() -> None:
    assert merge_text("", "mine", "yours") is None


@given(texts, texts)
def test_a_side_that_changed_nothing_takes_the_other(base: str, text: str) -> None:
    assert merge_text(base, text, base) == text
    assert merge_text(base, base, text) == text


@given(texts, texts)
def test_equal_changes_count_once(base: str, text: str) -> None:
    assert merge_text(base, text, text) == text


@given(texts, texts, texts)
def test_the_sides_may_change_places(base: str, theirs: str, mine: str) -> None:
    assert merge_text(base, theirs, mine) == merge_text(base, mine, theirs)


@given(texts, texts, texts)
def test_no_line_is_made_up(base: str, theirs: str, mine: str) -> None:
    merged = merge_text(base, theirs, mine)
    lines = {line for text in (theirs, mine) for line in text.splitlines(keepends=True)}
    assert merged is None or lines.issuperset(merged.splitlines(keepends=True))


@given(texts, st.integers(0, 5), st.integers(0, 5))
def test_edits_with_a_line_between_them_always_merge(text: str, before: int, after: int) -> None:
    lines = [f"{n}\n" for n in range(12)]
    theirs, mine = lines[:], lines[:]
    theirs[before] = text.rstrip("\n") + "\n"
    mine[7 + after - (after == 5)] = "mine\n"
    merged = merge_text("".join(lines), "".join(theirs), "".join(mine))
    assert merged is not None
    assert "mine\n" in merged


@pytest.mark.parametrize("pattern", ["u{0}\nx{0}\n", "a\nb\n", "\n"])
def test_a_hostile_text_costs_no_more_than_a_conflict(pattern: str) -> None:
    base = "".join(pattern.format(n) for n in range(20_000))
    theirs = "".join(pattern.format(n) + f"y{n}\n" for n in range(20_000))
    mine = "".join(f"z{n}\n" + pattern.format(n) for n in range(20_000))
    assert merge_text(base, theirs, mine) is None
    assert merge_text(base, theirs, base) == theirs
