"""Write the recorded LightGBM file: `python make_lightgbm.py [FOLDER]`."""

import sys
from pathlib import Path

import lightgbm
import numpy as np


def make(folder: Path) -> None:
    """Write a model of two trees."""
    random = np.random.default_rng(0)
    features = random.random((60, 3))
    data = lightgbm.Dataset(features, features[:, 0] > 0.5)
    parameters = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 2, "num_leaves": 4}
    lightgbm.train(parameters, data, 2).save_model(folder / "lightgbm-plain.txt")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
