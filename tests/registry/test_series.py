import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.series import (
    BYTES_LIMIT,
    Series,
    decode_series,
    encode_series,
    parse_series,
    series_key,
    split_key,
)

POINTS = st.dictionaries(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(), max_size=30)


def test_a_table_gives_a_series_for_each_column_of_numbers() -> None:
    text = "step,loss,note,f1,wall_time\n0,2,x,,100\n10,1.5,y,0.5,101.5\n"
    assert parse_series(text) == {
        "loss": Series((0, 10), (2.0, 1.5), (100_000_000, 101_500_000)),
        "f1": Series((10,), (0.5,), (101_500_000,)),
    }


def test_lines_of_json_give_the_same() -> None:
    text = '{"step": 1, "loss": NaN, "x": {"y": 1}}\n\n{"loss": 2, "step": 3, "ok": true}\n'
    (loss,) = parse_series(text).values()
    assert loss.steps == (1, 3)
    assert math.isnan(loss.values[0])


def test_a_step_that_comes_twice_keeps_its_later_value() -> None:
    assert parse_series("step,a\n5,1\n9,2\n5,3\n")["a"] == Series((5, 9), (3.0, 2.0))


def test_lines_are_counted_where_no_column_counts_steps() -> None:
    assert parse_series("auc\n0.5\n0.6\n")["auc"].steps == (0, 1)
    assert parse_series("epoch,global_step,auc\n1,100,0.5\n")["auc"].steps == (100,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no metric"),
        ("step,loss\n", "no metric"),
        ("step,note\n1,a\n", "no metric"),
        ("step,loss\n1,2\n2,high\n", "line 3"),
        ("step,loss\n1.5,2\n", "'1.5' is no step"),
        ("step,loss\nnan,2\n", "is no step"),
        ("step,loss\n1e300,2\n", "is no step"),
        ("step,loss\n1,2,3\n", "line 2"),
        ("loss,loss\n1,2\n", "one name"),
        ("step,loss,timestamp\n1,2,noon\n", "is no time"),
        ("step,loss,timestamp\n1,2,1e30\n", "is no time"),
        ('step,loss\n1,"2\n', "malformed"),
        ('{"step": 1}\nx\n', "line 2"),
        ("{" * 100_000, "line 1"),
        ('{"step": 1, "loss": ' + "9" * 400 + "}", "no metric"),
    ],
)
def test_a_malformed_text_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_series(text)


@given(POINTS)
def test_a_series_comes_back_from_its_text(points: dict[int, float]) -> None:
    steps = tuple(sorted(points))
    series = Series(steps, tuple(points[step] for step in steps))
    back = decode_series(encode_series(series))
    assert back.steps == series.steps
    assert list(map(repr, back.values)) == list(map(repr, series.values))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_series(text)
    except BadInput:
        return
    for one in found.values():
        assert list(one.steps) == sorted(set(one.steps))
        assert len(one.values) == len(one.steps)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"steps":[1],"values":[]}', '{"steps":[1],"values":["x"]}']
)
def test_a_kept_text_that_is_no_series_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="malformed"):
        decode_series(text)


@given(st.one_of(st.none(), st.text(min_size=1, max_size=20)), st.text(max_size=20))
def test_run_and_tag_come_back_from_their_key(run: str | None, tag: str) -> None:
    assert split_key(series_key(run, tag)) == (run, tag)


def test_a_series_is_added_once(registry: Registry, run: Path) -> None:
    registry.capture(run, model="ranker")
    series = parse_series("step,loss\n1,2\n2,1\n")
    assert registry.add_series("ranker@1", series, run="a/b") is True
    assert registry.add_series("ranker@1", series, run="a/b") is False
    assert registry.add_series("ranker@1", series, run="c") is True
    assert registry.sql("select count(*) from base.text").rows == [(1,)]
    lines = registry.plot(["ranker@1"], "loss").lines
    assert [(line.name, line.run, line.x, line.y) for line in lines] == [
        ("ranker@1 a/b", "a/b", [1, 2], [2.0, 1.0]), ("ranker@1 c", "c", [1, 2], [2.0, 1.0])
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["0" * 64, "curve"])
def test_a_series_is_not_set_by_a_digest_without_points(ranker: Registry, value: str) -> None:
    with pytest.raises(BadInput, match="by its points"):
        ranker.edit("ranker@1", {"series/run/loss": value})
    assert ranker.verify_history().ok


def test_a_series_that_is_too_long_is_refused_and_leaves_nothing(
    registry: Registry, run: Path
) -> None:
    registry.capture(run, model="ranker")
    count = BYTES_LIMIT // 8
    with pytest.raises(BadInput, match="every tenth"):
        registry.add_series(
            "ranker@1",
            {"a": Series((1,), (1.0,)), "b": Series(tuple(range(count)), (0.5,) * count)},
        )
    assert registry.sql("select count(*) from base.text").rows == [(0,)]
    with pytest.raises(NotFound):
        registry.add_series("ranker@2", {"a": Series((1,), (1.0,))})
