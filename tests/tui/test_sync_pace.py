"""How long the app waits before the next sync."""

from hypothesis import given
from hypothesis import strategies as st

from regtui.tui.sync_pace import AWAY, IDLE, SHORTEST, Outcome, Pace

OUTCOMES: list[Outcome] = ["news", "nothing", "away"]
NOTHING: list[Outcome] = ["nothing"]
GONE: list[Outcome] = ["away"]


def after(*outcomes: Outcome) -> Pace:
    pace = Pace()
    for outcome in outcomes:
        pace.went(outcome)
    return pace


def test_while_something_happens_it_is_quick() -> None:
    assert after().seconds == SHORTEST
    assert after("news", "news").seconds == SHORTEST
    assert after(*NOTHING * 20, "news").seconds == SHORTEST


def test_while_nothing_happens_it_slows_down() -> None:
    assert SHORTEST < after("nothing").seconds < after("nothing", "nothing").seconds
    assert after(*NOTHING * 50).seconds == IDLE


def test_a_server_that_is_away_is_asked_ever_more_seldom_and_at_once_when_it_is_back() -> None:
    assert after("away").seconds == SHORTEST
    assert after("away", "away").seconds == 2 * SHORTEST
    assert after(*GONE * 50).seconds == AWAY
    assert after(*GONE * 50, "nothing").seconds == SHORTEST


@given(st.lists(st.sampled_from(OUTCOMES)))
def test_whatever_happens_the_wait_has_bounds(outcomes: list[Outcome]) -> None:
    pace = after(*outcomes)

    assert SHORTEST <= pace.seconds <= AWAY
    assert pace.is_away == (outcomes[-1:] == ["away"])
