"""Where things lie in an object store.

    objects/ab/<62 hex>   the bytes whose blake3 digest is `ab<62 hex>`, mode 0444
    tmp/<16 hex>/         files that one running capture is writing, see `sessions`

Both folders are on one file system, so that a finished file gets its name by a rename. Digests
arrive from other machines, so they are checked before they become a path.
"""

import re
from pathlib import Path

from regtui.core.errors import BadInput

_DIGEST = re.compile(r"[0-9a-f]{64}")


def objects_folder(root: Path) -> Path:
    """Return the folder that holds the objects of the store at `root`."""
    return root / "objects"


def temporary_folder(root: Path) -> Path:
    """Return the folder for unfinished files of the store at `root`."""
    return root / "tmp"


def make_folders(root: Path) -> None:
    """Make the folders of the store at `root`, for its owner alone.

    Raises:
        OSError: They can't be made.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    objects_folder(root).mkdir(mode=0o700, exist_ok=True)
    temporary_folder(root).mkdir(mode=0o700, exist_ok=True)


def object_path(root: Path, digest: str) -> Path:
    """Return where the object lies, whether it exists or not.

    Raises:
        BadInput: The digest is not 64 lower-case hex digits.
    """
    if not _DIGEST.fullmatch(digest):
        raise BadInput(f"{digest!r} is not a digest", "a digest has 64 hex digits")
    return root.joinpath("objects", digest[:2], digest[2:])
