import math
import xml.dom.minidom
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regtui.core.encoding import tag_float
from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.registry import Registry
from regtui.registry.answers_compare import Curve, PlotAnswer
from regtui.registry.chart import make_chart, thinned, ticks
from regtui.registry.chart_files import svg, write_plot
from regtui.registry.series import Series


@pytest.fixture
def trained(registry: Registry, tmp_path: Path) -> Registry:
    """Return a registry with three versions of `net` and one of `other`."""
    for number, f1 in enumerate((0.5, 0.7, 0.6), start=1):
        (tmp_path / "w").write_text(str(number), encoding="utf-8")
        registry.capture(tmp_path / "w", model="net", metrics={"f1": (f1, number * 10)})
    registry.capture(tmp_path / "w", model="other", metrics={"auc": 0.9})
    return registry


def answer(*lines: list[float], name: str = "a") -> PlotAnswer:
    curves = [
        Curve(name=name, model="m", version=None, run=None, x=list(range(len(line))),
              y=[tag_float(value) for value in line], versions=None)
        for line in lines
    ]  # fmt: skip
    return PlotAnswer(metric="loss", x="step", lines=curves, missing=[])


def test_a_model_is_drawn_over_its_versions(trained: Registry) -> None:
    trained.change_state("version", "net@2", "delete")
    found = trained.plot(["net"], "f1")
    (line,) = found.lines
    assert (found.x, line.x, line.y) == ("number", [1, 3], [0.5, 0.6])
    assert line.versions == ["net@1", "net@3"]


def test_versions_without_series_are_drawn_by_number(trained: Registry) -> None:
    found = trained.plot(["net@3", "net@1", "net@3"], "f1")
    assert (found.x, found.lines[0].x, found.lines[0].y) == ("number", [1, 3], [0.5, 0.6])


def test_versions_of_several_models_are_drawn_in_their_order(trained: Registry) -> None:
    trained.edit("other@1", {"metrics/f1": 0.1})
    found = trained.plot(["other@1", "net@2"], "f1")
    assert (found.x, found.lines[0].versions) == ("version", ["other@1", "net@2"])


def test_a_version_without_series_stands_as_a_point_beside_curves(trained: Registry) -> None:
    trained.add_series("net@1", {"f1": Series((1, 2), (0.1, math.nan))})
    found = trained.plot(["net@1", "net@2", "other@1"], "f1")
    assert [(line.version, line.x, line.y) for line in found.lines] == [
        ("net@1", [1, 2], [0.1, "NaN"]), ("net@2", [20], [0.7])
    ]  # fmt: skip
    assert (found.x, found.missing) == ("step", ["other@1"])


def test_the_primary_metric_is_drawn_where_none_is_named(trained: Registry) -> None:
    with pytest.raises(BadInput, match="no primary metric"):
        trained.plot(["net"])
    trained.edit("net", {"primary_metric": "f1"})
    assert trained.plot(["net@1"]).metric == trained.plot(["net"]).metric == "f1"


def test_what_can_not_be_drawn_is_refused(trained: Registry) -> None:
    for references in (["net"], ["net@1", "net@2"]):
        with pytest.raises(NotFound, match="did you mean f1"):
            trained.plot(references, "f2")
    trained.create_model("empty")
    with pytest.raises(NotFound, match="no metrics at all"):
        trained.plot(["empty"], "f1")
    with pytest.raises(BadInput, match="together"):
        trained.plot(["net", "net@1"], "f1")
    with pytest.raises(BadInput, match="nothing to plot"):
        trained.plot([], "f1")
    with pytest.raises(NotFound):
        trained.plot(["nobody"], "f1")


@example([[0.0, 5e-324]])
@example([[0.0, 1e-307]])
@given(st.lists(st.lists(st.floats(), max_size=20), min_size=1, max_size=4))
def test_whatever_is_drawn_lies_within_its_area(lines: list[list[float]]) -> None:
    chart = make_chart(answer(*lines), 900, 500)
    left, top, right, bottom = chart.area
    drawn = [p for line in chart.lines for part in [*line.parts, line.dots] for p in part]
    assert all(left - 1 <= x <= right + 1 and top - 1 <= y <= bottom + 1 for x, y in drawn)
    assert chart.x_ticks
    assert chart.y_ticks


@given(st.floats(-1e300, 1e300), st.floats(1e-6, 1e6), st.integers(2, 20))
def test_ticks_are_few_and_within_the_range(low: float, share: float, most: int) -> None:
    high = low + max(abs(low), 1e-300) * share
    found = ticks(low, high, most) if math.isfinite(high) else []
    room = (high - low) * 1e-3
    assert len(found) <= 2 * most + 2
    assert all(low - room <= tick <= high + room for tick in found)


def test_no_line_goes_through_what_is_no_number() -> None:
    chart = make_chart(answer([1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0]), 900, 500)
    assert [len(part) for part in chart.lines[0].parts] == [2, 2]
    assert len(chart.lines[0].dots) == 5


def test_thinning_keeps_peaks() -> None:
    part = [(x / 100, float(x == 555)) for x in range(1000)]
    kept = thinned(part, 1.0)
    assert len(kept) <= 40
    assert (5.55, 1.0) in kept
    assert kept == sorted(kept)


@given(st.text(max_size=40))
def test_a_picture_is_well_formed_whatever_names_hold(name: str) -> None:
    text = svg(make_chart(answer([1.0, 2.0], name=name), 900, 500))
    xml.dom.minidom.parseString(text.encode(errors="strict"))


def test_a_picture_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    found = answer([1.0, 2.0])
    target = tmp_path / "x.svg"
    target.write_text("old", encoding="utf-8")
    write_plot(found, target, width=300, height=200)
    assert 'width="300"' in target.read_text(encoding="utf-8")
    (tmp_path / "folder.svg").mkdir()
    for name, error in (
        ("x.gif", BadInput), ("folder.svg", BadInput), ("none/x.svg", RegtuiError)
    ):  # fmt: skip
        with pytest.raises(error):
            write_plot(found, tmp_path / name)
    with pytest.raises(BadInput, match="out of range"):
        write_plot(found, target, width=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.svg", "x.svg"]


def test_a_png_is_drawn_by_pillow(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    write_plot(answer([1.0, 2.0, 1.5], [2.0, math.nan, 1.0], name="模型"), tmp_path / "x.png")
    with image.open(tmp_path / "x.png") as picture:
        assert picture.size == (900, 536)
        colors = {color for _, color in picture.getcolors(1 << 20)}
    assert {(31, 119, 180), (214, 39, 40)} <= colors


def test_a_missing_pillow_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(RegtuiError, match="needs Pillow"):
        write_plot(answer([1.0]), tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []
