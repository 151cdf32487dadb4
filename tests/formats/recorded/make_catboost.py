"""Write the recorded CatBoost files: `python make_catboost.py [FOLDER]`."""

import sys
from pathlib import Path

import catboost
import numpy as np


def make(folder: Path) -> None:
    """Write a model in both layouts, and one whose categories need a part of their own."""
    random = np.random.default_rng(0)
    features = random.random((60, 3))
    target = features[:, 0] > 0.5
    settings = {"iterations": 3, "depth": 2, "verbose": 0, "allow_writing_files": False}
    plain = catboost.CatBoostClassifier(**settings).fit(features, target)
    plain.save_model(folder / "catboost-plain.cbm")
    plain.save_model(folder / "catboost-plain.json", format="json")
    texts = [[str(int(row[0] * 9)), *row[1:]] for row in features]
    plain = catboost.CatBoostClassifier(**settings, one_hot_max_size=2, cat_features=[0])
    plain.fit(texts, target).save_model(folder / "catboost-categories.cbm")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
