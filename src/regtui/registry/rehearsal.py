"""Rehearsals: what is done only to tell what it would do.

Short work is one unit of work that is taken back. Long work would hold up everybody meanwhile, so
it is done on a copy of the database, unit by unit as if it were the registry, and thrown away with
it: what it costs others is the time of the copy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regtui.artifacts.faults import disk_errors
from regtui.registry.context import Context
from regtui.replica.authority import SoloAuthority
from regtui.replica.backup import snapshot
from regtui.replica.database import Connection, connected


class _Over(Exception):
    """The rehearsal is over."""


@contextmanager
def unit_of_work(context: Context, *, dry_run: bool) -> Iterator[SoloAuthority]:
    """Open the replica for one transaction of operations, which a dry run takes back."""
    try:
        with context.writing() as authority:
            yield authority
            if dry_run:
                raise _Over  # noqa: TRY301 -- an error is what undoes a unit of work
    except _Over:
        pass


class Rehearsal:
    """A copy of a replica with the same units of work.

    No other process knows of it, so it has no locks. It acts as the replica that it is a copy of,
    or, where that one would take a new key first, under one that is kept nowhere.

    Args:
        context: The registry.
        folder: Where the copy may stand; whoever made it removes it.

    Raises:
        Busy: Writers held the replica past the deadline.
        Damaged: The database is damaged.
        RegtuiError: The disk is full.
    """

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._database = folder / "rehearsal.duckdb"
        with disk_errors(f"writing to the store {context.home}"):
            snapshot(context.replica, self._database)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open the copy for reading."""
        with connected(self._database, read_only=True) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[SoloAuthority]:
        """Open the copy for one transaction of operations."""
        context = self._context
        with connected(self._database, read_only=False) as connection:
            connection.execute("begin")
            authority = SoloAuthority(
                connection,
                context.actor,
                context.via,
                context.session,
                context.replica.clock(),
                context.home,
                rehearses=True,
            )
            yield authority
            authority.flush()
            connection.execute("commit")
