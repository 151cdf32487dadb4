"""Usage: what serving processes tell of deployments, how it is kept, and how it is read.

A report says of one minute how many requests, errors and latencies of each size a process has
counted so far. It is kept for each process (its *incarnation*) and minute as the greatest that was
told of every figure, so that reports may come twice, late and in any order. Nothing of this is an
operation: the registry's row is not taken, and nobody syncs it.

Reports that come at the same time are written by one transaction: on SQLite a commit is what costs.

Older rows are folded into coarser ones (`usage_rollup`). A row of an hour knows which minutes it
holds; one of these that is told once more counts once, here and there.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.access import Role, has_role, reports
from regtui.core.documents import decode_document
from regtui.core.latency import SLOTS, quantile
from sync_server import schema
from sync_server.authority import Refused
from sync_server.database import Database, upsert_greatest
from sync_server.rights import Rights
from sync_server.sync import Caller, SyncService

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Microseconds."""

AHEAD = 5 * MINUTE
"""How far the clock of who reports may be ahead."""

LATE = 7 * DAY
"""For how long a report may be late."""

MOST = 1_000
"""Buckets of one answer."""

HELD = -1
"""`minutes` of an hour that the row of its day holds already."""

COUNTS = [f"l{place}" for place in range(SLOTS)]
"""The columns of a histogram."""

FIGURES = ["requests", "errors", *COUNTS]

By = Literal["minute", "hour", "day"]
SPANS: dict[By, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY}
SHOWN: dict[By, int] = {"minute": 3 * HOUR, "hour": 7 * DAY, "day": 90 * DAY}
"""How far an answer goes back where nobody says it."""

_u = schema.usage.c


class Report(Struct, frozen=True):
    """What one process has counted so far in one minute.

    Attributes:
        reporter: Its incarnation.
        bucket: A moment of that minute, in microseconds.
        requests: All of them.
        errors: Those that failed.
        latency: Counts by `regtui.core.latency`; zeros at the end may be left out.
        beat: When it lived last, in microseconds.
    """

    reporter: str
    bucket: int
    requests: int
    errors: int
    latency: list[int]
    beat: int


class Bucket(Struct, frozen=True):
    """What was counted in a minute, an hour or a day, from its beginning in microseconds on."""

    bucket: int
    requests: int
    errors: int
    beat: int
    p50: float | None
    p95: float | None
    latency: list[int]


class Deployment(Struct, frozen=True):
    """A deployment.

    Attributes:
        registry: Number of its registry.
        id: Its id.
        until: When it ended, in microseconds; None while it may be heard of.
    """

    registry: int
    id: str
    until: int | None = None


class _Batch:
    """Rows that are written together."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.done = False
        self.failed: Exception | None = None


class Usage:
    """The usage of deployments.

    Args:
        database: The server's.
        service: Knows rights.
        clock: Returns microseconds.
    """

    def __init__(self, database: Database, service: SyncService, clock: Callable[[], int]) -> None:
        self.database = database
        self.service = service
        self.clock = clock
        self._batch = _Batch()
        self._joining = threading.Lock()
        self._writing = threading.Lock()

    def to_report(self, registry: int, deployment: str, caller: Caller) -> Deployment:
        """Return a deployment for who may report of it: who has `reporter` there, and maintainers.

        Raises:
            Refused: There is none, or he may not know of it, both alike; or he may only read it.
        """
        found, name, rights = self._found(registry, deployment, caller)
        if reports(rights.actor, name) or has_role(rights.actor, name, Role.MAINTAINER):
            return found
        if rights.since(name) is None:
            raise absent()
        raise Refused(403, "denied", "that needs the role of a reporter or a maintainer")

    def to_read(self, registry: int, deployment: str, caller: Caller) -> Deployment:
        """Return a deployment for who may read its model.

        Raises:
            Refused: There is none, or he may not know of it: both alike.
        """
        found, name, rights = self._found(registry, deployment, caller)
        if rights.since(name) is None:
            raise absent()
        return found

    def take(self, deployment: Deployment, given: Iterable[Report]) -> list[tuple[int, str]]:
        """Keep reports; return the places of those that are not taken, each with the reason."""
        now, refused, rows = self.clock(), list[tuple[int, str]](), list[dict[str, Any]]()
        for place, report in enumerate(given):
            if report.bucket > now + AHEAD:
                refused.append((place, "it is of the future"))
            elif report.bucket < now - LATE:
                refused.append((place, "it is older than seven days"))
            elif deployment.until is not None and report.bucket > deployment.until + AHEAD:
                refused.append((place, "the deployment had ended before"))
            elif report.errors > report.requests:
                refused.append((place, "it has more errors than requests"))
            else:
                rows.append(_row(deployment, report, now))
        if rows:
            self._write(rows)
        return refused

    def series(self, deployment: Deployment, by: By, since: int | None) -> list[Bucket]:
        """Return what was counted, by minutes, hours or days, from a moment on; oldest first."""
        start = self.clock() - SHOWN[by] if since is None else since
        with self.database.reading() as connection:
            return counted(connection, deployment, SPANS[by], start - start % SPANS[by])

    def _found(
        self, registry: int, deployment: str, caller: Caller
    ) -> tuple[Deployment, str, Rights]:
        with self.database.reading() as connection:
            rights = self.service.rights_of(connection, registry, caller)
            asked = {"registry": registry, "deployment": deployment}
            found = connection.execute(_DEPLOYMENT, asked).one_or_none()
        if found is None or found.name is None:
            raise absent()
        until = decode_document(bytes(found.body)).value("until")
        return Deployment(registry, deployment, until), found.name, rights

    def _write(self, rows: list[dict[str, Any]]) -> None:
        """Write rows together with those that others bring meanwhile."""
        with self._joining:
            batch = self._batch
            for row in rows:
                key = tuple(row[name] for name in _KEY)
                known = batch.rows.get(key)
                batch.rows[key] = row if known is None else _greatest(known, row)
        with self._writing:
            if not batch.done:
                with self._joining:
                    self._batch = _Batch()
                batch.done = True
                try:
                    self._commit(batch)
                except Exception as error:  # noqa: BLE001 -- everybody whose rows they are fails
                    batch.failed = error
        if batch.failed is not None:
            raise batch.failed

    def _commit(self, batch: _Batch) -> None:
        rows = [batch.rows[key] for key in sorted(batch.rows)]  # locks come in one order
        with self.database.writing() as connection:
            upsert_greatest(connection, schema.usage, rows, ["beat", *FIGURES])


_e, _m = schema.entity.c, schema.entity.alias("model")
# Made once: every report asks it, and making it takes longer than its answer.
_DEPLOYMENT = (
    sa.select(_m.c.name, _e.body)
    .join_from(schema.entity, _m, sa.and_(_m.c.registry == _e.registry, _m.c.id == _e.stream))
    .where(
        _e.registry == sa.bindparam("registry"),
        _e.id == sa.bindparam("deployment"),
        _e.kind == "deployment",
        _m.c.kind == "model",
    )
)


def absent() -> Refused:
    """Return the one answer to whoever asks for what is not there, or not for him."""
    return Refused(404, "not_found", "there is no such deployment")


def counted(
    connection: Connection, deployment: Deployment, span: int, start: int, most: int = MOST
) -> list[Bucket]:
    """Return what was counted in each span from a moment on, oldest first.

    Args:
        connection: Reads one moment.
        deployment: Whose.
        span: Microseconds of a bucket: of a minute, an hour or a day.
        start: Where the first one begins.
        most: How many; the newest are left out.
    """
    begin = (_u.bucket - _u.bucket % span).label("begin")
    query = (
        sa.select(begin, sa.func.max(_u.beat).label("beat"), *_sums())
        .where(*_of(deployment), _u.span <= span, _u.bucket >= start, _once())
        .where(*([_u.minutes != HELD] if span == DAY else []))
        .group_by(begin)
        .order_by(begin)
        .limit(most)
    )
    return [_bucket(*row) for row in connection.execute(query)]


def counted_since(connection: Connection, deployment: Deployment, start: int) -> Bucket | None:
    """Return all that was counted from a moment on; None where nothing was told.

    Rows of an hour count from their beginning.
    """
    query = sa.select(
        sa.func.min(_u.bucket).label("begin"), sa.func.max(_u.beat).label("beat"), *_sums()
    ).where(*_of(deployment), _u.span <= HOUR, _u.bucket >= start, _once())
    begin, *told = connection.execute(query).one()
    return None if begin is None else _bucket(begin, *told)


_KEY = [column.name for column in schema.usage.primary_key]


def _row(deployment: Deployment, report: Report, now: int) -> dict[str, Any]:
    counts = report.latency + [0] * (SLOTS - len(report.latency))
    return {
        "registry": deployment.registry,
        "deployment": deployment.id,
        "span": MINUTE,
        "bucket": report.bucket - report.bucket % MINUTE,
        "reporter": report.reporter,
        "minutes": 0,
        "beat": min(report.beat, now),
        "requests": report.requests,
        "errors": report.errors,
        **dict(zip(COUNTS, counts, strict=True)),
    }


def _greatest(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, **{name: max(one[name], other[name]) for name in ("beat", *FIGURES)}}


def _of(deployment: Deployment) -> tuple[Any, ...]:
    return _u.registry == deployment.registry, _u.deployment == deployment.id


def _sums() -> list[Any]:
    # Postgres gives the sum of such numbers as a decimal.
    return [sa.cast(sa.func.sum(_u[name]), sa.BigInteger).label(name) for name in FIGURES]


def _once() -> Any:
    """Return the condition that leaves out minutes that the row of their hour holds already."""
    hour = schema.usage.alias("hour")
    place = sa.cast((_u.bucket % HOUR) // MINUTE, sa.Integer)
    held = sa.exists().where(
        hour.c.registry == _u.registry,
        hour.c.deployment == _u.deployment,
        hour.c.span == HOUR,
        hour.c.bucket == _u.bucket - _u.bucket % HOUR,
        hour.c.reporter == _u.reporter,
        hour.c.minutes.op(">>")(place).op("&")(1) == 1,
    )
    return sa.or_(_u.span != MINUTE, sa.not_(held))


def _bucket(begin: int, beat: int, requests: int, errors: int, *counts: int) -> Bucket:
    return Bucket(
        bucket=begin,
        requests=requests,
        errors=errors,
        beat=beat,
        p50=_rounded(quantile(counts, 0.5)),
        p95=_rounded(quantile(counts, 0.95)),
        latency=[*counts],
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{seconds:.3g}")
