"""PEFT: a LoRA adapter of a base model that lies in a folder, trained by the Trainer."""

import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments


def train(folder: Path, steps: int = 4) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=16,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "base")
    base = LlamaForCausalLM.from_pretrained(folder / "base")
    adapter = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
    tokens = torch.randint(0, 32, (8, 8))
    data: list[dict[str, Any]] = [{"input_ids": row, "labels": row} for row in tokens]
    arguments = TrainingArguments(
        str(folder / "out"), max_steps=steps, save_steps=2, logging_steps=1, use_cpu=True,
        report_to=[], disable_tqdm=True,
    )  # fmt: skip
    Trainer(get_peft_model(base, adapter), arguments, train_dataset=data).train()


if __name__ == "__main__":
    train(Path(sys.argv[1]))
