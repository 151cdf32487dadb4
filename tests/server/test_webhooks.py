"""What happens is told to those who asked for it: signed, at least once, and nobody else."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from msgspec import Struct

from regtui.core.errors import BadInput
from regtui.core.identity import alias_id, policy_id
from regtui.core.manifest import FileEntry
from regtui.core.operations import AliasBody, Change, PolicyBody, RequestBody
from sync_server import schema, webhook_request
from sync_server.artifacts import FolderStore
from sync_server.backup import create_backup, open_backup
from sync_server.database import Database
from sync_server.examine import examine
from sync_server.http_artifacts import Limits
from sync_server.server import uuid7
from sync_server.webhook_delivery import LEASE, TRIES, Deliveries, retry
from sync_server.webhook_request import Call, is_public, send, signature
from sync_server.webhooks import QUEUE, add_webhook, remove_webhook
from tests.pieces.site import Site
from tests.server.process import ServerProcess, command

SECRET = "a secret of some length"


class Received(Struct):
    """A request that came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Listener:
    """A program that is told of events."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.answer = 204
        self.location = ""
        self._arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(outer.answer)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                with outer._arrived:
                    outer.got.append(Received(headers, body))
                    outer._arrived.notify_all()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int) -> list[Received]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.got) >= count, 30)
        return self.got

    @property
    def events(self) -> list[str]:
        return [one.json["event"] for one in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = Site(tmp_path, FolderStore(tmp_path / "artifacts"), Limits(), url=database_url)
    yield made
    made.server.close()


@pytest.fixture
def deliveries(site: Site) -> Iterator[Deliveries]:
    made = Deliveries(site.database, site.clock, chance=lambda: 0.5)
    yield made
    made.close()


def hook(site: Site, url: str, *events: str, models: str = "*", allow_private: bool = True) -> str:
    with site.database.writing() as connection:
        return add_webhook(
            connection,
            1,
            url=url,
            secret=SECRET,
            events=events,
            models=models,
            allow_private=allow_private,
            now=site.clock(),
        ).id


def flow(deliveries: Deliveries) -> int:
    """Send what is due, and return how much it was."""
    total = 0
    while some := deliveries.deliver():
        for one in some:
            one.result(30)
        total += len(some)
    return total


def rows(site: Site) -> list[Any]:
    with site.database.reading() as connection:
        query = sa.select(schema.webhook_delivery).order_by(schema.webhook_delivery.c.created)
        return list(connection.execute(query).all())


def test_an_event_is_signed_and_says_what_happened(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    hook(site, listener.url, "deployment.*")
    deployment = site.deployed("nlp/bert")
    assert flow(deliveries) == 1
    (got,) = listener.got
    told, headers = got.json, got.headers
    expected = hmac.new(
        SECRET.encode(), f"{headers['x-regtui-timestamp']}.".encode() + got.body, hashlib.sha256
    )
    assert headers["x-regtui-signature"] == f"v1={expected.hexdigest()}"
    assert headers["x-regtui-event"] == told["event"] == "deployment.record"
    assert told["model"]["name"] == "nlp/bert"
    assert told["operation"]["actor"]["name"] == "ann"
    assert told["operation"]["entity"] == told["subject"]["id"] == deployment
    assert told["subject"]["facts"]["environment_name"] == "prod"
    assert (told["version"]["number"], told["subject"]["values"]["state"]) == (1, "live")
    (row,) = rows(site)
    assert (row.state, row.status, row.tries) == ("done", 204, 1)
    assert headers["x-regtui-delivery"] == row.id


def test_what_an_applied_request_does_is_told_whoever_applied_it(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    hook(site, listener.url, "promotion.apply", "alias.set")
    stream = site.model("nlp/bert")
    version = site.version(stream, [FileEntry("w", 1, False, "a" * 64)])
    body = PolicyBody("p", "*", {"definition": Change({"alias": "production"})})
    site.act("policy.put", "registry", policy_id("*", "p"), body)
    request = RequestBody(version, "alias", "production", True, {})
    site.act("promotion.request", stream, uuid7(site.clock()), request)
    flow(deliveries)
    assert sorted(listener.events) == ["alias.set", "promotion.apply"]


def test_a_webhook_sees_only_its_scope_and_never_who_may_do_what(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    hook(site, listener.url, models="nlp/*")
    site.model("nlp/bert")
    site.model("secret/canary")
    site.person("ben", **{"*": "viewer"})
    for scope in ("nlp/b", "cv/*"):
        body = PolicyBody("p", scope, {"definition": Change({"alias": "production"})})
        site.act("policy.put", "registry", policy_id(scope, "p"), body)
    flow(deliveries)
    assert sorted(listener.events) == ["model.create", "policy.put"]
    assert b"secret" not in b"".join(one.body for one in listener.got)
    assert b"cv/" not in b"".join(one.body for one in listener.got)


def test_what_is_refused_is_not_told(site: Site, listener: Listener) -> None:
    hook(site, listener.url, "alias.*")
    stream = site.model("nlp/bert")
    body = AliasBody("x", {"version": Change("0" * 36)})
    site.act("alias.set", stream, alias_id(stream, "x"), body)
    assert rows(site) == []


def test_a_failure_is_sent_again_later_each_time_and_is_dead_in_the_end(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    listener.answer = 500
    hook(site, listener.url)
    site.model("nlp/bert")
    pauses = []
    for tries in range(1, TRIES + 1):
        assert flow(deliveries) == 1
        (row,) = rows(site)
        assert (row.tries, row.status, row.told) == (tries, 500, "it answered 500")
        if row.state == "waiting":
            pauses.append((row.due - site.clock()) // 1_000_000)
            site.offset += row.due - site.clock() + 1
    assert row.state == "dead"
    assert pauses == sorted(pauses)
    assert flow(deliveries) == 0
    listener.answer = 200
    with site.database.writing() as connection:
        assert retry(connection, 1, None, site.clock()) == 1
    assert flow(deliveries) == 1
    assert [one.state for one in rows(site)] == ["done"]
    assert len({one.headers["x-regtui-delivery"] for one in listener.got}) == 1


def test_two_processes_never_send_the_same_at_the_same_time(site: Site, listener: Listener) -> None:
    hook(site, listener.url)
    for number in range(12):
        site.model(f"nlp/m{number}")
    other = Database(site.database.url)
    senders = [Deliveries(one, site.clock) for one in (site.database, other) * 2]
    try:
        threads = [threading.Thread(target=flow, args=[one]) for one in senders]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        flow(senders[0])
    finally:
        for sender in senders:
            sender.close()
        other.close()
    identities = [one.headers["x-regtui-delivery"] for one in listener.got]
    assert len(identities) == len(set(identities)) == 12


def test_what_a_dead_process_had_claimed_is_sent_by_another(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    hook(site, listener.url)
    site.model("nlp/bert")
    assert len(Deliveries(site.database, site.clock).claim()) == 1
    assert flow(deliveries) == 0
    site.offset += LEASE
    assert flow(deliveries) == 1


def test_a_redirect_is_a_failure_and_not_followed(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    listener.answer, listener.location = 302, listener.url
    hook(site, listener.url)
    site.model("nlp/bert")
    flow(deliveries)
    assert len(listener.got) == 1
    assert rows(site)[0].told == "it answered with a redirect, which is not followed"


def test_addresses_that_are_not_public_are_refused(
    site: Site,
    deliveries: Deliveries,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, here = socket.getaddrinfo, "intranet.test"
    hook(site, listener.url.replace("127.0.0.1", here), allow_private=False)
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *rest, **more: real("127.0.0.1", *rest, **more)
    )
    site.model("nlp/bert")
    flow(deliveries)
    assert listener.got == []
    (row,) = rows(site)
    assert row.told == f"{here} is an address that is not public; --allow-private allows it"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "169.254.169.254", "10.0.0.1", "2130706433", "0x7f.1", "[::1]", "127.1", "0",
     "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "localhost", "LOCALHOST.", "db.localhost"],
)  # fmt: skip
def test_a_host_that_is_written_as_a_private_address_is_refused_at_once(
    site: Site, host: str
) -> None:
    with pytest.raises(BadInput, match="not public") as refused:
        hook(site, f"http://{host}:8080/hook", allow_private=False)
    assert "--allow-private" in refused.value.hint
    hook(site, f"http://{host}:8080/hook")


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that stands for a public address once, and for one of ours a moment later."""
    real, asked = socket.getaddrinfo, list[str]()
    port = listener.server.server_port

    def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(str(host))
        return real("127.0.0.1" if len(asked) > 1 else "192.0.2.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(webhook_request, "is_public", lambda address: address == "192.0.2.1")
    monkeypatch.setattr(webhook_request, "SECONDS", 0.5)
    answer = send(Call(f"http://rebind.test:{port}/", SECRET, False, "1", "ping", b"{}", 0))
    assert not answer.taken
    assert (asked, listener.got) == (["rebind.test"], [])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("192.0.0.192", False),
        ("::ffff:192.0.0.192", False),
        ("192.88.99.1", False),
        ("fec0::1", False),
        ("nonsense", False),
    ],
)
def test_public_addresses_are_told_from_others(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_who_answers_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_request, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for scheme in ("http", "https"):
            call = Call(url.replace("http", scheme), SECRET, True, "1", "ping", b"{}", 0)
            assert not send(call).taken


def test_those_that_answer_nothing_leave_room_for_who_does(
    site: Site, deliveries: Deliveries, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_request, "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        for _ in range(18):  # more than there are workers
            hook(site, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        for number in range(5):
            site.model(f"nlp/m{number}")
        while some := deliveries.deliver():  # nobody knows of them yet
            for one in some:
                one.result(30)
        site.offset += 30_000_000
        waiting = deliveries.deliver()
        hook(site, listener.url)
        site.model("nlp/last")
        more = deliveries.deliver()
        listener.wait(1)
        for one in (*waiting, *more):
            one.result(30)
    assert len(waiting) == 8
    assert listener.events == ["model.create"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/",
        "https://",
        "http://ann:pw@x/",
        "https://x/#a",
        "http://x:99999/",
        "http://a b/",
        "",
    ],
)
def test_addresses_that_make_no_sense_are_refused(site: Site, url: str) -> None:
    with pytest.raises(BadInput):
        hook(site, url)


def test_events_that_there_are_not_are_refused(site: Site) -> None:
    for event in ("grant.add", "access.*", "promotion.aply", "**"):
        with pytest.raises(BadInput, match="no event"):
            hook(site, "https://example.org/", event)


def test_a_full_queue_drops_and_counts(
    site: Site, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_server.webhooks.QUEUE", 3)
    hook(site, listener.url)
    for number in range(5):
        site.model(f"nlp/m{number}")
    assert len(rows(site)) == 3
    with site.database.reading() as connection:
        assert connection.execute(sa.select(schema.webhook.c.dropped)).scalar() == 2
    assert QUEUE > 3


def test_what_ended_is_forgotten_after_a_while(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    hook(site, listener.url)
    site.model("nlp/bert")
    flow(deliveries)
    deliveries.tidy()
    assert len(rows(site)) == 1
    site.offset += 8 * 86_400_000_000
    deliveries.tidy()
    assert rows(site) == []


def test_events_of_a_webhook_that_is_gone_are_forgotten(
    site: Site, deliveries: Deliveries, listener: Listener
) -> None:
    hook(site, listener.url)
    site.model("nlp/bert")
    with site.database.writing() as connection:
        connection.execute(sa.delete(schema.webhook))
    assert flow(deliveries) == 0
    assert rows(site) == []


def test_a_backup_has_them_and_the_doctor_finds_events_of_nobody(
    site: Site, listener: Listener, tmp_path: Path
) -> None:
    identity = hook(site, listener.url)
    site.model("nlp/bert")
    assert examine(site.database) == []
    create_backup(site.database, tmp_path / "backup")
    restored = open_backup(tmp_path / "backup", tmp_path / "scratch")
    with restored.reading() as connection:
        assert connection.execute(sa.select(schema.webhook_delivery)).one() == rows(site)[0]
    restored.close()
    with site.database.writing() as connection:
        connection.execute(sa.delete(schema.webhook))
    (row,) = rows(site)
    assert examine(site.database) == [f"registry lab: event {row.id}: its webhook is not there"]
    with site.database.writing() as connection:
        assert not remove_webhook(connection, 1, identity)
    assert rows(site) == []


def test_an_operator_sets_one_up_on_a_running_server(
    server_process: ServerProcess, listener: Listener
) -> None:
    data = ("--data", server_process.data, "--json")
    made = command("webhook", "add", listener.url, "--events", "environment.*,model.create",
                   "--allow-private", *data).json  # fmt: skip
    identity, secret = made["webhook"]["id"], made["secret"]
    assert command("webhook", "test", identity, *data).json == {"status": 204}
    (got,) = listener.wait(1)
    stamp = int(got.headers["x-regtui-timestamp"])
    assert got.headers["x-regtui-signature"] == signature(secret, stamp, got.body)
    (shown,) = command("webhook", "ls", *data).json["webhooks"]
    assert (shown["webhook"]["url"], shown["waiting"], shown["dead"]) == (listener.url, 0, 0)
    assert secret not in command("webhook", "ls", "--data", server_process.data).out
    listener.answer = 500
    told = command("webhook", "test", identity, "--data", server_process.data)
    assert (told.code, told.error.count("\n")) == (1, 1)
    assert command("webhook", "deliveries", *data).json == {"deliveries": []}
    assert command("webhook", "retry", "--all", *data).json == {"retried": 0}
    assert command("webhook", "retry", *data).code == 2
    assert command("webhook", "rm", identity, *data).json == {"removed": identity}
    assert command("webhook", "rm", identity, *data).code == 3
    assert "regtui_webhook_queue" in httpx.get(f"{server_process.url}/metrics").text
