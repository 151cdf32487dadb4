"""Handing a version's files out: whole and verified, or not at all.

The entries come from a manifest that another machine may have written, so every path is checked
before anything is made: none may leave the folder, be there twice, or be both a file and a folder.
Then all files are written into a fresh folder beside the target, each by reflink where the file
system can, else by one pass that copies and hashes. The digest is that of the bytes which were
written (of a clone or a hard link: which were read from it). When all are right and flushed, the
folder is renamed to the target.

Invariants: the target is either as it was or complete; nothing in the store changes, except that
`link=True` adds names to objects. Linked files are read-only and share their bytes with the store:
executable files are copied even then, since the mode would be shared too.

What is not promised: a checkout that is killed leaves its folder `.<name>.regtui-<8 hex>` beside
the target, which may be deleted; parents of the target that had to be made stay.
"""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from regtui.artifacts.copying import Copier, Progress, clone, hash_file, silent
from regtui.artifacts.faults import disk_errors, explain
from regtui.artifacts.flushing import Flusher, flush_folder
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import BadInput, Damaged
from regtui.core.manifest import FileEntry, check_path

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NO_LINK = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
_OCCUPIED = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
_MOUNTED = {errno.EBUSY, errno.EXDEV}


def checkout(
    store: ObjectStore,
    entries: Sequence[FileEntry],
    target: Path,
    *,
    link: bool = False,
    on_progress: Progress | None = None,
) -> None:
    """Make `target` a folder with the files of a manifest.

    Args:
        store: Where their objects are.
        entries: The files; one that was captured alone is given with a real name as its path.
        target: A folder that is empty or does not exist; missing parents are made.
        link: Hard-link the objects instead of copying them; copies across file systems.
        on_progress: Is told, in the calling thread, how many bytes were done since the last call.

    Raises:
        BadInput: The target is taken, or a path leaves it, is there twice or is also a folder.
        Damaged: An object is missing or is not what its name says.
        RegtuiError: The disk is full, failed or may not be written.
    """
    folders = _folders(entries)
    target = Path(os.path.realpath(target))
    _check_target(target)
    beside = target.with_name(f".{target.name[:50]}.regtui-{secrets.token_hex(4)}")
    writing = f"writing {target}"
    with disk_errors(writing):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _Checkout(store, beside, writing, on_progress or silent) as out:
                out.make(folders)
                for entry in entries:
                    out.write(entry, link=link)
                out.finish()
            _rename(beside, target)
        except BaseException:
            _remove(beside, entries, folders)
            raise
        flush_folder(target.parent)


def _folders(entries: Sequence[FileEntry]) -> list[str]:
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        check_path(entry.path)
        if entry.path in files:
            raise BadInput(f"the path {entry.path!r} is in this version twice")
        files.add(entry.path)
        folder = entry.path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    if both := files & folders:
        raise BadInput(f"the path {min(both)!r} is both a file and a folder in this version")
    return sorted(folders)


def _check_target(target: Path) -> None:
    hint = "name a folder that does not exist yet"
    with disk_errors(f"reading {target}"):
        if not os.path.lexists(target):
            return
        if not target.is_dir():
            raise BadInput(f"{target} exists and is not a folder", hint)
        if any(target.iterdir()):
            raise BadInput(f"the folder {target} is not empty", hint)
        with suppress(FileNotFoundError):
            if target.samefile(Path.cwd()):
                raise BadInput(f"{target} is the current folder, which can't be replaced", hint)


def _rename(folder: Path, target: Path) -> None:
    hint = "name a folder that does not exist yet"
    with suppress(FileNotFoundError):
        folder.chmod(stat.S_IMODE(target.stat().st_mode))
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in _OCCUPIED:
            raise BadInput(f"{target} was made by somebody else meanwhile", hint) from error
        if error.errno in _MOUNTED:
            raise BadInput(f"{target} is a mount point, which can't be replaced", hint) from error
        raise


def _remove(folder: Path, entries: Sequence[FileEntry], folders: Sequence[str]) -> None:
    """Remove what was made, by its own list: walking down would not reach the end of deep ones."""
    for entry in entries:
        with suppress(OSError):
            (folder / entry.path).unlink()
    for inner in reversed(folders):
        with suppress(OSError):
            (folder / inner).rmdir()
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


class _Checkout:
    """The folder beside the target while it fills; a context for its threads."""

    def __init__(self, store: ObjectStore, folder: Path, writing: str, progress: Progress) -> None:
        self._store = store
        self._folder = folder
        self._folders: list[Path] = []
        self._on_progress = progress
        self._copier = Copier(writing)
        self._flusher = Flusher(writing)
        self._writing = writing
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        self._closing.enter_context(self._copier)
        self._closing.enter_context(self._flusher)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def make(self, folders: Sequence[str]) -> None:
        """Make the folder and the folders in it; parents come before their children."""
        self._folders = [self._folder, *(self._folder / folder for folder in folders)]
        for folder in self._folders:
            folder.mkdir(exist_ok=True)

    def write(self, entry: FileEntry, *, link: bool) -> None:
        """Write one file and check its digest."""
        path = self._folder / entry.path
        with _object(self._store, entry) as source:
            if link and not entry.executable and self._link(entry, path):
                found = hash_file(source, self._copier.buffer(), self._on_progress)
            else:
                found = self._copy(source, entry, path)
        if found != (entry.digest, entry.size):
            raise _damaged(entry, "damaged")

    def finish(self) -> None:
        """Flush all files and folders."""
        self._flusher.finish()
        for folder in self._folders:
            flush_folder(folder)

    def _link(self, entry: FileEntry, path: Path) -> bool:
        with disk_errors(self._writing):
            try:
                path.hardlink_to(self._store.path_of(entry.digest))
            except FileExistsError:
                raise _same_name(entry) from None
            except OSError as error:
                if error.errno in _NO_LINK:
                    return False
                raise
        return True

    def _copy(self, source: int, entry: FileEntry, path: Path) -> tuple[str, int]:
        with disk_errors(self._writing):
            try:
                target = os.open(path, _CREATE, 0o777 if entry.executable else 0o666)
            except FileExistsError:
                raise _same_name(entry) from None
        try:
            with disk_errors(self._writing):
                cloned = clone(source, target)
            if cloned:
                return hash_file(target, self._copier.buffer(), self._on_progress)
            return self._copier.copy(source, target, entry.size, self._on_progress)
        finally:
            self._flusher.add(target, entry.size)


@contextmanager
def _object(store: ObjectStore, entry: FileEntry) -> Iterator[int]:
    try:
        with store.path_of(entry.digest).open("rb", buffering=0) as file:
            yield file.fileno()
    except FileNotFoundError as error:
        raise _damaged(entry, "missing") from error
    except OSError as error:
        if error.errno == errno.EIO:
            raise _damaged(entry, "unreadable") from error
        raise explain(error, f"reading {store.path_of(entry.digest)}") from error


def _damaged(entry: FileEntry, problem: str) -> Damaged:
    return Damaged(
        f"the object {entry.digest} of {entry.path!r} is {problem}",
        "`regtui verify` lists all damage",
    )


def _same_name(entry: FileEntry) -> BadInput:
    return BadInput(
        f"this disk can't tell the name {entry.path!r} from another one in this version",
        "check it out to a disk that tells capitals and accents apart",
    )
