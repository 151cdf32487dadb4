"""One version, its files, and what is known of them."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from regtui.core.errors import BadInput, Damaged
from regtui.core.manifest import FileEntry, check_path, content_digest
from regtui.registry.answers import FileAnswer, TensorAnswer, VersionAnswer
from regtui.registry.context import Context
from regtui.registry.lookups import one_version
from regtui.registry.references import find_version

if TYPE_CHECKING:
    from regtui.registry.layouts import Described


def version(context: Context, reference: str) -> VersionAnswer:
    """Return one version, whatever its state.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference is malformed or names a model.
    """
    with context.reading() as connection:
        key, document = find_version(connection, reference)
        return one_version(connection, key, document)


def manifest(context: Context, reference: str) -> tuple[VersionAnswer, list[FileEntry]]:
    """Return a version and its files, in the order of their paths.

    A file that was captured alone has the name that it had then.

    Raises:
        NotFound: There is no such version.
        Damaged: The list of files is not the one that was captured.
    """
    with context.reading() as connection:
        key, document = find_version(connection, reference)
        rows = connection.execute(
            "select path, size, lower(hex(digest)), executable from base.file "
            "where version = ? order by path",
            [key],
        ).fetchall()
        answer = one_version(connection, key, document)
    entries = [FileEntry(path, size, run, digest) for path, size, digest, run in rows]
    if content_digest(entries) != answer.digest:
        raise Damaged(
            f"the list of files of {answer.reference} is not the one that was captured",
            "restore the replica from a backup",
        )
    alone = _name_alone(answer)
    return answer, [replace(entry, path=entry.path or alone) for entry in entries]


def files(context: Context, reference: str) -> tuple[VersionAnswer, list[FileAnswer]]:
    """Return a version and what is known of its files, in the order of their paths.

    Raises:
        NotFound: There is no such version.
        Damaged: The list of files is not the one that was captured.
    """
    from regtui.registry.layouts import describe

    answer, entries = manifest(context, reference)
    found = describe(context, _names(entries))
    return answer, [_file(entry, found[entry.digest]) for entry in entries]


def known_files(context: Context, reference: str) -> tuple[list[FileAnswer], bool]:
    """Return what is kept of a version's files, and whether that is all that `files` would tell.

    Nothing is read but the replica, and nothing is made: files of which nothing is kept yet have no
    format and are `unread`.

    Raises:
        NotFound: There is no such version.
        Damaged: The list of files is not the one that was captured.
    """
    from regtui.formats.values import Facts
    from regtui.registry.layouts import Described, described

    _, entries = manifest(context, reference)
    found = described(context, _names(entries))
    unknown = Described(Facts("", "unread"), 0)
    answers = [_file(entry, found.get(entry.digest, unknown)) for entry in entries]
    return answers, all(entry.digest in found for entry in entries)


def tensors(context: Context, reference: str) -> tuple[VersionAnswer, list[TensorAnswer]]:
    """Return a version and its tensors, by file and in the order of each file.

    Raises:
        NotFound: There is no such version.
        Damaged: The list of files is not the one that was captured.
    """
    from regtui.registry.layouts import layouts

    answer, entries = manifest(context, reference)
    found = layouts(context, _names(entries))
    return answer, [
        TensorAnswer(
            path=entry.path,
            tensor=tensor.name,
            dtype=tensor.dtype,
            shape=list(tensor.shape),
            size=tensor.size,
            digest=digest,
        )
        for entry in entries
        for tensor, digest in found[entry.digest].tensors
    ]


def _name_alone(answer: VersionAnswer) -> str:
    """Return the name for a file that was captured alone; what can't be one is left."""
    name = (answer.source or "").rpartition("/")[2]
    try:
        check_path(name)
    except BadInput:
        return "model"
    return name


def _names(entries: list[FileEntry]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for entry in entries:
        names.setdefault(entry.digest, []).append(entry.path)
    return names


def _file(entry: FileEntry, described: "Described") -> FileAnswer:
    facts = described.facts
    return FileAnswer(
        path=entry.path,
        size=entry.size,
        digest=entry.digest,
        executable=entry.executable,
        format=facts.format,
        safety=facts.safety,
        globals=list(facts.globals),
        tensors=described.tensors,
        complete=facts.complete,
        metadata=dict(facts.metadata),
        problem=facts.problem,
        cut=facts.cut,
    )
