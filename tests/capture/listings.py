"""Listings made of names, for tests of what is decided by names alone."""

from pathlib import PurePosixPath

from regtui.artifacts.scan import Identity
from regtui.capture.listing import Listed, Listing


def listing(
    *paths: str, links: dict[str, str] | None = None, inodes: dict[str, int] | None = None
) -> Listing:
    """Return a listing of files with one byte each.

    Args:
        paths: The files.
        links: Where names that are links lead; to a file or a folder.
        inodes: Numbers of files that have several names.
    """
    links, inodes = links or {}, inodes or {}
    numbers = list(inodes.values())
    files: dict[str, Listed] = {}
    folders = {"": 0}
    for at, path in enumerate(paths, start=1_000):
        inode = inodes.get(path, at)
        files[path] = Listed(Identity(1, inode, 1, 1, 1), names=max(1, numbers.count(inode)))
        folders |= {("" if str(one) == "." else str(one)): 0 for one in PurePosixPath(path).parents}
    for path, target in links.items():
        if target in files:
            files[path] = Listed(files[target].identity, link=target)
    return Listing(files, folders, {p: t for p, t in links.items() if t not in files}, {})
