"""Older usage in coarser rows: minutes into hours, processes into one, hours into days.

Hours stay for a while beside the day that holds them, marked as such: a year is read by its days
alone, and a week of last month by its hours still.

A run moves a bounded number of rows in one transaction, and one process of the server at a time
does it. Every step adds rows to a coarser one and deletes or marks them. That a minute which is
told once more after it was folded counts once is seen to by `minutes`, the bits of those that an
hour holds. Reports older than `usage.LATE` are refused, so that later steps meet nothing new.
"""

from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from sync_server import schema
from sync_server.database import Database, upsert
from sync_server.usage import DAY, FIGURES, HELD, HOUR, LATE, MINUTE

ROWS = 2_000
"""Rows that a step of a run moves."""

ALL = ""
"""The reporter of rows that hold what all processes told."""

LOCK = 7_236_882
"""Number of the lock that lets one process on a Postgres do it at a time."""

_u = schema.usage.c
_KEY = [_u[column.name] for column in schema.usage.primary_key]
_KEYS = 150
"""Rows that one statement names."""


class Step(Struct, frozen=True):
    """Rows of one span that become others after a while.

    Attributes:
        source: Their span.
        target: That of the others.
        after: Microseconds.
        together: Whether what all processes told becomes one row.
        keeps: Whether they stay, marked as held.
    """

    source: int
    target: int
    after: int
    together: bool
    keeps: bool = False


STEPS = (
    Step(MINUTE, HOUR, 3 * HOUR, together=False),
    Step(HOUR, HOUR, LATE + DAY, together=True),
    Step(HOUR, DAY, LATE + 2 * DAY, together=True, keeps=True),
)

HOURS = 90 * DAY
"""How long hours stay."""


def fold(database: Database, now: int, rows: int = ROWS) -> int:
    """Move what is old enough; return how many rows were, 0 where another process is at it.

    Args:
        database: The server's.
        now: Microseconds.
        rows: How many each step may move.
    """
    with database.reading() as connection:
        waiting = [*(_old(step, now, 1) for step in STEPS), _done(now, 1)]
        if not any(connection.execute(one).first() for one in waiting):
            return 0
    with database.writing() as connection:
        if not database.is_sqlite:
            free = connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))).scalar()
            if not free:
                return 0
        moved = sum(_take(connection, step, now, rows) for step in STEPS)
        done = [tuple(row) for row in connection.execute(_done(now, rows))]
        _delete(connection, done)
        return moved + len(done)


def _old(step: Step, now: int, limit: int) -> sa.Select[Any]:
    """Return the query of the rows that a step moves, the oldest first."""
    border = (now - step.after) // step.target * step.target
    query = sa.select(schema.usage).where(_u.span == step.source, _u.bucket < border)
    if step.source == HOUR:  # those of all processes have no minutes
        query = query.where(_u.minutes == 0 if step.keeps else _u.minutes > 0)
    return query.order_by(_u.bucket).limit(limit)


def _done(now: int, limit: int) -> sa.Select[Any]:
    """Return the query of the keys of hours that their day holds for long enough."""
    border = (now - HOURS) // DAY * DAY
    held = sa.select(*_KEY).where(_u.span == HOUR, _u.bucket < border, _u.minutes == HELD)
    return held.order_by(_u.bucket).limit(limit)


def _take(connection: Connection, step: Step, now: int, limit: int) -> int:
    query = _old(step, now, limit).with_for_update(skip_locked=True)
    found = [dict(row) for row in connection.execute(query).mappings()]
    if not found:
        return 0
    keys = {_target(step, row) for row in found}
    made = {_key(row): row for row in _read(connection, sorted(keys))}
    for row in found:
        _add(made, step, row)
    upserted = [made[key] for key in sorted(made)]
    if step.keeps:
        upserted += [{**row, "minutes": HELD} for row in found]
    else:
        _delete(connection, sorted(_key(row) for row in found))
    upsert(connection, schema.usage, upserted)
    return len(found)


def _delete(connection: Connection, keys: list[tuple[Any, ...]]) -> None:
    for some in _parts(keys):
        connection.execute(sa.delete(schema.usage).where(sa.tuple_(*_KEY).in_(some)))


def _add(made: dict[Any, dict[str, Any]], step: Step, row: dict[str, Any]) -> None:
    key = _target(step, row)
    known = made.get(key)
    bit = 1 << (row["bucket"] % HOUR // MINUTE) if step.source == MINUTE else 0
    if known is None:
        changed = dict(zip((column.name for column in _KEY), key, strict=True))
        made[key] = {**row, **changed, "minutes": bit}
        return
    known["beat"] = max(known["beat"], row["beat"])
    if known["minutes"] & bit:
        return  # it was told once more after it was counted
    known["minutes"] |= bit
    for name in FIGURES:
        known[name] += row[name]


def _target(step: Step, row: dict[str, Any]) -> tuple[Any, ...]:
    begin = row["bucket"] - row["bucket"] % step.target
    reporter = ALL if step.together else row["reporter"]
    return row["registry"], row["deployment"], step.target, begin, reporter


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in _KEY)


def _read(connection: Connection, keys: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [
        dict(row)
        for some in _parts(keys)
        for row in connection.execute(
            sa.select(schema.usage).where(sa.tuple_(*_KEY).in_(some))
        ).mappings()
    ]


def _parts(keys: list[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    return [keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)]
