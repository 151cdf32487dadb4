"""What operators and their machines ask: does it live, is it ready, what are the figures."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import FastAPI, Header, Request, Response

from sync_server.administration import authenticated
from sync_server.asking import bearer
from sync_server.authority import Refused
from sync_server.configuration import Configuration
from sync_server.listening_address import is_here
from sync_server.metrics import Metrics
from sync_server.problems import problem
from sync_server.server import Server
from sync_server.sync import Caller


def add_operating_routes(
    app: FastAPI, server: Server, configuration: Configuration, metrics: Metrics
) -> None:
    """Add them to an application."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the process lives; in no thread, for they may all be busy."""
        return {"status": "ok"}

    @app.get("/readyz", response_model=None)
    def readyz() -> dict[str, str] | Response:
        """Tell whether the database answers."""
        try:
            with server.database.reading() as connection:
                connection.execute(sa.select(1))
        except sa.exc.SQLAlchemyError:
            return problem(503, "unavailable", "the database does not answer")
        return {"status": "ready"}

    @app.get("/metrics")
    def figures(
        request: Request, authorization: Annotated[str | None, Header()] = None
    ) -> Response:
        """Return figures for Prometheus."""
        host = "" if request.client is None else request.client.host
        is_open = configuration.metrics == "open"
        if not is_open and not (configuration.metrics == "local" and is_here(host)):
            _checked_admin(server, authorization)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _checked_admin(server: Server, authorization: str | None) -> None:
    secret = bearer(authorization)
    with server.database.reading() as connection:
        key, user, _, roles = authenticated(connection, secret, server.clock())
        if not server.service.rights_of(connection, key, Caller(user, roles)).is_admin:
            raise Refused(403, "denied", "this is for admins")
