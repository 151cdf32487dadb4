"""Texts that no operation holds, such as series and contexts, carried from one database to another.

They are read and kept in pages, for a text may have megabytes.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from regtui.registry.export_version import kept_texts
from regtui.replica.database import Connection
from regtui.replica.texts import keep

Opened = Callable[[], AbstractContextManager[Connection]]
"""Opens a database for one unit of work."""

_DIGESTS = 5_000
_TEXTS = 64


def carry_texts(source: Opened, target: Opened, changing: Opened) -> None:
    """Keep the texts of one database in another one that lacks them.

    Args:
        source: Opens the one that has them.
        target: Opens the other one for reading.
        changing: Opens it for a transaction.
    """
    last = ""
    while True:
        with source() as connection:
            digests = _digests_after(connection, last)
        if not digests:
            return
        last = digests[-1]
        with target() as connection:
            rows = connection.execute(
                "select distinct digest from base.text "
                "where digest in (select unnest(?::varchar[]))",
                [digests],
            ).fetchall()
        new = sorted(set(digests) - {row[0] for row in rows})
        for start in range(0, len(new), _TEXTS):
            with source() as connection:
                texts = kept_texts(connection, new[start : start + _TEXTS])
            with changing() as connection:
                keep(connection, texts)


def _digests_after(connection: Connection, last: str) -> list[str]:
    rows = connection.execute(
        "select distinct digest from base.text where digest > ? order by digest limit ?",
        [last, _DIGESTS],
    ).fetchall()
    return [row[0] for row in rows]
