"""What happens around each request: its id, limits of bytes and of how many run, log, figures."""

import json
import logging
import re
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_server.configuration import Configuration
from sync_server.metrics import Metrics
from sync_server.problems import failure, problem

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_log = logging.getLogger("sync_server")

SMALL = 256 << 10
"""Bytes of a request that administrates or signs in."""

_FILE = re.compile(r"/v1/registries/[^/]+/streams/[^/]+/pieces/[0-9a-f]{64}")
FILE = 1 << 62
"""Bytes of a file's upload, for this layer."""

_SMALL = re.compile(
    r"/v1/(login|logout|device.*|me|registries/[^/]+/(users|teams|grants|tokens|replicas|device).*)"
)
_USAGE = re.compile(r"/v1/registries/[^/]+/deployments/.*")
USAGE = 1 << 20
"""Bytes of a request that reports usage."""

_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

UNKNOWN = "unknown"
"""The method and path of requests that no handler is for: they may say anything."""


class _TooLarge(Exception):
    """The body has more bytes than are taken."""


class Around:
    """The outermost part of the application.

    Args:
        app: What is around it.
        configuration: The limits.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, configuration: Configuration, metrics: Metrics) -> None:
        self._app = app
        self._configuration = configuration
        self._metrics = metrics
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, receive, send, self._limit(scope["path"]))
        self._metrics.begun()
        self._running += 1
        try:
            await self._answer(request)
        finally:
            self._running -= 1
            seconds = time.monotonic() - request.began
            path = _template(scope)
            status = request.status or 499  # who asked has gone
            self._metrics.ended(request.method, path, status, seconds)
            _log.info(json.dumps(request.told(path, status, seconds)))

    async def _answer(self, request: "_Request") -> None:
        probe = request.scope["path"] in {"/healthz", "/readyz"}
        if self._running > self._configuration.connections and not probe:
            await request.refuse(503, "busy", "the server has enough to do", {"Retry-After": "1"})
            return
        if request.declared > request.limit:
            await request.refuse_size()
            return
        try:
            await self._app(request.scope, request.receive, request.send)
        except Exception as error:
            if request.status is not None:
                raise
            if not request.is_too_large:
                answer = failure(error, request.id)
                await answer(request.scope, request.receive, request.send)
        if request.is_too_large and request.status is None:
            await request.refuse_size()

    def _limit(self, path: str) -> int:
        if _FILE.fullmatch(path):
            return FILE  # their handler counts, and leaves the disk some room
        if _SMALL.fullmatch(path):
            return min(SMALL, self._configuration.body_limit)
        if _USAGE.fullmatch(path):
            return min(USAGE, self._configuration.body_limit)
        return self._configuration.body_limit


class _Request:
    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self.scope = scope
        # Whoever asks may call it anything, and each name would be figures of its own for ever.
        self.method = scope["method"] if scope["method"] in _METHODS else UNKNOWN
        self.limit = limit
        self.began = time.monotonic()
        self.status: int | None = None
        self.is_too_large = False
        self._receive = receive
        self._send = send
        self._taken = 0
        self._sent = 0
        headers = {name.lower(): value for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        self.id = given if _GOOD_ID.fullmatch(given) else uuid4().hex
        declared = headers.get(b"content-length", b"0")
        self.declared = int(declared) if declared.isdigit() else 0
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = self.id
        self._state = state

    async def receive(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self.limit:
            self.is_too_large = True
            raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        if self.is_too_large and self.status is None:
            return  # whatever the application makes of the body that it did not get
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = [one for one in message["headers"] if one[0].lower() != b"x-request-id"]
            message = {
                **message,
                "headers": [*kept, (b"x-request-id", self.id.encode()), *_HEADERS],
            }
        self._sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        answer = problem(status, code, message, headers=headers)
        self.is_too_large = False
        # What was not read would be taken for the next request.
        answer.headers["Connection"] = "close"
        await answer(self.scope, self._receive, self.send)

    async def refuse_size(self) -> None:
        await self.refuse(413, "too_large", f"this request has more than {self.limit} bytes")

    def told(self, path: str, status: int, seconds: float) -> dict[str, Any]:
        """Return the line of the log: no names, no tokens, no queries."""
        return {
            "event": "request",
            "time": round(time.time(), 3),
            "method": self.method,
            "path": path,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "in": self._taken,
            "out": self._sent,
            "user": self._state.get("user"),
            "request": self.id,
        }


_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


def _template(scope: Scope) -> str:
    """Return the path as the handler's route spells it."""
    return str(getattr(scope.get("route"), "path", UNKNOWN))
