"""When each token was used last, to the minute: noted in memory and written now and then.

A write for each request would make readers wait for writers.
"""

import threading
from collections.abc import Callable

import sqlalchemy as sa

from sync_server import schema
from sync_server.database import Database


class TokenUses:
    """Remembers uses until they are written.

    Args:
        database: The server's.
        clock: Returns microseconds.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, token: str) -> None:
        """Remember that a token was used now."""
        with self._lock:
            self._used[token] = self._clock()

    def flush(self) -> None:
        """Write what is remembered."""
        with self._lock:
            used, self._used = self._used, {}
        if not used:
            return
        c = schema.token.c
        with self._database.writing() as connection:
            connection.execute(
                sa.update(schema.token)
                .where(c.id == sa.bindparam("token"))
                .values(used=sa.bindparam("at")),
                [{"token": token, "at": at} for token, at in sorted(used.items())],
            )
