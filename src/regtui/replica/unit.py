"""Units of work: lock, open, one transaction, close, unlock.

A unit of work is short, because others wait for it. Reads run in a read-only connection, which also
replays what a killed writer had committed; writes run in one transaction that is either whole or
never was. Long work is cut into pages by its caller, so that others get their turn between them.

The first write of a day keeps a copy of the database as it found it (`backup.keep_daily_copy`).
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from regtui.core.errors import RegtuiError
from regtui.replica.backup import keep_daily_copy
from regtui.replica.database import Connection, connected
from regtui.replica.home import Home
from regtui.replica.locks import ReplicaLock
from regtui.replica.migrate import check, migrate

if TYPE_CHECKING:
    from regtui.core.access import Actor
    from regtui.replica.authority import SoloAuthority

Clock = Callable[[], int]
"""Returns microseconds since the epoch."""


def wall_clock() -> int:
    """Return the machine's time in microseconds."""
    return time.time_ns() // 1000


class Replica:
    """A registry in one DuckDB file, made at first use.

    Args:
        home: The folder that holds it.
        clock: The machine's clock; handed in so that runs can be repeated.
        on_change: Is told of each transaction that was committed, outside of its locks.
    """

    def __init__(
        self,
        home: Path,
        clock: Clock = wall_clock,
        on_change: Callable[[Path], object] | None = None,
    ) -> None:
        self.home = Home(home)
        self.clock = clock
        self._on_change = on_change
        self._lock = ReplicaLock(home)
        self._was_there = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open the replica for reading.

        Raises:
            Busy: Writers held it past the deadline.
            Damaged: The database is damaged or gone.
            RegtuiError: A newer program made it.
        """
        self.make()
        while True:
            with (
                self._lock.shared(),
                connected(self.home.database, read_only=True) as connection,
            ):
                if check(connection, self.home.database):
                    yield connection
                    return
            self._migrate()

    @contextlib.contextmanager
    def writing(self, actor: "Actor", via: str, session: str) -> "Iterator[SoloAuthority]":
        """Open the replica for one transaction of operations; an error undoes all of them.

        Args:
            actor: Who acts.
            via: `cli`, `app`, `watcher`, `api` or `runner`.
            session: Which invocation this is.

        Raises:
            Busy: Others held it past the deadline.
            Damaged: The database is damaged or gone.
            RegtuiError: A newer program made it, or the disk is full.
        """
        # Reading commands start without the judge's modules.
        from regtui.replica.authority import SoloAuthority

        with self._changing() as (connection, now):
            authority = SoloAuthority(connection, actor, via, session, now, self.home.path)
            yield authority
            authority.flush()

    @contextlib.contextmanager
    def changing(self) -> Iterator[Connection]:
        """Open the replica for one transaction; an error undoes all of it.

        Raises:
            Busy: Others held it past the deadline.
            Damaged: The database is damaged or gone.
            RegtuiError: A newer program made it, or the disk is full.
        """
        with self._changing() as (connection, _):
            yield connection

    @contextlib.contextmanager
    def _changing(self) -> Iterator[tuple[Connection, int]]:
        """Open the replica for one transaction, and tell of it when others have their turn."""
        with self._transaction() as opened:
            yield opened
        if self._on_change is not None:
            self._on_change(self.home.path)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[tuple[Connection, int]]:
        """Open the replica for one transaction, with the moment at which that was its turn."""
        self.make()
        while True:
            with self._lock.exclusive():
                now = self.clock()
                keep_daily_copy(self.home, now)
                with connected(self.home.database, read_only=False) as connection:
                    if check(connection, self.home.database):
                        connection.execute("begin")
                        yield connection, now
                        connection.execute("commit")
                        return
            self._migrate()

    def is_wanted(self) -> bool:
        """Tell whether somebody waits for the replica; whoever reads at leisure asks."""
        return self._lock.is_wanted()

    def make(self) -> None:
        """Make the replica where there is none; who stores files does so before the first one.

        One that was here and is removed or moved while somebody works on it is not made again: an
        empty one in its place would hide that, and stand in the way of what was moved.

        Raises:
            BadInput: The folder is there and is somebody else's.
            Busy: Others held it past the deadline.
            Damaged: Its database is gone, and what is left of the registry is still there.
            RegtuiError: It can't be made, or was here and is gone.
        """
        if self.home.exists():
            self._was_there = True
            return
        self.check_there()
        self.home.make_folder()
        with self._lock.exclusive():
            if not self.home.exists():
                self.home.make_database(self.clock())
        self._was_there = True

    def check_there(self) -> None:
        """Refuse to go on where the replica was here and is gone.

        Raises:
            RegtuiError: It is.
        """
        if self._was_there and self.home.is_gone():
            raise RegtuiError(
                f"the registry {self.home.path} is gone: it was removed or moved",
                "begin again on the one that you mean, with --home",
            )

    def _migrate(self) -> None:
        with self._lock.exclusive():
            migrate(self.home.database, self.home.backups, self.clock() // 1000)
