"""TensorBoard: scalars as plain values and as tensors, in one run and in its subfolders."""

import sys
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter


def train(folder: Path, steps: int = 20) -> None:
    with SummaryWriter(folder / "one") as writer:
        for step in range(steps):
            writer.add_scalar("loss/train", 1 / (step + 1), step, walltime=1_700_000_000 + step)
            writer.add_scalar("acc", step / steps, step, new_style=True)
        writer.add_text("note", "no number", 0)
        writer.add_histogram("weights", torch.rand(4), 0)
    for part in ("train", "validation"):
        with SummaryWriter(folder / "two" / part) as writer:
            for step in range(3):
                writer.add_scalar("epoch_loss", step + len(part), step)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
