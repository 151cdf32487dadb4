"""The packages of a Python environment, read from the names of their metadata folders.

Nothing is imported and no interpreter is started: the environment may be another one, on a slow
disk, and is in use by a trainer just then.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

_METADATA = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*?)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info"
)
_LIMIT = 20_000
"""Entries of a folder that are looked at."""


def packages_in(folders: Iterable[Path]) -> dict[str, str]:
    """Return version by name of the packages in `site-packages` folders, the first of each.

    Args:
        folders: In the order in which Python looks through them.
    """
    found: dict[str, str] = {}
    for folder in folders:
        for name, version in _packages(folder):
            found.setdefault(name, version)
    return dict(sorted(found.items()))


def site_folders(prefix: Path) -> list[Path]:
    """Return the folders of an environment that hold packages, such as `lib/python3.11/…`."""
    patterns = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "Lib/site-packages")
    found = [folder for pattern in patterns for folder in sorted(prefix.glob(pattern))]
    return list(dict.fromkeys(folder.resolve() for folder in found if folder.is_dir()))


def _packages(folder: Path) -> list[tuple[str, str]]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for _, entry in zip(range(_LIMIT), entries, strict=False)]
    except OSError:
        return []
    matches = (_METADATA.fullmatch(name) for name in sorted(names))
    return [
        (re.sub(r"[-_.]+", "-", found["name"]).lower(), found["version"])
        for found in matches
        if found is not None
    ]
