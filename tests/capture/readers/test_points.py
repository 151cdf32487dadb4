"""Curves grow within a bound of memory, in whatever order their points come."""

import math

from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.findings import Curve
from regtui.capture.readers.points import Points

POINT = st.tuples(st.integers(-20, 20), st.floats(allow_nan=False), st.none() | st.integers(0, 99))


@given(st.lists(POINT))
def test_points_are_in_order_and_the_later_one_of_a_step_counts(
    given_points: list[tuple[int, float, int | None]],
) -> None:
    points = Points()
    for step, value, time in given_points:
        points.add("a", step, value, time)

    latest = {step: (value, time) for step, value, time in given_points}
    curve = points.curves().get("a", Curve((), ()))
    assert curve.steps == tuple(sorted(latest))
    assert curve.values == tuple(latest[step][0] for step in curve.steps)
    times = tuple(latest[step][1] for step in curve.steps)
    assert curve.times == (times if times and None not in times else None)


@given(st.integers(2, 30), st.lists(st.integers(0, 300), min_size=1, max_size=200))
def test_a_curve_beyond_the_bound_keeps_its_end(limit: int, steps: list[int]) -> None:
    points = Points(limit)
    for step in steps:
        points.add("a", step, float(step))

    (curve,) = points.curves().values()
    assert len(curve.steps) <= limit
    assert set(curve.steps) <= set(steps)
    assert curve.steps[-1] == max(steps)


def test_the_longest_curve_gives_way() -> None:
    points = Points(100)
    for step in range(10):
        points.add("short", step, 0.0)
    for step in range(1_000):
        points.add("long", step, 0.0)

    found = points.curves()
    assert len(found["short"].steps) == 10
    assert len(found["long"].steps) <= 90


def test_a_curve_is_told_up_to_a_step_and_a_moment() -> None:
    points = Points()
    for step in range(4):
        points.add("a", step, math.nan, 10 * step)
        points.add("b", step, 1.0)

    assert points.curves(until=1)["a"].steps == (0, 1)
    assert points.curves(before=20)["a"].steps == (0, 1, 2)
    assert points.curves(before=-1).keys() == {"b"}
