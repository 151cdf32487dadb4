"""The app of one page: a process that ends with it, whatever the page says."""

import asyncio
import contextlib
from typing import Any

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService

LARGEST = 1_000
"""Columns or rows of a page: a screen of cells is made as large as it says."""

GRACE = 5.0
"""Seconds in which an app ends that is told to."""


class PageApp(AppService):
    """Runs the app for a page."""

    async def start(self, width: int, height: int) -> None:
        """Start the process with a screen of so many columns and rows, within bounds."""
        await super().start(bounded(width), bounded(height))

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tell the process how large the page is now, within bounds."""
        await super().set_terminal_size(bounded(width), bounded(height))

    async def stop(self) -> None:
        """Let the process end, and kill one that does not."""
        try:
            await asyncio.wait_for(super().stop(), GRACE)
        except (TimeoutError, ConnectionError):
            self._task = None
        finally:
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()

    async def follow(self, socket: web.WebSocketResponse) -> None:
        """Do what the page says until it goes; what is no message of a page is dropped."""
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                continue
            with contextlib.suppress(ValueError, UnicodeError, RecursionError):
                await self._do(message.json(), socket)

    async def _do(self, said: Any, socket: web.WebSocketResponse) -> None:
        match said:
            case ["stdin", str(data)]:
                await self.send_bytes(data.encode())
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(width, height)
            case ["ping", data]:
                await socket.send_json(["pong", data])
            case ["blur", *_]:
                await self.blur()
            case ["focus", *_]:
                await self.focus()
            case _:
                pass


def bounded(size: int) -> int:
    """Return a number of columns or rows that a screen may have."""
    return max(1, min(size, LARGEST))
