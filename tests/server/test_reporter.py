"""A process that serves a model tells the server of it, and is never held up."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from regtui import usage
from regtui.core.errors import NotFound
from regtui.usage import Reporter
from sync_server.database import Database
from sync_server.server import Server
from sync_server.usage_summary import summarise
from tests.server.people import Person, invite, join
from tests.server.process import ServerProcess, copied


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


class Served(Struct):
    """A running server with a deployment, and what a reporter of it needs."""

    server: ServerProcess
    ann: Person
    deployment: str
    token: str

    def reporter(self, **options: Any) -> Reporter:
        chosen = {"interval": 0.1} | options
        server = self.server
        return Reporter(self.deployment, server.url, server.registry, self.token, **chosen)

    def counted(self) -> tuple[int, int]:
        """Return how many requests and errors the server knows of."""
        with self.server.client() as client:
            path = self.server.path(f"deployments/{self.deployment}/usage")
            buckets = client.get(path).raise_for_status().json()["buckets"]
        return sum(one["requests"] for one in buckets), sum(one["errors"] for one in buckets)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    data = tmp_path / "data"
    token = copied(data)
    server = ServerProcess(data, "--port", port)
    server.log_in(token)
    ann = join(server, tmp_path / "home", "eve", "maintainer")
    model = tmp_path / "model.txt"
    model.write_text("w")
    ann.registry.put_environment("prod", {})
    ann.registry.capture(model, model="nlp/bert")
    ann.registry.sync()
    ann.registry.deploy("nlp/bert@1", "prod")
    ann.registry.sync()
    (deployment,) = ann.registry.deployments()
    yield Served(server, ann, deployment.id, invite(server, "robot", "reporter", "nlp/*"))
    server.close()


def test_what_is_counted_arrives_once(served: Served) -> None:
    with served.reporter() as reporter:
        reporter.count(latency=0.01)
        assert reporter.flush()
        for _ in range(9):
            reporter.count(latency=0.02)
        reporter.count(error=True)
        reporter.beat()
        assert reporter.flush()
        assert reporter.flush()
        assert reporter.problem is None
    assert served.counted() == (11, 1)


def test_a_reporter_beats_by_the_whole_id_of_what_he_does_not_see(
    served: Served, tmp_path: Path
) -> None:
    rob = join(served.server, tmp_path / "rob", "rob", "reporter", "nlp/*")
    rob.registry.sync()
    assert rob.registry.deployments() == []
    rob.registry.beat(served.deployment, requests=3)
    assert served.counted() == (3, 0)
    with pytest.raises(NotFound, match="give the whole id"):
        rob.registry.beat(served.deployment[-8:])
    with pytest.raises(NotFound):
        rob.registry.beat("00000000-0000-4000-8000-000000000000")


def test_blocks_and_functions_are_timed_and_their_errors_go_on(served: Served) -> None:
    with served.reporter() as reporter:

        @reporter.timed
        def divide(one: int, other: int) -> float:
            return one / other

        @reporter.timed
        async def later() -> int:
            return 3

        assert divide(4, 2) == 2
        assert divide.__name__ == "divide"
        with pytest.raises(ZeroDivisionError):
            divide(1, 0)
        assert asyncio.run(later()) == 3
        with reporter.timed():
            pass
    assert served.counted() == (4, 1)


def test_nothing_is_lost_while_the_server_is_away(served: Served) -> None:
    with served.reporter() as reporter:
        reporter.count()
        assert reporter.flush()
        served.server.stop()
        for _ in range(5):
            reporter.count()
        assert not reporter.flush(5)
        assert "does not answer" in str(reporter.problem)
        served.server.start()
        assert reporter.flush()
    assert served.counted() == (6, 0)


def test_many_threads_count_together(served: Served) -> None:
    with served.reporter(interval=0.05) as reporter:

        def count() -> None:
            for _ in range(500):
                reporter.count(latency=0.001)

        threads = [threading.Thread(target=count) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert served.counted() == (4_000, 0)


PROGRAM = """
import os, sys
from regtui.usage import Reporter
reporter = Reporter(*sys.argv[1:5], interval=60)
reporter.count()
if os.fork() == 0:
    reporter.count()
    reporter.count()
    sys.exit(0)
os.wait()
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ,
    )


def test_what_is_left_is_sent_at_exit_and_a_fork_reports_on_its_own(served: Served) -> None:
    server = served.server
    run(PROGRAM, served.deployment, server.url, server.registry, served.token)
    assert served.counted() == (3, 0)


def test_a_server_that_says_nothing_holds_up_no_exit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        run(PROGRAM, "deployment", url, "registry", "token")


@pytest.mark.parametrize("url", ["", "nonsense", "http://127.0.0.1:1", "http://[", "https://x:y/"])
def test_whatever_is_wrong_the_process_goes_on(url: str) -> None:
    reporter = Reporter("deployment", url, "registry", "token")
    for latency in (float("nan"), float("inf"), -1.0, "soon", None):
        reporter.count(latency=latency)  # type: ignore[arg-type]
    reporter.beat()
    assert not reporter.flush(5)
    assert reporter.problem
    reporter.close()
    reporter.close()
    reporter.count()


def test_a_token_that_is_not_good_is_told_and_nothing_is_lost(served: Served) -> None:
    server = served.server
    with Reporter(served.deployment, server.url, server.registry, "no", interval=60) as reporter:
        reporter.count()
        assert not reporter.flush()
        assert reporter.problem == "the server answered 401"
        reporter._token = served.token
        assert reporter.flush()
    assert served.counted() == (1, 0)


def test_minutes_that_the_server_leaves_out_are_told(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served.reporter(interval=60) as reporter:
        now = time.time_ns()
        with monkeypatch.context() as patched:
            patched.setattr(time, "time_ns", lambda: now + 3_600_000_000_000)
            reporter.count()
        assert reporter.flush()
        assert reporter.problem == "the server left out a minute: it is of the future"
    assert served.counted() == (0, 0)


def test_only_so_many_minutes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "KEPT", 3)
    now = time.time_ns()
    reporter = Reporter("deployment", "http://127.0.0.1:1", "registry", "token", interval=60)
    for minute in range(6):
        moment = now + minute * 60_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        reporter.count()
    assert len(reporter._minutes) == 3
    reporter.close(0)


def test_importing_it_loads_nothing_of_the_rest() -> None:
    told = run(
        "import sys, regtui.usage; "
        "print([one for one in ('msgspec', 'duckdb', 'ssl', 'http.client', 'json', 'asyncio')"
        " if one in sys.modules])"
    ).stdout
    assert told == "[]\n"


def test_the_summary_comes_with_a_sync_and_harms_no_replica(served: Served) -> None:
    with served.reporter() as reporter:
        reporter.count(latency=0.01)
    database = Database(f"sqlite:///{served.server.data / 'registry.sqlite'}")
    try:
        summarise(Server(database))
    finally:
        database.close()
    registry = served.ann.registry
    registry.sync()
    (told,) = [one for one in registry.deployments() if one.id == served.deployment]
    assert told.state == "live"
    assert told.usage is not None
    assert told.usage["hour"]["requests"] == 1
    shown = subprocess.run(
        [sys.executable, "-m", "regtui", "deploy", "show", told.deployment],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"REGTUI_HOME": str(registry.home)},
    ).stdout
    assert "last hour    1 request, 0 errors, p50 " in shown
    registry.set_alias("nlp/bert@1", "champion")
    assert registry.sync().pushed == 1
    assert httpx.get(f"{served.server.url}/readyz").status_code == 200
    assert registry.doctor().healthy
