"""What happens around every request: ids, limits, errors in one shape, log and figures."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request

from sync_server.configuration import Configuration
from sync_server.database import Database
from sync_server.http import make_app
from sync_server.problems import explain_errors
from sync_server.rate_limits import RateLimiter, TooMany
from sync_server.server import Server, make_registry, make_tables
from tests.pieces.site import Site
from tests.server.process import ServerProcess


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{site.port}") as made:
        yield made


def app_with(folder: Path, **chosen: Any) -> tuple[Server, Any, str]:
    """Return a server, its application with some configuration, and an admin's token."""
    database = Database(f"sqlite:///{folder / 'lab.sqlite'}")
    make_tables(database)
    made = make_registry(database, "lab", "ann")
    server = Server(database)
    user = server.look(made.registry, lambda one: one.user("ann")).id
    token = server.administrate(made.registry, lambda one: one.create_token(user, "x"))
    return server, make_app(server, Configuration(**chosen)), token


def asking(app: Any, token: str = "", address: str = "127.0.0.1") -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://lab", headers=headers)


def test_a_request_keeps_a_good_id_and_gets_one_otherwise(client: httpx.Client) -> None:
    kept = client.get("/healthz", headers={"X-Request-Id": "job-7.a_b"})
    assert kept.headers["X-Request-Id"] == "job-7.a_b"
    for bad in ("", "a b", "x" * 65, 'a"b'):
        made = client.get("/healthz", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad
        assert len(made) == 32


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/v1/registries/x/users", None, 401),
        ("DELETE", "/healthz", None, 405),
        ("POST", "/v1/login", b"{", 422),
        ("POST", "/v1/login", b'{"token": 1}', 422),
        ("POST", "/v1/login", b'{"token": "x"}', 401),
        ("POST", "/v1/login", b'"' + b"x" * 300_000 + b'"', 413),
    ],
)
def test_every_error_has_one_shape(
    client: httpx.Client, method: str, path: str, body: bytes | None, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.request(method, path, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].keys() == {"code", "message", "hint"}
    assert "X-Request-Id" in answer.headers


def test_a_body_that_does_not_say_its_size_is_cut_as_well(client: httpx.Client) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 8192

    try:
        answer = client.post(
            "/v1/login", content=parts(), headers={"Content-Type": "application/json"}
        )
    except httpx.WriteError:
        return  # the server has hung up meanwhile
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_what_nobody_foresaw_is_in_the_log_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server, app, token = app_with(tmp_path)

    def broken() -> None:
        raise RuntimeError("the secret reason")

    app.add_api_route("/broken", broken)

    async with asking(app, token) as client:
        answer = await client.get("/broken")
    server.close()
    assert answer.status_code == 500
    reference = answer.json()["error"]["message"].split("(")[1].rstrip(")")
    assert "secret" not in answer.text
    (record,) = [one for one in caplog.records if reference in one.getMessage()]
    assert record.exc_info is not None


async def test_a_database_that_is_away_makes_the_server_unready(tmp_path: Path) -> None:
    server, app, token = app_with(tmp_path)
    async with asking(app, token) as client:
        assert (await client.get("/readyz")).status_code == 200
        with server.database.writing() as connection:
            connection.execute(sa.text("drop table token"))
        answer = await client.get("/v1/me")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert (await client.get("/healthz")).status_code == 200
    server.close()


async def test_too_many_requests_of_a_token_wait(tmp_path: Path) -> None:
    server, app, token = app_with(tmp_path, rate=0.5, burst=3)
    async with asking(app, token) as client:
        found = [await client.get("/v1/me") for _ in range(4)]
    server.close()
    assert [one.status_code for one in found] == [200, 200, 200, 429]
    assert found[-1].headers["Retry-After"] == "2"
    assert found[-1].json()["error"]["code"] == "too_many"


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    limiter = RateLimiter(2.0, 4, lambda: now[0])
    for _ in range(4):
        limiter.take("a")
    with pytest.raises(TooMany):
        limiter.take("a")
    limiter.take("b")
    now[0] = 0.5
    limiter.take("a")
    with pytest.raises(TooMany):
        limiter.take("a")


def test_many_buckets_are_forgotten() -> None:
    limiter = RateLimiter(1.0, 1, lambda: 0.0)
    for place in range(30_000):
        limiter.take(str(place))
    with pytest.raises(TooMany):
        limiter.take("29999")


@pytest.mark.parametrize(
    ("who", "address", "signed", "status"),
    [
        ("local", "127.0.0.1", False, 200),
        ("local", "::ffff:127.0.0.1", False, 200),
        ("local", "10.0.0.1", False, 401),
        ("local", "10.0.0.1", True, 200),
        ("admin", "127.0.0.1", False, 401),
        ("admin", "127.0.0.1", True, 200),
        ("open", "10.0.0.1", False, 200),
    ],
)
async def test_figures_are_for_this_machine_and_admins(
    tmp_path: Path, who: str, address: str, signed: bool, status: int
) -> None:
    server, app, token = app_with(tmp_path, metrics=who)
    async with asking(app, token if signed else "", address) as client:
        answer = await client.get("/metrics")
    server.close()
    assert answer.status_code == status


async def test_figures_are_of_methods_that_there_are(tmp_path: Path) -> None:
    server, app, token = app_with(tmp_path, metrics="admin")
    async with asking(app, token) as client:
        for method in ("GET", "CANARY1", "CANARY2"):
            await client.request(method, "/nothing")
        told = (await client.get("/metrics")).text
    server.close()
    assert "CANARY" not in told
    assert 'regtui_requests_total{method="unknown",path="unknown",status="404"} 2.0' in told


@pytest.mark.slow
def test_who_connects_and_asks_nothing_is_hung_up_on(server_process: ServerProcess) -> None:
    host, _, port = server_process.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        assert connection.recv(1) == b""
    with server_process.client() as client:
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [("database or disk is full", 507, "no_space"), ("disk I/O error", 503, "unavailable")],
)
async def test_a_full_disk_is_told(said: str, status: int, code: str) -> None:
    app = FastAPI()
    explain_errors(app)

    @app.get("/fails")
    def fails(request: Request) -> None:
        request.state.request_id = "x"
        raise sa.exc.OperationalError("insert", {}, Exception(said))

    async with asking(app) as client:
        answer = await client.get("/fails")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_headers_have_a_limit(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n")
        assert b" 400 " in connection.recv(1 << 16).splitlines()[0]


def test_the_log_tells_of_requests_without_names_and_secrets(
    server_process: ServerProcess,
) -> None:
    with server_process.client() as client:
        client.get(server_process.path("users/somebody"), params={"q": "asked"})
        client.post(server_process.path("tokens"), json={"name": "canary"})
        told = client.get("/metrics").text
    assert server_process.stop() == 0
    text = (server_process.data / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    asked = [one for one in lines if one["event"] == "request"]
    assert {
        "time", "level", "method", "path", "status", "ms", "in", "out", "user", "request",
    } <= asked[-1].keys()  # fmt: skip
    assert asked[1]["path"] == "/v1/registries/{registry}/users/{name}"
    for secret in (server_process.token, "somebody", "asked", "canary", server_process.registry):
        assert secret not in text
    assert 'path="/v1/registries/{registry}/users/{name}",status="404"} 1.0' in told
    for figure in ("regtui_request_seconds_bucket", "regtui_sync_pages", "regtui_requests_running"):
        assert figure in told
    assert "somebody" not in told
