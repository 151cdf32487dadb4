"""LightGBM: its text format, with what it evaluated beside."""

import json
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np


def train(folder: Path, rounds: int = 5) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    x = random.random((200, 3))
    y = x[:, 0] > 0.5
    data = lightgbm.Dataset(x[:150], y[:150])
    evals: dict[str, Any] = {}
    settings = {"objective": "binary", "num_leaves": 4, "verbose": -1, "learning_rate": 0.2}
    model = lightgbm.train(
        settings, data, rounds, valid_sets=[lightgbm.Dataset(x[150:], y[150:], reference=data)],
        valid_names=["valid"], callbacks=[lightgbm.record_evaluation(evals)],
    )  # fmt: skip
    model.save_model(folder / "model.txt")
    (folder / "evals.json").write_text(json.dumps(evals))


if __name__ == "__main__":
    train(Path(sys.argv[1]))
