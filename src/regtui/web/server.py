"""The server of the app in a browser; see `regtui.web`."""

import asyncio
import ipaddress
import logging
import secrets
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from textual_serve.server import Server

from regtui.core.errors import BadInput, RegtuiError
from regtui.web.page_app import PageApp

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE = Path(__file__).with_name("page.html")

SESSIONS = 16
"""Pages that may be open at once: each is a process."""

SHUTDOWN = 5.0
"""Seconds that requests have to end in when the server does."""

_FONT, _LARGEST = 16, 64
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class AppServer(Server):
    """Serves the app to whoever knows the token.

    Args:
        home: The registry's folder.
        host: An address of the loopback interface.
        port: Where it listens; 0 for any that is free.
        writes: Whether what is opened may change the registry.
        debug: Whether an error that nobody foresaw ends the app with its traceback.
    """

    def __init__(
        self, home: Path, *, host: str, port: int, writes: bool, debug: bool = False
    ) -> None:
        words = [sys.executable, "-m", "regtui.web", str(home)]
        words += [] if writes else ["--read-only"]
        words += ["--debug"] if debug else []
        # Without `exec` what is killed would be the shell.
        command = f"exec {shlex.join(words)}"
        super().__init__(command, host=loopback(host), port=port, title="regtui")
        self.token = secrets.token_urlsafe(32)
        self._sessions: set[asyncio.Task[Any]] = set()

    def application(self) -> web.Application:
        """Return what answers requests."""
        application = web.Application(middlewares=[self._guard])
        start = f"/{self.token}"
        application.add_routes(
            [
                web.get(f"{start}/", self._page),
                web.get(f"{start}/ws", self._socket),
                web.get(f"{start}/download/{{key}}", self.handle_download),
                web.static(f"{start}/static", self.statics_path),
            ]
        )
        return application

    def serve_until_told(self, on_ready: Callable[[str], object]) -> None:
        """Serve until Ctrl-C or SIGTERM.

        Args:
            on_ready: Is given the address once it listens.

        Raises:
            RegtuiError: The port is taken, or may not be used.
        """
        try:
            asyncio.run(self._serve(on_ready))
        except OSError as error:
            raise RegtuiError(
                f"can't listen on port {self.port} of {self.host}: {error.strerror}",
                "choose another one with --port, or 0 for any",
            ) from None

    async def _serve(self, on_ready: Callable[[str], object]) -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, over.set)
        runner = web.AppRunner(
            self.application(),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=SHUTDOWN,
            logger=_logger(),
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            port = runner.addresses[0][1]
            shown = f"[{self.host}]" if ":" in self.host else self.host
            on_ready(f"http://{shown}:{port}/{self.token}/")
            await over.wait()
        finally:
            await self._close_sockets()
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse whoever does not know the token, before anything is looked up."""
        given = request.path.split("/", 2)[1]
        knows = compare_digest(given.encode("utf-8", "replace"), self.token.encode())
        if not (knows and _names_this_machine(request.host) and _same_origin(request)):
            raise web.HTTPForbidden(text="403: the address is not complete\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Cache-Control"] = "no-store"
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Run the app for one page, which ends when the page goes or the server does."""
        session = asyncio.current_task()
        if session is None or len(self._sessions) >= SESSIONS:
            raise web.HTTPServiceUnavailable(text="503: too many pages are open\n")
        self._sessions.add(session)
        try:
            return await self._run_app(request)
        finally:
            self._sessions.discard(session)

    async def _run_app(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=15)
        await socket.prepare(request)

        async def close() -> None:
            await socket.close()

        app = PageApp(
            self.command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=self.download_manager,
            debug=self.debug,
        )
        try:
            await app.start(_cells(request, "width", 80), _cells(request, "height", 24))
            await app.follow(socket)
        except (asyncio.CancelledError, ConnectionError):
            await socket.close()
        finally:
            await app.stop()
        return socket

    async def _close_sockets(self) -> None:
        """End the apps that run, and wait until they have ended."""
        sessions = list(self._sessions)
        for one in sessions:
            one.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    async def _page(self, request: web.Request) -> web.Response:
        """Answer with the page that shows the app."""
        nonce = secrets.token_urlsafe(16)
        size = request.query.get("fontsize", "")
        font = int(size) if size.isascii() and size.isdigit() and len(size) < 3 else _FONT  # noqa: PLR2004
        scheme = "wss" if request.secure else "ws"
        text = Template(PAGE.read_text(encoding="utf-8")).substitute(
            nonce=nonce,
            font=min(font, _LARGEST),
            socket=f"{scheme}://{request.host}/{self.token}/ws",
        )
        policy = _POLICY.format(nonce=nonce)
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=text, content_type="text/html", headers=headers)


def _cells(request: web.Request, name: str, otherwise: int) -> int:
    given = request.query.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else otherwise  # noqa: PLR2004


def _logger() -> logging.Logger:
    """Return where the server's own mishaps are told; a malformed request is the client's."""
    found = logging.getLogger(__name__)
    found.addFilter(_is_mishap)
    return found


def _is_mishap(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def loopback(host: str) -> str:
    """Return an address of the loopback interface.

    Raises:
        BadInput: It is none: others would reach what is served.
    """
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise BadInput(
        f"{host} is not this machine alone",
        "it is served on 127.0.0.1; `ssh -L 8751:127.0.0.1:8751 HOST` brings it to another machine",
    )


def _names_this_machine(host: str) -> bool:
    """Tell whether a request was sent to this machine by a name of its own, on whatever port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same_origin(request: web.Request) -> bool:
    """Tell whether a request comes from this server's own page, or from no page."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
