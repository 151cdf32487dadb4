"""What the server knows of a version's files: whether it has them, and whether one runs code.

Whether a file runs code is found out by `scans`, before an operation is judged, and kept.
"""

from sqlalchemy.engine import Connection

from regtui.core.documents import Document
from regtui.core.errors import Damaged, NotFound
from regtui.core.view import Contents
from regtui.formats.detect import READER
from sync_server.complete import manifest_text, missing_of_version
from sync_server.file_lists import files_of
from sync_server.scans import UNREAD, Found, ending, named, verdicts

NOT_YET = "it was not looked at yet; try again in a moment"


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
        lacking = "a file is" if len(missing) == 1 else f"{len(missing)} files are"
        return Contents(complete=False, safe=False, reason=f"{lacking} not here")
    text = manifest_text(connection, str(version.facts["digest"])) or b"[]"
    files = named(version, files_of(text))
    known = verdicts(connection, files)
    for path, digest in files:
        told = _against(known.get((digest, ending(path))))
        if told is not None:
            return Contents(complete=True, safe=False, reason=f"{path or 'the file'}: {told}")
    return Contents(complete=True, safe=True, reason="no file runs code when it is loaded")


def _against(found: Found | None) -> str | None:
    """Return why a file is not safe; None where it is."""
    if found is None or found.reader not in {READER, UNREAD}:
        return NOT_YET
    return None if found.safe else found.reason
