"""The machine that a run was made on, from what the system tells without any driver's library."""

import os
import platform
import re
from pathlib import Path
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
_NVIDIA = Path("/proc/driver/nvidia")
_CUDA = (Path("/usr/local/cuda/version.json"), Path("/usr/local/cuda/version.txt"))
_LIMIT = 1 << 20


def hardware() -> dict[str, Any]:
    """Return what is known of the machine.

    `system`, `cpu`, `cores`, `memory` (bytes), `gpus`, `driver` and `cuda`; what is unknown is left
    out. GPUs are those of NVIDIA's driver: their models, in its order.
    """
    gpus = [
        model.strip()
        for file in sorted(_NVIDIA.glob("gpus/*/information"))
        for model in re.findall(r"(?m)^Model:\s*(.+)$", _text(file))
    ]
    cpu = re.search(r"(?m)^(?:model name|Hardware|cpu model)\s*:\s*(.+)$", _text(_CPUINFO))
    memory = re.search(r"(?m)^MemTotal:\s*(\d+) kB", _text(_MEMINFO))
    driver = re.search(r"Kernel Module(?: for \S+)?\s+(\d[\d.]*)", _text(_NVIDIA / "version"))
    cuda = re.search(
        r'"cuda"\s*:\s*\{[^}]*?"version"\s*:\s*"([\d.]+)"|CUDA Version ([\d.]+)',
        "".join(map(_text, _CUDA)),
    )
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": cpu[1].strip() if cpu else platform.processor() or None,
        "cores": os.cpu_count(),
        "memory": int(memory[1]) * 1024 if memory else None,
        "gpus": gpus or None,
        "driver": driver[1] if driver else None,
        "cuda": (cuda[1] or cuda[2]) if cuda else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return lines.read(_LIMIT)
    except OSError:
        return ""
