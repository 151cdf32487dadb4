"""What timm's `train.py` writes, by the same functions of the library."""

import argparse
import sys
import time
from collections import OrderedDict
from pathlib import Path

import timm
import torch
import yaml
from timm.utils import CheckpointSaver, update_summary


def train(folder: Path, epochs: int = 3, pause: float = 0) -> None:
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    model = timm.create_model(
        "vit_tiny_patch16_224", img_size=16, embed_dim=8, depth=1, num_heads=2, num_classes=2
    )
    args = argparse.Namespace(
        model="vit_tiny_patch16_224", data_dir="data/images", lr=0.05, opt="sgd",
        eval_metric="top1", epochs=epochs, pretrained=False, initial_checkpoint="",
    )  # fmt: skip
    (folder / "args.yaml").write_text(yaml.safe_dump(vars(args), default_flow_style=False))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    saver = CheckpointSaver(
        model, optimizer, args=args, checkpoint_dir=str(folder), recovery_dir=str(folder),
        decreasing=False, max_history=2,
    )  # fmt: skip
    for epoch in range(epochs):
        time.sleep(pause)
        metrics = {"loss": 1 / (epoch + 1), "top1": 50.0 + epoch, "top5": 90.0 + epoch}
        update_summary(
            epoch, OrderedDict(loss=0.9 / (epoch + 1)), OrderedDict(metrics),
            filename=str(folder / "summary.csv"), lr=0.05, write_header=epoch == 0,
        )  # fmt: skip
        saver.save_checkpoint(epoch, metric=metrics["top1"])


if __name__ == "__main__":
    train(Path(sys.argv[1]))
