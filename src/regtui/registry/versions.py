"""One version and its files."""

from regtui.core.errors import Damaged
from regtui.core.manifest import FileEntry, content_digest
from regtui.registry.answers import FileAnswer, VersionAnswer
from regtui.registry.context import Context
from regtui.registry.lookups import one_version
from regtui.registry.references import find_version


def version(context: Context, reference: str) -> VersionAnswer:
    """Return one version, whatever its state.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference is malformed or names a model.
    """
    with context.reading() as connection:
        key, document = find_version(connection, reference)
        return one_version(connection, key, document)


def files(context: Context, reference: str) -> tuple[VersionAnswer, list[FileAnswer]]:
    """Return a version and its files, in the order of their paths.

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
    entries = (FileEntry(path, size, run, digest) for path, size, digest, run in rows)
    if content_digest(entries) != answer.digest:
        raise Damaged(
            f"the list of files of {answer.reference} is not the one that was captured",
            "restore the replica from a backup",
        )
    alone = (answer.source or "model").rpartition("/")[2]
    return answer, [
        FileAnswer(path=path or alone, size=size, digest=digest, executable=executable)
        for path, size, digest, executable in rows
    ]
