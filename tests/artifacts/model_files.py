"""Model files made by hand."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path


class Evil:
    """Runs a program when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("false",)


def evil_pickle() -> bytes:
    """Return a pickle that would run a program."""
    return pickle.dumps(Evil())


def safetensors(tensors: Mapping[str, bytes]) -> bytes:
    """Return a safetensors file of byte tensors."""
    table, end = {}, 0
    for name, values in tensors.items():
        offsets = [end, end + len(values)]
        table[name] = {"dtype": "U8", "shape": [len(values)], "data_offsets": offsets}
        end += len(values)
    header = json.dumps(table).encode()
    return struct.pack("<Q", len(header)) + header + b"".join(tensors.values())


def npz(tensors: Mapping[str, bytes]) -> bytes:
    """Return a numpy archive of byte tensors, not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, values in tensors.items():
            text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(values)},), }}"
            header = text.ljust(117).encode() + b"\n"
            magic = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
            archive.writestr(f"{name}.npy", magic + header + values)
    return out.getvalue()


def written(path: Path, content: bytes) -> Path:
    """Write a file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
