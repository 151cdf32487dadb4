"""A process that captures and edits, and says what was acknowledged, one JSON line each.

Usage: python writer.py HOME FOLDER SECONDS
"""

import json
import os
import sys
import time
from pathlib import Path

import regtui

home, folder, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
registry = regtui.open(home)
deadline = time.monotonic() + seconds


def acknowledge(**fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


acknowledge(ready=os.getpid())
count = 0
while time.monotonic() < deadline:
    count += 1
    run = folder / f"{os.getpid()}-{count}"
    run.mkdir()
    (run / "weights.bin").write_bytes(os.urandom(50_000 + count % 3 * 5_000_000))
    (run / "config.json").write_text(json.dumps({"layers": count % 5}), encoding="utf-8")
    captured = registry.capture(run, model=f"team/model-{count % 2}", alias="newest")
    reference = captured.version.short_id
    acknowledge(version=reference, digest=captured.version.digest)
    for step in range(2):
        started = time.monotonic()
        registry.edit(reference, {"metrics/step": (step, step), "tags/run": str(count)})
        acknowledge(version=reference, step=step, seconds=time.monotonic() - started)
