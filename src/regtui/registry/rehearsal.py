"""Rehearsals: a unit of work that is done and then taken back, to tell what it would do."""

from collections.abc import Iterator
from contextlib import contextmanager

from regtui.registry.context import Context
from regtui.replica.authority import SoloAuthority


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
