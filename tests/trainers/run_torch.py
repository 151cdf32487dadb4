"""A loop of one's own: a dictionary by `torch.save`, a CSV file beside."""

import argparse
import sys
from pathlib import Path

import torch


def train(folder: Path, epochs: int = 3) -> None:
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    args = argparse.Namespace(lr=0.1, data="data/digits", layers=[4, 2], token="s3cret")
    with (folder / "log.csv").open("w") as log:
        log.write("epoch,loss\n")
        for epoch in range(epochs):
            loss = model(torch.rand(8, 4)).square().mean()
            loss.backward()
            optimizer.step()
            log.write(f"{epoch},{loss.item()}\n")
            state = {
                "epoch": epoch, "val_loss": loss.detach(), "best_acc": 0.5 + epoch / 10,
                "model_state_dict": model.state_dict(),
                "optimizer_state_dict": optimizer.state_dict(), "args": args,
            }  # fmt: skip
            torch.save(state, folder / f"epoch{epoch}.pt")


if __name__ == "__main__":
    train(Path(sys.argv[1]))
