"""XGBoost: its own formats, by the native interface, with what it evaluated beside."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost


def train(folder: Path, rounds: int = 5) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    x = random.random((80, 3))
    y = x[:, 0] > 0.5
    data, test = xgboost.DMatrix(x[:60], y[:60]), xgboost.DMatrix(x[60:], y[60:])
    evals: dict[str, Any] = {}
    (folder / "checkpoints").mkdir()
    keeping = xgboost.callback.TrainingCheckPoint(folder / "checkpoints", interval=2)
    settings = {
        "objective": "binary:logistic", "max_depth": 2, "eta": 0.3,
        "eval_metric": ["logloss", "auc"], "seed": 0,
    }  # fmt: skip
    model = xgboost.train(
        settings, data, rounds, evals=[(data, "train"), (test, "eval")], evals_result=evals,
        early_stopping_rounds=3, verbose_eval=False, callbacks=[keeping],
    )  # fmt: skip
    model.save_model(folder / "model.json")
    model.save_model(folder / "model.ubj")
    (folder / "evals.json").write_text(json.dumps(evals))


if __name__ == "__main__":
    train(Path(sys.argv[1]))
