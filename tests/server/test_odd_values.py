"""Values that a database does not take: refused as malformed, on each of them, and nothing kept."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from regtui.core import chain
from regtui.core.identity import model_id, user_id
from regtui.core.operations import FORMAT
from regtui.core.verdicts import Accepted, Judged, Verdict
from regtui.wire.messages import PROTOCOL
from regtui.wire.statements import enrolment_statement, push_statement
from sync_server.artifacts import FolderStore
from sync_server.authority import Authority, Sent
from sync_server.examine import examine
from sync_server.http_artifacts import Limits
from sync_server.rate_limits import RateLimiter
from tests.pieces.site import Site, serving

NUL = "\0"
SURROGATE = "\ud800"
HUGE = 2**70


class Sender:
    """Pushes what it likes, signed as it has to be."""

    def __init__(self, site: Site, token: str, user: str) -> None:
        self.site, self.user = site, user_id(user)
        self.base = f"/v1/registries/{site.registry}"
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{site.port}", headers={"Authorization": f"Bearer {token}"}
        )
        self.key = Ed25519PrivateKey.generate()
        self.n, self.tip = 0, chain.GENESIS
        self.before = self.tip
        self.replica = self.enrol("host").json()["replica"]

    def enrol(self, host: str) -> httpx.Response:
        public = self.key.public_key().public_bytes_raw().hex()
        statement = enrolment_statement(self.site.registry, self.user, public)
        signature = self.key.sign(statement).hex()
        return self.post("replicas", public_key=public, host=host, signature=signature)

    def post(self, path: str, **body: Any) -> httpx.Response:
        path = path if path.startswith("/") else f"{self.base}/{path}"
        # As some programs write JSON: with escapes that stand for no character.
        content = json.dumps(body).encode()
        return self.client.post(path, content=content, headers={"Content-Type": "application/json"})

    def push(self, operation: dict[str, Any], **more: Any) -> httpx.Response:
        return self._push([operation], **more)

    def push_all(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Push operations and return the verdicts on the first of them, which end what was sent."""
        before = self.n, self.tip
        verdicts: list[dict[str, Any]] = self._push(operations).json()["verdicts"]
        self.n, self.tip = before
        for operation in operations[: len(verdicts)]:
            self._seal(operation)
        return verdicts

    def _seal(self, operation: dict[str, Any]) -> bytes:
        data = json.dumps(operation | {"n": self.n + 1, "prev": self.tip}).encode()
        self.before, self.n, self.tip = self.tip, self.n + 1, chain.tip(data)
        return data

    def _push(self, operations: list[dict[str, Any]], **more: Any) -> httpx.Response:
        before = self.n, self.tip
        ops = b",".join([self._seal(one) for one in operations]).decode()
        statement = push_statement(self.site.registry, self.replica, self.n, self.tip, "", 0, "")
        body: dict[str, Any] = {
            "protocol": PROTOCOL,
            "schema": FORMAT,
            "replica": self.replica,
            "acked_n": before[0],
            "anchor": None,
            "cursor": {},
            "n": self.n,
            "tip": self.tip,
            "signature": self.key.sign(statement).hex(),
        }
        text = json.dumps(body | more)[:-1] + ', "ops": [' + ops + "]}"
        answer = self.client.post(f"{self.base}/sync", content=text.encode())
        if answer.status_code != 200:
            self.n, self.tip = before
        return answer

    def operation(self, **more: Any) -> dict[str, Any]:
        model = model_id("nlp/bert", 0)
        return {
            "kind": "model.edit",
            "id": str(uuid.uuid4()),
            "replica": self.replica,
            "v": FORMAT,
            "at": 1,
            "actor": self.user,
            "stream": model,
            "entity": model,
            "body": {"set": {"description": {"to": "x"}}},
            "via": "cli",
            "session": "s",
        } | more


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, FolderStore(tmp_path / "artifacts"), Limits(), database_url)
    state = made.app.state
    state.limiter = state.guesses = state.devices = state.codes = RateLimiter(1e6, 1_000_000)
    made.model("nlp/bert")
    with serving(made):
        yield made


@pytest.fixture
def con(site: Site) -> Iterator[Sender]:
    sender = Sender(site, site.person("con", **{"nlp/*": "contributor"}), "con")
    yield sender
    sender.client.close()


def set_to(path: str, to: object, **more: object) -> dict[str, Any]:
    return {"set": {path: {"to": to, **more}}}


def test_an_operation_of_odd_values_is_refused_and_the_next_one_taken(
    site: Site, con: Sender
) -> None:
    odd: list[dict[str, Any]] = [
        {name: value}
        for name in ("id", "stream", "entity", "group", "undoes", "replica", "kind", "session")
        for value in (NUL, "a" * 37, "a" * 90_000, "")
    ]
    odd += [
        {"kind": "foo.bar", name: value} for name in ("id", "stream") for value in (NUL, "b" * 40)
    ]
    odd += [{"at": HUGE}, {"v": HUGE}, {"via": NUL}]
    odd += [
        {"body": set_to("description", "y", saw=NUL)},
        {"body": set_to("description", "y", saw="x" * 300_000)},
        {"body": set_to("card", "y", was=NUL)},
        {"body": set_to("tags/a", SURROGATE)},
        {"body": set_to("tags/a", HUGE)},
        {"body": set_to("tags/a" + NUL, "x")},
        {"kind": "alias.set", "entity": NUL, "body": {"name": "x", **set_to("version", NUL)}},
        {"kind": "promotion.apply", "entity": NUL, "body": {"break_glass": None, "set": {}}},
        {
            "kind": "conflict.resolve",
            "entity": NUL,
            "body": {"of": NUL, "of_kind": "model", "choice": NUL, "seen": [NUL], "set": {}},
        },
    ]
    for one in odd:
        answer = con.push(con.operation(**one))
        assert answer.status_code < 500, (one, answer.text)
    for more in (
        {"replica": NUL}, {"refetch": [NUL]}, {"cursor": {"seq": HUGE}}, {"n": HUGE},
        {"acked_n": HUGE}, {"limit": HUGE}, {"streams_digest": NUL},
        {"anchor": {"epoch": NUL, "seq": HUGE, "link": NUL, "mac": NUL}},
        {"claims": [{"model": NUL, "version": NUL, "number": HUGE, "certificate": NUL}]},
    ):  # fmt: skip
        answer = con.push(con.operation(), **more)
        assert answer.status_code < 500, (more, answer.text)
    (verdict,) = con.push(con.operation()).json()["verdicts"]
    assert verdict["result"] == "accepted", verdict
    assert examine(site.database) == []


def test_a_request_of_odd_values_is_refused(site: Site, con: Sender) -> None:
    asked = [
        con.enrol(SURROGATE),
        con.post("tokens", name=NUL),
        con.post("tokens", name="x", roles=[["viewer", NUL]]),
        con.post("/v1/device", name=NUL),
        con.post("/v1/device", name=SURROGATE),
        con.post("/v1/device/token", device_code=NUL),
        con.post("/v1/login", token=NUL),
        con.client.get(f"{con.base}/streams/%00/pieces/{'ab' * 32}"),
        con.client.put(f"{con.base}/streams/%00/pieces/{'ab' * 32}", content=b"x"),
        con.post(f"streams/{model_id('nlp/bert', 0)}/pieces/{'ab' * 32}/copy", stream=NUL),
        con.client.get(f"{con.base}/links/{HUGE}"),
        con.client.get(f"{con.base}/history", params={"after": HUGE}),
    ]
    for answer in asked:
        assert answer.status_code < 500, (answer.request.url, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["error"].keys() == {"code", "message", "hint"}


def test_an_operation_that_cannot_be_read_is_refused_by_itself(site: Site, con: Sender) -> None:
    for wrong in ({"body": {"set": 1}}, {"at": "noon"}, {"entity": 7}):
        sent = con.operation(**wrong)
        (verdict,) = con.push(sent).json()["verdicts"]
        assert (verdict["result"], verdict["code"]) == ("rejected", "malformed")
        con.n, con.tip = con.n - 1, con.before
        (again,) = con.push(sent).json()["verdicts"]  # the answer was lost
        assert again == verdict
    (verdict,) = con.push(con.operation()).json()["verdicts"]
    assert verdict["result"] == "accepted"
    assert examine(site.database) == []


@pytest.mark.parametrize("error", [KeyError("x"), sa.exc.ProgrammingError("s", {}, Exception())])
def test_what_the_server_fails_on_once_is_taken_the_next_time(
    site: Site, con: Sender, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    flush, failures = Authority.flush, [error]

    def failing(self: Authority) -> None:
        if failures:
            raise failures.pop()
        flush(self)

    monkeypatch.setattr(Authority, "flush", failing)
    sent = con.operation()
    answer = con.push(sent)
    if answer.status_code != 200:
        assert isinstance(error, sa.exc.ProgrammingError)
        answer = con.push(sent)
    (verdict,) = answer.json()["verdicts"]
    assert verdict["result"] == "accepted"


def test_what_the_server_fails_on_holds_up_nothing(
    site: Site, con: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong behind the judge: it is found by halves, and refused alone."""
    decide = Authority.decide

    def failing(
        self: Authority, sent: Sent, verdict: Verdict, judged: Judged, **more: Any
    ) -> bytes:
        if isinstance(verdict, Accepted) and "boom" in sent.data.decode():
            raise KeyError("boom")
        return decide(self, sent, verdict, judged, **more)

    monkeypatch.setattr(Authority, "decide", failing)
    group = str(uuid.uuid4())
    sent = [con.operation(body=set_to("tags/n", str(n))) for n in range(4)]
    sent += [con.operation(body=set_to("tags/boom", "1"))]
    sent += [con.operation(body=set_to("tags/m", str(n))) for n in range(3)]
    sent += [con.operation(body=set_to(f"tags/{n}", "x"), group=group) for n in ("a", "boom", "c")]
    sent += [con.operation(body=set_to("tags/last", "1"))]
    told: list[str] = []
    while len(told) < len(sent):
        verdicts = con.push_all(sent[len(told) :])
        told += [verdict.get("code", verdict["result"]) for verdict in verdicts]
    taken = ["accepted"]
    assert told == [*taken * 4, "internal", *taken * 3, *["internal"] * 3, *taken]
    assert examine(site.database) == []
