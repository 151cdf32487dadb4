"""Keras: a file an epoch, and CSVLogger."""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np


def train(folder: Path, epochs: int = 3, pause: float = 0) -> None:
    keras.utils.set_random_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="net")
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    random = np.random.default_rng(0)
    model.fit(
        random.random((32, 4)), random.random((32, 2)), validation_split=0.25, epochs=epochs,
        verbose=0, callbacks=[
            keras.callbacks.ModelCheckpoint(str(folder / "model-{epoch:02d}.keras")),
            keras.callbacks.ModelCheckpoint(
                str(folder / "best.keras"), monitor="val_loss", save_best_only=True
            ),
            keras.callbacks.CSVLogger(str(folder / "training.csv")),
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: time.sleep(pause)),
        ],
    )  # fmt: skip
    model.save(folder / "final.h5")


if __name__ == "__main__":
    train(Path(sys.argv[1]))
