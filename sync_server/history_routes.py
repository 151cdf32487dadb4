"""History over HTTP: older operations, and a stream's with what vouches for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from regtui.wire.messages import encoder
from sync_server.asking import Signed, own_registry
from sync_server.authority import Refused, registry_row
from sync_server.history import History
from sync_server.packing import packed
from sync_server.pull import link_at
from sync_server.server import Server

NEWEST = 2**62


def add_history_routes(app: FastAPI, server: Server, caller: Callable[..., Signed]) -> None:
    """Add them to an application."""
    Asking = Annotated[Signed, Depends(caller)]

    @contextmanager
    def history(registry: str, asking: Signed) -> Iterator[History]:
        with server.database.reading() as connection:
            row = registry_row(connection, registry, lock=False)
            if row is None:
                raise Refused(404, "not_found", "there is no such registry")
            rights = server.service.rights_of(connection, row.key, asking[1])
            puller = server.service.puller(connection, row, rights)
            yield History(connection, row, puller, rights)

    @app.get("/v1/registries/{registry}/log")
    async def log(
        registry: str,
        request: Request,
        asking: Asking,
        before: Annotated[int, Query(ge=1, le=NEWEST)] = NEWEST,
    ) -> Response:
        """Return the newest operations before a sequence number."""
        own_registry(server, registry, asking)

        def answer() -> bytes:
            with history(registry, asking) as reading:
                return encoder.encode(reading.before(before))

        return await packed(request, answer)

    @app.get("/v1/registries/{registry}/streams/{stream}/log")
    async def stream_log(
        registry: str,
        stream: str,
        request: Request,
        asking: Asking,
        after: Annotated[int, Query(ge=0, le=NEWEST)] = 0,
    ) -> Response:
        """Return the operations of a stream after a place in it, with what vouches for them."""
        own_registry(server, registry, asking)

        def answer() -> bytes:
            with history(registry, asking) as reading:
                page = reading.of_stream(stream, after)
            if page is None:
                raise Refused(404, "not_found", "there is no such stream")
            return encoder.encode(page)

        return await packed(request, answer)

    @app.get("/v1/registries/{registry}/links/{seq}")
    def link(
        registry: str, seq: Annotated[int, Path(ge=0, le=NEWEST)], asking: Asking
    ) -> dict[str, str]:
        """Return the registry's link after an operation."""
        own_registry(server, registry, asking)
        with server.database.reading() as connection:
            row = registry_row(connection, registry, lock=False)
            found = None if row is None else link_at(connection, row, seq)
        if found is None:
            raise Refused(404, "not_found", "there is no such operation")
        return {"link": found}
