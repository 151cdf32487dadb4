"""Estimators of scikit-learn in each of the files that people keep them in."""

import pytest

from tests.capture.readers.recorded_runs import found_in


@pytest.mark.parametrize("unit", ["model.joblib", "model.pkl", "model.skops"])
def test_a_pipeline_has_the_classes_and_parameters_of_its_steps(unit: str) -> None:
    found = found_in("sklearn", unit, "sidecar", "sklearn", "nearby")

    assert found.params["class"] == "sklearn.pipeline.Pipeline"
    assert found.params["sklearn_version"] == "1.9.1"
    assert found.params["steps.logisticregression.C"] == 0.5
    assert found.params["steps.logisticregression.max_iter"] == 300
    assert found.params["steps.standardscaler.with_mean"] is True
    assert found.metrics == {"accuracy": (0.9736842105263158, None)}
    assert found.problems == ()


def test_a_compressed_estimator_is_read_too() -> None:
    found = found_in("sklearn", "classifier.joblib")

    assert found.params["class"].endswith(".LogisticRegression")  # type: ignore[union-attr]
    assert found.params["C"] == 0.5
    assert "compression" not in found.params
