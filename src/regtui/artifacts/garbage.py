"""Garbage: stored objects that nothing needs any more, found and removed in pages.

Which objects are needed is the registry's knowledge; this module lists what is stored and removes
what it is told to. Objects are listed by folder (`objects/ab/`), so a page holds a few thousand of
a million.

Invariants, with `registry.gc`, which calls `remove` under the replica's exclusive lock:

- An object that a captured or archived version names is never removed: names are looked up again
  under the lock under which versions are registered.
- An object is removed only if it was neither touched nor named since the *limit*: the grace period
  ago, and at least a minute before the oldest lease began (`leases`). A capture touches what it
  finds stored; a checkout and a backup take their lease before they read names.
- A capture registers only what `all_there` finds in its own exclusive unit of work, so that even a
  capture that outlived its lease can't register what was removed meanwhile: it stores it again.
- Removing is one `unlink` an object. A kill leaves each object whole or gone, and the next run goes
  on. The folders stay, because a capture may just be about to name a file in one.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.layout import object_path, objects_folder
from regtui.artifacts.store import ObjectStore
from regtui.core.manifest import FileEntry

PAGE = 20_000
"""Objects of a page, or a little more: a folder is never split."""

_BUCKET = re.compile(r"[0-9a-f]{2}")
_REST = re.compile(r"[0-9a-f]{62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Stored(Struct, frozen=True, gc=False):
    """One stored object.

    Attributes:
        digest: Its name.
        size: Bytes.
        touched: Nanoseconds: when it was written, or found again by a capture.
    """

    digest: str
    size: int
    touched: int


def stored(root: Path) -> Iterator[list[Stored]]:
    """List the objects of the store at `root` in pages, in the order of their digests.

    Raises:
        RegtuiError: A folder can't be read.
    """
    page: list[Stored] = []
    with disk_errors(f"reading the store {root}"):
        for bucket in _names(objects_folder(root), _BUCKET):
            page += _objects(objects_folder(root) / bucket, bucket)
            if len(page) >= PAGE:
                yield page
                page = []
    if page:
        yield page


def remove(root: Path, objects: Iterable[Stored], limit: int) -> list[Stored]:
    """Remove those objects that nobody touched since `limit`, and return them.

    The caller holds the replica's exclusive lock and has just made sure that nothing needs them.

    Args:
        root: Folder of the store.
        objects: What is not needed.
        limit: Nanoseconds.

    Raises:
        RegtuiError: The store may not be written.
    """
    removed = []
    with disk_errors(f"removing from the store {root}"):
        for one in objects:
            path = object_path(root, one.digest)
            try:
                if path.stat().st_mtime_ns < limit:
                    path.unlink()
                    removed.append(one)
            except FileNotFoundError:
                continue
    return removed


def damaged_copies(root: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield what `verify` set aside: path, bytes, and when it was set aside in nanoseconds.

    Raises:
        RegtuiError: The folder can't be read.
    """
    folder = root / "damaged"
    with disk_errors(f"reading {folder}"):
        for name in _names(folder, _DIGEST):
            status = (folder / name).stat()
            # A rename changes the status only; the bytes may be as old as the capture.
            yield folder / name, status.st_size, max(status.st_mtime_ns, status.st_ctime_ns)


def all_there(store: ObjectStore, entries: Iterable[FileEntry]) -> bool:
    """Tell whether the store holds every file of a manifest, as far as names and sizes tell.

    Called in the unit of work that registers them, so that no collection comes between.

    Raises:
        RegtuiError: The store can't be read.
    """
    with disk_errors(f"reading the store {store.root}"):
        for digest, size in {entry.digest: entry.size for entry in entries}.items():
            try:
                if store.path_of(digest).stat().st_size != size:
                    return False
            except FileNotFoundError:
                return False
    return True


def _objects(folder: Path, bucket: str) -> Iterator[Stored]:
    for name in _names(folder, _REST):
        try:
            status = (folder / name).stat()
        except FileNotFoundError:  # removed or set aside meanwhile
            continue
        yield Stored(bucket + name, status.st_size, status.st_mtime_ns)


def _names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if pattern.fullmatch(entry.name))
    except FileNotFoundError:
        return []
