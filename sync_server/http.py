"""The server over HTTP: what clients ask, and who may ask.

Messages of a sync are read and written by msgspec, for they are large; everything else is plain
JSON that FastAPI describes. Handlers run in threads: the database blocks.
"""

from typing import Annotated, Any

import msgspec
from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel

from regtui.wire.messages import encoder, push_decoder
from regtui.wire.statements import enrolment_statement
from sync_server.access_desk import Desk
from sync_server.administration import Administration
from sync_server.around import Around
from sync_server.asking import Signed, own_registry, signed_in
from sync_server.authority import Refused, registry_row
from sync_server.beside import Job, beside
from sync_server.configuration import Configuration
from sync_server.grant_routes import add_grant_routes
from sync_server.history_routes import add_history_routes
from sync_server.http_artifacts import Artifacts, artifact_routes
from sync_server.login_routes import add_login_routes
from sync_server.metrics import Metrics
from sync_server.operating_routes import add_operating_routes
from sync_server.packing import packed, read_body
from sync_server.people_routes import add_people_routes
from sync_server.problems import explain_errors
from sync_server.rate_limits import RateLimiter
from sync_server.replica_routes import add_replica_routes
from sync_server.scans import Scans
from sync_server.secrets import verified
from sync_server.server import Server
from sync_server.token_routes import add_token_routes
from sync_server.usage import Usage
from sync_server.usage_rollup import fold
from sync_server.usage_routes import add_usage_routes
from sync_server.usage_summary import summarise
from sync_server.waiting_routes import add_waiting_routes
from sync_server.webhook_delivery import Deliveries

GUESSES_RATE, GUESSES_BURST = 1.0, 60
"""Sign-ins that an address may get wrong, and begin for machines: a second, and at once."""

CODES_RATE, CODES_BURST = 1 / 60, 10
"""Codes of waiting machines that a user may try: a second, and at once."""

USES_SECONDS = 60
"""Seconds after which the last use of tokens is written down."""

FOLD_SECONDS = 60
"""Seconds between two looks at usage that is old enough for coarser rows."""

DELIVERY_SECONDS = 0.5
"""Seconds between two looks at what waits for webhooks."""

TIDY_SECONDS = 15
"""Seconds between two counts of what waits for them."""

SUMMARY_SECONDS = 20
"""Seconds between two looks at deployments whose summary of usage is due."""


class EnrolRequest(BaseModel):
    """A replica's public key (hex), its host, and the proof that the key is its own."""

    public_key: str
    host: str
    signature: str


def make_app(
    server: Server,
    configuration: Configuration | None = None,
    artifacts: Artifacts | None = None,
) -> FastAPI:
    """Return the application of a server; without artifacts it keeps no files."""
    configuration = configuration or Configuration()
    metrics = Metrics()
    app = FastAPI(
        title="regtui",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=beside(_jobs(server, metrics)),
    )
    app.state.limiter = RateLimiter(configuration.rate, configuration.burst)
    app.state.guesses = RateLimiter(GUESSES_RATE, GUESSES_BURST)
    app.state.devices = RateLimiter(GUESSES_RATE, GUESSES_BURST)
    app.state.codes = RateLimiter(CODES_RATE, CODES_BURST)
    app.add_middleware(Around, configuration=configuration, metrics=metrics)
    explain_errors(app)
    caller = signed_in(server)
    Asking = Annotated[Signed, Depends(caller)]

    add_operating_routes(app, server, configuration, metrics)
    add_login_routes(app, server, caller)
    desk = Desk(server)
    add_people_routes(app, desk, caller)
    add_grant_routes(app, desk, caller)
    add_replica_routes(app, desk, caller)
    add_token_routes(app, desk, caller)
    add_history_routes(app, server, caller)
    add_waiting_routes(app, server, caller, configuration.connections // 2)
    add_usage_routes(app, Usage(server.database, server.service, server.clock), desk, caller)
    if artifacts is not None:
        service = server.service
        service.scans = Scans(server.database, artifacts.pieces.store, service.people)
        app.include_router(artifact_routes(artifacts, caller))

    @app.get("/v1/me")
    def me(asking: Asking) -> dict[str, Any]:
        registry, who, _ = asking
        with server.database.reading() as connection:
            row = registry_row(connection, server.registry_id(registry), lock=False)
            assert row is not None  # noqa: S101 -- the token names it
            rights = server.service.rights_of(connection, row.key, who)
        return {
            "registry": row.id,
            "registry_name": row.name,
            "user": rights.user,
            "name": rights.name,
            "roles": [[one.grant.role.name.lower(), one.grant.scope] for one in rights.held],
            "server_key": server.secrets.public.hex(),
        }

    @app.post("/v1/registries/{registry}/replicas")
    def enrol(registry: str, body: EnrolRequest, asking: Asking) -> dict[str, str]:
        _, who, _ = asking
        own_registry(server, registry, asking)
        try:
            public = bytes.fromhex(body.public_key)
        except ValueError:
            raise Refused(400, "malformed", "a public key is hex digits") from None
        statement = enrolment_statement(registry, who.user, body.public_key)
        if not verified(public, statement, body.signature):
            raise Refused(
                403,
                "forged",
                "the signature is not that of this key; it is asked for another user than the "
                "replica's own where REGTUI_TOKEN is somebody else's",
            )

        def change(administration: Administration) -> str:
            return administration.enrol(who.user, public, body.host[:200])

        return {"replica": server.administrate(registry, change, caller=who)}

    @app.post("/v1/registries/{registry}/sync")
    async def sync(registry: str, request: Request, asking: Asking) -> Response:
        own_registry(server, registry, asking)
        body = await read_body(request)

        def answer() -> bytes:
            try:
                push = push_decoder.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise Refused(400, "malformed", f"no sync request: {error}") from None
            made = server.service.sync(registry, asking[1], push)
            metrics.synced(map(bytes, made.verdicts), len(made.docs))
            return encoder.encode(made)

        return await packed(request, answer)

    return app


def _jobs(server: Server, metrics: Metrics) -> list[Job]:
    """Return what is done beside answering."""
    deliveries = Deliveries(server.database, server.clock, metrics)

    def fold_usage() -> bool:
        return fold(server.database, server.clock()) > 0

    def summarise_usage() -> None:
        summarise(server)

    def deliver() -> None:
        deliveries.deliver()

    return [
        Job(server.uses.flush, USES_SECONDS, last=True),
        Job(fold_usage, FOLD_SECONDS),
        Job(summarise_usage, SUMMARY_SECONDS),
        Job(deliver, DELIVERY_SECONDS),
        Job(deliveries.tidy, TIDY_SECONDS),
    ]
