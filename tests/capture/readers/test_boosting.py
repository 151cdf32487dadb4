"""XGBoost, LightGBM and CatBoost, as they really wrote, with what they evaluated beside."""

import json
import math
from pathlib import Path

import pytest

from regtui.capture.readers import read, read_all
from tests.capture.readers.recorded_runs import copy_of, files_in, found_in


@pytest.mark.parametrize("unit", ["model.json", "model.ubj"])
def test_a_model_of_xgboost_has_its_settings_rounds_and_curves(unit: str) -> None:
    found = found_in("xgboost", unit, "sidecar", "xgboost", "nearby")

    assert found.step == 4
    assert found.params["objective.name"] == "binary:logistic"
    assert found.params["num_trees"] == 4
    assert found.metrics["best_score"][1] == 1
    assert found.series["eval/logloss"].steps == (1, 2, 3, 4)
    assert found.metrics["eval/logloss"][0] == found.series["eval/logloss"].values[-1]
    assert not any("trees.0" in key for key in found.params)
    assert found.problems == ()


def test_curves_end_at_the_rounds_of_the_checkpoint() -> None:
    found = found_in("xgboost", "checkpoints/model_2.ubj")

    assert found.step == 3
    assert found.series["train/auc"].steps == (1, 2, 3)


def test_a_model_of_lightgbm_has_its_parameters_as_numbers() -> None:
    found = found_in("lightgbm", "model.txt")

    assert found.step == 5
    assert found.params["learning_rate"] == 0.2
    assert found.params["num_leaves"] == 4
    assert found.params["objective"] == "binary"
    assert found.series["valid/binary_logloss"].steps == (1, 2, 3, 4, 5)


def test_catboost_says_which_way_each_metric_is_better() -> None:
    found = found_in("catboost", "model.cbm", "sidecar", "catboost", "nearby")

    assert found.step == 5
    assert found.directions["test/AUC"] == "max"
    assert found.directions["learn/Logloss"] == "min"
    assert found.metrics["test/Logloss"] == (0.2373445595, 5)
    assert found.series["learn/Logloss"].steps == (1, 2, 3, 4, 5)
    assert found.params["boosting_options.iterations"] == 5
    assert "Passed" not in found.series


def test_evaluations_may_hold_nan_and_pairs_of_cross_validation(tmp_path: Path) -> None:
    run = copy_of("lightgbm", tmp_path)
    (run / "evals.json").write_text('{"cv": {"auc": [NaN, [0.5, 0.1], "x", null]}, "x": 3}')

    found = read("lightgbm", files_in(run, "model.txt"))

    assert found.series["cv/auc"].steps == (1, 2)
    assert math.isnan(found.series["cv/auc"].values[0])
    assert found.series["cv/auc"].values[1] == 0.5


@pytest.mark.parametrize(
    ("trainer", "unit"),
    [("xgboost", "model.json"), ("lightgbm", "model.txt"), ("catboost", "model.cbm")],
)
def test_a_model_of_something_else_says_nothing(trainer: str, unit: str, tmp_path: Path) -> None:
    run = copy_of(trainer, tmp_path)
    (run / unit).write_text(json.dumps({"a": 1}))

    found = read_all([trainer], files_in(run, unit))

    assert found.params == {}
    assert found.step is None
