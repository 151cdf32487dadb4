"""The manifest: the list of files behind a content digest.

`content digest = blake3 of the canonical bytes of the sorted list of [path, size, executable,
digest]`. Nothing belongs to it that a better reader could change later. The path of a file that was
captured alone is empty, so that the same bytes under another name are the same content; the name is
kept on the version's *place*.
"""

from collections.abc import Iterable

from msgspec import Struct

from regtui.core import encoding
from regtui.core.errors import BadInput


class FileEntry(Struct, frozen=True, order=True, array_like=True):
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
    """Refuse a manifest path that could leave the folder it is checked out into.

    Raises:
        BadInput: The path is absolute, has an empty, `.` or `..` part or a NUL, or can't be written
            as UTF-8.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\0" in path:
        raise BadInput(f"the path {path!r} in this version would leave its folder")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise BadInput(f"the file name {path!r} is not valid UTF-8", "rename the file") from None
