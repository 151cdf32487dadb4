"""scikit-learn: one pipeline by joblib, pickle and skops, and a sidecar."""

import json
import pickle
import sys
from pathlib import Path

import joblib
import skops.io
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    x, x_test, y, y_test = train_test_split(*load_iris(return_X_y=True), random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=300)).fit(x, y)
    joblib.dump(model, folder / "model.joblib")
    joblib.dump(model[-1], folder / "classifier.joblib", compress=3)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    skops.io.dump(model, folder / "model.skops")
    (folder / "metrics.json").write_text(json.dumps({"accuracy": model.score(x_test, y_test)}))


if __name__ == "__main__":
    train(Path(sys.argv[1]))
