"""Completing a path as one types it, as a shell does. It reads folders: not for the UI's thread."""

import os
from pathlib import Path

MOST = 2_000
"""Entries of a folder that are looked at."""


def matches(typed: str) -> list[str]:
    """Return what the path could go on as, sorted; folders end with a slash.

    What begins with a dot shows only where a dot was typed. A folder that can't be read has
    nothing.
    """
    head, _, start = typed.rpartition("/")
    lead = f"{head}/" if "/" in typed else ""
    if typed == "~":
        return ["~/"]
    found = []
    try:
        folder = Path(lead or ".").expanduser()
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(MOST), strict=False):
                name = entry.name
                if name.startswith(start) and (start.startswith(".") or not name.startswith(".")):
                    found.append(lead + name + ("/" if _is_folder(entry) else ""))
    except (OSError, RuntimeError, ValueError):  # RuntimeError: no such person's folder
        return []
    return sorted(found)


def completed(typed: str, found: list[str]) -> str:
    """Return the path as far as all that it could be agree."""
    shared = os.path.commonprefix(found)  # noqa: RUF071 -- letters, as in a shell
    return shared if len(shared) > len(typed) else typed


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
