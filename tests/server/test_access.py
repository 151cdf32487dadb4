"""People, teams, grants, replicas and tokens over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.pieces.site import Site


class Person:
    """Somebody with a token."""

    def __init__(self, site: Site, token: str) -> None:
        self.token = token
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{site.port}/v1/registries/{site.registry}",
            headers={"Authorization": f"Bearer {token}"},
        )

    def __call__(self, method: str, path: str, json: Any = None, **params: str) -> httpx.Response:
        return self._client.request(method, path, json=json, params=params)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def people(site: Site) -> Iterator[dict[str, Person]]:
    roles = {"zoe": {"*": "admin"}, "lead": {"nlp/*": "admin"}, "ben": {"nlp/*": "viewer"}}
    made = {}
    for name, given in roles.items():
        made[name] = Person(site, site.person(name, **given))
    yield made
    for one in made.values():
        one.close()


def test_an_admin_looks_after_people(people: dict[str, Person]) -> None:
    zoe = people["zoe"]
    made = zoe("POST", "/users", {"name": "Kim", "display_name": "Kim K"}).json()
    assert (made["created"], made["user"]["state"]) == (True, "active")
    again = zoe("POST", "/users", {"name": "kim"}).json()
    assert (again["created"], again["user"]["display_name"]) == (False, "Kim K")
    changed = zoe("PATCH", "/users/kim", {"state": "disabled"}).json()
    assert changed["state"] == "disabled"
    assert zoe("PATCH", "/users/nobody", {"state": "disabled"}).status_code == 404
    assert zoe("GET", "/users/kim").json()["state"] == "disabled"


def test_who_is_disabled_is_out_at_once(people: dict[str, Person]) -> None:
    assert people["ben"]("GET", "/users").status_code == 200
    people["zoe"]("PATCH", "/users/ben", {"state": "disabled"})
    assert people["ben"]("GET", "/users").status_code == 401
    people["zoe"]("PATCH", "/users/ben", {"state": "active"})
    assert people["ben"]("GET", "/users").status_code == 200


def test_the_last_admin_stays(people: dict[str, Person]) -> None:
    zoe = people["zoe"]
    assert zoe("PATCH", "/users/ann", {"state": "disabled"}).status_code == 200
    refused = zoe("DELETE", "/grants", holder="zoe", scope="*")
    assert refused.status_code == 400
    assert "nobody" in refused.json()["error"]["message"]
    assert zoe("GET", "/users").status_code == 200


def test_everybody_sees_himself_and_nobody_else(people: dict[str, Person]) -> None:
    ben = people["ben"]
    assert [one["name"] for one in ben("GET", "/users").json()["users"]] == ["ben"]
    assert ben("GET", "/users/ben").json()["roles"] == [["viewer", "nlp/*"]]
    hidden, absent = ben("GET", "/users/zoe"), ben("GET", "/users/nob")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json() == {
        "error": absent.json()["error"] | {"message": "there is no user 'zoe'"}
    }
    for name in ("zoe", "nob"):
        refused = ben("PATCH", f"/users/{name}", {"state": "disabled"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "denied")
    assert [one["holder"] for one in ben("GET", "/grants").json()["grants"]] == ["ben"]


def test_teams_hand_their_roles_on(people: dict[str, Person]) -> None:
    zoe, ben = people["zoe"], people["ben"]
    team = zoe("PUT", "/teams/vision", {"add": ["ben", "lead"], "description": "eyes"}).json()
    assert team["members"] == ["ben", "lead"]
    granted = zoe(
        "POST", "/grants", {"holder": "team:vision", "role": "contributor", "scope": "cv/*"}
    )
    assert granted.json()["holder"] == "team:vision"
    assert ["contributor", "cv/*"] in ben("GET", "/users/ben").json()["roles"]
    assert ben("GET", "/teams").json()["teams"][0]["members"] == ["ben"]
    zoe("PUT", "/teams/vision", {"remove": ["ben"]})
    assert ben("GET", "/users/ben").json()["roles"] == [["viewer", "nlp/*"]]
    assert ben("GET", "/teams/vision").status_code == 404


def test_a_service_account_belongs_to_a_person(people: dict[str, Person]) -> None:
    zoe = people["zoe"]
    bot = zoe("POST", "/users", {"name": "bot", "kind": "service", "owner": "ben"}).json()["user"]
    assert (bot["kind"], bot["owner"]) == ("service", "ben")
    for body, status in (
        ({"name": "bit", "kind": "service"}, 422),
        ({"name": "bit", "kind": "person", "owner": "ben"}, 422),
        ({"name": "bit", "owner": "bot"}, 400),
        ({"name": "ben", "owner": "ben"}, 400),
        ({"name": "bit", "owner": "nob"}, 404),
        ({"name": "ben", "kind": "service", "owner": "zoe"}, 400),  # for whom bot acts
    ):
        assert zoe("POST", "/users", body).status_code == status
    assert zoe("GET", "/users/bit").status_code == 404


def test_what_people_and_teams_are_called_can_be_taken_away(people: dict[str, Person]) -> None:
    zoe = people["zoe"]
    assert zoe("PATCH", "/users/ben", {"display_name": "B"}).json()["display_name"] == "B"
    assert zoe("PATCH", "/users/ben", {}).json()["display_name"] == "B"
    assert zoe("PATCH", "/users/ben", {"display_name": None}).json()["display_name"] is None
    assert zoe("PATCH", "/users/ben", {"state": None}).status_code == 422
    assert zoe("PUT", "/teams/t", {"description": "D"}).json()["description"] == "D"
    assert zoe("PUT", "/teams/t", {"description": None}).json()["description"] is None


def test_who_gives_up_his_own_rights_is_told_what_he_did(
    people: dict[str, Person], site: Site
) -> None:
    zoe = people["zoe"]
    zoe("PUT", "/teams/chiefs", {"add": ["zoe", "lead"]})
    zoe("POST", "/grants", {"holder": "team:chiefs", "role": "admin", "scope": "*"})
    less = zoe("POST", "/grants", {"holder": "zoe", "role": "viewer", "scope": "*"})
    assert (less.status_code, less.json()["role"]) == (200, "viewer")
    left = zoe("PUT", "/teams/chiefs", {"remove": ["zoe"]})
    assert (left.status_code, left.json()["members"]) == (200, ["lead"])
    assert zoe("PUT", "/teams/chiefs", {"add": ["zoe"]}).status_code == 403
    lead = people["lead"]
    out = lead("PATCH", "/users/lead", {"state": "disabled"})
    assert (out.status_code, out.json()["state"]) == (200, "disabled")
    assert lead("GET", "/users").status_code == 401


def test_an_admin_of_a_scope_grants_in_it(people: dict[str, Person]) -> None:
    lead = people["lead"]
    inside = {"holder": "ben", "role": "contributor", "scope": "nlp/bert"}
    assert lead("POST", "/grants", inside).status_code == 200
    for scope in ("*", "cv/*", "nlp2/*", "nlp"):
        assert lead("POST", "/grants", inside | {"scope": scope}).status_code == 403
    shown = {one["scope"] for one in lead("GET", "/grants").json()["grants"]}
    assert shown == {"nlp/*", "nlp/bert"}
    assert lead("DELETE", "/grants", holder="ben", scope="nlp/bert").status_code == 200
    assert lead("DELETE", "/grants", holder="ben", scope="nlp/bert").status_code == 404
    assert lead("POST", "/users", {"name": "kim"}).status_code == 403


def test_replicas_are_shown_and_stopped(people: dict[str, Person]) -> None:
    zoe, ben = people["zoe"], people["ben"]
    (replica,) = zoe("GET", "/replicas").json()["replicas"]
    assert (replica["user"], replica["state"]) == ("ann", "active")
    assert ben("GET", "/replicas").json()["replicas"] == []
    assert ben("DELETE", f"/replicas/{replica['id']}").status_code == 404
    assert zoe("DELETE", f"/replicas/{replica['id']}").json()["state"] == "revoked"


def test_somebody_makes_lists_and_revokes_his_own_tokens(people: dict[str, Person]) -> None:
    ben = people["ben"]
    made = ben("POST", "/tokens", {"name": "laptop", "expires_in": 60}).json()
    assert made["known"]["expires"] - made["known"]["created"] == pytest.approx(60e6, abs=5e6)
    names = [one["name"] for one in ben("GET", "/tokens").json()["tokens"]]
    assert names == ["test", "laptop"]
    assert ben("GET", "/tokens", user="zoe").json()["tokens"] == []
    identity = made["known"]["id"]
    assert people["lead"]("DELETE", f"/tokens/{identity}").status_code == 404
    assert ben("DELETE", f"/tokens/{identity}").json()["revoked"] is not None
    assert ben("POST", "/tokens", {"user": "zoe"}).status_code == 403
    assert ben("POST", "/tokens", {"user": "nob"}).status_code == 403


def test_an_admin_makes_tokens_for_others(people: dict[str, Person], site: Site) -> None:
    made = people["zoe"]("POST", "/tokens", {"user": "ben"}).json()
    kept = Person(site, made["token"])
    assert [one["name"] for one in kept("GET", "/users").json()["users"]] == ["ben"]
    kept.close()


def test_a_token_makes_no_wider_one(people: dict[str, Person], site: Site) -> None:
    narrow = people["zoe"](
        "POST", "/tokens", {"roles": [["maintainer", "nlp/*"]], "expires_in": 3600}
    ).json()
    one = Person(site, narrow["token"])
    for wider in ([["admin", "nlp/*"]], [["viewer", "*"]], [["viewer", "cv/x"]]):
        assert one("POST", "/tokens", {"roles": wider}).status_code == 403
    same = one("POST", "/tokens", {}).json()["known"]
    assert (same["roles"], same["expires"]) == (
        [["maintainer", "nlp/*"]],
        narrow["known"]["expires"],
    )
    smaller = one("POST", "/tokens", {"roles": [["viewer", "nlp/a"]], "expires_in": 10**8})
    assert smaller.json()["known"]["expires"] == narrow["known"]["expires"]
    assert one("POST", "/users", {"name": "kim"}).status_code == 403
    one.close()


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": "a/b"}, {"name": "a" * 300}, {"nam": "x"}, {"name": "x\0"}, []]
)
def test_names_that_make_no_sense_are_refused(people: dict[str, Person], body: Any) -> None:
    refused = people["zoe"]("POST", "/users", body)
    assert refused.status_code in {400, 422}
    assert refused.json()["error"].keys() == {"code", "message", "hint"}
