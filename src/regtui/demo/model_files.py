"""The files that the demo's models are kept in: safetensors, written by hand."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Tensor = Sequence[float] | Sequence[Sequence[float]]


def write_safetensors(file: Path, tensors: Mapping[str, Tensor], **metadata: str) -> None:
    """Write vectors and matrices of 32-bit floats.

    Args:
        file: Where to.
        tensors: By name.
        metadata: What the file says of itself.
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    parts: list[bytes] = []
    place = 0
    for name, tensor in tensors.items():
        shape, numbers = _flat(tensor)
        part = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [place, place + len(part)],
        }
        parts.append(part)
        place += len(part)
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def _flat(tensor: Tensor) -> tuple[list[int], list[float]]:
    rows = [row for row in tensor if not isinstance(row, float)]
    if not rows:
        numbers = [number for number in tensor if isinstance(number, float)]
        return [len(numbers)], numbers
    return [len(rows), len(rows[0])], [number for row in rows for number in row]
