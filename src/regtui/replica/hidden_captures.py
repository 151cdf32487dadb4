"""Versions whose capture waits and shows nothing: who captured them may not write the model by now.

He may be let in again, and then the capture goes to the server with its list of files. So the key
that such a version had, on which that list hangs, is kept until the version is there again.
"""

from collections.abc import Iterable, Mapping

from regtui.replica.database import Connection

HIDDEN = "select id, key from base.hidden where id not in (select id from base.document)"
"""The ids and keys of such versions, as SQL; one that was captured again since is none."""


def note_hidden(connection: Connection, versions: Iterable[str], keys: Mapping[str, int]) -> None:
    """Note which versions wait and are not there; those of before are forgotten.

    Args:
        connection: Inside a transaction.
        versions: UUIDs of what waits to be captured.
        keys: Local keys, by id.
    """
    connection.execute("delete from base.hidden")
    known = {one: keys[one] for one in versions if one in keys}
    if known:
        connection.execute(
            "insert into base.hidden "
            "select id, key from (select unnest(?::uuid[]) as id, unnest(?::bigint[]) as key) "
            "where id not in (select id from base.document)",
            [list(known), list(known.values())],
        )


def hidden_keys(connection: Connection) -> dict[str, int]:
    """Return the keys that versions had which are not there, by their ids."""
    rows = connection.execute(
        f"select id::varchar, key from ({HIDDEN})"  # noqa: S608 -- a constant
    ).fetchall()
    return dict(rows)
