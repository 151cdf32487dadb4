"""Following: what is done to the registry while one looks, by whatever process.

The database file tells by its time and size that somebody wrote; a look at it costs nothing and
works on every file system. Nothing is held open between two looks. A registry that is busy is
looked at again later, so nothing is told twice and nothing is left out.

Where a remote decides, an operation is told when it is made here, as one that waits, and again when
it was accepted, with its number. What waits is known by its id, for its place among what waits is
given again.
"""

import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from regtui.core.errors import Busy
from regtui.registry.context import Context
from regtui.registry.history import (
    LogRequest,
    OperationAnswer,
    operation_answers,
    wanted_operations,
)
from regtui.replica.history import Wanted, accepted, between, waiting_ids

TICK = 0.25
"""Seconds between two looks at the database file."""

PAGE = 500
"""Operations that are looked at in one unit of work."""


def follow(
    context: Context,
    reference: str | None = None,
    *,
    author: str | None = None,
    kind: str | None = None,
    wait: Callable[[float], object] | None = None,
) -> Iterator[OperationAnswer]:
    """Yield the operations that are committed from now on, in their order, without end.

    Args:
        context: The registry.
        reference: Only with a model, version, alias (`MODEL@ALIAS`) or `dataset:NAME`.
        author: Only by this person.
        kind: Only of this kind.
        wait: Lets some seconds pass; what it raises ends the following.

    Raises:
        NotFound: There is no such model, version, alias, dataset or person.
        BadInput: The reference or kind is malformed.
    """
    request = LogRequest(reference=reference, author=author, kind=kind)
    seen = context.replica.home.written()
    with context.reading() as connection:
        wanted = wanted_operations(context, connection, request)
        last, waits = accepted(connection), waiting_ids(connection)
    return _follow(context, wanted, _Told(last, waits, seen), wait or time.sleep)


def _follow(
    context: Context,
    wanted: Wanted,
    told: "_Told",
    wait: Callable[[float], object],
) -> Iterator[OperationAnswer]:
    while True:
        wait(TICK)
        if (now := context.replica.home.written()) == told.seen:
            continue
        try:
            with context.reading() as connection:
                head, waits = accepted(connection), waiting_ids(connection)
                # A remote that went back to a backup tells again what it took back.
                last = min(told.last, head)
                until = min(head, last + PAGE)
                new = sorted(waits[one] for one in waits.keys() - told.waits.keys())
                found = between(connection, wanted, last, until)
                if new:
                    mine = between(connection, wanted, new[0] - 1, new[-1])
                    found += [seq for seq in mine if seq in set(new)]
                answers = operation_answers(connection, found)
        except Busy:
            continue
        yield from answers
        told.last, told.waits = until, waits
        if until == head:
            told.seen = now


class _Told(Struct):
    """What was told so far: up to which number, what waited, and how the file looked then."""

    last: int
    waits: dict[str, int]
    seen: list[tuple[int, int]]
