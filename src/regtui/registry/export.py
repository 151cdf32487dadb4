"""Export: one version, or the whole registry, as a bundle.

A lease keeps collections away from what is about to be copied. A version is read in one unit of
work; a registry from a copy of its database, so that all of it is of one moment while others write.
Stored files are copied without any lock, for they never change, and hashed on the way.

A file is there when it is whole (`artifacts.whole_file`): a kill leaves `.<name>.part` beside it.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from regtui.artifacts.bundle_file import DESCRIPTION, PAGE_BYTES, BundleWriter
from regtui.artifacts.copying import Progress, silent
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.leases import lease
from regtui.artifacts.whole_file import free_target, whole_file
from regtui.core import encoding
from regtui.core.bundle import RegistryBundle, encode_record
from regtui.core.errors import BadInput
from regtui.registry.answers_bundle import Exported
from regtui.registry.context import Context
from regtui.registry.export_version import described, kept_texts
from regtui.registry.gc import refuse_damaged_lists
from regtui.registry.needed import unexpected
from regtui.registry.released import refuse_released
from regtui.registry.stored import named_objects
from regtui.replica.backup import snapshot
from regtui.replica.carrying import carried_records
from regtui.replica.database import Connection, connected

_PAGE_RECORDS = 5_000
_TEXTS = 16


def export(  # noqa: PLR0913 -- where to, and how
    context: Context,
    reference: str | None,
    target: str | Path | BinaryIO,
    *,
    artifacts: bool = True,
    replace: bool = False,
    on_progress: Progress | None = None,
) -> Exported:
    """Write one version, or the whole registry, as a bundle.

    Args:
        context: The registry.
        reference: The version; None for the whole registry.
        target: A new file, or an open stream.
        artifacts: Whether the stored files go into it too.
        replace: Whether a file of that name may be replaced.
        on_progress: Is told how many more bytes are copied.

    Returns:
        What is in it; `missing` names files of a registry that the store has lost.

    Raises:
        NotFound: There is no such version, or it is deleted, or its files were released.
        BadInput: The target is taken, or the registry is only a part of a server's.
        Damaged: The database is damaged, or a stored file is missing or not what it was.
        RegtuiError: The target can't be written.
    """
    to = Path(target) if isinstance(target, str) else target
    if reference is None:
        return _export_registry(
            context, to, artifacts=artifacts, replace=replace, on_progress=on_progress
        )
    return _export_version(
        context, reference, to, artifacts=artifacts, replace=replace, on_progress=on_progress
    )


def _export_version(  # noqa: PLR0913 -- where to, and how
    context: Context,
    reference: str,
    target: Path | BinaryIO,
    *,
    artifacts: bool,
    replace: bool,
    on_progress: Progress | None,
) -> Exported:
    with _writing(context, target, replace=replace, on_progress=on_progress) as writer:
        with context.reading() as connection:
            bundle, answer, texts = described(connection, reference, artifacts=artifacts)
        if artifacts:
            refuse_released(context, answer, bundle.files)
        writer.add(DESCRIPTION, encoding.encode(bundle) + b"\n")
        digests = iter(texts)
        while some := list(islice(digests, _TEXTS)):
            with context.reading() as connection:
                found = kept_texts(connection, some)
            for digest, text in found:
                writer.add(f"texts/{digest}", text.encode())
        objects = {file.digest: file.size for file in bundle.files} if artifacts else {}
        for digest, size in sorted(objects.items()):
            writer.add_object(context.store.path_of(digest), digest, size)
        writer.finish()
    return Exported(
        kind="version",
        file=_name(target),
        bytes=writer.size,
        objects=len(objects),
        version=answer,
        operations=None,
        missing=[],
    )


def _export_registry(
    context: Context,
    target: Path | BinaryIO,
    *,
    artifacts: bool,
    replace: bool,
    on_progress: Progress | None,
) -> Exported:
    with _writing(context, target, replace=replace, on_progress=on_progress) as writer:
        copy = writer.folder / "registry.duckdb"
        with disk_errors(f"writing to the store {context.home}"):
            snapshot(context.replica, copy)
        with connected(copy, read_only=True) as connection:
            refuse_damaged_lists(connection)
            _refuse_gaps(connection)
            bundle = _registry(connection, artifacts=artifacts)
            writer.add(DESCRIPTION, encoding.encode(bundle) + b"\n")
            for section, records in groupby(carried_records(connection), lambda one: one[0]):
                _add_pages(writer, section, (record for _, record in records))
            objects, missing = _add_objects(context, connection, writer, artifacts=artifacts)
        writer.finish()
    return Exported(
        kind="registry",
        file=_name(target),
        bytes=writer.size,
        objects=objects,
        version=None,
        operations=bundle.head,
        missing=missing,
    )


class _Writer(BundleWriter):
    """A bundle under construction, with the lease's folder for temporary files."""

    folder: Path


def _add_pages(writer: BundleWriter, section: str, records: Iterable[Struct]) -> None:
    page: list[bytes] = []
    number, size = 1, 0
    for record in records:
        line = encode_record(record)
        if page and (size + len(line) > PAGE_BYTES or len(page) == _PAGE_RECORDS):
            writer.add_page(section, number, page)
            page, number, size = [], number + 1, 0
        page.append(line)
        size += len(line)
    writer.add_page(section, number, page)


def _add_objects(
    context: Context, connection: Connection, writer: BundleWriter, *, artifacts: bool
) -> tuple[int, list[str]]:
    count = 0
    missing: list[str] = []
    if not artifacts:
        return count, missing
    for digest, size, needed in named_objects(connection, unexpected(context)):
        path = context.store.path_of(digest)
        if path.is_file():
            writer.add_object(path, digest, size)
            count += 1
        elif needed:
            missing.append(digest)
    return count, missing


def _refuse_gaps(connection: Connection) -> None:
    """Refuse a history of which a server has more: nobody could follow it from its beginning."""
    row = connection.execute(
        "select r.seq - (select count(*) from base.operation o where o.seq <= r.seq) "
        "from base.replica r"
    ).fetchone()
    if row is not None and row[0]:
        raise BadInput(
            "the server's history is not here as a whole, and a part of it is no registry",
            "`regtui backup create` keeps all that is here, `regtui export REF` a version",
        )


def _registry(connection: Connection, *, artifacts: bool) -> RegistryBundle:
    row = connection.execute(
        "select registry::varchar, seq, lower(hex(link)) from base.replica"
    ).fetchone()
    registry, head, link = row or ("", 0, "")
    return RegistryBundle(registry=registry, head=head, link=link, artifacts=artifacts)


@contextmanager
def _writing(
    context: Context,
    target: Path | BinaryIO,
    *,
    replace: bool,
    on_progress: Progress | None,
) -> Iterator[_Writer]:
    """Hold a lease and write to the target: a stream as it comes, a file all or nothing."""
    context.replica.make()
    with (
        lease(context.home) as folder,
        tempfile.TemporaryFile(dir=folder) as list_file,
        _opened(context, target, replace=replace) as file,
    ):
        writer = _Writer(file, list_file, f"writing {_name(target)}", on_progress or silent)
        writer.folder = folder
        yield writer


def _opened(
    context: Context, target: Path | BinaryIO, *, replace: bool
) -> AbstractContextManager[BinaryIO]:
    if not isinstance(target, Path):
        return _flushed(target)
    path = free_target(target, context.home, replace=replace)
    return whole_file(path, 0o666)  # it is to be shared


@contextmanager
def _flushed(stream: BinaryIO) -> Iterator[BinaryIO]:
    yield stream
    with disk_errors("writing the bundle"):
        stream.flush()


def _name(target: Path | BinaryIO) -> str:
    return str(target) if isinstance(target, Path) else "-"
