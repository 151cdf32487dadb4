"""OpenCLIP: its own training program, on images made here, with a small model."""

import json
import sys
from pathlib import Path

import open_clip
from open_clip_train.main import main
from PIL import Image

MODEL = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 8, "head_width": 4, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
}


def make_data(folder: Path) -> Path:
    folder.mkdir(parents=True)
    rows = ["filepath\ttitle"]
    for number in range(8):
        Image.new("RGB", (32, 32), (number * 30, 0, 0)).save(folder / f"{number}.png")
        rows.append(f"{folder}/{number}.png\tred number {number}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return folder / "pairs.csv"


def train(folder: Path, epochs: int = 2) -> None:
    data = str(make_data(folder / "data"))
    (folder / "tiny.json").write_text(json.dumps(MODEL))
    open_clip.add_model_config(folder / "tiny.json")
    main(
        [
            "--dataset-type", "csv", "--train-data", data, "--val-data", data, "--model", "tiny",
            "--batch-size", "4", "--epochs", str(epochs), "--workers", "0", "--precision", "fp32",
            "--logs", str(folder / "logs"), "--name", "tiny-run", "--save-frequency", "1",
            "--device", "cpu", "--warmup", "1",
        ]
    )  # fmt: skip


if __name__ == "__main__":
    train(Path(sys.argv[1]))
