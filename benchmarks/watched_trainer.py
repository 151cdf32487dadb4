"""A trainer to watch: computes and saves in a loop, or writes one large file. Prints JSON.

    python watched_trainer.py loop FOLDER SAVES
    python watched_trainer.py stream FILE MIB

It imports nothing of regtui. What it saves are whole safetensors files, no two alike.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from blake3 import blake3

SAVED_MIB = 8
KEPT = 2
STEPS = 5_000_000
"""Additions between two saves, and as many bytes hashed a few times: some 0.15 s."""

HASHED = 20

MIB = 1 << 20
_BLOCK = 16 * MIB


def blocks(size: int) -> Iterator[bytes | memoryview]:
    """Yield a safetensors file of one tensor with so many bytes, of which no two are alike."""
    head = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    text = head.encode().ljust(120)
    yield len(text).to_bytes(8, "little") + text
    noise = _noise(min(size, _BLOCK))
    for at in range(0, size, _BLOCK):
        noise[:16] = os.urandom(16)
        yield memoryview(noise)[: size - at]


_made: dict[int, bytearray] = {}


def _noise(size: int) -> bytearray:
    """Return random bytes, made once."""
    if size not in _made:
        _made[size] = bytearray(os.urandom(size))
    return _made[size]


def loop(folder: Path, saves: int) -> dict[str, float]:
    """Compute and save; return seconds on the clock, of the processor, and those of saving."""
    _noise(SAVED_MIB * MIB)
    buffer, saving = bytes(STEPS), 0.0
    started, used = time.perf_counter(), time.process_time()
    for step in range(saves):
        total = 0.0
        for number in range(STEPS):
            total += number * 0.5
        for _ in range(HASHED):
            blake3(buffer)
        began = time.perf_counter()
        _save(folder, step)
        saving += time.perf_counter() - began
    return {
        "wall": time.perf_counter() - started,
        "processor": time.process_time() - used,
        "saving": saving,
    }


def _save(folder: Path, step: int) -> None:
    beside = folder / f"model-{step}.safetensors.tmp"
    with beside.open("wb") as file:
        for block in blocks(SAVED_MIB * MIB):
            file.write(block)
    beside.rename(folder / f"model-{step}.safetensors")
    if step >= KEPT:
        (folder / f"model-{step - KEPT}.safetensors").unlink()


def stream(path: Path, mib: int) -> dict[str, float]:
    """Write one large file under its own name; return when it was closed, by `time.monotonic`.

    Before its last block it waits for a line on standard input.
    """
    parts = 1 + -(-mib * MIB // _BLOCK)
    with path.open("wb") as file:
        for number, block in enumerate(blocks(mib * MIB), 1):
            if number == parts:
                print(flush=True)
                sys.stdin.readline()
            file.write(block)
    return {"closed": time.monotonic()}


if __name__ == "__main__":
    what, where, count = sys.argv[1:]
    print(json.dumps({"loop": loop, "stream": stream}[what](Path(where), int(count))))
