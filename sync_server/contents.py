"""What the server knows of a version's files: whether it has them, and whether one runs code.

Whether a file runs code is found out by `scans`, before an operation is judged, and kept.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from regtui.core.documents import Document
from regtui.core.errors import Damaged, NotFound
from regtui.core.view import Contents
from sync_server import schema
from sync_server.complete import files_of, manifest_text, missing_of_version
from sync_server.database import chunks


def contents_of(connection: Connection, registry: int, version: Document) -> Contents:
    """Return what is known of a version's files.

    Args:
        connection: Reads one moment.
        registry: The registry's number.
        version: Its document.
    """
    try:
        missing = missing_of_version(connection, registry, version)
    except NotFound as error:
        return Contents(complete=False, safe=False, reason=error.message)
    except Damaged as error:
        return Contents(complete=False, safe=False, reason=error.message)
    if missing:
        return Contents(complete=False, safe=False, reason=f"{len(missing)} files are not here")
    text = manifest_text(connection, str(version.facts["digest"])) or b"[]"
    paths = {entry.digest: entry.path for entry in files_of(text)}
    c = schema.scan.c
    known: dict[str, tuple[bool, str]] = {}
    for wanted in chunks(paths):
        for row in connection.execute(
            sa.select(c.digest, c.safe, c.reason).where(c.digest.in_(wanted))
        ):
            known[row.digest] = (row.safe, row.reason)
    for digest, path in sorted(paths.items(), key=lambda one: one[1]):
        safe, reason = known.get(digest, (False, "was not looked at yet"))
        if not safe:
            return Contents(complete=True, safe=False, reason=f"{path}: {reason}")
    return Contents(complete=True, safe=True, reason="no file runs code when it is loaded")
