"""The lists of files of versions, as their tables have them.

The list of a version that the server refused stays while its capture is in the outbox, under the
key that the version had: its files are needed still.
"""

from collections.abc import Iterable

from regtui.core.manifest import FileEntry, content_digest
from regtui.replica.database import Connection


def file_lists(connection: Connection, versions: Iterable[str]) -> dict[str, list[FileEntry]]:
    """Return the files of versions; one without any is left out.

    Args:
        connection: Open.
        versions: UUIDs.

    Returns:
        Files by the version's id, in no particular order.
    """
    wanted = sorted(versions)
    if not wanted:
        return {}
    rows = connection.execute(
        "select d.id::varchar, f.path, f.size, f.executable, lower(hex(f.digest)) "
        "from base.document d join base.file f on f.version = d.key "
        "where d.id in (select unnest(?::uuid[]))",
        [wanted],
    ).fetchall()
    found: dict[str, list[FileEntry]] = {}
    for version, *entry in rows:
        found.setdefault(version, []).append(FileEntry(*entry))
    return found


def take_lost_list(connection: Connection, digest: str) -> list[FileEntry]:
    """Take the list of a version that is not there (any more) out of its table, and return it.

    Args:
        connection: Inside a transaction.
        digest: Of the version's content.

    Returns:
        Its files; none where no such list is there.
    """
    rows = connection.execute(
        "select version, path, size, executable, lower(hex(digest)) from base.file "
        "where version not in (select key from base.document)"
    ).fetchall()
    lists: dict[int, list[FileEntry]] = {}
    for version, *entry in rows:
        lists.setdefault(version, []).append(FileEntry(*entry))
    for version, found in lists.items():
        if content_digest(found) == digest:
            connection.execute("delete from base.file where version = ?", [version])
            return found
    return []
