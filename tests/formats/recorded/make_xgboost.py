"""Write the recorded XGBoost files: `python make_xgboost.py [FOLDER]`."""

import sys
from pathlib import Path

import numpy as np
import xgboost


def make(folder: Path) -> None:
    """Write one model in both layouts, and the other two boosters."""
    random = np.random.default_rng(0)
    features = random.random((60, 3))
    data = xgboost.DMatrix(features, features[:, 0] > 0.5, feature_names=["a", "b", "c"])
    for booster in ("gbtree", "dart", "gblinear"):
        parameters = {"booster": booster, "objective": "binary:logistic"}
        if booster != "gblinear":
            parameters["max_depth"] = "2"
        model = xgboost.train(parameters, data, 3)
        model.set_attr(note="hi")
        model.save_model(folder / f"xgboost-{booster}.json")
        model.save_model(folder / f"xgboost-{booster}.ubj")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
