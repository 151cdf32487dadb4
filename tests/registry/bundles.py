"""What the tests of bundles share: people on homes of their own, and bundles taken apart."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from regtui.artifacts.bundle_file import DIGESTS
from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import user_id
from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica, wall_clock

Entries = list[tuple[tarfile.TarInfo, bytes]]


class Person(Context, frozen=True, kw_only=True):
    """The context of somebody with a name of his own."""

    name: str

    @property
    def actor(self) -> Actor:
        return Actor(user_id(self.name), self.name, (Grant(Role.ADMIN, "*"),))


def person(name: str, home: Path) -> Registry:
    """Return the registry in a home as somebody uses it."""
    replica = Replica(home)
    return Registry(Person(replica, "api", uuid7(wall_clock()), name=name))


def read(bundle: Path) -> Entries:
    """Return the entries of a bundle."""
    with tarfile.open(bundle) as archive:
        return [(entry, archive.extractfile(entry).read()) for entry in archive]  # type: ignore[union-attr]


def write(bundle: Path, entries: Entries, *, listed: bool = True) -> Path:
    """Write a bundle of other entries, with a list of digests that fits them."""
    lines = ""
    with tarfile.open(bundle, "w", format=tarfile.GNU_FORMAT) as archive:
        for entry, data in entries:
            if listed and entry.name == DIGESTS:
                data = lines.encode()  # noqa: PLW2901 -- the very purpose
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
            lines += f"{blake3(data).hexdigest()}  {entry.name}\n"
    return bundle


def rewritten(bundle: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """Return a bundle beside, with one entry changed and a list of digests that fits it."""
    entries = read(bundle)
    assert name in {entry.name for entry, _ in entries}
    changed = [(entry, change(data) if entry.name == name else data) for entry, data in entries]
    return write(bundle.with_name(f"changed-{bundle.name}"), changed)


def described(bundle: Path, **changes: Any) -> Path:
    """Return a bundle beside whose description says something else; names with `__` are nested."""

    def change(data: bytes) -> bytes:
        found = msgspec.json.decode(data)
        for path, value in changes.items():
            *above, last = path.split("__")
            inner = found
            for part in above:
                inner = inner[part]
            inner[last] = value
        return msgspec.json.encode(found)

    return rewritten(bundle, "regtui.json", change)


def lines(change: Callable[[list[Any]], None]) -> Callable[[bytes], bytes]:
    """Return a change of a page from a change of its records."""

    def changed(data: bytes) -> bytes:
        records = [msgspec.json.decode(line) for line in data.splitlines()]
        change(records)
        return b"".join(msgspec.json.encode(record) + b"\n" for record in records)

    return changed
