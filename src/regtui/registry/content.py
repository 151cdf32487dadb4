"""Content: get the files of a version back, and check that they are what they were."""

from pathlib import Path

from regtui.artifacts.checkout import checkout as check_out
from regtui.artifacts.garbage import all_there
from regtui.artifacts.leases import reader_lease
from regtui.artifacts.verify import verify as verify_objects
from regtui.core.errors import BadInput, Damaged, NotFound, RegtuiError
from regtui.registry.answers import DamagedFile, Verified, VersionAnswer
from regtui.registry.capture import Progress
from regtui.registry.context import Context
from regtui.registry.needed import Unneeding, unexpected
from regtui.registry.references import find_version
from regtui.registry.released import is_released, refuse_released
from regtui.registry.stored import (
    Range,
    digest_ranges,
    named_in,
    version_ranges,
    wrong_lists,
)
from regtui.registry.versions import manifest
from regtui.replica.database import Connection
from regtui.replica.tables import PAGE


def checkout(
    context: Context,
    reference: str,
    target: Path,
    *,
    link: bool = False,
    on_progress: Progress | None = None,
) -> VersionAnswer:
    """Write the files of a version into a new or empty folder, verified, all or nothing.

    Files that are not here are fetched from the remote, where somebody is signed in to one.

    Args:
        context: The registry.
        reference: The version.
        target: The folder.
        link: Hard link to the stored, read-only files instead of copying them.
        on_progress: Is told how many more bytes are written.

    Raises:
        NotFound: There is no such version, or its files were released.
        BadInput: The target holds something already.
        Damaged: A stored file is missing or not what it was.
        Unreachable: A file is not here, and the remote does not answer.
        RegtuiError: The disk is full or the target can't be written.
    """
    home = context.home.resolve()
    if home in {target.resolve(), *target.resolve().parents}:
        raise BadInput(f"{target} lies inside the registry", "choose a folder outside of it")
    fetch_missing(context, reference, on_progress)
    with reader_lease(context.home):  # before the names are read, so that no collection takes one
        answer, entries = manifest(context, reference)
        refuse_released(context, answer, entries)
        check_out(context.store, entries, target, link=link, on_progress=on_progress)
    return answer


def fetch_missing(context: Context, reference: str, on_progress: Progress | None = None) -> None:
    """Fetch what a version lacks here; damage that can't be mended so is told by who reads."""
    answer, entries = manifest(context, reference)
    if all_there(context.store, entries):
        return
    from regtui.registry.syncing import is_signed_in, pull

    if not is_signed_in(context):
        return
    try:
        pull(context, [reference], on_progress)
    except RegtuiError:
        if is_released(context, answer):
            raise  # what ought to be here and is not is damage, and told as such by who reads


def path(context: Context, reference: str, file: str | None) -> Path:
    """Return where a file of a version is stored, to be read and never written.

    Args:
        context: The registry.
        reference: The version.
        file: The file's path in the version; None where it has just one.

    Raises:
        NotFound: There is no such version or file, or its files were released.
        Damaged: Its bytes are not here.
    """
    answer, found = manifest(context, reference)
    chosen = [f for f in found if f.path == file or (file is None and len(found) == 1)]
    if not chosen:
        some = ", ".join(f.path for f in found[:5]) + (", …" if len(found) > 5 else "")  # noqa: PLR2004
        wanted = f"no file {file!r}" if file else f"{len(found)} files"
        raise NotFound(f"{answer.reference} has {wanted}", f"choose one of {some}")
    if not context.store.has(chosen[0].digest):
        refuse_released(context, answer, chosen[:1])
        raise Damaged(
            f"the bytes of {chosen[0].path} are not here", f"`regtui verify {reference}` says more"
        )
    return context.store.path_of(chosen[0].digest)


def has_files(context: Context, reference: str) -> bool:
    """Tell whether all files of a version are stored here, as far as names and sizes tell.

    Raises:
        NotFound: There is no such version.
        Damaged: Its list of files is not the one that was captured.
    """
    _, entries = manifest(context, reference)
    return all_there(context.store, entries)


def verify(
    context: Context, reference: str | None = None, on_progress: Progress | None = None
) -> Verified:
    """Read stored files again and compare them with their digests.

    A damaged one is set aside, so that a capture of the same content heals it. Names are read in
    ranges of digests, so others get their turn, and a lease keeps collections from what was read.

    Args:
        context: The registry.
        reference: Only the files of this version; None for everything.
        on_progress: Is told how many more bytes are read.

    Raises:
        NotFound: There is no such version, or its files were released.
        BadInput: The rules of retention are malformed.
        Damaged: The list of files of this version is not what was captured.
    """
    files = size = 0
    damaged: dict[str, str] = {}
    with reader_lease(context.home):
        if reference is not None:
            refuse_released(context, *manifest(context, reference))
        unneeding = unexpected(context)
        with context.reading() as connection:
            version = None if reference is None else find_version(connection, reference)[0]
            versions, rows = _count(connection, version, unneeding)
        for digests in digest_ranges(rows):
            with context.reading() as connection:
                wanted = _wanted(connection, version, digests, unneeding)
            files, size = files + len(wanted), size + sum(length for _, length in wanted)
            for damage in verify_objects(context.store, wanted, on_progress=on_progress):
                damaged[damage.digest] = damage.problem
                if damage.problem in {"damaged", "wrong size"}:
                    context.store.set_aside(damage.digest)
    return Verified(
        versions=versions,
        files=files,
        bytes=size,
        damaged=[
            DamagedFile(digest=digest, problem=damaged[digest], used_by=users)
            for digest, users in _users(context, sorted(damaged)).items()
        ]
        + (_damaged_lists(context) if reference is None else []),
    )


def _count(connection: Connection, version: int | None, unneeding: Unneeding) -> tuple[int, int]:
    """Return the number of versions to verify, and of the rows that name their files."""
    if version is not None:
        row = connection.execute(
            "select 1, count(*) from base.file where version = ?", [version]
        ).fetchone()
    else:
        row = connection.execute(
            f"with unneeding as ({unneeding.sql}) "  # noqa: S608 -- constants of `needed`
            "select count(*), (select count(*) from base.file) from base.version "
            "where key not in (select key from unneeding)",
            unneeding.values,
        ).fetchone()
    return row or (0, 0)


def _wanted(
    connection: Connection, version: int | None, digests: Range, unneeding: Unneeding
) -> list[tuple[str, int]]:
    """Return digest and size of the files of a range that have to be there."""
    if version is None:
        named = named_in(connection, digests, unneeding)
        return [(digest, size) for digest, size, needed in named if needed]
    return connection.execute(
        "select lower(hex(digest)), any_value(size) from base.file "
        "where version = ? and digest between unhex(?) and unhex(?) group by digest",
        [version, *digests],
    ).fetchall()


def _damaged_lists(context: Context) -> list[DamagedFile]:
    """Return the versions whose list of files has lost rows; `files` checks one exactly."""
    with context.reading() as connection:
        ranges = version_ranges(connection)
    damaged = []
    for keys in ranges:
        with context.reading() as connection:
            found = wrong_lists(connection, keys)
            rows = connection.execute(
                "select v.digest, m.name, v.number, v.id::varchar from base.version v "
                "join base.model m on m.key = v.model where v.key in (select unnest(?::bigint[]))",
                [[one.version for one in found]],
            ).fetchall()
        damaged += [
            DamagedFile(
                digest=digest,
                problem="list of files damaged",
                used_by=[f"{name}@{number or identity}"],
            )
            for digest, name, number, identity in rows
        ]
    return damaged


def _users(context: Context, digests: list[str]) -> dict[str, list[str]]:
    """Return `model@number path` of everything that needs each digest; they are in order."""
    users: dict[str, list[str]] = {digest: [] for digest in digests}
    for start in range(0, len(digests), PAGE):
        page = digests[start : start + PAGE]
        with context.reading() as connection:
            rows = connection.execute(
                "select lower(hex(f.digest)), m.name, v.number, v.id::varchar, f.path, v.source "
                "from base.file f join base.version v on v.key = f.version "
                "join base.model m on m.key = v.model "
                "where f.digest between unhex(?) and unhex(?) "
                "and f.digest in (select unhex(unnest(?::varchar[]))) order by m.name, v.number",
                [page[0], page[-1], page],
            ).fetchall()
        for digest, name, number, identity, file, source in rows:
            shown = file or str(source).rpartition("/")[2]
            users[digest].append(f"{name}@{number or identity} {shown}")
    return users
