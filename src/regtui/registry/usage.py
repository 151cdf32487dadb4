"""Usage: what was heard of deployments.

With a remote the server counts: what is told goes there, and its sums come from there. A replica
that decides for itself counts in a table of its own, by minutes; what is older than two days is
folded into hours when something new is told, so that a year takes some thousand rows a deployment.
Usage is no operation: it is neither signed nor synced.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.latency import COUNT_LIMIT, SLOTS, quantile, slot
from regtui.registry.answers import iso
from regtui.registry.answers_production import short_name
from regtui.registry.asking import ask
from regtui.registry.context import Context
from regtui.registry.history import moment_of
from regtui.registry.production_lookups import find_by_end
from regtui.replica.database import Connection
from regtui.replica.ids import uuid7
from regtui.replica.remote import read_remote
from regtui.sync.transport import understood

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Microseconds."""

SPANS = {"minute": MINUTE, "hour": HOUR, "day": DAY}

FRESH = 2 * DAY
"""How long minutes are kept as such."""


class UsageBucket(Struct, frozen=True, kw_only=True):
    """What was heard of a deployment in some time.

    Attributes:
        time: From when on.
        requests: How many it answered.
        errors: How many of them failed.
        p50: Seconds within which half of them were answered; None where nothing was timed.
        p95: The same of nineteen in twenty.
    """

    time: str
    requests: int
    errors: int
    p50: float | None
    p95: float | None


class UsageAnswer(Struct, frozen=True, kw_only=True):
    """What was heard of a deployment.

    Attributes:
        deployment: Its short name.
        by: `minute`, `hour` or `day`: what one bucket spans.
        buckets: Oldest first; those in which nothing was heard are left out.
    """

    deployment: str
    by: str
    buckets: list[UsageBucket]


def beat(
    context: Context,
    deployment: str,
    *,
    requests: int = 0,
    errors: int = 0,
    latencies: Sequence[float] = (),
) -> str:
    """Tell that a deployment is alive, and what it did since the last time; return its short name.

    Args:
        context: The registry.
        deployment: Its short name; its whole id where one may only report and sees nothing.
        requests: How many it answered since then; those that are timed count by themselves.
        errors: How many of them failed.
        latencies: Seconds that some of them took.

    Raises:
        NotFound: There is no such deployment.
        BadInput: A number is negative, there are more errors than requests, or it has ended.
        Denied: One may not tell of it.
        Unreachable: The server does not answer.
    """
    counted = max(requests, len(latencies))
    wrong = any(not 0 <= one < math.inf for one in latencies)  # neither is NaN a time
    if wrong or min(requests, errors) < 0 or errors > counted:
        raise BadInput("requests, errors and latencies count from 0, errors among the requests")
    if counted > COUNT_LIMIT:
        raise BadInput(f"one report tells of at most {COUNT_LIMIT:,} requests")
    counts = [0] * SLOTS
    for seconds in latencies:
        counts[slot(seconds)] += 1
    now = context.replica.clock()
    with context.reading() as connection:
        remote = read_remote(connection)
        found = _known(connection, deployment, may_be_hidden=remote is not None)
    if found is not None and found.value("until") is not None:
        raise BadInput(
            f"the deployment {short_name(found.id)} is not alive: it is {found.value('state')}",
            "`regtui deployments` lists those that are",
        )
    if found is not None and remote is None:
        _count(context, found, now, counted, errors, counts)
        return short_name(found.id)
    identity = str(UUID(deployment)) if found is None else found.id
    report = {
        # What is told here is told once, so each time is a process of its own.
        "reporter": f"cli-{uuid7(now)}",
        "bucket": now - now % MINUTE,
        "requests": counted,
        "errors": errors,
        "latency": counts,
        "beat": now,
    }
    told = ask(context, "POST", f"deployments/{identity}/usage", {"reports": [report]})
    refused = understood(told, list[dict[str, Any]], "refused")
    if refused:
        raise BadInput(f"the server did not take it: {refused[0].get('reason')}")
    return short_name(identity)


def _known(connection: Connection, deployment: str, *, may_be_hidden: bool) -> Document | None:
    """Return a deployment; None where only the server can tell whether there is one of that id."""
    try:
        return find_by_end(connection, "deployment", deployment)[1]
    except NotFound as error:
        if may_be_hidden and _is_whole(deployment):
            return None
        hint = "give the whole id where you may only report" if may_be_hidden else error.hint
        raise NotFound(error.message, hint) from None


def _is_whole(identity: str) -> bool:
    try:
        UUID(identity)
    except ValueError:
        return False
    return True


def usage(
    context: Context, deployment: str, *, by: str = "hour", since: str | None = None
) -> UsageAnswer:
    """Return what was heard of a deployment.

    Args:
        context: The registry.
        deployment: Its short name.
        by: What one bucket spans.
        since: Not older than `7d` or than a date; None for as far as the server goes, or a week.

    Raises:
        NotFound: There is no such deployment.
        BadInput: There is no such span, or the time is malformed.
        Unreachable: The server, which counts, does not answer.
    """
    if by not in SPANS:
        raise BadInput(f"there is no span {by!r}", ", ".join(SPANS))
    given = None if since is None else moment_of(context, since) * 1000
    with context.reading() as connection:
        _, found = find_by_end(connection, "deployment", deployment)
        is_own = read_remote(connection) is None
        begin = context.replica.clock() - 7 * DAY if given is None else given
        buckets = _own(connection, found.id, begin, SPANS[by]) if is_own else []
    if not is_own:
        told = ask(context, "GET", f"deployments/{found.id}/usage", by=by, since=given)
        rows = understood(told, list[_Bucket], "buckets")
        buckets = [(one.bucket, one.requests, one.errors, one.latency) for one in rows]
    return UsageAnswer(
        deployment=short_name(found.id),
        by=by,
        buckets=[
            UsageBucket(
                time=iso(at),
                requests=requests,
                errors=errors,
                p50=quantile(_whole(counts), 0.5),
                p95=quantile(_whole(counts), 0.95),
            )
            for at, requests, errors, counts in buckets
        ],
    )


def own_summaries(
    connection: Connection, deployments: Iterable[str], now: int
) -> dict[str, dict[str, Any]]:
    """Return what was heard of deployments where this replica counts, as a server sums it up."""
    rows = connection.execute(
        "select deployment::varchar, max(beat) from base.usage "
        "where deployment in (select unnest(?::uuid[])) group by deployment",
        [sorted(set(deployments))],
    ).fetchall()
    return {
        identity: {
            "at": now,
            "beat": heard,
            "hour": _summed(connection, identity, now - HOUR),
            "day": _summed(connection, identity, now - DAY),
        }
        for identity, heard in rows
    }


class _Bucket(Struct):
    bucket: int
    requests: int
    errors: int
    latency: list[int]


_Counted = tuple[int, int, int, list[int]]
"""When it begins, requests, errors, and counts of latencies."""


def _count(  # noqa: PLR0913, PLR0917 -- everything that is told at once
    context: Context, deployment: Document, now: int, requests: int, errors: int, counts: list[int]
) -> None:
    minute = now - now % MINUTE
    with context.replica.changing() as connection:
        _fold(connection, deployment.id, now - FRESH)
        rows = connection.execute(
            "select requests, errors, latency, beat from base.usage "
            "where deployment = ? and bucket = ?",
            [deployment.id, minute],
        ).fetchall()
        known = [(r, e, msgspec.json.decode(latency), b) for r, e, latency, b in rows]
        requests += sum(one[0] for one in known)
        errors += sum(one[1] for one in known)
        total = _added([counts, *(one[2] for one in known)])
        heard = max([now, *(one[3] for one in known)])
        _put(connection, deployment.id, [minute], [(minute, requests, errors, total)], heard)


def _fold(connection: Connection, deployment: str, until: int) -> None:
    """Make hours of the minutes before a moment."""
    rows = connection.execute(
        "select bucket, requests, errors, latency, beat from base.usage "
        "where deployment = ? and bucket < ? - ? % ? order by bucket",
        [deployment, until, until, HOUR],
    ).fetchall()
    hours: dict[int, list[Any]] = {}
    for row in rows:
        hours.setdefault(row[0] - row[0] % HOUR, []).append(row)
    for hour, minutes in hours.items():
        if len(minutes) == 1 and minutes[0][0] == hour:
            continue
        counts = _added([msgspec.json.decode(one[3]) for one in minutes])
        made = (hour, sum(one[1] for one in minutes), sum(one[2] for one in minutes), counts)
        heard = max(one[4] for one in minutes)
        _put(connection, deployment, [one[0] for one in minutes], [made], heard)


def _put(
    connection: Connection,
    deployment: str,
    instead: list[int],
    buckets: list[_Counted],
    heard: int,
) -> None:
    connection.execute(
        "delete from base.usage where deployment = ? and bucket in (select unnest(?::bigint[]))",
        [deployment, instead],
    )
    for at, requests, errors, counts in buckets:
        connection.execute(
            "insert into base.usage values (?, ?, ?, ?, ?, ?)",
            [deployment, at, requests, errors, msgspec.json.encode(counts).decode(), heard],
        )


def _own(connection: Connection, deployment: str, since: int, span: int) -> list[_Counted]:
    rows = connection.execute(
        "select bucket - bucket % ? as began, sum(requests)::bigint, sum(errors)::bigint, "
        "list(latency) from base.usage where deployment = ? and bucket >= ? "
        "group by began order by began",
        [span, deployment, since - since % span],
    ).fetchall()
    return [
        (at, requests, errors, _added([msgspec.json.decode(one) for one in latencies]))
        for at, requests, errors, latencies in rows
    ]


def _summed(connection: Connection, deployment: str, since: int) -> dict[str, Any]:
    found = _own(connection, deployment, since, MINUTE)
    counts = _added([one[3] for one in found])
    return {
        "requests": sum(one[1] for one in found),
        "errors": sum(one[2] for one in found),
        "p50": quantile(counts, 0.5),
        "p95": quantile(counts, 0.95),
    }


def _added(histograms: Sequence[list[int]]) -> list[int]:
    whole = [_whole(one) for one in histograms]
    return [sum(column) for column in zip(*whole, strict=True)] if whole else [0] * SLOTS


def _whole(counts: list[int]) -> list[int]:
    """Return a histogram with the zeros at its end that may be left out."""
    return [*counts, *([0] * (SLOTS - len(counts)))]
