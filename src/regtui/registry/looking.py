"""Looking at the files of a version, for gates that ask whether they are all here and safe."""

from regtui.artifacts.garbage import all_there
from regtui.core.documents import Document
from regtui.core.errors import RegtuiError
from regtui.core.manifest import FileEntry
from regtui.core.view import Contents
from regtui.formats.detect import READER
from regtui.formats.layout import HARMLESS
from regtui.registry.context import Context
from regtui.replica.database import Connection


def contents_of(context: Context, connection: Connection, version: Document) -> Contents:
    """Return what is known here of a version's files, where this replica decides.

    Args:
        context: The registry.
        connection: The open replica.
        version: The version's document.
    """
    rows = connection.execute(
        "select path, size, executable, lower(hex(digest)) from base.file "
        "where version = (select key from base.version where id = ?) order by path",
        [version.id],
    ).fetchall()
    entries = [FileEntry(path, size, executable, digest) for path, size, executable, digest in rows]
    try:
        complete = bool(entries) and all_there(context.store, entries)
    except (OSError, RegtuiError):
        complete = False
    known = dict(
        connection.execute(
            "select lower(hex(digest)), safety from base.layout "
            "where reader = ? and digest in "
            "(select unhex(d) from (select unnest(?::varchar[]) as d))",
            [READER, [entry.digest for entry in entries]],
        ).fetchall()
    )
    for entry in entries:
        verdict = known.get(entry.digest)
        if verdict is None:
            told = f"{entry.path}: was not looked at yet; `regtui files {version.id}` does"
            return Contents(complete, safe=False, reason=told)
        if verdict not in HARMLESS:
            return Contents(complete, safe=False, reason=f"{entry.path}: {verdict}")
    return Contents(complete, safe=complete, reason="no file runs code when it is loaded")
