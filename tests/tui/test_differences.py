"""Differences: a sign for the way, a colour for whether that is better."""

import math

import pytest

from regtui.tui import signs
from regtui.tui.differences import difference, place_words


@pytest.mark.parametrize(
    ("value", "other", "direction", "shown"),
    [
        (0.9, 0.8, "max", ("▲ +0.1", "success")),
        (0.9, 0.8, "min", ("▲ +0.1", "error")),
        (0.8, 0.9, "max", ("▼ -0.1", "error")),
        (0.8, 0.9, "min", ("▼ -0.1", "success")),
        (0.8, 0.8, "max", ("=", "dim")),
        (0.8, None, "max", ("", "")),
        (math.nan, 0.8, "max", ("", "")),
        (math.inf, 0.8, "max", ("", "")),
    ],
)
def test_the_sign_says_which_way_and_the_colour_whether_that_is_better(
    value: float, other: float | None, direction: str, shown: tuple[str, str]
) -> None:
    signs.choose(ascii_only=False)

    assert difference(value, other, direction) == shown


def test_a_place_is_told_in_words() -> None:
    told = [place_words(place, 200) for place in (1, 2, 3, 4, 11, 12, 21, 103, 113, None)]

    assert told == [
        "best of 200", "2nd of 200", "3rd of 200", "4th of 200", "11th of 200", "12th of 200",
        "21st of 200", "103rd of 200", "113th of 200", "",
    ]  # fmt: skip
    assert place_words(1, 1) == "the only one"
