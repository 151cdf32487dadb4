"""Errors over HTTP: each body is `{"error": {"code", "message", "hint"}}`, whatever went wrong."""

import json
import logging

import msgspec
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from regtui.core.errors import RegtuiError
from sync_server.authority import Refused
from sync_server.full_disk import is_full
from sync_server.logs import note_failure

_log = logging.getLogger("sync_server")

_STATUS = {"not_found": 404, "denied": 403, "bad_input": 400}

_CODES = {
    400: "malformed",
    401: "unauthenticated",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}

_MESSAGES = {404: "there is nothing here", 405: "this is not done here"}


def problem(
    status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
) -> Response:
    """Return the answer to a request that is refused."""
    body = msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})
    given = dict(headers or {})
    if status == 401:  # noqa: PLR2004 -- which needs this header by its definition
        given.setdefault("WWW-Authenticate", "Bearer")
    return Response(body, status, headers=given, media_type="application/json")


def explain_errors(app: FastAPI) -> None:
    """Let an application answer errors in one shape."""

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> Response:
        return problem(error.status, error.code, error.message, headers=_wait(error))

    @app.exception_handler(RegtuiError)
    async def _failed(request: Request, error: RegtuiError) -> Response:
        status = _STATUS.get(error.code)
        if status is None:
            return failure(error, str(request.state.request_id))
        return problem(status, error.code, error.message, error.hint)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        status = error.status_code
        message = _MESSAGES.get(status, str(error.detail))
        return problem(
            status, _CODES.get(status, "refused"), message, headers=dict(error.headers or {})
        )

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(one) for one in first["loc"])
        return problem(422, "malformed", f"{place}: {first['msg']}"[:400])

    @app.exception_handler(sa.exc.DataError)
    @app.exception_handler(OverflowError)
    @app.exception_handler(UnicodeEncodeError)
    async def _no_value(request: Request, error: Exception) -> Response:
        about = {"request": str(request.state.request_id), "error": repr(error)[:300]}
        _log.warning(json.dumps({"event": "no_value"} | about))
        message = "a number or text of the request is one that no database keeps"
        return problem(400, "malformed", message)

    @app.exception_handler(sa.exc.OperationalError)
    @app.exception_handler(sa.exc.TimeoutError)
    async def _database(request: Request, error: Exception) -> Response:
        reference = note_failure(error, request=str(request.state.request_id))
        if is_full(error):
            message = f"the disk of the server is full ({reference})"
            return problem(507, "no_space", message, "tell its operator; your work is kept here")
        message = f"the database does not answer ({reference})"
        hint = "try again in a moment"
        return problem(503, "unavailable", message, hint, {"Retry-After": "2"})


def failure(error: Exception, request: str) -> Response:
    """Return the answer to a request on which the server itself failed; the log has the rest."""
    reference = note_failure(error, request=request)
    message = f"the server failed on it ({reference})"
    return problem(500, "internal", message, "tell its operator")


def _wait(error: Refused) -> dict[str, str]:
    seconds = getattr(error, "retry_after", None)
    return {} if seconds is None else {"Retry-After": str(seconds)}
