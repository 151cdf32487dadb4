"""Content: get the files of a version back, and check that they are what they were."""

from pathlib import Path

from regtui.artifacts.checkout import checkout as check_out
from regtui.artifacts.leases import reader_lease
from regtui.artifacts.verify import verify as verify_objects
from regtui.core.errors import BadInput, Damaged, NotFound
from regtui.registry.answers import DamagedFile, Verified, VersionAnswer
from regtui.registry.capture import Progress
from regtui.registry.context import Context
from regtui.registry.references import find_version
from regtui.registry.versions import manifest
from regtui.replica.database import Connection


def checkout(
    context: Context,
    reference: str,
    target: Path,
    *,
    link: bool = False,
    on_progress: Progress | None = None,
) -> VersionAnswer:
    """Write the files of a version into a new or empty folder, verified, all or nothing.

    Args:
        context: The registry.
        reference: The version.
        target: The folder.
        link: Hard link to the stored, read-only files instead of copying them.
        on_progress: Is told how many more bytes are written.

    Raises:
        NotFound: There is no such version.
        BadInput: The target holds something already.
        Damaged: A stored file is missing or not what it was.
        RegtuiError: The disk is full or the target can't be written.
    """
    home = context.home.resolve()
    if home in {target.resolve(), *target.resolve().parents}:
        raise BadInput(f"{target} lies inside the registry", "choose a folder outside of it")
    with reader_lease(context.home):  # before the names are read, so that no collection takes one
        answer, entries = manifest(context, reference)
        check_out(context.store, entries, target, link=link, on_progress=on_progress)
    return answer


def path(context: Context, reference: str, file: str | None) -> Path:
    """Return where a file of a version is stored, to be read and never written.

    Args:
        context: The registry.
        reference: The version.
        file: The file's path in the version; None where it has just one.

    Raises:
        NotFound: There is no such version or file.
        Damaged: Its bytes are not here.
    """
    answer, found = manifest(context, reference)
    chosen = [f for f in found if f.path == file or (file is None and len(found) == 1)]
    if not chosen:
        some = ", ".join(f.path for f in found[:5]) + (", …" if len(found) > 5 else "")  # noqa: PLR2004
        wanted = f"no file {file!r}" if file else f"{len(found)} files"
        raise NotFound(f"{answer.reference} has {wanted}", f"choose one of {some}")
    if not context.store.has(chosen[0].digest):
        raise Damaged(
            f"the bytes of {chosen[0].path} are not here", f"`regtui verify {reference}` says more"
        )
    return context.store.path_of(chosen[0].digest)


def verify(
    context: Context, reference: str | None = None, on_progress: Progress | None = None
) -> Verified:
    """Read stored files again and compare them with their digests.

    A damaged one is set aside, so that a capture of the same content heals it.

    Args:
        context: The registry.
        reference: Only the files of this version; None for everything.
        on_progress: Is told how many more bytes are read.

    Raises:
        NotFound: There is no such version.
    """
    with context.reading() as connection:
        key = None if reference is None else find_version(connection, reference)[0]
        wanted = connection.execute(
            "select lower(hex(f.digest)), any_value(f.size) from base.file f "
            "join base.version v on v.key = f.version "
            "where (?::bigint is null or f.version = ?) and (? or v.state <> 'deleted') "
            "group by f.digest",
            [key, key, key is not None],
        ).fetchall()
        counted = connection.execute(
            "select count(*) from base.version where (?::bigint is null and state <> 'deleted') "
            "or key = ?",
            [key, key],
        ).fetchone()
        lists = _damaged_lists(connection)
    if reference is not None:
        manifest(context, reference)
    damaged = {
        damage.digest: damage.problem
        for damage in verify_objects(context.store, wanted, on_progress=on_progress)
    }
    for digest, problem in damaged.items():
        if problem in {"damaged", "wrong size"}:
            context.store.set_aside(digest)
    return Verified(
        versions=0 if counted is None else counted[0],
        files=len(wanted),
        bytes=sum(size for _, size in wanted),
        damaged=[
            DamagedFile(digest=digest, problem=damaged[digest], used_by=users)
            for digest, users in _users(context, list(damaged)).items()
        ]
        + lists,
    )


def _damaged_lists(connection: Connection) -> list[DamagedFile]:
    """Return the versions whose list of files has lost rows; `files` checks one exactly."""
    rows = connection.execute(
        "select v.digest, m.name, v.number, v.id::varchar from base.version v "
        "join base.model m on m.key = v.model left join "
        "(select version, count(*) as files, sum(size) as size from base.file group by version) f "
        "on f.version = v.key where f.files is distinct from v.files or f.size <> v.size"
    ).fetchall()
    return [
        DamagedFile(
            digest=digest, problem="list of files damaged", used_by=[f"{name}@{number or identity}"]
        )
        for digest, name, number, identity in rows
    ]


def _users(context: Context, digests: list[str]) -> dict[str, list[str]]:
    """Return `model@number path` of everything that needs each digest."""
    if not digests:
        return {}
    with context.reading() as connection:
        rows = connection.execute(
            "select lower(hex(f.digest)), m.name, v.number, v.id::varchar, f.path, v.source "
            "from base.file f join base.version v on v.key = f.version "
            "join base.model m on m.key = v.model "
            "where f.digest in (select unhex(unnest(?::varchar[]))) order by m.name, v.number",
            [digests],
        ).fetchall()
    users: dict[str, list[str]] = {digest: [] for digest in digests}
    for digest, name, number, identity, file, source in rows:
        shown = file or str(source).rpartition("/")[2]
        users[digest].append(f"{name}@{number or identity} {shown}")
    return users
