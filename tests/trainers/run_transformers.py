"""The Trainer of Hugging Face: checkpoints that rotate, the best one loaded at the end."""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

SECRET = "hf_notARealToken0123456789abcdef"  # looks like one, so that tests can search for it


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    random = torch.Generator().manual_seed(seed)
    return [
        {"input_ids": torch.randint(0, 32, (8,), generator=random), "labels": torch.tensor(n % 2)}
        for n in range(count)
    ]


class Pause(TrainerCallback):  # type: ignore[misc]
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_step_end(self, *_: Any, **__: Any) -> None:
        time.sleep(self.seconds)


def train(folder: Path, steps: int = 20, pause: float = 0, **settings: Any) -> None:
    """Save every 10 steps; `settings` are training arguments."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=32, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=16,
    )  # fmt: skip
    given: dict[str, Any] = {
        "max_steps": steps, "save_steps": 10, "logging_steps": 5, "eval_strategy": "steps",
        "eval_steps": 10, "save_total_limit": 2, "load_best_model_at_end": True, "seed": 7,
        "metric_for_best_model": "loss", "learning_rate": 3e-3, "use_cpu": True,
        "report_to": ["tensorboard"], "disable_tqdm": True, "hub_token": SECRET,
    }  # fmt: skip
    trainer = Trainer(
        BertForSequenceClassification(config),
        TrainingArguments(str(folder / "out"), **(given | settings)),
        train_dataset=rows(64, 1),
        eval_dataset=rows(16, 2),
        callbacks=[Pause(pause)],
    )
    result = trainer.train()
    trainer.save_model()
    trainer.save_state()
    trainer.save_metrics("train", result.metrics)
    trainer.save_metrics("eval", trainer.evaluate())


if __name__ == "__main__":
    train(Path(sys.argv[1]))
