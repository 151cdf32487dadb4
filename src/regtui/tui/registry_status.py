"""What the frame shows of the registry."""

from pathlib import Path

from msgspec import Struct

from regtui.registry import Registry


class Status(Struct, frozen=True, kw_only=True):
    """The registry at one look.

    Attributes:
        home: Its folder, with `~` for the person's own.
        person: Who acts.
        versions: How many captured versions there are.
        conflicts: How many open conflicts.
        watched: How many folders are being watched.
        read_only: Whether nothing may be changed in this app.
        message: What is wrong or going on; empty where nothing is.
    """

    home: str = ""
    person: str = ""
    versions: int = 0
    conflicts: int = 0
    watched: int = 0
    read_only: bool = False
    message: str = ""


def look(registry: Registry) -> Status:
    """Return what there is; reads a few counts only."""
    found = registry.totals()
    return Status(
        home=short_path(registry.home),
        versions=found.versions,
        conflicts=found.conflicts,
    )


def short_path(path: Path) -> str:
    """Return a path with `~` for the person's own folder."""
    try:
        return "~/" + str(path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
