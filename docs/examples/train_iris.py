"""Train a small model as people do: fit, then write it into a run folder.

Usage: python train_iris.py FOLDER; prints the accuracy on held-out data.
"""

import json
import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
features, labels = load_iris(return_X_y=True)
train, test, train_labels, test_labels = train_test_split(features, labels, random_state=0)
model = LogisticRegression(max_iter=1000).fit(train, train_labels)
joblib.dump(model, folder / "model.joblib")
metrics = {"accuracy": round(float(model.score(test, test_labels)), 3)}
(folder / "metrics.json").write_text(json.dumps(metrics) + "\n", encoding="utf-8")
print(metrics["accuracy"])
