"""Write the recorded safetensors files: `python make_safetensors.py [FOLDER]`."""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def make(folder: Path) -> None:
    """Write tensors of several types and shapes, and a file without any."""
    save_file(
        {
            "embed.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
            "head.bias": np.ones(5, dtype=np.float16),
            "mask": np.array([True, False]),
            "scale": np.array(2.5, dtype=np.float64),
            "steps": np.arange(3, dtype=np.int64),
            "empty": np.zeros((0, 7), dtype=np.uint8),
        },
        folder / "safetensors-mixed.safetensors",
        metadata={"format": "np", "note": "größer"},
    )
    save_file({}, folder / "safetensors-none.safetensors")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
