"""Files that lie near a model tell of it, whoever wrote them."""

import json
import math
import os
from pathlib import Path

import pytest

from regtui.capture.readers import read
from tests.capture.readers.recorded_runs import files_in


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "exp/run").mkdir(parents=True)
    (tmp_path / "exp/run/model.bin").write_bytes(b"x")
    return tmp_path


UNIT = "exp/run/model.bin"


def test_metrics_and_parameters_have_their_usual_names(run: Path) -> None:
    (run / "exp/run/metrics.json").write_text(
        '{"val": {"f1": 0.5, "n": 3}, "loss": NaN, "ok": true}'
    )
    (run / "exp/params.yaml").write_text("lr: 1e-3\nmodel:\n  depth: 3\n  sizes: [1, 2]\n")

    found = read("nearby", files_in(run, UNIT))

    assert found.metrics["val.f1"] == (0.5, None)
    assert math.isnan(found.metrics["loss"][0])
    assert "ok" not in found.metrics
    assert found.params == {"lr": 0.001, "model.depth": 3, "model.sizes": "[1,2]"}
    assert found.problems == ()


def test_lists_in_a_metrics_file_are_curves(run: Path) -> None:
    (run / "exp/run/metrics.json").write_text('{"loss": [3, 2, NaN], "acc": 0.9}')

    found = read("nearby", files_in(run, UNIT))

    assert found.series["loss"].steps == (0, 1, 2)
    assert found.metrics["acc"] == (0.9, None)


def test_rows_in_a_metrics_file_are_curves(run: Path) -> None:
    (run / "exp/run/metrics.json").write_text('[{"step": 5, "loss": 3}, {"step": 9, "loss": 2}]')

    assert read("nearby", files_in(run, UNIT)).metrics == {"loss": (2.0, 9)}


def test_the_nearest_table_gives_the_curves(run: Path) -> None:
    (run / "log.csv").write_text("step,loss\n1,9\n")
    (run / "exp/run/anything.csv").write_text("step,loss\n1,3\n2,2\n")

    found = read("nearby", files_in(run, UNIT))

    assert found.series["loss"].values == (3.0, 2.0)


def test_json_lines_are_a_table(run: Path) -> None:
    rows = [{"iter": n, "loss": 1 / (n + 1), "name": "x"} for n in range(3)]
    (run / "exp/run/log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert read("nearby", files_in(run, UNIT)).series["loss"].steps == (0, 1, 2)


def test_a_table_with_times_ends_when_the_model_was_written(run: Path) -> None:
    os.utime(run / UNIT, (1_700_000_010, 1_700_000_010))
    rows = "".join(f"{n},{1_700_000_000 + 10 * n},{n}\n" for n in range(4))
    (run / "exp/run/log.csv").write_text("step,wall_time,loss\n" + rows)

    assert read("nearby", files_in(run, UNIT)).metrics == {"loss": (1.0, 1)}


@pytest.mark.parametrize(("step", "last"), [(2, 2), (77, 4), (None, 4)])
def test_a_table_ends_at_the_step_of_the_model_if_it_has_it(
    run: Path, step: int | None, last: int
) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(5))
    (run / "exp/run/log.csv").write_text("step,loss\n" + rows)

    found = read("nearby", files_in(run, UNIT, step=step))

    assert found.metrics == {"loss": (float(last), last)}


def test_a_file_named_for_the_model_has_both(run: Path) -> None:
    (run / "exp/run/model.json").write_text('{"metrics": {"f1": 1}, "params": {"lr": 2}, "x": 3}')
    (run / "exp/run/model.yaml").write_text("a: 1")

    found = read("nearby", files_in(run, UNIT))

    assert found.metrics == {"f1": (1.0, None)}
    assert found.params == {"lr": 2}


def test_a_single_row_is_a_metric_and_no_curve(run: Path) -> None:
    (run / "exp/run/scores.csv").write_text("f1,acc\n0.5,0.75\n")

    found = read("nearby", files_in(run, UNIT))

    assert found.series == {}
    assert found.metrics == {"f1": (0.5, 0), "acc": (0.75, 0)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", b"{"), ("metrics.json", b"\xff\xfe"), ("params.yaml", b"a: [1"),
        ("params.json", b"[1, 2]"), ("params.yaml", b"- 1\n"), ("log.csv", b'"' + b"x" * (2 << 20)),
        ("log.jsonl", b"[1]\n"), ("params.yaml", b"a: " + b"[" * 9_999),
    ],
)  # fmt: skip
def test_a_broken_file_is_a_problem(run: Path, name: str, content: bytes) -> None:
    (run / "exp/run" / name).write_bytes(content)

    (problem,) = read("nearby", files_in(run, UNIT)).problems
    assert problem.startswith(f"exp/run/{name}: ")


def test_what_stands_before_a_broken_line_counts(run: Path) -> None:
    (run / "exp/run/log.jsonl").write_text('{"step": 1, "a": 1}\n{"step": 2, "a": 2}\nbroken\n')

    found = read("nearby", files_in(run, UNIT))

    assert found.series["a"].steps == (1, 2)
    assert found.problems == ("exp/run/log.jsonl: line 3 can't be read as JSON",)


def test_no_file_says_nothing(run: Path) -> None:
    found = read("nearby", files_in(run, UNIT))

    assert (found.metrics, found.params, found.problems) == ({}, {}, ())
