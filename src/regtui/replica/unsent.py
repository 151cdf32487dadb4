"""Versions whose files the server has to get yet: noted with the verdict that accepted them.

What the server has was brought by whoever captured it, so only the versions of this replica are
noted, and an idle sync has nothing to ask. A server that was restored from a backup may have lost
files, too: then every version is noted whose files are here.
"""

from collections.abc import Sequence

from regtui.replica.database import Connection
from regtui.replica.hidden_captures import HIDDEN

_NOTE = f"""
insert into base.unsent
select v.key
  from (select id, key from base.version union all {HIDDEN}) v
 where v.key not in (select version from base.released)
   and v.key not in (select version from base.unsent)
"""  # noqa: S608 -- a constant


def note_unsent(connection: Connection, versions: Sequence[str]) -> None:
    """Note versions, by their ids; those whose files are not here are left out.

    Args:
        connection: Inside a transaction of the caller's.
        versions: UUIDs.
    """
    if versions:
        connection.execute(
            f"{_NOTE} and v.id in (select unnest(?::uuid[]))",
            [list(versions)],
        )


def note_all_unsent(connection: Connection) -> None:
    """Note every version whose files are here; inside a transaction of the caller's."""
    connection.execute(_NOTE)


def forget_unsent(connection: Connection, versions: Sequence[int]) -> None:
    """Note that the server has the files of versions.

    Args:
        connection: Inside a transaction of the caller's.
        versions: Their local keys.
    """
    connection.execute(
        "delete from base.unsent where version in (select unnest(?::bigint[]))", [list(versions)]
    )
