"""Tables of metrics become curves, whatever their columns are called."""

import contextlib
import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.findings import Curve
from regtui.capture.readers.points import Points
from regtui.capture.readers.source_text import lines
from regtui.capture.readers.tables import Columns, collect, csv_rows, moment
from regtui.formats.cursor import Malformed, TooMuch
from regtui.formats.values import BytesSource


def curves(text: str, columns: Columns | None = None, delimiter: str = ",") -> dict[str, Curve]:
    points = Points()
    rows = csv_rows(BytesSource(text.encode("utf-8", "surrogatepass")), delimiter)
    collect(rows, points, columns or Columns())
    return points.curves()


def test_a_column_counts_the_steps_and_the_others_are_metrics() -> None:
    assert curves("epoch,step,loss\n0,10,0.5\n0,20,0.25\n") == {
        "epoch": Curve((10, 20), (0.0, 0.0)),
        "loss": Curve((10, 20), (0.5, 0.25)),
    }


def test_rows_are_counted_where_no_column_does() -> None:
    assert curves("loss\n3\n2\n") == {"loss": Curve((0, 1), (3.0, 2.0))}


def test_empty_cells_and_words_are_no_points_but_nan_is() -> None:
    found = curves("step,loss,note\n1,,a\n2,nan,b\n3,-inf,c\n4,x,d\n")

    assert set(found) == {"loss"}
    assert found["loss"].steps == (2, 3)
    assert math.isnan(found["loss"].values[0])
    assert found["loss"].values[1] == -math.inf


def test_names_are_kept_but_for_the_space_around_them() -> None:
    assert set(curves("                  epoch,      train/box_loss, Val Acc\n1,2,3\n")) == {
        "train/box_loss", "Val Acc",
    }  # fmt: skip


def test_times_are_seconds_or_dates() -> None:
    found = curves("step,wall_time,a\n1,1700000000.5,1\n2,2023-11-14T22:13:21+00:00,2\n")

    assert found["a"].times == (1_700_000_000_500_000, 1_700_000_001_000_000)
    assert [moment(one) for one in ("inf", "-1", "x", None, 1e300)] == [None] * 5


def test_a_last_line_without_its_end_may_still_be_written() -> None:
    assert curves("step,loss\n1,0.5\n2,0.4")["loss"].steps == (1,)


def test_a_step_that_comes_again_replaces_the_earlier_one() -> None:
    assert curves("step,a\n1,1\n2,2\n1,3\n")["a"] == Curve((1, 2), (3.0, 2.0))


def test_steps_can_be_shifted_and_columns_left_out() -> None:
    columns = Columns(steps=("iter",), others=("lr",), shift=1)

    assert curves("iter\tlr\ta\n0\t9\t1\n", columns, "\t") == {"a": Curve((1,), (1.0,))}


def test_many_rows_are_thinned_and_keep_their_end() -> None:
    points = Points(limit=1_000)
    collect(({"step": n, "a": n} for n in range(20_000)), points, Columns())

    (curve,) = points.curves().values()
    assert 400 < len(curve.steps) <= 1_000
    assert curve.steps[-1] == 19_999
    assert curve.values[-1] == 19_999.0


def test_more_lines_than_the_limit_are_refused() -> None:
    with pytest.raises(TooMuch, match="more than 3 lines"):
        list(lines(BytesSource(b"a\n" * 4), limit=3))

    assert len(list(lines(BytesSource(b"a\n" * 3), limit=3))) == 3


def test_a_table_of_too_many_columns_is_refused() -> None:
    with pytest.raises(Malformed, match="columns"):
        curves(",".join(map(str, range(5_000))) + "\n")


def test_curves_beyond_the_limit_are_refused_and_said() -> None:
    points = Points()
    for number in range(1_001):
        points.add(str(number), 0, 1.0)

    found = points.findings()
    assert len(found.series) == 1_000
    assert found.problems == ("it has more than 1,000 curves; the first are kept",)


@given(st.text(max_size=200) | st.text("step,loss\n\"'\r\t01.9e-", max_size=80))
def test_any_text_is_a_table_or_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        found = curves(text).values()
        assert all(curve.steps == tuple(sorted(set(curve.steps))) for curve in found)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.floats(allow_nan=False)), unique_by=lambda p: p[0])
)
def test_what_is_written_as_csv_is_read_back(rows: list[tuple[int, float]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("step", "a"), *rows])

    expected = sorted(rows)
    found = curves(text.getvalue()).get("a", Curve((), ()))
    assert found.steps == tuple(step for step, _ in expected)
    assert found.values == tuple(value for _, value in expected)
