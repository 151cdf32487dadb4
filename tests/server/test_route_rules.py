"""Every route has a rule here that says who gets what; a route without one fails."""

from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from msgspec import Struct

from regtui.core.identity import user_id
from sync_server.artifacts import FolderStore
from sync_server.http_artifacts import Limits
from sync_server.rate_limits import RateLimiter
from sync_server.server import make_registry
from tests.pieces.site import Site, serving

PEOPLE: dict[str, dict[str, str]] = {
    "reporter": {"*": "reporter"},
    "viewer": {"nlp/*": "viewer"},
    "contributor": {"nlp/*": "contributor"},
    "lead": {"nlp/*": "admin"},
    "admin": {"*": "admin"},
}
OTHERS = ("nobody", "foreigner", "disabled")
"""Without a token, with one of another registry, with one of a user who is disabled."""

DIGEST = "0" * 64


class Rule(Struct):
    """What a request answers.

    Attributes:
        path: Placeholders filled in; None for the route's own path.
        body: JSON.
        signed: Status for whoever is signed in to this registry, unless `roles` says otherwise.
        roles: Status by person.
        public: Whether no token is needed.
        other: Status for who is signed in to another registry.
    """

    signed: int
    roles: dict[str, int] = {}
    path: str | None = None
    body: Any = None
    public: bool = False
    other: int = 404

    def expected(self, who: str) -> int:
        if self.public:
            return self.signed
        if who in {"nobody", "disabled"}:
            return 401
        return self.other if who == "foreigner" else self.roles.get(who, self.signed)


def admins(status: int = 200) -> dict[str, int]:
    return {"admin": status}


R = "/v1/registries/{registry}"
PIECES = R + "/streams/{stream}/pieces"
READERS = {"viewer", "contributor", "lead", "admin"}
WRITERS = READERS - {"viewer"}


def pieces(tail: str, seen: int, *, writes: bool, body: Any = None) -> list[Rule]:
    """Return the rules of files in a stream that is in the scope of all but two, and one beyond."""
    may = WRITERS if writes else READERS
    low = dict.fromkeys(READERS - may, 403)
    inside = low | dict.fromkeys(may, seen)
    return [
        Rule(404, inside, f"{R}/streams/{{inside}}/pieces{tail}", body),
        Rule(404, {"admin": seen}, f"{R}/streams/{{outside}}/pieces{tail}", body),
        Rule(404, {}, f"{R}/streams/{'0' * 8}-0000-0000-0000-{'0' * 12}/pieces{tail}", body),
    ]


RULES: dict[tuple[str, str], list[Rule]] = {
    ("GET", "/openapi.json"): [Rule(200, public=True)],
    ("HEAD", "/openapi.json"): [Rule(200, public=True)],
    ("GET", "/healthz"): [Rule(200, public=True)],
    ("GET", "/readyz"): [Rule(200, public=True)],
    ("GET", "/metrics"): [Rule(200, public=True)],  # from this machine
    ("POST", "/v1/login"): [Rule(401, public=True, body={"token": "x"})],
    ("POST", "/v1/device"): [Rule(200, public=True, body={})],
    ("POST", "/v1/device/token"): [Rule(400, public=True, body={"device_code": "x"})],
    ("POST", "/v1/logout"): [Rule(200, other=200)],
    ("GET", "/v1/me"): [Rule(200, other=200)],
    ("POST", R + "/device/{user_code}/approve"): [Rule(404, path=R + "/device/BCDF/approve")],
    ("POST", R + "/device/{user_code}/deny"): [Rule(404, path=R + "/device/BCDF/deny")],
    ("GET", R + "/wait"): [
        Rule(200, path=R + "/wait?after=0&seconds=0"),
        Rule(422, path=R + "/wait?after=-1", other=422),
    ],
    ("GET", R + "/log"): [Rule(200), Rule(422, path=R + "/log?before=0", other=422)],
    ("GET", R + "/links/{seq}"): [
        Rule(200, path=R + "/links/0"),
        Rule(404, path=R + "/links/123456789"),
    ],
    ("GET", R + "/streams/{stream}/log"): [
        Rule(404, dict.fromkeys(READERS, 200), R + "/streams/{inside}/log"),
        Rule(404, admins(), R + "/streams/{outside}/log"),
        Rule(404, admins(), R + "/streams/registry/log"),
        Rule(404, path=R + "/streams/access/log"),
    ],
    ("GET", R + "/users"): [Rule(200)],
    ("POST", R + "/users"): [
        Rule(403, admins(), body={"name": "somebody"}),
        Rule(403, admins(), body={"name": "ann"}),
    ],
    ("GET", R + "/users/{name}"): [
        Rule(404, admins(), R + "/users/ann"),
        Rule(404, admins(404), R + "/users/nob"),
        Rule(404, {"viewer": 200, "admin": 200}, R + "/users/viewer"),
    ],
    ("PATCH", R + "/users/{name}"): [
        Rule(403, admins(), R + "/users/ann", {"display_name": "A"}),
        Rule(403, admins(404), R + "/users/nob", {"display_name": "A"}),
        Rule(403, admins(), R + "/users/viewer", {"display_name": "A"}),
    ],
    ("GET", R + "/teams"): [Rule(200)],
    ("GET", R + "/teams/{name}"): [
        Rule(404, {"viewer": 200, "admin": 200}, R + "/teams/readers"),
        Rule(404, admins(404), R + "/teams/nob"),
    ],
    ("PUT", R + "/teams/{name}"): [
        Rule(403, admins(), R + "/teams/readers", {"description": "x"}),
        Rule(403, admins(404), R + "/teams/readers", {"add": ["nob"]}),
    ],
    ("GET", R + "/grants"): [Rule(200)],
    ("POST", R + "/grants"): [
        Rule(403, {"lead": 200, "admin": 200},
             body={"holder": "ann", "role": "viewer", "scope": "nlp/x"}),
        Rule(403, admins(), body={"holder": "ann", "role": "viewer", "scope": "cv/x"}),
        Rule(403, admins(404), body={"holder": "nob", "role": "viewer", "scope": "cv/x"}),
    ],
    ("DELETE", R + "/grants"): [
        Rule(403, {"lead": 404, "admin": 404}, R + "/grants?holder=ann&scope=nlp/none"),
        Rule(403, admins(404), R + "/grants?holder=ann&scope=cv/none"),
        Rule(403, admins(404), R + "/grants?holder=nob&scope=cv/none"),
    ],
    ("GET", R + "/replicas"): [Rule(200)],
    ("POST", R + "/replicas"): [
        Rule(403, body={"public_key": "0" * 64, "host": "x", "signature": "0" * 128})
    ],
    ("GET", R + "/replicas/{identity}"): [
        Rule(404, admins(), R + "/replicas/{replica}"),
        Rule(404, {}, R + "/replicas/none"),
    ],
    ("DELETE", R + "/replicas/{identity}"): [
        Rule(404, admins(), R + "/replicas/{replica}"),
        Rule(404, {}, R + "/replicas/none"),
    ],
    ("GET", R + "/tokens"): [Rule(200)],
    ("POST", R + "/tokens"): [
        Rule(200, body={}),
        Rule(403, admins(), body={"user": "ann"}),
        Rule(403, admins(404), body={"user": "nob"}),
    ],
    ("DELETE", R + "/tokens/{identity}"): [
        Rule(404, admins(), R + "/tokens/{token}"),
        Rule(404, {}, R + "/tokens/none"),
    ],
    ("POST", R + "/deployments/{deployment}/usage"): [
        Rule(404, {"viewer": 403, "contributor": 403, "reporter": 200, "lead": 200, "admin": 200},
             R + "/deployments/{deployment}/usage", {"reports": []}),
        Rule(404, {"reporter": 200, "admin": 200},
             R + "/deployments/{hidden}/usage", {"reports": []}),
        Rule(404, path=R + "/deployments/none/usage", body={"reports": []}),
    ],
    ("GET", R + "/deployments/{deployment}/usage"): [
        Rule(404, dict.fromkeys(READERS, 200), R + "/deployments/{deployment}/usage"),
        Rule(404, admins(), R + "/deployments/{hidden}/usage"),
        Rule(404, path=R + "/deployments/none/usage"),
        Rule(422, path=R + "/deployments/none/usage?by=year", other=422),
    ],
    ("POST", R + "/sync"): [Rule(400, body={})],
    ("POST", PIECES + "/missing"): pieces("/missing", 200, writes=True, body={"digests": []}),
    ("GET", PIECES + "/{digest}/upload"): pieces(f"/{DIGEST}/upload", 200, writes=True),
    ("PUT", PIECES + "/{digest}"): pieces(f"/{DIGEST}", 422, writes=True, body={}),
    ("POST", PIECES + "/{digest}/copy"): pieces(
        f"/{DIGEST}/copy", 404, writes=True, body={"from": "0" * 36}
    ),
    ("GET", PIECES + "/{digest}"): pieces(f"/{DIGEST}", 404, writes=False),
    ("HEAD", PIECES + "/{digest}"): pieces(f"/{DIGEST}", 404, writes=False),
}  # fmt: skip


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Return method and path of every route, those of included routers too."""

    def walk(some: Iterable[Any]) -> Iterator[tuple[str, str]]:
        for route in some:
            if hasattr(route, "path"):
                yield from ((method, route.path) for method in route.methods)
            else:
                yield from walk(route.original_router.routes)

    return set(walk(app.routes))


class Lab(Struct):
    """A site with everybody in it, and what paths are filled in with."""

    site: Site
    others: dict[str, tuple[str, str]]
    places: dict[str, str]

    def token(self, who: str) -> str | None:
        """Return a token that nothing before has revoked."""
        if who in PEOPLE:
            return self.site.person(who, **PEOPLE[who])
        if who == "nobody":
            return None
        registry, user = self.others[who]
        return self.site.server.administrate(
            registry, lambda one: one.create_token(user_id(user), "test")
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    site = Site(folder, FolderStore(folder / "artifacts"), Limits())
    with serving(site):
        for who, roles in PEOPLE.items():
            site.person(who, **roles)
        server, here = site.server, site.registry
        site.person("disabled", **{"*": "admin"})
        # All come from one address, and half of them are refused.
        site.app.state.guesses = site.app.state.devices = RateLimiter(1e6, 1_000_000)
        foreign = make_registry(site.database, "other", "ann", site.clock).registry
        server.administrate(here, lambda one: one.put_user("disabled", state="disabled"))
        server.administrate(here, lambda one: one.put_team("readers", {"viewer": True}))
        site.person("ann")
        places = {
            "registry": here,
            "inside": site.model("nlp/bert"),
            "outside": site.model("secret/canary"),
            "deployment": site.deployed("nlp/t5"),
            "hidden": site.deployed("secret/parrot"),
            "replica": server.look(here, lambda one: one.replicas())[0].id,
            "token": server.look(here, lambda one: one.tokens("ann"))[-1].id,
        }
        yield Lab(site, {"foreigner": (foreign, "ann"), "disabled": (here, "disabled")}, places)


def test_every_route_has_a_rule(lab: Lab) -> None:
    assert routes(lab.site.app) == RULES.keys()


@pytest.mark.parametrize("who", [*PEOPLE, *OTHERS])
def test_the_rules_hold(lab: Lab, who: str) -> None:
    broken = []
    with httpx.Client(base_url=f"http://127.0.0.1:{lab.site.port}") as client:
        for (method, path), rules in RULES.items():
            for rule in rules:
                place = rule.path or path
                for name, value in lab.places.items():
                    place = place.replace(f"{{{name}}}", value)
                token = lab.token(who)
                headers = {} if token is None else {"Authorization": f"Bearer {token}"}
                answer = client.request(method, place, headers=headers, json=rule.body)
                if answer.status_code != rule.expected(who):
                    broken.append(
                        f"{method} {rule.path or path} {rule.body}: {answer.status_code}"
                        f" instead of {rule.expected(who)}: {answer.text[:200]}"
                    )
    assert broken == []


def test_refusals_of_the_hidden_and_the_absent_are_the_same_bytes(lab: Lab) -> None:
    viewer = {"Authorization": f"Bearer {lab.token('viewer')}"}
    pairs = [
        ("DELETE", f"/replicas/{lab.places['replica']}", "/replicas/none"),
        ("DELETE", f"/tokens/{lab.places['token']}", "/tokens/none"),
        ("GET", "/users/admin", "/users/nob"),
        ("GET", f"/deployments/{lab.places['hidden']}/usage", "/deployments/none/usage"),
        ("GET", f"/streams/{lab.places['outside']}/pieces/{DIGEST}", f"/streams/x/pieces/{DIGEST}"),
    ]
    base = f"http://127.0.0.1:{lab.site.port}/v1/registries/{lab.site.registry}"
    with httpx.Client(headers=viewer) as client:
        for method, hidden, absent in pairs:
            found = [client.request(method, base + path) for path in (hidden, absent)]
            texts = [
                one.text.replace(path.split("/")[2], "…")
                for one, path in zip(found, (hidden, absent), strict=True)
            ]
            assert texts[0] == texts[1]
            assert found[0].status_code == found[1].status_code
    elsewhere = httpx.get(
        f"http://127.0.0.1:{lab.site.port}/v1/registries/{'0' * 36}/users", headers=viewer
    )
    assert elsewhere.status_code == 404
