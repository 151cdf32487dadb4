"""What the frame shows of the registry."""

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from regtui.core.errors import NotFound
from regtui.registry import Registry

if TYPE_CHECKING:
    from regtui.registry.remote import RemoteAnswer


class Status(Struct, frozen=True, kw_only=True):
    """The registry at one look.

    Attributes:
        home: Its folder, with `~` for the person's own.
        person: Who acts; empty in what `look` finds where the server knows nobody.
        versions: How many captured versions there are.
        conflicts: How many open conflicts.
        watched: How many folders are being watched.
        remote: The server that decides, as the registry knows it; None without one.
        syncing: How far the sync is that runs; empty where none does.
        read_only: Whether nothing may be changed in this app.
        message: What is wrong or going on; empty where nothing is.
    """

    home: str = ""
    person: str = ""
    versions: int = 0
    conflicts: int = 0
    watched: int = 0
    remote: "RemoteAnswer | None" = None
    syncing: str = ""
    read_only: bool = False
    message: str = ""

    @property
    def waiting(self) -> int:
        """How many operations wait for the server."""
        return 0 if self.remote is None else self.remote.pending

    @property
    def refused(self) -> int:
        """How many operations the server refused."""
        return 0 if self.remote is None else self.remote.refused

    @property
    def is_signed_in(self) -> bool:
        """Whether the registry can be synced, as far as is known."""
        return self.remote is not None and self.remote.is_signed_in


def look(registry: Registry) -> Status:
    """Return what there is; reads a few counts only."""
    found, remote = registry.totals(), remote_of(registry)
    return Status(
        home=short_path(registry.home),
        person="" if remote is None or remote.user is None else remote.user,
        versions=found.versions,
        conflicts=found.conflicts,
        remote=remote,
    )


def remote_of(registry: Registry) -> "RemoteAnswer | None":
    """Return the remote of a registry; None without one."""
    try:
        return registry.remote()
    except NotFound:
        return None


def short_path(path: Path) -> str:
    """Return a path with `~` for the person's own folder."""
    try:
        return "~/" + str(path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
