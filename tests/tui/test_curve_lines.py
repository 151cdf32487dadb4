"""Curves as text: what is smoothed, what is cut, and what is drawn in how much room."""

import math

import pytest

from regtui.registry.answers_compare import Curve, PlotAnswer
from regtui.tui import signs
from regtui.tui.curve_lines import Piece, picture, prepared, smoothed


def curve(y: list[float | str], x: list[int] | None = None, name: str = "m@1") -> Curve:
    steps = list(range(len(y))) if x is None else x
    return Curve(name=name, model="m", version=name, run=None, x=steps, y=y, versions=None)


def plot(*lines: Curve) -> PlotAnswer:
    return PlotAnswer(metric="loss", x="step", lines=list(lines), missing=[])


def drawn(
    answer: PlotAnswer, width: int, height: int, *, colored: bool = True, ascii_only: bool = False
) -> tuple[list[str], list[list[Piece]]]:
    lines = picture(answer, width, height, colored=colored, ascii_only=ascii_only)
    return ["".join(text for text, _ in line) for line in lines], lines


def test_an_average_is_true_from_the_first_value_on() -> None:
    assert smoothed([4.0, 4.0, 4.0], 0.9) == pytest.approx([4.0, 4.0, 4.0])
    assert smoothed([0.0, 1.0], 0.5) == pytest.approx([0.0, 2 / 3])


def test_what_is_no_number_stays_so_and_the_average_goes_on_behind_it() -> None:
    found = smoothed([1.0, math.nan, 1.0], 0.5)

    assert math.isnan(found[1])
    assert found[2] == pytest.approx(1.0)


def test_a_cut_keeps_the_last_half_of_the_steps_of_all_curves() -> None:
    found = prepared(plot(curve([1.0] * 11), curve([2.0], [10])), cut=1)

    assert found.lines[0].x == [5, 6, 7, 8, 9, 10]
    assert found.lines[1].x == [10]


def test_a_picture_is_no_larger_than_its_room() -> None:
    for width, height in ((28, 6), (40, 8), (80, 20)):
        lines, _ = drawn(plot(curve([3.0, 1.0, 2.0]), curve([1.0, 2.0], name="m@2")), width, height)

        assert len(lines) <= height
        assert max(map(len, lines)) <= width


def test_names_of_curves_leave_room_for_the_curves() -> None:
    answer = plot(*(curve([1.0, 2.0], name=f"m@{n}") for n in range(1, 31)))

    lines, _ = drawn(answer, 40, 15)

    assert len(lines) == 15
    assert lines[-5:] == ["-- m@1", "-- m@2", "-- m@3", "-- m@4", "and 26 more"]


def test_every_curve_has_a_colour_of_its_own_as_has_its_name() -> None:
    _, lines = drawn(plot(curve([3.0, 1.0]), curve([1.0, 2.0], name="m@2")), 40, 12)

    numbers = {number for line in lines for _, number in line}
    legend = [line for line in lines if "m@2" in "".join(text for text, _ in line)]
    assert numbers == {None, 0, 1}
    assert legend[0][0] == ("--", 1)


def test_without_colour_every_curve_has_a_mark_of_its_own() -> None:
    answer = plot(curve([3.0, 1.0]), curve([1.0, 2.0], name="m@2"))

    lines, pieces = drawn(answer, 40, 12, colored=False)

    assert lines[-2:] == ["* m@1", "+ m@2"]
    assert {number for line in pieces for _, number in line} == {None}


def test_a_plain_terminal_gets_plain_characters() -> None:
    lines, _ = drawn(plot(curve([3.0, 1.0])), 40, 12, ascii_only=True)

    assert "\n".join(lines).isascii()


def test_a_single_curve_needs_no_name() -> None:
    lines, _ = drawn(plot(curve([3.0, 1.0])), 40, 12)

    assert "m@1" not in "\n".join(lines)


def test_where_there_is_no_room_for_axes_a_sparkline_tells_from_where_to_where() -> None:
    signs.choose(ascii_only=False)
    lines, _ = drawn(plot(curve([float(n) for n in range(100)])), 20, 1)

    assert lines == ["▁▂▂▃▄▄▅▆▇▇█ 0 to 99"]


def test_a_curve_without_any_number_says_so() -> None:
    lines, _ = drawn(plot(curve(["NaN", "Infinity"])), 40, 12)

    assert lines == ["no value of it can be drawn"]
