"""Which files a version consists of, and which of them the server lacks.

The manifest of a version is the text with its content digest: the canonical bytes of its list of
files. It comes from replicas, so that what it holds is checked before it is believed; accepting it
gives no stream any file.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from regtui.core.documents import Document
from regtui.core.errors import NotFound
from sync_server import schema
from sync_server.file_lists import files_of
from sync_server.pieces import Place, held


def missing_of_version(connection: Connection, registry: int, version: Document) -> list[str]:
    """Return the digests of those files of a version that its stream has not, each once.

    Args:
        connection: Reads one moment.
        registry: The registry's number.
        version: Its document.

    Raises:
        NotFound: The list of its files has not come yet.
        Damaged: That list is none.
    """
    text = manifest_text(connection, str(version.facts["digest"]))
    if text is None:
        raise NotFound("the list of this version's files is not on the server yet")
    wanted = list(dict.fromkeys(entry.digest for entry in files_of(text)))
    there = held(connection, Place(registry, version.stream), wanted)
    return [digest for digest in wanted if digest not in there]


def manifest_text(connection: Connection, content: str) -> bytes | None:
    """Return the list of files behind a content digest; None where it is not here."""
    c = schema.text.c
    found = connection.execute(sa.select(c.value).where(c.digest == content)).scalar()
    return None if found is None else bytes(found)
