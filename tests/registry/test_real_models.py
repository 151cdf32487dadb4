"""A model that scikit-learn trained comes back and predicts the same."""

from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from regtui.registry import Registry


@pytest.mark.parametrize("link", [False, True])
def test_a_trained_model_predicts_the_same_after_a_checkout(
    registry: Registry, tmp_path: Path, *, link: bool
) -> None:
    features, labels = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(features, labels)
    (tmp_path / "iris").mkdir()
    joblib.dump(model, tmp_path / "iris" / "model.joblib")
    score = model.score(features, labels)  # one of numpy's numbers
    version = registry.capture(
        tmp_path / "iris", metrics={"accuracy": score}, params=model.get_params()
    ).version
    assert version.metrics["accuracy"] == float(score)
    assert version.params["max_iter"] == 1000
    registry.checkout(version.short_id, tmp_path / "out", link=link)
    loaded = joblib.load(tmp_path / "out" / "model.joblib")
    assert (loaded.predict(features) == model.predict(features)).all()
