"""One-time tokens, machines that are signed in by somebody elsewhere, and signing out."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from regtui.core.identity import user_id
from tests.pieces.site import Site


@pytest.fixture
def ask(site: Site) -> Any:
    client = httpx.Client(base_url=f"http://127.0.0.1:{site.port}")

    def made(method: str, path: str, token: str | None = None, json: Any = None) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        place = path.replace("~", f"/v1/registries/{site.registry}")
        return client.request(method, place, headers=headers, json=json)

    yield made
    client.close()


def once(site: Site, name: str, **more: Any) -> str:
    def make(one: Any) -> str:
        one.put_user(name)
        return str(one.create_token(user_id(name), "once", once=True, **more))

    return site.server.administrate(site.registry, make)


def test_a_one_time_token_is_exchanged_once_whoever_comes_first(site: Site, ask: Any) -> None:
    token = once(site, "ben")
    assert ask("GET", "/v1/me", token).status_code == 401
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ask("POST", "/v1/login", json={"token": token}), range(8)))
    good = [one for one in found if one.status_code == 200]
    assert len(good) == 1
    told = good[0].json()
    assert told.keys() == {"token", "registry", "registry_name", "user", "name"}
    assert (told["registry_name"], told["name"]) == ("lab", "ben")
    assert ask("GET", "/v1/me", told["token"]).json()["user"] == user_id("ben")
    refused = {(one.status_code, one.json()["error"]["code"]) for one in found if one not in good}
    assert refused == {(401, "unauthenticated")}


def test_a_lasting_token_comes_back_as_it_is(site: Site, ask: Any) -> None:
    token = site.person("ben", **{"nlp/*": "viewer"})
    assert ask("POST", "/v1/login", json={"token": token}).json()["token"] == token


def test_a_narrow_one_time_token_makes_a_narrow_one(site: Site, ask: Any) -> None:
    token = once(site, "ann", roles=[("viewer", "nlp/*")])
    made = ask("POST", "/v1/login", json={"token": token}).json()["token"]
    assert ask("GET", "/v1/me", made).json()["roles"] == [["viewer", "nlp/*"]]


def test_a_token_that_ends_makes_none_that_does_not(site: Site, ask: Any) -> None:
    site.person("ben", **{"nlp/*": "viewer"})
    ends = site.server.clock() + 600_000_000

    def short(one: Any) -> str:
        return str(one.create_token(user_id("ben"), "short", expires=ends))

    token = site.server.administrate(site.registry, short)
    made = ask("POST", "~/tokens", token, {"once": True}).json()["token"]
    lasting = ask("POST", "/v1/login", json={"token": made}).json()["token"]
    known = ask("GET", "~/tokens", lasting).json()["tokens"]
    assert [one["expires"] for one in known if one["name"] == "login"] == [ends]


def test_an_invitation_ends_and_what_it_is_exchanged_for_does_not(site: Site, ask: Any) -> None:
    token = once(site, "cem", expires=site.server.clock() + 600_000_000)
    lasting = ask("POST", "/v1/login", json={"token": token}).json()["token"]
    known = ask("GET", "~/tokens", lasting).json()["tokens"]
    assert [one["expires"] for one in known if one["name"] == "login"] == [None]


@pytest.mark.parametrize("how", ["unknown", "revoked", "expired", "disabled"])
def test_what_is_not_good_is_refused_alike(site: Site, ask: Any, how: str) -> None:
    token = once(site, "ben", expires=1 if how == "expired" else None)
    site.person("zoe", **{"*": "admin"})
    if how == "unknown":
        token = "regtui_nothing"
    if how == "revoked":
        site.server.administrate(
            site.registry,
            lambda one: one.revoke_token(
                site.server.look(site.registry, lambda all_: all_.tokens("ben"))[0].id
            ),
        )
    if how == "disabled":
        site.server.administrate(site.registry, lambda one: one.put_user("ben", state="disabled"))
    answer = ask("POST", "/v1/login", json={"token": token})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_signing_out_ends_the_token_that_is_used(site: Site, ask: Any) -> None:
    token, other = (
        site.person("ben", **{"nlp/*": "viewer"}),
        site.person("ben", **{"nlp/*": "viewer"}),
    )
    assert ask("POST", "/v1/logout", token).status_code == 200
    assert ask("GET", "/v1/me", token).status_code == 401
    assert ask("GET", "/v1/me", other).status_code == 200


def test_a_machine_is_signed_in_by_somebody_elsewhere(site: Site, ask: Any) -> None:
    ben = site.person("ben", **{"nlp/*": "viewer"})
    waiting = ask("POST", "/v1/device", json={"name": "gpu7"}).json()
    assert waiting["expires_in"] == 600
    poll = {"device_code": waiting["device_code"]}
    pending = ask("POST", "/v1/device/token", json=poll)
    assert (pending.status_code, pending.json()["error"]["code"]) == (400, "authorization_pending")
    code = waiting["user_code"].lower()
    assert ask("POST", f"~/device/{code}/approve", ben).json()["device"] == "gpu7"
    told = ask("POST", "/v1/device/token", json=poll).json()
    assert told["name"] == "ben"
    assert ask("GET", "/v1/me", told["token"]).json()["roles"] == [["viewer", "nlp/*"]]
    again = ask("POST", "/v1/device/token", json=poll)
    assert again.json()["error"]["code"] == "expired"
    assert ask("POST", f"~/device/{code}/approve", ben).status_code == 404


def test_a_machine_gets_no_wider_token_than_it_was_approved_with(site: Site, ask: Any) -> None:
    made = ask("POST", "~/tokens", site.person("zoe", **{"*": "admin"}), {
        "roles": [["viewer", "nlp/*"]], "expires_in": 3600,
    }).json()  # fmt: skip
    waiting = ask("POST", "/v1/device", json={}).json()
    assert ask("POST", f"~/device/{waiting['user_code']}/approve", made["token"]).is_success
    poll = {"device_code": waiting["device_code"]}
    token = ask("POST", "/v1/device/token", json=poll).json()["token"]
    assert ask("GET", "/v1/me", token).json()["roles"] == [["viewer", "nlp/*"]]
    found = ask("GET", "~/tokens", token).json()["tokens"]
    assert found[-1]["expires"] == made["known"]["expires"]


def test_a_machine_that_is_refused_or_late_learns_it(site: Site, ask: Any) -> None:
    ben = site.person("ben", **{"nlp/*": "viewer"})
    denied, late = (ask("POST", "/v1/device", json={}).json() for _ in range(2))
    assert ask("POST", f"~/device/{denied['user_code']}/deny", ben).json()["state"] == "denied"
    site.offset += 601_000_000
    fresh = ask("POST", "/v1/device", json={}).json()
    site.offset -= 601_000_000
    site.offset += 601_000_000
    codes = [
        ask("POST", "/v1/device/token", json={"device_code": one["device_code"]}).json()["error"][
            "code"
        ]
        for one in (late, fresh)
    ]
    assert codes == ["expired", "authorization_pending"]
    site.offset -= 601_000_000
    refused = ask("POST", "/v1/device/token", json={"device_code": denied["device_code"]})
    assert refused.json()["error"]["code"] == "denied"


@pytest.mark.parametrize("how", ["signed out", "revoked", "disabled"])
def test_an_approval_counts_as_long_as_what_it_was_given_with(
    site: Site, ask: Any, how: str
) -> None:
    ben = site.person("ben", **{"nlp/*": "viewer"})
    waiting = ask("POST", "/v1/device", json={}).json()
    assert ask("POST", f"~/device/{waiting['user_code']}/approve", ben).is_success
    if how == "signed out":
        assert ask("POST", "/v1/logout", ben).is_success
    if how == "revoked":
        (known,) = site.server.look(site.registry, lambda all_: all_.tokens("ben"))
        site.server.administrate(site.registry, lambda one: one.revoke_token(known.id))
    if how == "disabled":
        site.person("zoe", **{"*": "admin"})
        site.server.administrate(site.registry, lambda one: one.put_user("ben", state="disabled"))
    refused = ask("POST", "/v1/device/token", json={"device_code": waiting["device_code"]})
    assert refused.status_code in {400, 401}
    assert "token" not in refused.json()


def test_codes_can_be_tried_a_few_times_only(site: Site, ask: Any) -> None:
    ben = site.person("ben", **{"nlp/*": "viewer"})
    tried = [ask("POST", f"~/device/BCDF-{place:04}/approve", ben) for place in range(11)]
    assert {one.status_code for one in tried[:10]} == {404}
    assert tried[10].status_code == 429
    assert int(tried[10].headers["Retry-After"]) > 0
