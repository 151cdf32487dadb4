"""What serving processes tell of deployments is counted once, whatever happens on the way."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from msgspec import Struct

from regtui.core.latency import BOUNDS, SLOTS, quantile, slot
from regtui.core.operations import TransitionBody
from regtui.core.verdicts import Accepted
from sync_server import schema
from sync_server.artifacts import FolderStore
from sync_server.backup import create_backup, load_rows, open_backup
from sync_server.examine import examine
from sync_server.http_artifacts import Limits
from sync_server.server import make_tables, uuid7
from sync_server.usage import DAY, HOUR, MINUTE
from sync_server.usage_rollup import ALL, fold
from sync_server.usage_summary import summarise
from tests.pieces.site import Site, serving


class Lab(Struct):
    """A site with a deployment, and who reports of it."""

    site: Site
    deployment: str
    robot: httpx.Client

    def path(self, deployment: str = "") -> str:
        here = deployment or self.deployment
        return f"/v1/registries/{self.site.registry}/deployments/{here}/usage"

    def report(self, *reports: dict[str, Any]) -> httpx.Response:
        return self.robot.post(self.path(), json={"reports": reports})

    def counted(self, by: str = "minute", since: int | None = None) -> list[dict[str, Any]]:
        with self.client("ann") as client:
            params = {"by": by} | ({} if since is None else {"since": since})
            answer = client.get(self.path(), params=params)
        answer.raise_for_status()
        buckets: list[dict[str, Any]] = answer.json()["buckets"]
        return buckets

    def client(self, name: str, **roles: str) -> httpx.Client:
        return self.site.api(self.site.person(name, **roles)).client

    def fold(self) -> int:
        total = 0
        while count := fold(self.site.database, self.site.clock(), rows=7):
            total += count
        return total

    def rows(self) -> list[Any]:
        with self.site.database.reading() as connection:
            return list(connection.execute(sa.select(schema.usage)).all())

    def now(self) -> int:
        return self.site.clock()


@pytest.fixture
def lab(tmp_path: Path, database_url: str) -> Iterator[Lab]:
    site = Site(tmp_path, FolderStore(tmp_path / "artifacts"), Limits(), url=database_url)
    with serving(site):
        robot = site.api(site.person("robot", **{"nlp/*": "reporter"})).client
        yield Lab(site, site.deployed("nlp/bert"), robot)
        robot.close()


def told(now: int, requests: int, reporter: str = "a", **more: Any) -> dict[str, Any]:
    counts = [0] * SLOTS
    counts[slot(0.02)] = requests
    return {
        "reporter": reporter,
        "bucket": now,
        "requests": requests,
        "errors": 0,
        "latency": counts,
        "beat": now,
    } | more


def test_the_greatest_counts_of_each_process_are_added(lab: Lab) -> None:
    now = lab.now()
    reports = [told(now, count, who) for who in "ab" for count in (5, 9, 7)] + [told(now, 2, "c")]
    random.Random(7).shuffle(reports)
    for one in reports * 2:
        assert lab.report(one).json() == {"taken": 1, "refused": []}
    assert lab.report(*reports).json()["taken"] == 7
    (bucket,) = lab.counted()
    assert (bucket["requests"], bucket["errors"], bucket["beat"]) == (20, 0, now)
    assert sum(bucket["latency"]) == 20
    assert BOUNDS[slot(0.02) - 1] <= bucket["p50"] <= bucket["p95"] <= BOUNDS[slot(0.02)]


def test_reports_that_come_at_once_are_all_kept(lab: Lab) -> None:
    now = lab.now()

    def send(number: int) -> int:
        return lab.report(*(told(now, 1, f"{number}-{one}") for one in range(25))).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(40))) == {200}
    assert [one["requests"] for one in lab.counted()] == [1_000]


def test_what_is_too_early_or_too_late_is_left_out_and_told(lab: Lab) -> None:
    now = lab.now()
    answer = lab.report(
        told(now + 10 * MINUTE, 1), told(now + 2 * MINUTE, 2), told(now - 8 * DAY, 4), told(now, 8)
    ).json()
    assert answer == {
        "taken": 2,
        "refused": [
            {"place": 0, "reason": "it is of the future"},
            {"place": 2, "reason": "it is older than seven days"},
        ],
    }
    assert [one["requests"] for one in lab.counted()] == [8, 2]


def test_more_errors_than_requests_are_left_out_and_told(lab: Lab) -> None:
    now = lab.now()
    answer = lab.report(told(now, 1, errors=50), told(now, 2, "b", errors=2)).json()
    assert answer == {
        "taken": 1,
        "refused": [{"place": 0, "reason": "it has more errors than requests"}],
    }
    assert [(one["requests"], one["errors"]) for one in lab.counted()] == [(2, 2)]


@pytest.mark.parametrize("state", ["rolled_back", "stopped", "failed"])
def test_what_is_counted_after_the_end_of_a_deployment_is_left_out(lab: Lab, state: Any) -> None:
    ended = lab.now()
    stream = lab.site.document(lab.deployment).stream
    body = TransitionBody(state, "", {})
    verdict = lab.site.act("deployment.transition", stream, lab.deployment, body)
    assert isinstance(verdict, Accepted)
    lab.site.offset += 2 * DAY
    late = lab.report(told(ended - MINUTE, 4), told(ended + HOUR, 2), told(lab.now(), 1)).json()
    assert late == {
        "taken": 1,
        "refused": [
            {"place": place, "reason": "the deployment had ended before"} for place in (1, 2)
        ],
    }
    assert [one["requests"] for one in lab.counted(since=ended - HOUR)] == [4]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reporter": ""},
        {"reporter": "a b"},
        {"reporter": "x" * 65},
        {"requests": -1},
        {"requests": 2**60},
        {"latency": [0] * (SLOTS + 1)},
        {"bucket": "soon"},
        {"more": 1},
    ],
)
def test_malformed_reports_are_refused(lab: Lab, wrong: dict[str, Any]) -> None:
    assert lab.report(told(lab.now(), 1) | wrong).status_code == 422
    assert lab.rows() == []


def test_too_many_reports_are_refused(lab: Lab) -> None:
    assert lab.report(*[told(lab.now(), 1)] * 1_001).status_code == 422


def test_who_may_not_know_of_a_deployment_learns_nothing(lab: Lab) -> None:
    other = lab.site.deployed("secret/canary")
    body = {"reports": [told(lab.now(), 1)]}
    absent = lab.path(uuid7(lab.now()))
    with (
        lab.client("cat", **{"nlp/*": "viewer"}) as viewer,
        lab.client("may", **{"nlp/*": "maintainer"}) as maintainer,
    ):
        for client in (lab.robot, viewer, maintainer):
            answers = [
                ask
                for path in (absent, lab.path(other), lab.path("x"))
                for ask in (client.post(path, json=body), client.get(path))
            ]
            assert {one.status_code for one in answers} == {404}
            assert len({one.content for one in answers}) == 1
        assert viewer.post(lab.path(), json=body).status_code == 403
        assert maintainer.post(lab.path(), json=body).status_code == 200
        assert lab.robot.get(lab.path()).content == answers[0].content
        assert viewer.get(lab.path()).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "contributor", "maintainer"])
def test_a_token_makes_nobody_a_reporter(lab: Lab, role: str) -> None:
    lab.site.person("cat", **{"nlp/*": role})
    token = lab.site.token_of("cat", [("reporter", "*")])
    with lab.site.api(token).client as client:
        answer = client.post(lab.path(), json={"reports": [told(lab.now(), 1)]})
    assert answer.status_code == 404


def test_folding_changes_no_sum(lab: Lab) -> None:
    start = lab.now() // HOUR * HOUR - 30 * HOUR
    for minute in range(0, 60, 4):
        reports = [told(start + minute * MINUTE, minute + 1, who) for who in "abc"]
        assert lab.report(*reports).json()["taken"] == 3
    expected = 3 * sum(minute + 1 for minute in range(0, 60, 4))
    sums = []
    for days in (0, 0, 9, 60, 100):
        lab.site.offset = days * DAY
        sums += [sum(one["requests"] for one in lab.counted("day", start))]
        lab.fold()
        sums += [sum(one["requests"] for one in lab.counted("day", start))]
    assert set(sums) == {expected}
    (row,) = lab.rows()
    assert (row.span, row.bucket, row.reporter) == (DAY, start // DAY * DAY, ALL)


def test_hours_can_be_read_for_90_days_beside_the_day_that_holds_them(lab: Lab) -> None:
    start = lab.now() // DAY * DAY - 2 * DAY
    for hour in range(3):
        assert lab.report(told(start + hour * HOUR, hour + 1)).json()["taken"] == 1
    lab.site.offset = 20 * DAY
    lab.fold()
    assert {row.span for row in lab.rows()} == {HOUR, DAY}
    assert [one["requests"] for one in lab.counted("hour", start)] == [1, 2, 3]
    assert [one["requests"] for one in lab.counted("day", start)] == [6]
    lab.site.offset = 100 * DAY
    lab.fold()
    assert lab.counted("hour", start) == []
    assert [one["requests"] for one in lab.counted("day", start)] == [6]


def test_a_minute_that_is_told_again_after_it_was_folded_counts_once(lab: Lab) -> None:
    start = lab.now() // HOUR * HOUR - 5 * HOUR
    lab.report(told(start, 10), told(start, 20, "b"))
    assert lab.fold() == 2
    lab.report(told(start, 10), told(start + MINUTE, 3))
    assert [one["requests"] for one in lab.counted("hour", start)] == [33]
    assert lab.fold() == 2
    assert [one["requests"] for one in lab.counted("hour", start)] == [33]


def test_the_summary_travels_in_the_document_once_a_minute(lab: Lab) -> None:
    now = lab.now()
    assert summarise(lab.site.server) == 0
    lab.report(told(now, 10), told(now - 90 * MINUTE, 5, errors=2))
    assert summarise(lab.site.server) == 1
    value = lab.site.document(lab.deployment).value("usage")
    assert value["beat"] == now
    assert [value["hour"][one] for one in ("requests", "errors")] == [10, 0]
    assert [value["day"][one] for one in ("requests", "errors")] == [15, 2]
    assert value["day"]["p95"] == value["hour"]["p95"] > 0
    lab.report(told(now + MINUTE, 1))
    assert summarise(lab.site.server) == 0
    lab.site.offset += 61_000_000
    lab.report(told(lab.now(), 1, "b"))
    assert [summarise(lab.site.server) for _ in range(2)] == [1, 0]
    assert lab.site.document(lab.deployment).value("usage")["hour"]["requests"] == 12
    assert lab.site.document(lab.deployment).value("state") == "live"
    assert examine(lab.site.database) == []


def test_a_backup_has_it_and_the_doctor_misses_what_it_belongs_to(lab: Lab, tmp_path: Path) -> None:
    lab.report(told(lab.now(), 10))
    before = lab.rows()
    create_backup(lab.site.database, tmp_path / "backup")
    with lab.site.database.writing() as connection:
        connection.execute(sa.update(schema.usage).values(deployment="0" * 36))
    assert examine(lab.site.database) == [
        f"registry lab: usage of the deployment {'0' * 36}, which is not there"
    ]
    restored = open_backup(tmp_path / "backup", tmp_path / "scratch")
    try:
        make_tables(lab.site.database)
        load_rows(restored, lab.site.database)
    finally:
        restored.close()
    assert lab.rows() == before
    assert examine(lab.site.database) == []


def test_quantiles_are_near_what_was_measured() -> None:
    for values in ([0.001], [0.01] * 95 + [1.0] * 5, [0.0], [100.0], [1e-9, 5.0]):
        counts = [0] * SLOTS
        for value in values:
            counts[slot(value)] += 1
        exact = sorted(values)[(len(values) - 1) // 2]
        found = quantile(counts, 0.5)
        assert found is not None
        assert found <= max(BOUNDS[0], min(exact * 2**0.5, BOUNDS[-1]))
        assert found >= min(exact / 2**0.5, BOUNDS[-1]) or exact < BOUNDS[0]
    assert quantile([0] * SLOTS, 0.5) is None
