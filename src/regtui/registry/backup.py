"""Backups: a whole registry in one file, made while others write, restored all or nothing.

Making one takes a lease first, so that no collection removes what is about to be copied; then the
database is copied under the shared lock, and after that, without any lock, the objects that the
copy names, for objects never change. The file is there when it is whole (`artifacts.whole_file`).

Restoring reads the file once, checks every digest on the way, and builds the home beside its place;
the last step is a rename. Keys are no part of a backup: a restored registry acts as a new replica.

A kill leaves `.<name>.part` beside the backup, which the next one to that name takes over, or
`.<home>.regtui-<8 hex>` beside the home, which may be deleted.
"""

import errno
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from regtui.artifacts.archive import DATABASE, HEADER, MISSING, ArchiveReader, ArchiveWriter, Entry
from regtui.artifacts.copying import Progress, silent
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.flushing import Flusher, flush_folder
from regtui.artifacts.leases import lease
from regtui.artifacts.whole_file import free_target, whole_file
from regtui.core.errors import BadInput, Damaged, NotFound, RegtuiError
from regtui.registry.answers import iso
from regtui.registry.context import Context
from regtui.registry.gc import refuse_damaged_lists
from regtui.registry.needed import unexpected, unexpected_elsewhere
from regtui.registry.stored import named_objects
from regtui.replica.backup import snapshot
from regtui.replica.database import Connection, connected
from regtui.replica.keys import load_key
from regtui.replica.migrate import check, latest, schema_version

FORMAT = 1

_OCCUPIED = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
_MOUNTED = {errno.EBUSY, errno.EXDEV}


class BackupHeader(Struct, frozen=True, kw_only=True):
    """What a backup says of itself, before anything of it is checked.

    Attributes:
        format: Of the file; 1.
        created: When.
        registry: Id of the registry.
        schema: Of the database.
        models: Number of models, whatever their state.
        versions: Number of versions, whatever their state.
        objects: Number of stored files that the database names.
        bytes: Of these files.
        artifacts: Whether the stored files are in it.
    """

    format: int
    created: str
    registry: str
    schema: int
    models: int
    versions: int
    objects: int
    bytes: int
    artifacts: bool


class BackupAnswer(Struct, frozen=True, kw_only=True):
    """A backup that was made, read or restored.

    Attributes:
        file: Where it is.
        header: What it says of itself.
        objects: Stored files that are in it.
        bytes: Of these.
        missing: Digests of files that versions need and that are not in it.
        home: Where it was restored; None otherwise.
    """

    file: str
    header: BackupHeader
    objects: int
    bytes: int
    missing: list[str]
    home: str | None = None


class DatabaseCopy(Struct, frozen=True, kw_only=True):
    """A copy of the database that the registry keeps by itself."""

    file: str
    bytes: int
    created: str


def create(
    context: Context,
    target: Path,
    *,
    artifacts: bool = True,
    replace: bool = False,
    on_progress: Progress | None = None,
) -> BackupAnswer:
    """Write the whole registry into one file; others may write meanwhile.

    Args:
        context: The registry.
        target: A new file, or a folder for one that is named after the time.
        artifacts: Whether the stored files go into it too.
        replace: Whether a file of that name may be replaced.
        on_progress: Is told how many more bytes are copied.

    Returns:
        What is in it; `missing` names files that the store has lost.

    Raises:
        BadInput: The target is taken, or lies inside the registry.
        Damaged: The database is damaged.
        RegtuiError: The target can't be written.
    """
    target = _target(context, target, replace=replace)
    context.replica.make()  # before the lease's folders make a home of any folder
    with (
        lease(context.home) as folder,
        whole_file(target, 0o600) as file,
        tempfile.TemporaryFile(dir=folder) as list_file,
    ):
        copy = folder / DATABASE
        with disk_errors(f"writing to the store {context.home}"):
            snapshot(context.replica, copy)
        with connected(copy, read_only=True) as connection:
            refuse_damaged_lists(connection)
            header = _header(context, connection, artifacts=artifacts)
            writer = ArchiveWriter(file, list_file, f"writing {target}")
            writer.add_text(HEADER, msgspec.json.encode(header).decode() + "\n")
            writer.add_file(DATABASE, copy, on_progress or silent)
            answer = _add_objects(context, connection, writer, header, on_progress or silent)
        if answer.missing:
            writer.add_text(MISSING, "".join(f"{digest}\n" for digest in answer.missing))
        writer.finish()
    return msgspec.structs.replace(answer, file=str(target))


def restore(context: Context, file: Path, on_progress: Progress | None = None) -> BackupAnswer:
    """Make the registry from a backup, verified, all or nothing.

    Args:
        context: A registry whose home is empty or not there yet.
        file: The backup.
        on_progress: Is told how many more bytes are read.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no backup, or the home holds something already.
        Damaged: The backup is not what it was.
        RegtuiError: A newer program made it, or the home can't be written.
    """
    home = Path(os.path.realpath(context.home))
    _check_home(home)
    beside = home.with_name(f".{home.name[:50]}.regtui-{secrets.token_hex(4)}")
    with disk_errors(f"writing {home}"):
        try:
            with _opened(file, on_progress) as (reader, header):
                home.parent.mkdir(parents=True, exist_ok=True)
                objects, size = _unpack(reader, header, beside, f"writing {home}")
            missing = _check_database(beside, header)
            _put_in_place(_unlike_the_original(beside), home)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    return BackupAnswer(
        file=str(file), header=header, objects=objects, bytes=size, missing=missing, home=str(home)
    )


def verify(file: Path, on_progress: Progress | None = None) -> BackupAnswer:
    """Read a backup from its start to its end and compare everything with its digests.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no backup.
        Damaged: It is not what it was.
    """
    objects = size = 0
    missing: list[str] = []
    with _opened(file, on_progress) as (reader, header):
        for entry in reader.entries():
            if entry.name == MISSING:
                missing = _lines(reader, entry)
                continue
            for _ in reader.pieces():
                pass
            if entry.digest:
                objects, size = objects + 1, size + entry.size
    return BackupAnswer(file=str(file), header=header, objects=objects, bytes=size, missing=missing)


def describe(file: Path) -> BackupHeader:
    """Return what a backup says of itself; nothing of it is checked.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no backup.
    """
    with _opened(file, None) as (_, header):
        return header


def copies(context: Context) -> list[DatabaseCopy]:
    """Return the copies of the database that the registry keeps by itself, newest first."""
    folder = context.replica.home.backups
    with disk_errors(f"reading {folder}"):
        found = [(path, path.stat()) for path in folder.glob("*.duckdb")]
    return [
        DatabaseCopy(file=str(path), bytes=status.st_size, created=iso(status.st_mtime_ns // 1000))
        for path, status in sorted(found, key=lambda one: -one[1].st_mtime_ns)
    ]


def _target(context: Context, target: Path, *, replace: bool) -> Path:
    with disk_errors(f"writing {target}"):
        target = target.expanduser()
        if target.is_dir():
            moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(context.replica.clock() // 10**6))
            target /= f"regtui-{moment}.tar"
    return free_target(target, context.home, replace=replace)


def _header(context: Context, connection: Connection, *, artifacts: bool) -> BackupHeader:
    row = connection.execute(
        "select (select registry::varchar from base.replica), (select count(*) from base.model), "
        "(select count(*) from base.version), count(*), coalesce(sum(size), 0)::bigint "
        "from (select any_value(size) as size from base.file group by digest)"
    ).fetchone()
    registry, models, versions, objects, size = row or ("", 0, 0, 0, 0)
    return BackupHeader(
        format=FORMAT,
        created=iso(context.replica.clock()),
        registry=registry,
        schema=schema_version(connection),
        models=models,
        versions=versions,
        objects=objects,
        bytes=size,
        artifacts=artifacts,
    )


def _add_objects(
    context: Context,
    connection: Connection,
    writer: ArchiveWriter,
    header: BackupHeader,
    on_progress: Progress,
) -> BackupAnswer:
    objects = size = 0
    missing: list[str] = []
    if not header.artifacts:
        return BackupAnswer(file="", header=header, objects=0, bytes=0, missing=[])
    for digest, length, needed in named_objects(connection, unexpected(context)):
        path = context.store.path_of(digest)
        if writer.add_object(path, digest, length, on_progress):
            objects, size = objects + 1, size + length
        elif needed:
            missing.append(digest)
    return BackupAnswer(file="", header=header, objects=objects, bytes=size, missing=missing)


@contextmanager
def _opened(
    file: Path, on_progress: Progress | None
) -> Iterator[tuple[ArchiveReader, BackupHeader]]:
    try:
        stream = file.open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except IsADirectoryError:
        raise BadInput(f"{file} is a folder", "name the file of a backup") from None
    except OSError as error:
        raise RegtuiError(f"can't read {file}: {error.strerror}") from error
    with stream, disk_errors(f"reading {file}"):
        reader = ArchiveReader(stream, str(file), on_progress or silent)
        yield reader, _decoded(file, reader.header())


def _decoded(file: Path, found: dict[str, Any]) -> BackupHeader:
    if found["format"] > FORMAT:
        raise RegtuiError(f"{file} was made by a newer regtui", "upgrade regtui")
    try:
        header = msgspec.convert(found, BackupHeader)
    except msgspec.ValidationError as error:
        raise Damaged(f"the backup {file} is damaged: {error}", "use another copy of it") from None
    if header.schema > latest():
        raise RegtuiError(f"{file} was made by a newer regtui", "upgrade regtui")
    return header


def _check_home(home: Path) -> None:
    hint = "give --home a new or empty folder, or move what is there away"
    with disk_errors(f"reading {home}"):
        if os.path.lexists(home) and not home.is_dir():
            raise BadInput(f"{home} is no folder", hint)
        if home.is_dir() and any(home.iterdir()):
            raise BadInput(f"{home} is not empty", hint)


def _unpack(
    reader: ArchiveReader, header: BackupHeader, folder: Path, writing: str
) -> tuple[int, int]:
    """Write everything below a new folder, flushed; return the number and bytes of the objects."""
    objects = size = 0
    folder.mkdir(mode=0o700)
    (folder / ".gitignore").write_text("*\n", encoding="ascii")
    for name in ("objects", "tmp") if header.artifacts else ():
        (folder / name).mkdir(mode=0o700)
    buckets: set[Path] = set()
    with Flusher(writing) as flusher:
        for entry in reader.entries():
            if entry.name == MISSING:
                _lines(reader, entry)
                continue
            path = folder / entry.name
            if entry.digest:
                objects, size = objects + 1, size + entry.size
                path.parent.mkdir(mode=0o700, exist_ok=True)
                buckets.add(path.parent)
            _write(reader, path, entry, flusher, writing)
        flusher.finish()
    for bucket in (*buckets, folder / "objects", folder):
        if bucket.is_dir():
            flush_folder(bucket)
    return objects, size


def _write(reader: ArchiveReader, path: Path, entry: Entry, flusher: Flusher, writing: str) -> None:
    mode = 0o444 if entry.digest else 0o600
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        for piece in reader.pieces():
            done = 0
            with disk_errors(writing):
                while done < len(piece):
                    done += os.write(descriptor, piece[done:])
        os.fchmod(descriptor, mode)
    finally:
        flusher.add(descriptor, entry.size)


def _lines(reader: ArchiveReader, entry: Entry) -> list[str]:
    """Return the digests of `missing.txt`; a store that lost millions has no backup."""
    if entry.size > 1 << 28:
        raise Damaged(f"the entry {entry.name} of the backup is too large", "use another copy")
    return b"".join(bytes(piece) for piece in reader.pieces()).decode("ascii", "replace").split()


def _check_database(folder: Path, header: BackupHeader) -> list[str]:
    """Open the database of a home that is being made; return the needed objects that are not there.

    Raises:
        Damaged: It is no database of a registry.
    """
    with connected(folder / DATABASE, read_only=True) as connection:
        check(connection, folder / DATABASE)
        if not header.artifacts:
            return []
        return [
            digest
            for digest, size, needed in named_objects(connection, unexpected_elsewhere())
            if needed and not _is_there(folder / "objects" / digest[:2] / digest[2:], size)
        ]


def _is_there(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _unlike_the_original(folder: Path) -> Path:
    """Give the home another inode where it has by chance that of the home it was copied from.

    A replica is known as a copy by its inode, and file systems give freed ones out again.
    """
    with connected(folder / DATABASE, read_only=True) as connection:
        row = connection.execute("select id::varchar from base.replica").fetchone()
    if row is None or load_key(row[0], folder) is None:
        return folder
    old = folder.with_name(f"{folder.name}.old")
    folder.rename(old)
    folder.mkdir(mode=0o700)
    for entry in list(old.iterdir()):
        entry.rename(folder / entry.name)
    flush_folder(folder)
    old.rmdir()
    return folder


def _put_in_place(folder: Path, home: Path) -> None:
    hint = "give --home a new or empty folder"
    try:
        folder.rename(home)
    except OSError as error:
        if error.errno in _OCCUPIED:
            raise BadInput(f"{home} was made by somebody else meanwhile", hint) from error
        if error.errno in _MOUNTED:
            raise BadInput(
                f"{home} is a mount point, which can't be replaced", "name a folder inside it"
            ) from error
        raise
    flush_folder(home.parent)
