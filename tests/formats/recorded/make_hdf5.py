"""Write the recorded HDF5 files: `python make_hdf5.py [FOLDER]`."""

import sys
from pathlib import Path

import h5py
import numpy as np


def make(folder: Path) -> None:
    """Write the same tree in the older and the newer layout, and one behind a user block."""
    with h5py.File(folder / "hdf5-older.h5", "w") as file:
        _fill(file)
        for index in range(9):  # more than one node of symbols holds
            file[f"many/{index:02}"] = np.int8(index)
    with h5py.File(folder / "hdf5-newer.h5", "w", libver="latest") as file:
        _fill(file)
    with h5py.File(folder / "hdf5-user-block.h5", "w", userblock_size=512) as file:
        _fill(file)
    with h5py.File(folder / "hdf5-large-group.h5", "w", libver="latest") as file:
        _fill(file)
        for index in range(12):  # more than stay in the header: they move into a heap
            file[f"many/{index:02}"] = np.int8(index)


def _fill(file: h5py.File) -> None:
    file.attrs["title"] = "größer"
    file.attrs["epoch"] = 7
    file["layer/kernel"] = np.arange(6, dtype=np.float32).reshape(2, 3)
    file["layer/bias"] = np.arange(3, dtype=">i2")
    file["flags"] = np.array([True, False])
    file["names"] = ["a", "b"]
    file.create_dataset("packed", data=np.zeros((8, 8)), chunks=(8, 8), compression="gzip")
    file["again"] = file["layer"]  # a second name of the same group
    file["layer/up"] = file  # a cycle


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
