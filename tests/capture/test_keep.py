"""Which states of a run are kept."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.keep import KeepRule, State, kept, parse_keep
from regtui.core.errors import BadInput

RUN = [
    State("a", 1, step=100, value=0.5),
    State("b", 2, step=250, value=0.9),
    State("c", 3, step=500, value=math.nan),
    State("d", 4, step=1000, value=0.7),
]
rules = st.builds(
    KeepRule, st.sampled_from(["last", "best", "every"]), st.integers(1, 5)
) | st.builds(KeepRule, st.sampled_from(["all", "final"]))
states = st.lists(
    st.builds(
        State,
        key=st.uuids().map(str),
        order=st.integers(0, 9).map(float),
        step=st.none() | st.integers(0, 20),
        value=st.none() | st.floats(),
        is_final=st.booleans(),
    ),
    max_size=8,
)


def keep(text: str, *, highest: bool = True, ended: bool = False) -> str:
    return "".join(sorted(kept(RUN, parse_keep(text), highest=highest, ended=ended)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", "abcd"), ("last", "d"), ("last 2", "cd"), ("best", "b"), ("best 2", "bd"),
        ("every 500", "cd"), ("every 500 steps", "cd"), ("final", ""), ("best, last 1", "bd"),
        ("Best 1 , EVERY 100", "abcd"), ("last 99", "abcd"), ("best 99", "abd"),
    ],
)  # fmt: skip
def test_what_a_rule_keeps(text: str, expected: str) -> None:
    assert keep(text) == expected


def test_the_lowest_may_be_the_best() -> None:
    assert keep("best", highest=False) == "a"


def test_the_final_state_is_the_newest_of_a_run_that_has_ended_or_the_one_that_says_so() -> None:
    assert keep("final", ended=True) == "d"
    said = [*RUN, State("e", 0, is_final=True)]
    assert kept(said, parse_keep("final"), highest=True, ended=False) == {"e"}


def test_without_a_metric_nothing_is_known_to_be_worse() -> None:
    assert kept([State("a", 1), *RUN], parse_keep("best"), highest=True, ended=False) == {"a", "b"}


def test_without_a_rule_everything_is_kept() -> None:
    assert len(kept(RUN, (), highest=True, ended=False)) == 4


@pytest.mark.parametrize(
    "text",
    ["", "most", "last 0", "last -1", "every", "all 3", "final 1", "best 2.5", "last 2 best", ","],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_keep(text)


@given(chosen=st.lists(rules, min_size=1, max_size=3, unique=True))
def test_rules_are_read_as_they_are_written(chosen: list[KeepRule]) -> None:
    assert parse_keep(", ".join(map(str, chosen))) == tuple(chosen)


@given(states=states, one=rules, other=rules, highest=st.booleans(), ended=st.booleans())
def test_several_rules_keep_what_any_of_them_keeps(
    states: list[State], one: KeepRule, other: KeepRule, highest: bool, ended: bool
) -> None:
    both = kept(states, (one, other), highest=highest, ended=ended)
    each = [kept(states, (rule,), highest=highest, ended=ended) for rule in (one, other)]
    assert both == each[0] | each[1]
    assert both <= {state.key for state in states}
