"""Waiting for news: a request that is answered when somebody changed the registry.

All who wait share one look at the database every `PAUSE` seconds, so that the numbers of other
processes' operations are seen, too, and a hundred waiting clients cost what one costs. No thread is
held meanwhile. Rights are not looked at: the answer tells no more than the number that every sync
tells.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from sync_server import schema
from sync_server.asking import Signed, own_registry
from sync_server.server import Server

PAUSE = 0.3
"""Seconds between two looks at the database."""

LONGEST = 60.0
"""Seconds for which a request may wait."""


class News(BaseModel):
    """Whether something happened after the number that was asked for, and the newest number."""

    news: bool
    seq: int


class Heads:
    """The newest sequence number of each registry, read at most every `PAUSE` seconds.

    Args:
        server: The server.
        limit: Requests that may wait at once; more are answered at once.
    """

    def __init__(self, server: Server, limit: int) -> None:
        self._server = server
        self._limit = limit
        self._lock = asyncio.Lock()
        self._heads: dict[int, int] = {}
        self._read = float("-inf")
        self._waiting = 0

    async def wait(self, request: Request, registry: int, after: int, seconds: float) -> News:
        """Answer when there is something after a number, or the time is over.

        Args:
            request: Its client may go away, and its application be stopped.
            registry: The registry's number.
            after: A sequence number.
            seconds: How long to wait.
        """
        end = time.monotonic() + seconds
        if self._waiting >= self._limit:
            end = 0
        self._waiting += 1
        try:
            while True:
                head = await self._head(registry)
                over = time.monotonic() >= end or getattr(request.app.state, "stopping", False)
                if head > after or over or await request.is_disconnected():
                    return News(news=head > after, seq=head)
                await asyncio.sleep(PAUSE)
        finally:
            self._waiting -= 1

    async def _head(self, registry: int) -> int:
        async with self._lock:
            if time.monotonic() - self._read >= PAUSE:
                self._heads = await run_in_threadpool(self._look)
                self._read = time.monotonic()
        return self._heads.get(registry, 0)

    def _look(self) -> dict[int, int]:
        c = schema.registry.c
        with self._server.database.reading() as connection:
            return {key: seq for key, seq in connection.execute(sa.select(c.key, c.seq))}  # noqa: C416


def add_waiting_routes(
    app: FastAPI, server: Server, caller: Callable[..., Signed], limit: int
) -> None:
    """Add them to an application.

    Args:
        app: The application.
        server: The server.
        caller: Finds out who asks.
        limit: Requests that may wait at once.
    """
    heads = Heads(server, limit)
    Asking = Annotated[Signed, Depends(caller)]

    @app.get("/v1/registries/{registry}/wait")
    async def wait(
        registry: str,
        request: Request,
        asking: Asking,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        seconds: Annotated[float, Query(ge=0, le=LONGEST)] = 25.0,
    ) -> News:
        """Answer when something happened after a sequence number, or when the time is over."""
        own_registry(server, registry, asking)
        return await heads.wait(request, asking[0], after, seconds)
