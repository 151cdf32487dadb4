"""What all groups share: the sizes, registries to read and to write, a folder for the rest."""

import sys
from functools import cache
from pathlib import Path

from benchmarks.cache import cached, copied


class Bench:
    """One run.

    Args:
        sizes: Versions of the registries to measure on.
        folder: For copies and files; on the disk of the cache.
    """

    def __init__(self, sizes: list[int], folder: Path) -> None:
        self.sizes = sorted(sizes)
        self.folder = folder
        self.writable = cache(self._writable)

    @property
    def smallest(self) -> int:
        """The smallest size."""
        return self.sizes[0]

    @property
    def largest(self) -> int:
        """The largest size."""
        return self.sizes[-1]

    def readable(self, versions: int) -> Path:
        """Return the home of a registry that nobody changes."""
        return cached(versions)

    def _writable(self, versions: int) -> Path:
        """Return the home of a copy, made once."""
        return copied(cached(versions), self.folder / f"writable-{versions}")


def command(home: Path, *arguments: str) -> list[str]:
    """Return the command line of a cold command."""
    return [sys.executable, "-m", "regtui", *arguments, "--home", str(home)]


def size_text(versions: int) -> str:
    """Return a number of versions as powers of ten where it is one."""
    digits = str(versions)
    return f"10^{len(digits) - 1}" if digits.strip("0") == "1" else f"{versions:,}"
