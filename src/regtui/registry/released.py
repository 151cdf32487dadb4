"""Versions whose files were released by retention: an absence that is no damage.

The mark is made before the first file goes (`regtui.registry.gc`), and belongs to this replica: it
follows from no operation, since another replica may hold the same files. It stays through every
change of state, for restoring a record brings no bytes back. A capture or import that stores the
content again takes it away.
"""

from collections.abc import Sequence

from regtui.artifacts.garbage import all_there
from regtui.core.errors import NotFound
from regtui.core.manifest import FileEntry
from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context
from regtui.replica.database import Connection

_NOTE = """
insert into base.released
select distinct f.version, $now::bigint
  from base.file f
  join base.version v on v.key = f.version and v.state = 'archived'
 where f.digest between unhex($first) and unhex($last)
   and f.digest in (select unhex(unnest($digests::varchar[])))
   and f.version not in (select version from base.released)
"""


def note_released(connection: Connection, digests: Sequence[str], now: int) -> bool:
    """Mark the archived versions that name any of these digests; tell whether any was not marked.

    Args:
        connection: Inside a transaction of the caller's.
        digests: In their order; not none.
        now: Milliseconds.
    """
    named = {"first": digests[0], "last": digests[-1], "digests": list(digests), "now": now}
    row = connection.execute(_NOTE, named).fetchone()
    return row is not None and row[0] > 0


def forget_released(connection: Connection, version: int) -> bool:
    """Take the mark of a version away: its files are here again; tell whether it had one.

    Args:
        connection: Inside a transaction of the caller's.
        version: Its local key.
    """
    marked = connection.execute("select 1 from base.released where version = ?", [version])
    if marked.fetchone() is None:
        return False
    connection.execute("delete from base.released where version = ?", [version])
    return True


def without_files(connection: Connection, versions: Sequence[str]) -> list[str]:
    """Return the references of those versions whose record is back, and whose files are not.

    Args:
        connection: Inside a transaction of the caller's.
        versions: Their ids, and perhaps those of other entities.
    """
    rows = connection.execute(
        "select m.name, v.number from base.released r "
        "join base.version v on v.key = r.version and v.state = 'captured' "
        "join base.model m on m.key = v.model "
        "where v.id in (select unnest(?::uuid[])) order by m.name, v.number",
        [list(dict.fromkeys(versions))],
    ).fetchall()
    return [f"{name}@{number}" for name, number in rows]


def is_released(context: Context, answer: VersionAnswer) -> bool:
    """Tell whether the files of a version may be missing here."""
    return _since(context, answer) is not None


def refuse_released(context: Context, answer: VersionAnswer, entries: Sequence[FileEntry]) -> None:
    """Refuse to hand out files that were released; others that are missing are damage.

    Args:
        context: The registry.
        answer: The version.
        entries: Those of its files that are wanted.

    Raises:
        NotFound: One is not here any more.
    """
    since = _since(context, answer)
    if since is None or all_there(context.store, entries):
        return
    if since == 0:
        raise NotFound(
            f"the files of {answer.reference} are not on this machine",
            f"`regtui pull {answer.reference}` fetches them from the server",
        )
    raise NotFound(
        f"the files of {answer.reference} were released by retention",
        "capture the same content again to bring them back",
    )


def _since(context: Context, answer: VersionAnswer) -> int | None:
    """Return since when files may be missing, 0 where they never were here; None where not."""
    with context.reading() as connection:
        row = connection.execute(
            "select since from base.released where version = (select key from base.document "
            "where id = ?)",
            [answer.id],
        ).fetchone()
    return None if row is None else int(row[0])
