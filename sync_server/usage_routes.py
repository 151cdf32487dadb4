"""Usage over HTTP: reports of serving processes, and what was counted."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Query, Response
from msgspec import Struct
from pydantic import BaseModel, Field

from regtui.core.latency import BOUNDS, COUNT_LIMIT, SLOTS
from sync_server.access_desk import BASE, AccessRequest, Desk
from sync_server.asking import Signed, own_registry
from sync_server.usage import SPANS, Bucket, By, Report, Usage

REPORTS = 1_000
"""Reports of one request."""

Time = Annotated[int, Field(ge=0, le=2**53)]
Count = Annotated[int, Field(ge=0, le=COUNT_LIMIT)]


class UsageReport(AccessRequest):
    """What one process has counted so far in one minute.

    `latency` counts by the bounds of `GET …/usage`; zeros at its end may be left out.
    """

    reporter: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    bucket: Time
    requests: Count = 0
    errors: Count = 0
    latency: Annotated[list[Count], Field(max_length=SLOTS, default_factory=list)]
    beat: Time


class UsageReports(AccessRequest):
    """Reports, of one process or of several."""

    reports: Annotated[list[UsageReport], Field(max_length=REPORTS)]


class LeftOut(BaseModel):
    """A report that was not taken: its place in the list, and why."""

    place: int
    reason: str


class Taken(BaseModel):
    """How many reports were taken, and those that were not."""

    taken: int
    refused: list[LeftOut]


class UsageAnswer(Struct):
    """Buckets, oldest first, each `span` microseconds long, and the bounds of their latencies."""

    deployment: str
    span: int
    bounds: tuple[float, ...]
    buckets: list[Bucket]


def add_usage_routes(app: FastAPI, usage: Usage, desk: Desk, caller: Callable[..., Signed]) -> None:
    """Add them to an application.

    Args:
        app: The application.
        usage: Keeps it.
        desk: Knows the server.
        caller: Finds out who asks.
    """
    Asking = Annotated[Signed, Depends(caller)]

    @app.post(BASE + "/deployments/{deployment}/usage")
    def report(registry: str, deployment: str, body: UsageReports, asking: Asking) -> Taken:
        """Take in what processes that serve a deployment counted; again does no harm."""
        own_registry(desk.server, registry, asking)
        found = usage.to_report(asking[0], deployment, asking[1])
        given = [Report(**dict(one)) for one in body.reports]
        refused = [LeftOut(place=place, reason=told) for place, told in usage.take(found, given)]
        return Taken(taken=len(given) - len(refused), refused=refused)

    @app.get(BASE + "/deployments/{deployment}/usage")
    def series(
        registry: str,
        deployment: str,
        asking: Asking,
        by: By = "hour",
        since: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> Response:
        """Return what was counted, by minutes, hours or days, as a `UsageAnswer`."""
        own_registry(desk.server, registry, asking)
        found = usage.to_read(asking[0], deployment, asking[1])
        answer = UsageAnswer(deployment, SPANS[by], BOUNDS, usage.series(found, by, since))
        return Response(msgspec.json.encode(answer), media_type="application/json")
