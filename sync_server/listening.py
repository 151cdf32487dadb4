"""Serving on a socket: what is checked before, how it says that it is ready, how it stops."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from regtui.core.errors import BadInput, RegtuiError
from sync_server import schema
from sync_server.configuration import Configuration
from sync_server.http import make_app
from sync_server.http_artifacts import Artifacts
from sync_server.listening_address import is_here
from sync_server.logs import begin_log
from sync_server.server import Server

SILENCE = 15.0
"""Seconds in which whoever connects has to say what he asks."""

DAY = 86_400 * 1_000_000
"""Microseconds that the clock may be behind the last operation."""


def checked_listening(configuration: Configuration) -> None:
    """Refuse to serve in the clear to other machines by accident.

    Raises:
        BadInput: It would, or the certificate can't be used.
    """
    cert, key = configuration.tls_cert, configuration.tls_key
    if (cert is None) != (key is None):
        raise BadInput("a certificate needs its key, and a key its certificate")
    for file in (cert, key):
        if file is not None and not Path(file).is_file():
            raise BadInput(f"there is no file {file}", "--tls-cert and --tls-key name PEM files")
    if cert is None and not configuration.insecure_plain_http and not is_here(configuration.host):
        raise BadInput(
            f"plain HTTP on {configuration.host} would show tokens to whoever listens",
            "give --tls-cert and --tls-key, or --insecure-plain-http in a network that you trust",
        )


def checked_clock(server: Server, configuration: Configuration) -> None:
    """Refuse a clock that is far behind what was accepted: everything new would be dated wrongly.

    Raises:
        BadInput: It is.
    """
    c = schema.registry.c
    with server.database.reading() as connection:
        newest = connection.execute(sa.select(sa.func.max(c.clock_us))).scalar() or 0
    if server.clock() < newest - DAY and not configuration.trust_clock:
        raise BadInput(
            "the clock of this machine is more than a day behind the last accepted operation",
            "set it, or start with --trust-clock",
        )


def serve(server: Server, configuration: Configuration, artifacts: Artifacts) -> None:
    """Serve until SIGTERM or SIGINT; running requests end first.

    Raises:
        RegtuiError: The address can't be listened on.
    """
    listener = _listener(configuration)
    begin_log()
    scheme = "http" if configuration.tls_cert is None else "https"
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    # Its own limit comes with a plain text; the application says no first, in JSON.
    limit = configuration.connections * 2
    app = make_app(server, configuration, artifacts)
    config = uvicorn.Config(
        app,
        http=_Impatient,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=limit,
        h11_max_incomplete_event_size=configuration.header_limit,
        timeout_graceful_shutdown=configuration.stop_seconds,
        ssl_certfile=configuration.tls_cert,
        ssl_keyfile=configuration.tls_key,
    )
    try:
        config.load()
    except OSError as error:
        raise BadInput(f"the certificate can't be used: {error}") from None
    asyncio.run(_Serving(config, app, f"{scheme}://{shown}:{port}").serve([listener]))


def _listener(configuration: Configuration) -> socket.socket:
    host, port = configuration.host, configuration.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RegtuiError(
            f"can't listen on {host}:{port}: {reason}", "choose another --host or --port"
        ) from None
    return listener


class _Impatient(H11Protocol):
    """Hangs up on who connects and asks nothing: a few hundred would be all that is served."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(SILENCE, self._hang_up)

    def _hang_up(self) -> None:
        asked: object = self.cycle  # None until then, whatever its type says
        if asked is None and not self.transport.is_closing():
            self.transport.close()


class _Serving(uvicorn.Server):
    """Says when it is ready, and ends with 0 when it was told to stop."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, url: str) -> None:
        super().__init__(config)
        self._app = app
        self._url = url

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; requests that wait for news are answered."""
        self._app.state.stopping = True
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"listening on {self._url}\n")
            sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal; the original raises it again, which looks like a crash."""
        told = (signal.SIGTERM, signal.SIGINT)
        before = {one: signal.signal(one, self.handle_exit) for one in told}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
