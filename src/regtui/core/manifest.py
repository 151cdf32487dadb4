"""The manifest: the list of files behind a content digest.

`content digest = blake3 of the canonical bytes of the sorted list of [path, size, executable,
digest]`. Nothing belongs to it that a better reader could change later. The path of a file that was
captured alone is empty, so that the same bytes under another name are the same content; the name is
kept on the version's *place*.

A manifest may come from another machine, so its paths are checked wherever they turn into files:
none may leave its folder, be longer than disks take, or make a registry's home: who works beside
a folder `.regtui` works on the registry in it, and what is checked out must not choose that one.
"""

import unicodedata
from collections.abc import Iterable

from msgspec import Struct

from regtui.core import encoding
from regtui.core.errors import BadInput

HOME_NAME = ".regtui"
"""Name of the folders in which registries are looked for."""

NAME_LIMIT = 255
"""Bytes of one part of a path: what file systems take."""

PATH_LIMIT = 4096
"""Bytes of a path."""


class FileEntry(Struct, frozen=True, order=True, array_like=True, gc=False):
    """One file of a manifest.

    Attributes:
        path: Relative, with `/` between its parts; empty for a file captured alone.
        size: Bytes.
        executable: Whether its owner may run it.
        digest: blake3 of its bytes, 64 hex digits.
    """

    path: str
    size: int
    executable: bool
    digest: str


def content_digest(entries: Iterable[FileEntry]) -> str:
    """Return the content digest of the files, whatever order they come in."""
    return encoding.digest(encoding.encode(sorted(entries)))


def check_path(path: str) -> None:
    """Refuse a manifest path that can't or must not be checked out.

    Raises:
        BadInput: The path is absolute, has an empty, `.` or `..` part or a NUL, can't be written as
            UTF-8, is too long, or has the name of a registry's home in it.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\0" in path:
        raise BadInput(f"the path {_shown(path)} in this version would leave its folder")
    try:
        long = len(path.encode()) > PATH_LIMIT or any(is_long(part) for part in parts)
    except UnicodeEncodeError:
        raise BadInput(f"the file name {_shown(path)} is not valid UTF-8", "rename it") from None
    if long:
        raise BadInput(f"the path {_shown(path)} is too long for a disk")
    if any(names_home(part) for part in parts):
        raise BadInput(f"the path {_shown(path)} in this version would make a registry")


def is_long(name: str) -> bool:
    """Tell whether a name of a file or folder is longer than file systems take."""
    return len(name) * 4 > NAME_LIMIT and len(name.encode()) > NAME_LIMIT


def names_home(name: str) -> bool:
    """Tell whether some disk takes a name for that of a registry's home.

    Disks that don't tell capitals apart do, and some leave out characters that nobody sees.
    """
    if not name.isascii():
        name = "".join(one for one in name if unicodedata.category(one) != "Cf")
    return len(name) == len(HOME_NAME) and name.casefold() == HOME_NAME


def _shown(path: str) -> str:
    return repr(path if len(path) <= NAME_LIMIT else path[:NAME_LIMIT] + "…")
