"""The app in a browser: it is there for who knows its address, and for nobody else."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

import regtui
from regtui.core.errors import BadInput
from regtui.web.server import AppServer
from tests.cli.process import Regtui
from tests.cli.schemas import check
from tests.web import browser


class Served:
    """A running `regtui web`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.told = json.loads(process.stdout.readline())
        check(self.told, "web")
        self.url = str(self.told["url"])
        self.root = self.url.rsplit("/", 2)[0]

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Regtui:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    registry = regtui.open(tmp_path / "home")
    file = tmp_path / "weights.bin"
    file.write_bytes(b"weights")
    registry.capture(file, model="team/ranker")
    return Regtui(tmp_path / "home", tmp_path / "config")


@pytest.fixture
def served(here: Regtui) -> Iterator[Served]:
    found = Served(here.start("web", "--port", "0", "--json"))
    yield found
    found.end()


@pytest.mark.parametrize(
    "path",
    ["/", "/ws", "/static/js/textual.js", "/x/", "/x/ws", "/x/static/js/textual.js", "//", "/%00/"],
)
async def test_who_does_not_know_the_address_is_refused(served: Served, path: str) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(served.root + path) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect(served.root + path)


async def test_a_page_from_elsewhere_is_refused_though_it_knows_the_address(
    served: Served,
) -> None:
    async with aiohttp.ClientSession() as client:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            async with client.get(served.url, headers=headers) as answer:
                assert answer.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect(served.url + "ws", headers=headers)


async def test_a_request_that_is_malformed_is_answered_and_not_told_on_the_terminal(
    served: Served,
) -> None:
    place = urlsplit(served.url)
    for header in (b"X-Long: " + b"x" * 70_000, b"no header"):
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()

    served.process.send_signal(signal.SIGINT)
    _, told = await asyncio.to_thread(served.process.communicate, timeout=60)
    assert "Error handling" not in told
    assert "Traceback" not in told


async def test_the_page_loads_nothing_from_elsewhere(served: Served) -> None:
    async with aiohttp.ClientSession() as client, client.get(served.url) as answer:
        page = await answer.text()

        assert answer.status == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "http" not in page.replace(served.url.replace("http", "ws"), "")


async def seen(socket: aiohttp.ClientWebSocketResponse, text: bytes) -> bytes:
    """Return what came until a text was in it."""
    told = b""
    while text not in told:
        message = await socket.receive(timeout=90)
        assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, told
        told += message.data if isinstance(message.data, bytes) else message.data.encode()
    return told


async def test_the_app_is_drawn_and_may_only_look(served: Served, here: Regtui) -> None:
    assert served.told["writes"] is False
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{served.url}ws?width=120&height=30") as socket,
    ):
        told = await seen(socket, b"ranker")
        assert b"read-only" in told or b"read only" in await seen(socket, b"read")


async def test_it_ends_with_the_apps_that_it_started(served: Served, here: Regtui) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{served.url}ws?width=100&height=30") as socket,
    ):
        await seen(socket, b"ranker")
        assert len(apps(here.home)) == 1
        assert await asyncio.to_thread(served.end) == 0
    await asyncio.to_thread(until_none_runs, here.home)


async def test_a_page_may_say_anything(served: Served, here: Regtui) -> None:
    """An absurd size would be a screen of as many cells, in a process that outlives its page."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{served.url}ws?width=99999999&height=30") as socket,
    ):
        for said in ("{", "[]", "7", '["resize",{}]', '["resize",{"width":"x","height":1}]',
                     '["stdin",7]', '["what"]', '["resize",{"width":-5,"height":0}]',
                     '["resize",{"width":1000000000,"height":1000000000}]',
                     '["resize",{"width":100,"height":30}]'):  # fmt: skip
            await socket.send_str(said)
        await socket.send_str('["ping",1]')
        await seen(socket, b"pong")
        await seen(socket, b"ranker")
        assert len(apps(here.home)) == 1
    await asyncio.to_thread(until_none_runs, here.home)
    assert await asyncio.to_thread(served.end) == 0


async def test_an_app_that_does_not_end_is_killed_with_its_page(
    served: Served, here: Regtui
) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{served.url}ws?width=100&height=30") as socket,
    ):
        await seen(socket, b"ranker")
        for process in apps(here.home):
            os.kill(process, signal.SIGSTOP)  # it hears nothing any more
    await asyncio.to_thread(until_none_runs, here.home)


def until_none_runs(home: Path) -> None:
    end = time.monotonic() + 30
    while apps(home):
        assert time.monotonic() < end
        time.sleep(0.1)


def apps(home: Path) -> list[int]:
    """Return the processes of apps in a browser on a home."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "regtui.web" in words and str(home) in words:
            found.append(int(file.parent.name))
    return found


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::", ""])
def test_other_machines_are_never_let_in(here: Regtui, host: str) -> None:
    answer = here("web", "--host", host)

    assert answer.code == 2
    assert "not this machine alone" in answer.error


def test_a_port_that_is_taken_is_said_in_one_line(served: Served, here: Regtui) -> None:
    port = served.root.rpartition(":")[2]
    answer = here.process("web", "--port", port)

    assert answer.code == 1
    assert "--port" in answer.error


def test_without_the_extra_one_line_says_what_to_install(here: Regtui, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "textual_serve.py").write_text("raise ModuleNotFoundError(name='textual_serve')")
    path = ":".join([str(hidden), *sys.path])
    answer = here.process("web", environment={"PYTHONPATH": path})

    assert answer.code == 1
    assert 'pip install "regtui[web]"' in answer.error


def test_every_start_has_another_address(here: Regtui) -> None:
    servers = [AppServer(here.home, host="127.0.0.1", port=0, writes=False) for _ in range(2)]

    assert servers[0].token != servers[1].token
    assert len(servers[0].token) >= 40
    assert "--read-only" in servers[0].command
    assert "--read-only" not in AppServer(here.home, host="::1", port=0, writes=True).command
    with pytest.raises(BadInput):
        AppServer(here.home, host="10.0.0.1", port=0, writes=False)


@pytest.mark.skipif(browser.PROGRAM is None, reason="no Chromium is here")
async def test_it_works_in_a_real_browser(served: Served, tmp_path: Path) -> None:
    async with browser.opened(served.url, tmp_path / "profile") as page:
        await page.until(lambda one: b"ranker" in one.told)
        assert await page.evaluate("document.body.classList.contains('-first-byte')")
        assert await page.evaluate("document.activeElement.tagName") == "TEXTAREA"
        before = len(page.told)
        await page.type("?")
        await page.until(lambda one: b"What can be done here" in one.told[before:])
        own = (served.url, "data:")
        assert [one for one in page.requested if not one.startswith(own)] == []
        (tmp_path / "page.png").write_bytes(await page.picture())
