"""A network that misbehaves: a TCP proxy that cuts, delays, halves and duplicates."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from msgspec import Struct


class Faults(Struct):
    """What happens to connections from now on.

    Attributes:
        cuts: For each next connection, the bytes towards the server, and those towards the client,
            after which it is cut; None for never. Connections after these live.
        delay: Seconds before each block.
        halve: Whether blocks arrive in two parts.
        duplicate: Whether each connection's bytes are sent over a second one, too, unanswered.
        late: Seconds by which that second one is behind: what was sent later overtakes it.
    """

    cuts: list[tuple[int | None, int | None]] = []
    delay: float = 0.0
    halve: bool = False
    duplicate: bool = False
    late: float = 0.0


class Proxy:
    """Listens on `port` and passes everything on to another port of this machine."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.faults = Faults()
        self.port = 0
        self.connections = 0
        self.cut = 0
        self.loop = asyncio.new_event_loop()
        self._repeating: set[asyncio.Task[None]] = set()

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, up: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        self.connections += 1
        cuts = self.faults.cuts.pop(0) if self.faults.cuts else (None, None)
        down, requests = await asyncio.open_connection("127.0.0.1", self.target)
        targets = [requests]
        late = self.faults.late if self.faults.duplicate else 0.0
        sent = bytearray()
        if self.faults.duplicate and not late:
            _, twin = await asyncio.open_connection("127.0.0.1", self.target)
            targets.append(twin)
        ways = [
            asyncio.create_task(self._pass(up, targets, cuts[0], sent)),
            asyncio.create_task(self._pass(down, [answers], cuts[1], bytearray())),
        ]
        try:
            with suppress(asyncio.CancelledError):  # the end of the test
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for writer in (*targets, answers):
                writer.transport.abort()
            if late:
                again = asyncio.create_task(self._repeat(bytes(sent), late))
                self._repeating.add(again)
                again.add_done_callback(self._repeating.discard)

    async def _repeat(self, sent: bytes, late: float) -> None:
        """Send what a connection sent once more; nobody hears the answer."""
        with suppress(OSError):
            await asyncio.sleep(late)
            down, requests = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                requests.write(sent)
                with suppress(TimeoutError):
                    await asyncio.wait_for(down.read(1), 10)
            finally:  # also where the test ends meanwhile
                requests.transport.abort()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        targets: list[asyncio.StreamWriter],
        limit: int | None,
        passed: bytearray,
    ) -> None:
        with suppress(OSError):
            while block := await source.read(1 << 16):
                await asyncio.sleep(self.faults.delay)
                is_last = limit is not None and len(block) >= limit
                block = block[:limit] if is_last else block
                limit = None if limit is None else limit - len(block)
                passed += block
                parts = _halves(block) if self.faults.halve else [block]
                for part in parts:
                    for target in targets:
                        target.write(part)
                        await target.drain()
                if is_last:
                    self.cut += 1
                    await asyncio.sleep(0.01)  # what was written gets its way out
                    return


def _halves(block: bytes) -> list[bytes]:
    return [block[: len(block) // 2], block[len(block) // 2 :]]


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy in a thread of its own."""
    made = Proxy(target)
    server = made.loop.run_until_complete(made.listen())
    thread = threading.Thread(target=made.loop.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), made.loop).result()
        made.loop.call_soon_threadsafe(made.loop.stop)
        thread.join()
        made.loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.01)  # what was aborted is closed in the loop's next turn
