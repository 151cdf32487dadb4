"""Listing what a capture would take, without reading it.

A folder is walked with `scandir`, one `stat` for each name. Links to files and folders are
followed: the folders that the Hugging Face cache hands out are nothing but links. Left out are
whatever is named `.regtui`, in whatever capitals, since no checkout makes a registry's home, and
whatever the caller names (the replica's own home). Empty folders are not recorded: a manifest lists
files, so a checkout has no empty folder.

Invariants: the files are sorted by manifest path; names are kept exactly as they are written,
without Unicode normalisation; each file carries its *identity* (device, inode, size and both
times), and a capture refuses a file whose identity has changed since.

A manifest that would surprise is refused rather than guessed at: a link that leads to nothing or
back to one of its own parents, a pipe, socket or device, a name that is not UTF-8 or too long for
other disks, a file that may not be read, a folder without any file. What is not promised: the walk
is no snapshot, files that come or go while it runs may be in the list or not.
"""

import errno
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from regtui.artifacts.faults import explain
from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.core.manifest import is_long, names_home

_EFFECTIVE = os.access in os.supports_effective_ids


class Identity(Struct, frozen=True, gc=False):
    """What `stat` says of a file; it changes whenever the bytes do.

    Attributes:
        device: Number of its file system.
        inode: Number of the file there.
        size: Bytes.
        mtime_ns: Last change of the bytes, in nanoseconds.
        ctime_ns: Last change of bytes, names or mode, in nanoseconds.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        """Return the identity in a stat result."""
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )


class SourceFile(Struct, frozen=True, gc=False):
    """One file to capture.

    Attributes:
        real_path: Where to open it.
        path: Its path in the manifest, with `/` between parts; empty for a file captured alone.
        size: Bytes.
        executable: Whether its owner may run it.
        identity: Its stat identity when it was seen.
        own: Whether it is ours alone: no other name of it is left, and nobody may write it any
            more. The store may then take it as it is.
        names: How many names it had then, of a file that is pinned: a trainer may remove its own
            while the pin is read, and that changes nothing but `ctime_ns`. 0 allows no change.
    """

    real_path: str
    path: str
    size: int
    executable: bool
    identity: Identity
    own: bool = False
    names: int = 0


class Scan(Struct, frozen=True):
    """The files below a path.

    Attributes:
        root: The path that was scanned, as it was given.
        single: Whether it is one file rather than a folder.
        files: What was found, sorted by manifest path.
    """

    root: Path
    single: bool
    files: tuple[SourceFile, ...]

    @property
    def total_size(self) -> int:
        """The bytes of all files together."""
        return sum(file.size for file in self.files)


def scan(path: Path, *, skip: Collection[Path] = ()) -> Scan:
    """List the file, or the files in the folder, at `path`.

    Args:
        path: A file or folder, or a link to one.
        skip: Folders or files to leave out wherever they turn up, such as the replica's home.

    Raises:
        NotFound: There is nothing at `path`.
        BadInput: A link leads to nothing or in a circle, something is neither file nor folder, a
            name is not valid UTF-8 or too long, or there is no file at all.
        RegtuiError: A file or folder may not be read, or disappeared meanwhile.
    """
    if not os.path.lexists(path):
        raise NotFound(f"there is no file or folder {_shown(path)}")
    status = _status(os.fspath(path))
    if not stat.S_ISDIR(status.st_mode):
        _check_name(path.name, os.fspath(path))
        return Scan(path, single=True, files=(_source(os.fspath(path), "", status),))
    files = sorted(_walk(path, status, _places(skip)), key=lambda file: file.path)
    if not files:
        raise BadInput(f"there is no file in {_shown(path)}")
    return Scan(path, single=False, files=tuple(files))


class _Folder(NamedTuple):
    path: str
    prefix: str
    key: tuple[int, int]
    parent: "_Folder | None"


def _walk(root: Path, status: os.stat_result, skip: set[tuple[int, int]]) -> Iterator[SourceFile]:
    waiting = [_Folder(os.fspath(root), "", _key(status), None)]
    while waiting:
        folder = waiting.pop()
        for entry in _list(folder.path):
            _check_name(entry.name, entry.path)
            if names_home(entry.name):
                continue
            status = _status(entry.path, entry)
            if _key(status) in skip:
                continue
            path = folder.prefix + entry.name
            if not stat.S_ISDIR(status.st_mode):
                yield _source(entry.path, path, status)
            else:
                inner = _Folder(entry.path, path + "/", _key(status), folder)
                _check_loop(inner)
                waiting.append(inner)


def _list(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise explain(error, f"reading {_shown(path)}") from error


def _status(path: str, entry: os.DirEntry[str] | None = None) -> os.stat_result:
    try:
        return entry.stat() if entry else os.stat(path)  # noqa: PTH116 - a str is kept for speed
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _loop(path) from error
        if isinstance(error, FileNotFoundError):
            raise _vanished(path) from error
        raise explain(error, f"reading {_shown(path)}") from error


def _source(real_path: str, path: str, status: os.stat_result) -> SourceFile:
    if not stat.S_ISREG(status.st_mode):
        raise BadInput(
            f"{_shown(real_path)} is a pipe, socket or device, not a file",
            "move it out of the folder",
        )
    if not os.access(real_path, os.R_OK, effective_ids=_EFFECTIVE):
        raise RegtuiError(f"{_shown(real_path)} may not be read", "check its owner and mode")
    executable = bool(status.st_mode & stat.S_IXUSR)
    return SourceFile(real_path, path, status.st_size, executable, Identity.of(status))


def _check_name(name: str, path: str) -> None:
    try:
        long = is_long(name)
        if not name.isascii():
            name.encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"the file name {_shown(path)} is not valid UTF-8", "rename the file"
        ) from None
    if long:
        raise BadInput(f"the file name {_shown(path)} is too long", "rename the file")


def _check_loop(folder: _Folder) -> None:
    above = folder.parent
    while above:
        if above.key == folder.key:
            raise _loop(folder.path)
        above = above.parent


def _loop(path: str) -> BadInput:
    return BadInput(f"the link {_shown(path)} leads in a circle", "remove the link")


def _vanished(path: str) -> RegtuiError:
    if os.path.islink(path):  # noqa: PTH114 - a str is kept for speed
        return BadInput(
            f"the link {_shown(path)} leads to nothing", "remove the link or restore its target"
        )
    return RegtuiError(
        f"{_shown(path)} disappeared while it was being captured",
        "capture it again when the writer has finished",
    )


def _places(skip: Collection[Path]) -> set[tuple[int, int]]:
    places = set()
    for path in skip:
        with suppress(OSError):
            places.add(_key(path.stat()))
    return places


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _shown(path: str | Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")
