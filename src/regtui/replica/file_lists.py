"""The lists of files of versions, as their tables have them.

The list of a version that the server refused, or that is not shown (`hidden_captures`), stays while
its capture is in the outbox, under the key that the version had: its files are needed still.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from regtui.core.manifest import FileEntry, content_digest
from regtui.replica.database import Connection
from regtui.replica.hidden_captures import HIDDEN


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
        "select d.id::varchar, f.path, f.size, f.executable, lower(hex(f.digest)) "  # noqa: S608 -- a constant
        f"from (select id, key from base.document union all {HIDDEN}) d "
        "join base.file f on f.version = d.key where d.id in (select unnest(?::uuid[]))",
        [wanted],
    ).fetchall()
    return by_version(rows)


def take_lost_lists(connection: Connection, digests: Iterable[str]) -> dict[str, list[FileEntry]]:
    """Take the lists of versions that are not there (any more) out of their table.

    Args:
        connection: Inside a transaction.
        digests: Of the versions' content, once for each version.

    Returns:
        Files by the digest of the content; one of which no such list is there is left out.
    """
    wanted = Counter(digests)
    if not wanted:
        return {}
    rows = connection.execute(
        "select version, path, size, executable, lower(hex(digest)) from base.file "
        "where version not in (select key from base.document) "
        "order by version in (select key from base.hidden)"  # what waits keeps its own
    ).fetchall()
    found: dict[str, list[FileEntry]] = {}
    taken = []
    for version, entries in by_version(rows).items():
        digest = content_digest(entries)
        if wanted[digest] > 0:  # another capture of the same content may still be refused
            wanted[digest] -= 1
            found[digest] = entries
            taken.append(version)
    connection.execute(
        "delete from base.file where version in (select unnest(?::bigint[]))", [taken]
    )
    return found


def by_version(rows: Iterable[tuple[Any, ...]]) -> dict[Any, list[FileEntry]]:
    """Return files by what their rows begin with."""
    found: dict[Any, list[FileEntry]] = {}
    for version, *entry in rows:
        found.setdefault(version, []).append(FileEntry(*entry))
    return found
