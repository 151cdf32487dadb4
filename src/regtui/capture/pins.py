"""Pins: what keeps the bytes of a file though its trainer removes the name.

A trainer that keeps one checkpoint deletes the old one less than a millisecond after the new one is
there. So a file is pinned when it is first seen, long before it is ready: by a hard link into the
registry's home, else, on another file system, by an open descriptor. (A reflink would keep the
unfinished bytes; it is what the store makes later, of files that are ready.) A hard link changes
neither content, mode nor modification time of the trainer's file; its `ctime` and number of names
change.

    pins/<16 hex>/lock      held while its watcher lives
    pins/<16 hex>/root      the watched folder
    pins/<16 hex>/<n>/…     one generation of a unit, its files by their paths below the root

A watcher that is killed leaves its links. The next one of the same root *adopts* them: they are the
only rest of a checkpoint that was rotated away meanwhile. Links whose root nobody watches any more
are removed after `KEPT_NS`.

Pins of files that still have their names cost nothing. Those whose names are gone hold space that
the trainer means to be free; they may hold `budget` bytes, then the oldest are released.
"""

import fcntl
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.scan import Identity
from regtui.capture.run_files import Place

KEPT_NS: Final = 14 * 86_400 * 10**9
SHARE: Final = 5
"""By default pins may hold a fifth of what is free."""

_DESCRIPTORS = Path("/proc/self/fd")
_SPARE_DESCRIPTORS: Final = 256
_HEX: Final = 16


class Pin(Struct, frozen=True):
    """One file that is kept.

    Attributes:
        path: Where it was, relative to the root.
        place: Where its bytes are: a link of ours, or an open descriptor.
        identity: What `stat` said of it when it was pinned.
        linked: Whether the place is a link of ours, rather than the file's own name.
    """

    path: str
    place: Place
    identity: Identity
    linked: bool = False

    @property
    def opened(self) -> Path:
        """A path that opens the file, whatever keeps it."""
        if isinstance(self.place, int):
            return _DESCRIPTORS / str(self.place)
        return self.place

    def is_alone(self) -> bool:
        """Tell whether a link of ours is the only name that the bytes have left."""
        return self.linked and self.status().st_nlink == 1

    def status(self) -> os.stat_result:
        """Return what `stat` says now.

        Raises:
            OSError: Somebody removed the pin.
        """
        return os.fstat(self.place) if isinstance(self.place, int) else self.place.lstat()


class Pins:
    """The pins of one watcher on one root.

    Args:
        home: The registry's home.
        root: The watched folder.
        budget: Bytes that pins of removed files may hold; None for a fifth of what is free.

    Raises:
        RegtuiError: The home may not be written.
    """

    def __init__(self, home: Path, root: Path, budget: int | None = None) -> None:
        self._parent = home / "pins"
        self._root = root
        self._budget = budget
        self._descriptors = 0
        self._next = 0
        with disk_errors(f"writing to {self._parent}"):
            self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder = self._parent / secrets.token_hex(_HEX // 2)
            self.folder.mkdir(mode=0o700)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _try_lock(self._lock)
            (self.folder / "root").write_bytes(os.fsencode(root))

    def close(self) -> None:
        """Remove all that is pinned; what is not captured by now is lost with its name."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def leave(self) -> None:
        """Let go of the pins without removing them: the next watcher of this root adopts them."""
        os.close(self._lock)

    def new_generation(self) -> int:
        """Return the number of a new generation of a unit."""
        self._next += 1
        return self._next

    def adopted(self) -> list[tuple[int, Path]]:
        """Take over what a killed watcher of this root left; return generations and folders."""
        found = []
        for left in self._dead():
            try:
                of_root = (left / "root").read_bytes() == os.fsencode(self._root)
                too_old = time.time_ns() - left.stat().st_mtime_ns > KEPT_NS
            except OSError:
                of_root, too_old = False, True
            if of_root:
                for folder in sorted(left.iterdir()):
                    if folder.name.isdigit():
                        number = self.new_generation()
                        with suppress(OSError):
                            found.append((number, folder.rename(self.folder / str(number))))
            if of_root or too_old:
                shutil.rmtree(left, ignore_errors=True)
        return found

    def pin(self, generation: int, path: str) -> Pin | None:
        """Keep a file; None where it is gone already.

        Where nothing can keep it, the pin is the file's own name, and goes with it.

        Args:
            generation: Of the unit.
            path: Relative to the root.
        """
        source = self._root / path
        target = self.folder / str(generation) / path
        try:
            self._make_below(target.parent)
        except OSError:
            return self._hold_open(source, path)
        try:
            os.link(source, target)
            if target.is_symlink():
                target.unlink()
                os.link(os.path.realpath(source), target)
        except FileNotFoundError:
            return None
        except OSError:
            return self._hold_open(source, path)
        return _pinned(path, target, linked=True)

    def adopt(self, path: str, place: Path) -> Pin | None:
        """Return the pin of a file that an adopted generation holds."""
        return _pinned(path, place, linked=True)

    def release(self, generation: int, pins: list[Pin]) -> None:
        """Remove the pins of a generation."""
        for one in pins:
            if isinstance(one.place, int):
                os.close(one.place)
                self._descriptors -= 1
        shutil.rmtree(self.folder / str(generation), ignore_errors=True)

    def budget(self) -> int:
        """Return the bytes that pins of removed files may hold now."""
        if self._budget is not None:
            return self._budget
        return shutil.disk_usage(self.folder).free // SHARE

    def _make_below(self, wanted: Path) -> None:
        """Make a folder within this watcher's own, which is not made again if it is gone."""
        missing = []
        while wanted != self.folder and not wanted.is_dir():
            missing.append(wanted)
            wanted = wanted.parent
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)

    def _hold_open(self, source: Path, path: str) -> Pin | None:
        if not _DESCRIPTORS.is_dir() or self._descriptors >= _most_descriptors():
            return _pinned(path, Path(os.path.realpath(source)))
        try:
            descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return None
        self._descriptors += 1
        return Pin(path, descriptor, Identity.of(status))

    def _dead(self) -> Iterator[Path]:
        """Yield the folders of watchers that do not live any more."""
        for folder in self._parent.iterdir():
            if folder == self.folder or len(folder.name) != _HEX:
                continue
            try:
                lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                # It may just be made: its lock comes next.
                if time.time_ns() - folder.stat().st_mtime_ns > 60 * 10**9:
                    yield folder
                continue
            try:
                if _try_lock(lock):
                    yield folder
            finally:
                os.close(lock)


def _pinned(path: str, target: Path, *, linked: bool = False) -> Pin | None:
    try:
        status = target.lstat()
    except OSError:
        return None
    is_file = stat.S_ISREG(status.st_mode)
    return Pin(path, target, Identity.of(status), linked) if is_file else None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _most_descriptors() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS
