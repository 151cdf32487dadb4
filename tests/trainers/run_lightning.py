"""Lightning: the best two by a monitored value, `last.ckpt`, and its CSV logger."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset


class Net(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, lr: float = 0.02, width: int = 4, extra: Any = None) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, width)

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss: torch.Tensor = self.layer(batch[0]).square().mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("val_loss", self.layer(batch[0]).square().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.hparams["lr"])


class Pause(lightning.Callback):  # type: ignore[misc]
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_epoch_start(self, *_: Any) -> None:
        time.sleep(self.seconds)


def train(folder: Path, epochs: int = 3, pause: float = 0, **settings: Any) -> None:
    """Save each epoch; `settings` are those of ModelCheckpoint."""
    torch.manual_seed(0)
    data = DataLoader(TensorDataset(torch.rand(32, 4)), batch_size=8)
    given: dict[str, Any] = {"monitor": "val_loss", "save_top_k": 2, "save_last": True}
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", log_every_n_steps=2, enable_progress_bar=False,
        enable_model_summary=False, logger=CSVLogger(folder),
        callbacks=[ModelCheckpoint(**(given | settings)), Pause(pause)],
    )  # fmt: skip
    extra = argparse.Namespace(depth=3, sizes=(4, 4))
    trainer.fit(Net(extra=extra), data, data)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
