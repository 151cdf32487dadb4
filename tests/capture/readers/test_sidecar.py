"""What a person says in `regtui.json` counts before everything else."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from regtui.capture.findings import Curve, ParentHint
from regtui.capture.readers import read, read_all
from tests.capture.readers.recorded_runs import files_in

WHOLE = {
    "model": "team/digits",
    "run": "7",
    "step": 1200,
    "description": "The first that is good enough",
    "metrics": {"f1": 0.91, "loss": {"value": 0.2, "step": 1100}, "bad": "NaN"},
    "directions": {"f1": "max"},
    "params": {"lr": 0.1, "optim": {"name": "adam", "betas": [0.9, 0.999]}},
    "tags": {"env": "prod"},
    "series": {
        "loss": {"steps": [1, 2], "values": [0.9, "Infinity"], "times": [1700000000, 1700000001]}
    },
    "parents": ["digits@3", {"reference": "out/checkpoint-7", "kind": "resumed"}],
    "inputs": {"digits": "s3://data/digits.csv"},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "runs/7").mkdir(parents=True)
    (tmp_path / "runs/7/model.pt").write_bytes(b"x")
    return tmp_path


def write(path: Path, told: Any) -> None:
    path.write_text(json.dumps(told))


def test_everything_that_a_version_has_can_be_said(run: Path) -> None:
    write(run / "runs/7/regtui.json", WHOLE)

    found = read("sidecar", files_in(run, "runs/7/model.pt"))

    assert (found.model, found.run, found.step) == ("team/digits", "7", 1200)
    assert found.description == "The first that is good enough"
    assert found.metrics["f1"] == (0.91, None)
    assert found.metrics["loss"] == (0.2, 1100)
    assert math.isnan(found.metrics["bad"][0])
    assert found.directions == {"f1": "max"}
    assert found.params == {"lr": 0.1, "optim.name": "adam", "optim.betas": "[0.9,0.999]"}
    assert found.tags == {"env": "prod"}
    times = (1_700_000_000_000_000, 1_700_000_001_000_000)
    assert found.series == {"loss": Curve((1, 2), (0.9, math.inf), times)}
    assert found.parents == (
        ParentHint("digits@3", "base"), ParentHint("out/checkpoint-7", "resumed"),
    )  # fmt: skip
    assert found.inputs == {"digits": "s3://data/digits.csv"}
    assert found.problems == ()


def test_the_nearest_sidecar_counts_most(run: Path) -> None:
    write(run / "regtui.json", {"model": "far", "tags": {"team": "vision"}})
    write(run / "runs/7/regtui.json", {"model": "near", "run": "7"})
    write(run / "runs/7/model.pt.regtui.json", {"model": "named"})
    write(run / "runs/7/other.pt.regtui.json", {"model": "of another"})

    found = read("sidecar", files_in(run, "runs/7/model.pt"))

    assert (found.model, found.run, found.tags) == ("named", "7", {"team": "vision"})


def test_tags_and_inputs_can_be_lists(run: Path) -> None:
    write(run / "regtui.json", {"tags": ["good"], "inputs": ["s3://d/iris.csv"], "parents": "a@1"})

    found = read("sidecar", files_in(run, "runs/7/model.pt"))

    assert found.tags == {"good": ""}
    assert found.inputs == {"iris.csv": "s3://d/iris.csv"}
    assert found.parents == (ParentHint("a@1", "base"),)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("metrics", [1]), ("metrics", {"a": "high"}), ("metrics", {"a": True}), ("params", 3),
        ("directions", {"a": "up"}), ("tags", {"a": 1}), ("series", {"a": [1]}), ("step", "x"),
        ("series", {"a": {"steps": [1], "values": []}}), ("series", {"a": {"values": ["x"]}}),
        ("parents", [{"kind": "base"}]), ("parents", [{"reference": "a", "kind": "aunt"}]),
        ("inputs", {"a": None}), ("model", ""), ("run", 7), ("step", 1.5),
        ("series", {"a": {"values": [1], "steps": ["x"]}}),
        ("series", {"a": {"values": [1], "times": 3}}),
    ],
)  # fmt: skip
def test_what_has_another_shape_is_a_problem_and_the_rest_counts(
    run: Path, key: str, value: Any
) -> None:
    write(run / "regtui.json", {key: value, "description": "kept"})

    found = read("sidecar", files_in(run, "runs/7/model.pt"))

    assert found.description == "kept"
    assert found.problems == (f"regtui.json: {key!r} has another shape than it should have",)


def test_an_unknown_key_is_named(run: Path) -> None:
    write(run / "regtui.json", {"metric": {"f1": 1}})

    assert read("sidecar", files_in(run, "runs/7/model.pt")).problems == (
        "regtui.json: 'metric' is nothing that it can say",
    )


def test_it_counts_before_what_the_trainer_says(run: Path) -> None:
    write(run / "regtui.json", {"metrics": {"f1": 0.9}, "params": {"lr": 1}})
    write(run / "runs/7/metrics.json", {"f1": 0.1, "acc": 0.5})
    write(run / "runs/7/params.json", {"lr": 2, "depth": 3})

    found = read_all(["sidecar", "nearby"], files_in(run, "runs/7/model.pt"))

    assert found.metrics == {"f1": (0.9, None), "acc": (0.5, None)}
    assert found.params == {"lr": 1, "depth": 3}
