"""Accelerate: `save_state` into numbered folders."""

import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration


def train(folder: Path, saves: int = 2) -> None:
    torch.manual_seed(0)
    project = ProjectConfiguration(str(folder), automatic_checkpoint_naming=True, total_limit=3)
    accelerator = Accelerator(cpu=True, project_config=project)
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    model, optimizer, scheduler = accelerator.prepare(model, optimizer, scheduler)
    for _ in range(saves):
        loss = model(torch.rand(8, 4)).square().mean()
        accelerator.backward(loss)
        optimizer.step()
        scheduler.step()
        accelerator.save_state()


if __name__ == "__main__":
    train(Path(sys.argv[1]))
