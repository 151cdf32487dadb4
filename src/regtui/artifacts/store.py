"""The object store: whole files under the blake3 digest of their bytes.

Where things lie is in `layout`, how they get there in `ingest`. An object is read-only and never
changes: it is whole from the moment when it has its name, and that name is on the disk before
`ingest` returns. What is not promised: bytes that rot afterwards are found by `verify` only, and
`has` looks at the name alone.
"""

import os
from contextlib import suppress
from pathlib import Path

from regtui.artifacts.copying import Progress, silent
from regtui.artifacts.describing import Take
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.ingest import Ingest
from regtui.artifacts.layout import make_folders, object_path, temporary_folder
from regtui.artifacts.scan import Scan
from regtui.artifacts.sessions import session
from regtui.core.manifest import FileEntry


class ObjectStore:
    """The objects below one folder, which need not exist yet.

    Args:
        root: Folder of the store.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def ingest(
        self,
        scan: Scan,
        *,
        on_progress: Progress | None = None,
        on_layout: Take | None = None,
    ) -> list[FileEntry]:
        """Take in every file of a scan, and return their manifest entries in the scan's order.

        When it returns, all objects are on the disk. When it raises, no temporary file is left and
        no file of this scan has been named that was not there before, unless naming itself failed.

        Args:
            scan: What to take in; its files must not have changed since.
            on_progress: Is told, in the calling thread, how many bytes were done since the last
                call; they add up to `scan.total_size`.
            on_layout: Is given, in the calling thread, digest and layout of each file that is new
                to the store, as far as it could be described; None to describe nothing.

        Raises:
            RegtuiError: A file changed or can't be read, or the store's disk is full, failed or may
                not be written.
        """
        writing = f"writing to the store {self.root}"
        with disk_errors(writing):
            make_folders(self.root)
            with (
                session(temporary_folder(self.root)) as folder,
                Ingest(self.root, folder, writing, on_progress or silent, on_layout) as ingest,
            ):
                entries = [ingest.take(file) for file in scan.files]
                ingest.finish()
        return entries

    def path_of(self, digest: str) -> Path:
        """Return where the object lies, whether it exists or not; never write to it.

        Raises:
            BadInput: The digest is not 64 lower-case hex digits.
        """
        return object_path(self.root, digest)

    def has(self, digest: str) -> bool:
        """Return whether there is such an object.

        Raises:
            BadInput: The digest is not 64 lower-case hex digits.
        """
        return self.path_of(digest).is_file()

    def size_of(self, digest: str) -> int | None:
        """Return the bytes of an object as its file has them; None where there is none.

        Raises:
            BadInput: The digest is not 64 lower-case hex digits.
            RegtuiError: The store can't be read.
        """
        with disk_errors(f"reading the store {self.root}"):
            try:
                return self.path_of(digest).stat().st_size
            except FileNotFoundError:
                return None

    def renew(self, digest: str) -> int | None:
        """Do as `size_of`, and let the grace period of a collection start anew.

        Raises:
            BadInput: The digest is not 64 lower-case hex digits.
            RegtuiError: The store can't be read or written.
        """
        size = self.size_of(digest)
        with disk_errors(f"writing to the store {self.root}"):
            try:
                os.utime(self.path_of(digest))
            except FileNotFoundError:
                return None
        return size

    def set_aside(self, digest: str) -> None:
        """Move a damaged object out of the way, so that a capture of the same bytes heals it.

        What is left of it is kept under `damaged/`.

        Raises:
            BadInput: The digest is not 64 lower-case hex digits.
            RegtuiError: The store may not be written.
        """
        path = self.path_of(digest)
        with disk_errors(f"writing to the store {self.root}"), suppress(FileNotFoundError):
            folder = self.root / "damaged"
            folder.mkdir(mode=0o700, exist_ok=True)
            path.rename(folder / digest)
