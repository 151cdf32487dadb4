"""A headless Chromium, driven by its own protocol."""

import asyncio
import base64
import itertools
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

PATIENCE = 90.0
"""Seconds in which something that a page does has to happen."""


class Page:
    """A page, and what its websockets were told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket = socket
        self._session = session
        self._ids = itertools.count(1)
        self.told = b""
        self.requested: list[str] = []

    async def ask(self, method: str, **parameters: Any) -> Any:
        """Ask the browser for something about this page."""
        number = next(self._ids)
        asked = {"id": number, "method": method, "params": parameters, "sessionId": self._session}
        await self._socket.send_json(asked)
        while True:
            message = await self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                return message.get("result")

    async def until(self, happened: Callable[["Page"], bool]) -> None:
        """Wait until something has happened."""
        end = time.monotonic() + PATIENCE
        while not happened(self):
            assert time.monotonic() < end, self.told[-2_000:]
            await self.ask("Runtime.evaluate", expression="1")
            await asyncio.sleep(0.1)

    async def evaluate(self, expression: str) -> Any:
        """Return what an expression gives in the page."""
        answer = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def type(self, text: str) -> None:
        """Press keys."""
        for key in text:
            await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
            await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def picture(self) -> bytes:
        """Return what is seen, as PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot"))["data"])

    async def _next(self) -> Any:
        message = await self._socket.receive_json(timeout=PATIENCE)
        parameters = message.get("params", {})
        if message.get("method") == "Network.webSocketFrameReceived":
            payload = parameters["response"]["payloadData"]
            is_binary = parameters["response"]["opcode"] == 2
            self.told += base64.b64decode(payload) if is_binary else payload.encode()
        elif message.get("method") == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])
        return message


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Page]:
    """Open a page in a browser of its own.

    Args:
        url: Of the page.
        folder: For what the browser keeps.
    """
    assert PROGRAM is not None
    process = subprocess.Popen(  # noqa: ASYNC220 -- its first lines are waited for
        [
            PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={folder}", "--remote-debugging-port=0",
            "--window-size=1200,700", "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        address = next(
            found[1]
            for line in process.stderr
            if (found := re.search(r"listening on (ws://\S+)", line))
        )
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(address, max_msg_size=0) as socket,
        ):
            browser = Page(socket, "")
            targets = await _plain(socket, browser, "Target.getTargets")
            target = next(t["targetId"] for t in targets["targetInfos"] if t["type"] == "page")
            attached = await _plain(
                socket, browser, "Target.attachToTarget", targetId=target, flatten=True
            )
            page = Page(socket, attached["sessionId"])
            for domain in ("Network", "Page", "Runtime"):
                await page.ask(f"{domain}.enable")
            await page.ask("Page.navigate", url=url)
            yield page
    finally:
        process.kill()
        process.communicate()


async def _plain(
    socket: aiohttp.ClientWebSocketResponse, browser: Page, method: str, **parameters: Any
) -> Any:
    number = 10_000 + next(browser._ids)
    await socket.send_json({"id": number, "method": method, "params": parameters})
    while True:
        message = await browser._next()
        if message.get("id") == number:
            return message["result"]
