"""Ultralytics: a tiny detector from its architecture, on a few images made here."""

import os
import sys
from pathlib import Path

import yaml

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

import cv2
import numpy as np
from ultralytics import YOLO, settings

# One layer of everything, with a head of two scales: 30,000 parameters.
ARCHITECTURE = {
    "nc": 1,
    "backbone": [[-1, 1, "Conv", [4, 3, 2]], [-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [8, 3, 2]],
                 [-1, 1, "Conv", [8, 3, 2]]],
    "head": [[[2, 3], 1, "Detect", ["nc"]]],
}  # fmt: skip


def make_data(folder: Path) -> Path:
    random = np.random.default_rng(0)
    for part in ("train", "val"):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
        for number in range(4):
            image = random.integers(0, 60, (64, 64, 3), dtype=np.uint8)
            image[16:48, 16:48] = 255
            cv2.imwrite(str(folder / f"images/{part}/{number}.png"), image)
            (folder / f"labels/{part}/{number}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    told = {"path": str(folder), "train": "images/train", "val": "images/val", "names": ["box"]}
    (folder / "data.yaml").write_text(yaml.safe_dump(told))
    return folder / "data.yaml"


def train(folder: Path, epochs: int = 3) -> None:
    folder = folder.resolve()
    data = make_data(folder / "data")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(ARCHITECTURE))
    os.chdir(folder)
    settings.update({"mlflow": False, "tensorboard": False})
    YOLO(str(folder / "tiny.yaml")).train(
        data=str(data), epochs=epochs, imgsz=64, batch=2, workers=0, device="cpu", amp=False,
        plots=False, project=str(folder / "runs"), name="train", verbose=False, save_period=1,
    )  # fmt: skip


if __name__ == "__main__":
    train(Path(sys.argv[1]))
