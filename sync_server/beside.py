"""What a server does beside answering: small jobs that come again and again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from msgspec import Struct

from sync_server.logs import note_failure


class Job(Struct, frozen=True):
    """Something that is done now and then.

    Attributes:
        run: Does it, in a thread; it returns whether there is more to do at once.
        seconds: Between two times.
        last: Whether it is done once more when the server stops.
    """

    run: Callable[[], object]
    seconds: float
    last: bool = False


def beside(jobs: Sequence[Job]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what runs beside an application: jobs, each in its own time.

    One that fails says so in the log and is tried again; a database that does not answer is told by
    whoever asks the server.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(_again(job)) for job in jobs]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            for job in jobs:
                if job.last:
                    with contextlib.suppress(sa.exc.SQLAlchemyError):
                        await run_in_threadpool(job.run)

    return lifespan


async def _again(job: Job) -> None:
    while True:
        await asyncio.sleep(job.seconds)
        try:
            while await run_in_threadpool(job.run):
                pass
        except sa.exc.SQLAlchemyError:
            continue
        except Exception as error:  # noqa: BLE001 -- what runs beside may not end unseen
            note_failure(error, job=getattr(job.run, "__name__", "job"))
