"""Usage: reports of serving processes at a real server process, and reading a year of them.

Reports one in a request are what ten thousand processes send that serve without knowing of each
other; their baseline is the plainest request that the server answers to the same client. A year is
written into the server's database as its own folding leaves it, and read beside a single day: by
the plainest client, and by the command as people call it.
"""

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, command
from benchmarks.measuring import Series, apart, in_turns, run
from benchmarks.sync_site import Site, serving
from benchmarks.table import Row, compared
from regtui.core.latency import SLOTS
from regtui.registry import open_registry
from sync_server import schema
from sync_server.configuration import Configuration
from sync_server.data_folder import opened
from sync_server.database import insert
from sync_server.usage import COUNTS, DAY, HELD, HOUR, MINUTE

TITLE = "usage of deployments"

REPORTS = 10_000
TOGETHER = 100
"""Reports of one request, where several travel together."""

CLIENTS = 8
HOURS = 90 * 24
"""Hours that are kept beside their days."""

OPEN = 9
"""Days that are not folded yet."""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure how many reports a minute are taken, and whether a year opens like a day."""
    with tempfile.TemporaryDirectory(prefix="usage-", dir=bench.folder) as name:
        folder = Path(name)
        with serving(folder / "data") as site:
            registry, deployments = apart(_deploy, folder, site)
        _write_history(folder / "data", deployments)
        with serving(folder / "data") as site:
            paths = [f"/v1/registries/{registry}/deployments/{one}/usage" for one in deployments]
            single = apart(_posted, site, paths[2], 1, REPORTS // 5)
            plain = apart(_plain, site, REPORTS // 5)
            many = apart(_posted, site, paths[2], TOGETHER, REPORTS)
            yield Row(
                "reports a minute, each in a request of its own / plain requests",
                f"{60 * single:,.0f}",
                f"{60 * plain:,.0f}",
                f"{single / plain:.2f} x",
                f"≥ {REPORTS:,}",
                60 * single >= REPORTS,
            )
            yield Row(
                f"reports a minute, {TOGETHER} in a request",
                f"{60 * many:,.0f}",
                reach=f"≥ {REPORTS:,}",
                reached=60 * many >= REPORTS,
            )
            year, day = apart(_read, site, paths)
            yield compared("a year by the day / a day by the hour, asked of the server", year, day)
            year, day = apart(_command, folder, site, deployments)
            yield compared("`deploy usage` of a year by the day / of a day", year, day, 1.5)


def _deploy(folder: Path, site: Site) -> tuple[str, list[str]]:
    """Return the registry's id and three deployments: of a year, of a day, and a new one."""
    import os

    os.environ["REGTUI_CONFIG"] = str(folder / "config")
    registry = open_registry(folder / "home")
    registry.add_remote(site.url)
    registry.login(site.token)
    file = folder / "weights.bin"
    made = []
    for name in ("year", "day", "new"):
        file.write_text(name)
        registry.capture(file, model=f"nlp/{name}")
        registry.put_environment(name, {"kind": "production", "protected": False})
        registry.sync()
        registry.deploy(f"nlp/{name}@1", name)
        registry.sync()
        made.append(registry.deployments(environment=name)[0].id)
    with registry.context.reading() as connection:
        row = connection.execute("select registry::varchar from base.replica").fetchone()
    assert row is not None
    return row[0], made


def _write_history(data: Path, deployments: list[str]) -> None:
    """Write a year of one deployment and a day of another, as folding leaves them."""
    with opened(data, Configuration()) as server:
        now = server.clock()
        key = 1
        with server.database.writing() as connection:
            for deployment, days in zip(deployments, (365, 1), strict=False):
                today = now - now % DAY
                hours = [now - now % HOUR - n * HOUR for n in range(min(HOURS, 24 * days))]
                held = today - OPEN * DAY
                spans = [(HOUR, one, HELD if one < held else 0) for one in hours]
                spans += [(DAY, today - n * DAY, 0) for n in range(OPEN + 1, days)]
                insert(
                    connection,
                    schema.usage,
                    [
                        {
                            "registry": key,
                            "deployment": deployment,
                            "span": span,
                            "bucket": begin,
                            "reporter": "",
                            "minutes": minutes,
                            "beat": begin,
                            "requests": 100,
                            "errors": 1,
                            **dict.fromkeys(COUNTS, 1),
                        }
                        for span, begin, minutes in spans
                    ],
                )


def _posted(site: Site, path: str, together: int, reports: int) -> float:
    """Return how many reports a second are taken from several clients."""
    now = time.time_ns() // 1000

    def bodies(client: int) -> Iterator[bytes]:
        for number in range(0, reports // CLIENTS, together):
            made = [
                {
                    "reporter": f"{client}-{number + place}",
                    "bucket": now - now % MINUTE,
                    "requests": 10,
                    "latency": [1] * SLOTS,
                    "beat": now,
                }
                for place in range(together)
            ]
            yield json.dumps({"reports": made}).encode()

    seconds = _together(site, [("POST", path, list(bodies(n))) for n in range(CLIENTS)])
    return reports / seconds


def _plain(site: Site, requests: int) -> float:
    """Return how many requests a second are answered that ask for nearly nothing."""
    bodies = [b""] * (requests // CLIENTS)
    return requests / _together(site, [("GET", "/healthz", bodies)] * CLIENTS)


def _together(site: Site, work: list[tuple[str, str, list[bytes]]]) -> float:
    """Send the requests of several clients at once; return how many seconds that takes."""
    wrong: list[int] = []

    def send(method: str, path: str, bodies: list[bytes]) -> None:
        connection = http.client.HTTPConnection(site.url.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"}
        for body in bodies:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 200 or (body and json.loads(told)["refused"]):
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=send, args=one) for one in work]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, f"{len(wrong)} requests failed, such as with {wrong[0]}"
    return time.perf_counter() - started


def _read(site: Site, paths: list[str]) -> tuple[Series, Series]:
    """Return how long it takes to get a year and a day."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"))
    now = time.time_ns() // 1000

    def get(path: str, by: str, days: int, least: int) -> float:
        started = time.perf_counter()
        headers = {"Authorization": f"Bearer {site.token}"}
        connection.request("GET", f"{path}?by={by}&since={now - days * DAY}", headers=headers)
        told = json.loads(connection.getresponse().read())
        assert len(told["buckets"]) >= least
        return time.perf_counter() - started

    found = in_turns(
        {
            "year": lambda: get(paths[0], "day", 365, 365),
            "day": lambda: get(paths[1], "hour", 1, 24),
        },
        rounds=15,
    )
    return found["year"], found["day"]


def _command(folder: Path, site: Site, deployments: list[str]) -> tuple[Series, Series]:
    """Return how long the command takes for a year and for a day."""
    home, environment = folder / "home", {"REGTUI_CONFIG": str(folder / "config")}
    run(command(home, "remote", "move", site.url), environment)

    def tell(deployment: str, by: str, since: str) -> float:
        told = command(home, "deploy", "usage", deployment, "--by", by, "--since", since)
        return run(told, environment).seconds

    found = in_turns(
        {
            "year": lambda: tell(deployments[0], "day", "365d"),
            "day": lambda: tell(deployments[1], "hour", "1d"),
        }
    )
    return found["year"], found["day"]
