"""The lists of files of versions, as their tables have them."""

from collections.abc import Iterable

from regtui.core.manifest import FileEntry
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
