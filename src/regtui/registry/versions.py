"""One version and its files."""

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
    """
    with context.reading() as connection:
        key, document = find_version(connection, reference)
        rows = connection.execute(
            "select path, size, lower(hex(digest)), executable from base.file "
            "where version = ? order by path",
            [key],
        ).fetchall()
        answer = one_version(connection, key, document)
    alone = (answer.source or "model").rpartition("/")[2]
    return answer, [
        FileAnswer(path=path or alone, size=size, digest=digest, executable=executable)
        for path, size, digest, executable in rows
    ]
