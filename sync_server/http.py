"""The server over HTTP: what clients ask, and who may ask.

Messages of a sync are read and written by msgspec, for they are large; everything else is plain
JSON that FastAPI describes. Handlers run in threads: the database blocks.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import zstandard
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from regtui.core.errors import RegtuiError
from regtui.wire.messages import encoder, push_decoder
from regtui.wire.statements import enrolment_statement
from sync_server.administration import Administration, authenticated
from sync_server.authority import Refused, registry_row
from sync_server.http_artifacts import Artifacts, artifact_routes
from sync_server.secrets import verified
from sync_server.server import Server
from sync_server.sync import Caller

BODY_LIMIT = 64 << 20
"""Bytes of a request, also of what it unpacks to."""

PACKED = 1024
"""Bytes from which on answers are packed."""


class EnrolRequest(BaseModel):
    """A replica's public key (hex), its host, and the proof that the key is its own."""

    public_key: str
    host: str
    signature: str


class Problem(BaseModel):
    """Why a request was refused."""

    code: str
    message: str
    hint: str = ""


def make_app(  # noqa: C901 -- one function a route
    server: Server, artifacts: Artifacts | None = None
) -> FastAPI:
    """Return the application of a server; without artifacts it keeps no files."""
    app = FastAPI(title="regtui", version="1")

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> Response:
        return _problem(error.status, error.code, error.message)

    @app.exception_handler(RegtuiError)
    async def _failed(_: Request, error: RegtuiError) -> Response:
        status = {"not_found": 404, "denied": 403, "bad_input": 400}.get(error.code, 500)
        return _problem(status, error.code, error.message, error.hint)

    def caller(authorization: Annotated[str | None, Header()] = None) -> tuple[int, Caller, str]:
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise HTTPException(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
        with server.database.reading() as connection:
            registry, user, token, roles = authenticated(connection, secret, server.clock())
        return registry, Caller(user, roles), token

    Asking = Annotated[tuple[int, Caller, str], Depends(caller)]  # noqa: N806 -- a type

    if artifacts is not None:
        app.include_router(artifact_routes(artifacts, caller))

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        server.registry()
        return {"status": "ok"}

    @app.get("/v1/me")
    def me(asking: Asking) -> dict[str, Any]:
        registry, who, _ = asking
        with server.database.reading() as connection:
            row = registry_row(connection, _registry_id(server, registry), lock=False)
            assert row is not None  # noqa: S101 -- the token names it
            rights = server.service.rights_of(connection, row, who)
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
        _own(server, registry, asking)
        try:
            public = bytes.fromhex(body.public_key)
        except ValueError:
            raise Refused(400, "malformed", "a public key is hex digits") from None
        statement = enrolment_statement(registry, who.user, body.public_key)
        if not verified(public, statement, body.signature):
            raise Refused(403, "forged", "the signature is not that of this key")

        def change(administration: Administration) -> str:
            return administration.enrol(who.user, public, body.host[:200])

        return {"replica": server.administrate(registry, change, user=who.user)}

    @app.post("/v1/registries/{registry}/sync")
    async def sync(registry: str, request: Request, asking: Asking) -> Response:
        _own(server, registry, asking)
        body = await _body(request)

        def answer() -> bytes:
            try:
                push = push_decoder.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise Refused(400, "malformed", f"no sync request: {error}") from None
            return encoder.encode(server.service.sync(registry, asking[1], push))

        return await _packed(request, answer)

    return app


def _own(server: Server, registry: str, asking: tuple[int, Caller, str]) -> None:
    """Refuse a registry that the token is not for, as one that is not there."""
    if _registry_id(server, asking[0]) != registry:
        raise Refused(404, "not_found", "there is no such registry")


def _registry_id(server: Server, key: int) -> str:
    return server.registry_ids()[key]


def _problem(status: int, code: str, message: str, hint: str = "") -> Response:
    body = msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})
    return Response(body, status, media_type="application/json")


async def _body(request: Request) -> bytes:
    """Return a request's body, unpacked, or refuse it as too large before it is."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            raise Refused(413, "too_large", f"a request has at most {BODY_LIMIT >> 20} MiB")
        parts.append(part)
    body = b"".join(parts)
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    if encoding != "zstd":
        raise Refused(415, "malformed", "bodies are plain or packed by zstd")
    return await run_in_threadpool(_unpacked, body)


def _unpacked(body: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body)
    try:
        unpacked = reader.read(BODY_LIMIT + 1)
    except zstandard.ZstdError as error:
        raise Refused(400, "malformed", f"the body can't be unpacked: {error}") from None
    if len(unpacked) > BODY_LIMIT:
        raise Refused(413, "too_large", f"a request has at most {BODY_LIMIT >> 20} MiB")
    return unpacked


async def _packed(request: Request, answer: Callable[[], bytes]) -> Response:
    wants = "zstd" in request.headers.get("accept-encoding", "")

    def make() -> tuple[bytes, dict[str, str]]:
        body = answer()
        if not wants or len(body) < PACKED:
            return body, {}
        return zstandard.ZstdCompressor(level=1).compress(body), {"Content-Encoding": "zstd"}

    body, headers = await run_in_threadpool(make)
    return Response(body, headers=headers, media_type="application/json")
