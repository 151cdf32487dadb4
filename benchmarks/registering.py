"""Registering versions: their metadata alone, as an import would, in one process."""

import random
from collections.abc import Iterator
from pathlib import Path

import regtui
from benchmarks.bench import Bench, size_text
from benchmarks.measuring import Series, apart, timed
from benchmarks.table import Row, time_text
from regtui.core.identity import name_key, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import CaptureBody
from regtui.registry import Registry
from regtui.registry.changes import changes
from regtui.replica.authority import SoloAuthority

TITLE = "registering versions without files, in one process"

MODEL = "bench/registered"
ONES = 51
BATCH = 1_000
BATCHES = 5


def rows(bench: Bench) -> Iterator[Row]:
    """Measure one by one and in a batch, at the smallest and the largest size."""
    for size in sorted({bench.smallest, bench.largest}):
        ones, batches = apart(_measure, bench.writable(size))
        label = size_text(size)
        yield Row(f"one by one at {label}, each", time_text(Series(ones).median))
        one, batch = Series(ones).median, Series(batches).median
        yield Row(
            f"in a batch of {BATCH:,} at {label}, each / one by one",
            time_text(batch),
            time_text(one),
            f"{batch / one:.3f} x",
            "≤ 0.05 x",
            batch / one <= 0.05,
        )


def _measure(home: Path) -> tuple[list[float], list[float]]:
    registry, rng = regtui.open(home), random.Random(1)
    registry.create_model(MODEL)
    ones = [timed(lambda: _register(registry, rng, 1)) for _ in range(ONES)]
    batches = [timed(lambda: _register(registry, rng, BATCH)) / BATCH for _ in range(BATCHES)]
    return ones, batches


def _register(registry: Registry, rng: random.Random, count: int) -> None:
    with registry.context.writing() as authority:
        holder = authority.view.holder(name_key(MODEL))
        model = "" if holder is None else holder.id
        for _ in range(count):
            _capture(authority, model, rng)


def _capture(authority: SoloAuthority, model: str, rng: random.Random) -> None:
    files = [FileEntry("", 100_000_000, False, rng.randbytes(32).hex())]
    digest = content_digest(files)
    wanted = {
        "metrics/loss": {"value": rng.random(), "step": 1_000},
        "metrics/accuracy": {"value": rng.random(), "step": 1_000},
        "params/lr": rng.random() / 100,
        "tags/env": "dev",
    }
    body = CaptureBody(
        digest=digest, nonce="", size=files[0].size, files=1, set=changes(wanted, "version", None)
    )
    version = version_id(model, digest)
    authority.submit("version.capture", model, version, body)
    authority.add_files(version, files)
