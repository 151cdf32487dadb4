"""CatBoost: its binary format, and the folder of files that it keeps while it trains."""

import sys
from pathlib import Path

import catboost
import numpy as np


def train(folder: Path, rounds: int = 5) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    x = random.random((80, 3))
    y = x[:, 0] > 0.5
    model = catboost.CatBoostClassifier(
        iterations=rounds, depth=2, learning_rate=0.3, verbose=0, custom_metric=["AUC"],
        train_dir=str(folder / "catboost_info"), random_seed=0,
    )  # fmt: skip
    model.fit(x[:60], y[:60], eval_set=(x[60:], y[60:]))
    model.save_model(str(folder / "model.cbm"))


if __name__ == "__main__":
    train(Path(sys.argv[1]))
