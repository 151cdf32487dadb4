"""The reader: all reading for the screen, in one thread, the newest and most urgent first."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator

import pytest

from regtui.core.errors import NotFound
from regtui.registry import Registry
from regtui.replica.database import NoRoom
from regtui.tui import reader as module
from regtui.tui.reader import Reader, Superseded


@pytest.fixture
def reader(sample: Registry) -> Iterator[Reader]:
    reader = Reader(sample.context)
    yield reader
    reader.close()


def asks(registry: Registry, statement: str) -> str:
    with registry.context.reading() as connection:
        row = connection.execute(statement).fetchone()
    return str(row and row[0])


def scanned(rows: int) -> str:
    return f"select count(*) from range({rows}) a, range(100) b where hash(a.range, b.range) = 0"


async def test_a_verb_runs_with_the_registry_in_another_thread(reader: Reader) -> None:
    threads = set[str]()

    def verb(registry: Registry) -> int:
        threads.add(threading.current_thread().name)
        return registry.count()

    assert await reader.read(verb) == 9
    assert threads == {"regtui-reader"}


async def test_what_a_verb_raises_is_raised_and_the_next_one_works(reader: Reader) -> None:
    with pytest.raises(NotFound):
        await reader.read(lambda registry: registry.version("no/such@1"))
    assert await reader.read(lambda registry: registry.count()) == 9


async def test_a_newer_request_of_a_lane_ends_the_one_that_runs(reader: Reader) -> None:
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(registry: Registry) -> None:
        loop.call_soon_threadsafe(began.set)
        asks(registry, scanned(10**9))

    older = asyncio.create_task(reader.read(endless, lane="filter"))
    await began.wait()
    newer = await reader.read(lambda registry: registry.count(), lane="filter")

    assert newer == 9
    with pytest.raises(Superseded):
        await older


async def test_what_is_urgent_goes_first_and_the_other_begins_anew(reader: Reader) -> None:
    order: list[str] = []
    began = asyncio.Event()
    loop = asyncio.get_running_loop()
    rows = [10**9]

    def long(registry: Registry) -> None:
        order.append("long")
        loop.call_soon_threadsafe(began.set)
        asks(registry, scanned(rows[0]))

    def urgent(registry: Registry) -> int:
        order.append("urgent")
        rows[0] = 1
        return registry.count()

    running = asyncio.create_task(reader.read(long))
    await began.wait()
    assert await reader.read(urgent, urgent=True) == 9
    await running

    assert order == ["long", "urgent", "long"]


async def test_what_needs_more_memory_than_is_given_at_first_gets_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SPARING", "4MB")
    asked: list[str] = []

    def verb(registry: Registry) -> int:
        asked.append(asks(registry, "select current_setting('memory_limit')"))
        if len(asked) == 1:
            raise NoRoom("not enough")
        return registry.count()

    assert await reader.read(verb) == 9
    assert asked == ["3.8 MiB", "45.7 MiB"]


async def test_what_needs_more_than_there_is_fails(reader: Reader) -> None:
    def verb(_: Registry) -> None:
        raise NoRoom("not enough")

    with pytest.raises(NoRoom):
        await reader.read(verb)


async def test_a_closed_reader_ends_what_runs(sample: Registry) -> None:
    reader = Reader(sample.context)
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(registry: Registry) -> None:
        loop.call_soon_threadsafe(began.set)
        asks(registry, scanned(10**9))

    running = asyncio.create_task(reader.read(endless))
    await began.wait()
    reader.close()

    with pytest.raises(Superseded):
        await running


async def test_nobody_waits_for_a_reader_that_is_closed(sample: Registry) -> None:
    reader = Reader(sample.context)
    began, goes_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(_: Registry) -> None:
        loop.call_soon_threadsafe(began.set)
        goes_on.wait(10)

    running = asyncio.create_task(reader.read(slow))
    await began.wait()
    queued = asyncio.create_task(reader.read(lambda registry: registry.count()))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(reader.close))

    with pytest.raises(Superseded):
        await queued
    goes_on.set()
    await closing
    with pytest.raises(Superseded):
        await running
    with pytest.raises(Superseded):
        await reader.read(lambda registry: registry.count())


@pytest.mark.parametrize("ends_first", [False, True])
async def test_what_a_read_raises_that_nobody_waits_for_is_not_reported(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, *, ends_first: bool
) -> None:
    """Python would print "Future exception was never retrieved" on the terminal."""
    reported: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    began, may_end, ended = asyncio.Event(), threading.Event(), threading.Event()

    def fails(_: Registry) -> None:
        loop.call_soon_threadsafe(began.set)
        may_end.wait()
        raise NotFound("no such thing")

    monkeypatch.setattr(reader, "_answer", _then(reader._answer, ended.set))
    running = asyncio.create_task(reader.read(fails))
    await began.wait()
    if ends_first:
        may_end.set()
        ended.wait()  # noqa: ASYNC251, RUF100 -- the answer comes in the turn in which it is given up
        loop.call_soon(running.cancel)
    else:
        running.cancel()
        may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await reader.read(lambda registry: registry.count()) == 9
    del running
    gc.collect()

    assert reported == []


def _then(call: Callable[..., None], what: Callable[[], None]) -> Callable[..., None]:
    def both(*given: object) -> None:
        call(*given)
        what()

    return both
