"""One small registry that every test of the app looks at: the same names, times and people."""

import itertools
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import user_id
from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.registry.series import parse_series
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica

DAY = 86_400_000_000
START = 1_790_000_000_000_000
"""When the first thing was done: 2026-09-21, in microseconds."""
NOW = START + 40 * DAY

Values = Mapping[str, Any]

CARD = """---
license: apache-2.0
language: en
---
# Sentiment of reviews

Tells *positive* from **negative** reviews in English.

## Intended use

Sorting feedback; not for decisions about people.

| split | f1 |
|---|---|
| test | 0.91 |
"""


class SampleContext(Context, frozen=True):
    """The registry in the hands of a person who is called the same on every machine."""

    person: str = "ann"

    @property
    def actor(self) -> Actor:
        return Actor(user_id(self.person), self.person, (Grant(Role.ADMIN, "*"),))


class Clock:
    """Goes on by some hours each time somebody looks, until it is stopped."""

    def __init__(self, at: int = START, step: int = DAY // 24) -> None:
        self.at = at
        self.step = step

    def __call__(self) -> int:
        self.at += self.step
        return self.at


def registry_at(home: Path, clock: Clock, person: str = "ann", via: str = "cli") -> Registry:
    return Registry(SampleContext(Replica(home, clock), via, uuid7(START), None, person))


def opened(home: Path) -> Registry:
    """Open a copy of the sample as the app does, after the last thing that was done in it."""
    return registry_at(home, Clock(NOW, 1_000), via="app")


def safetensors(values: dict[str, list[float]]) -> bytes:
    """Return a real safetensors file of float32 vectors."""
    header, data = {}, b""
    for name, numbers in values.items():
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
        ends = [len(data), len(data) + len(packed)]
        header[name] = {"dtype": "F32", "shape": [len(numbers)], "data_offsets": ends}
        data += packed
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def somewhere(wanted: Callable[..., Values], folder: Path) -> Callable[..., Values]:
    """Return what gives the values of a capture, with places that are the same on every machine."""

    def told(*given: object) -> Values:
        found = wanted(*given)
        for path, place in found.items():
            if path.startswith("places/"):
                there = place["folder"].replace(str(folder.resolve()), "/home/ann")
                place |= {"host": "gpu1", "folder": there, "at": START}
        return found

    return told


def counted() -> SimpleNamespace:
    """Return what gives ids their random part: other bytes each time, the same in every run."""
    numbers = itertools.count(1)
    return SimpleNamespace(urandom=lambda size: next(numbers).to_bytes(size, "big"))


def make_sample(home: Path, folder: Path) -> None:
    """Make the registry; the folder takes what is captured."""
    clock = Clock()
    ann, ben = registry_at(home, clock), registry_at(home, clock, "ben")
    ann.create_model(
        "nlp/sentiment",
        {
            "display_name": "nlp/Sentiment",
            "description": "Reviews, positive or negative",
            "card": CARD,
            "primary_metric": "f1",
            "direction": "max",
            "tags/task": "classification",
            "owners/ann": True,
        },
    )
    parent: list[str] = []
    for number, f1 in enumerate([0.71, 0.78, 0.84, 0.83, 0.89, 0.91], start=1):
        run = folder / "sentiment" / f"run-{number}"
        run.mkdir(parents=True)
        weights = {
            "embedding": [0.5] * 64,
            "encoder.0.weight": [number / 8] * 32,
            "head.bias": [number / 4, f1],
        }
        (run / "model.safetensors").write_bytes(safetensors(weights))
        (run / "config.json").write_text(json.dumps({"layers": number}), encoding="utf-8")
        rows = [f"{step},{1 / (step / 40 + 1) / number:.4f},{f1 * step / (step + 90):.4f}"
                for step in range(0, 501, 50)]  # fmt: skip
        series = parse_series("\n".join(["step,loss,f1", *rows]))
        who = ben if number % 3 == 0 else ann
        made = who.capture(
            run,
            model="nlp/sentiment",
            metrics={"f1": (f1, 500), "loss": 1 / number / 3, "latency_ms": 12.5 + number},
            params={"lr": 3e-4 / number, "layers": number, "optimizer": "adamw"},
            tags={
                "env": "prod" if number == 5 else "dev",
                **({"draft": ""} if number == 6 else {}),
            },
            parents=parent,
            inputs={"reviews": "s3://corpora/reviews-2026.parquet"},
            description=f"Sweep {number}, warm start" if number > 1 else "Baseline",
            series=series,
        )
        parent = [made.version.reference]
    ann.set_alias("nlp/sentiment@3", "champion")
    ben.set_alias("nlp/sentiment@5", "champion")
    ann.set_alias("nlp/sentiment@6", "candidate")
    ann.add_comment("nlp/sentiment@6", "Better on long reviews; **latency** needs a look.")
    ben.add_comment("nlp/sentiment@6", "Measured: 18.5 ms, fine for batch.")
    for name, count, metric in (("vision/digits", 3, "accuracy"), ("vision/名刺", 1, "cer")):
        for number in range(1, count + 1):
            file = folder / name.replace("/", "-") / f"{number}.safetensors"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(safetensors({"w": [number / 3, len(name)]}))
            ben.capture(file, model=name, metrics={metric: 0.9 + number / 100})
    ann.change_state("version", "vision/digits@1", "archive")
