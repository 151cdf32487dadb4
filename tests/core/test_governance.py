"""What protects a target: no operation of any kind moves it past the policies that bind it."""

import pytest

from regtui.core.access import Role
from regtui.core.errors import BadInput
from regtui.core.identity import alias_id
from regtui.core.inverse import inverse
from regtui.core.verdicts import Accepted, Rejected, Verdict
from tests.core.registry_state import Authority, Replica


@pytest.fixture
def carl(authority: Authority) -> Replica:
    """Approves."""
    return authority.person("carl", (Role.APPROVER, "*"))


@pytest.fixture
def other(ann: Replica, model: str, version: str) -> str:
    """A second version, to which `production` points."""
    entity = ann.capture(model, "other weights").entity
    ann.point(model, "production", entity)
    ann.sync()
    return entity


def blocked(verdict: Verdict) -> str:
    assert isinstance(verdict, Rejected)
    assert verdict.code == "blocked"
    return verdict.message


def production(who: Replica, model: str) -> object:
    who.pull()
    return who.value(alias_id(model, "production"), "version")


def test_a_protected_alias_does_not_move_without_approval(
    ann: Replica, model: str, version: str, other: str
) -> None:
    ann.put_policy("prod", {"alias": "production", "approvals": 1})
    ann.point(model, "production", version)
    _, verdict = ann.sync()
    assert "0 of 1 approval" in blocked(verdict)
    assert production(ann, model) == other


def test_it_moves_by_a_request_that_was_approved(
    ann: Replica, carl: Replica, model: str, version: str, other: str
) -> None:
    ann.put_policy("prod", {"alias": "production", "approvals": 1, "four_eyes": True})
    ann.sync()
    request = ann.request(model, "production", version).entity
    ann.sync()
    carl.pull()
    carl.review(request)
    assert all(type(one) is Accepted for one in carl.sync())
    ann.pull()
    ann.apply(request)
    assert production(ann, model) == other  # requested, and not moved before it is judged
    (verdict,) = ann.sync()
    assert type(verdict) is Accepted
    assert production(ann, model) == version


def test_a_request_applies_itself_when_the_last_gate_passes(
    ann: Replica, carl: Replica, model: str, version: str, other: str
) -> None:
    ann.put_policy("prod", {"alias": "production", "approvals": 1})
    ann.sync()
    request = ann.request(model, "production", version, auto=True).entity
    ann.sync()
    carl.pull()
    carl.review(request)
    carl.sync()
    assert production(ann, model) == version
    assert ann.value(request, "state") == "applied"


@pytest.mark.parametrize("entity", ["version", "model"])
def test_a_request_applies_itself_when_an_edit_fills_in_what_was_missing(
    ann: Replica, model: str, version: str, other: str, entity: str
) -> None:
    wanted = "tags.owner" if entity == "version" else "card.license"
    ann.put_policy("prod", {"alias": "production", "metadata": [wanted]})
    ann.sync()
    request = ann.request(model, "production", version, auto=True).entity
    by_hand = ann.request(model, "production", version).entity
    ann.sync()
    assert production(ann, model) == other
    if entity == "version":
        ann.edit(version, {"tags/owner": "ann"})
    else:
        ann.edit(model, {"card": "---\nlicense: mit\n---\n"})
    assert production(ann, model) == other  # it is asked where it is decided
    assert all(type(one) is Accepted for one in ann.sync())
    assert production(ann, model) == version
    assert (ann.value(request, "state"), ann.value(by_hand, "state")) == ("applied", "open")


def test_an_approval_is_dismissed_when_the_policy_changes(
    ann: Replica, carl: Replica, model: str, version: str, other: str
) -> None:
    ann.put_policy("prod", {"alias": "production", "approvals": 1})
    ann.sync()
    request = ann.request(model, "production", version).entity
    ann.sync()
    carl.pull()
    carl.review(request)
    carl.sync()
    ann.pull()
    ann.put_policy("prod", {"alias": "production", "approvals": 1, "lineage": False})
    ann.sync()
    ann.apply(request)
    (verdict,) = ann.sync()
    assert "a policy was changed" in blocked(verdict)


def test_deploying_into_a_governed_environment_needs_its_gates(
    authority: Authority, ann: Replica, model: str, version: str
) -> None:
    ann.put_environment("production")
    ann.put_policy("prod", {"environment": "production", "checks": ["smoke"]})
    ann.sync()
    ann.deploy(version, "production")
    (verdict,) = ann.sync()
    assert "smoke was not run yet" in blocked(verdict)
    runner = authority.person("runner", (Role.REPORTER, "*"), (Role.VIEWER, "*"))
    runner.pull()
    runner.report(version, "smoke")
    assert all(type(one) is Accepted for one in runner.sync())
    ann.pull()
    deployment = ann.deploy(version, "production").entity
    (verdict,) = ann.sync()
    assert type(verdict) is Accepted
    assert ann.value(deployment, "state") == "live"
    assert ann.value(deployment, "evidence")["gates"][1]["gate"] == "check:smoke"


def test_a_request_that_was_applied_is_not_undone(
    ann: Replica, model: str, version: str, other: str
) -> None:
    ann.put_policy("prod", {"alias": "production"})
    ann.sync()
    request = ann.request(model, "production", version, auto=True)
    ann.sync()
    assert ann.value(request.entity, "state") == "applied"
    with pytest.raises(BadInput) as raised:
        list(inverse(request, (), ann.state))
    assert "revert" in str(raised.value.hint)


def test_who_may_not_move_a_protected_alias_does_not_hold_it_up_by_a_conflict(
    authority: Authority, ann: Replica, model: str, version: str, other: str
) -> None:
    cora = authority.person("cora", (Role.CONTRIBUTOR, "*"))
    cora.pull()
    third = ann.capture(model, "third").entity
    ann.point(model, "production", third)
    ann.put_policy("prod", {"alias": "Production"})
    ann.sync()
    cora.point(model, "PRODUCTION", version)
    (verdict,) = cora.sync()
    assert "maintainer" in blocked(verdict)
    assert authority.state.of_kind("conflict") == []
    ann.pull()
    ann.point(model, "production", version)
    assert type(ann.sync()[0]) is Accepted


def test_a_policy_shows_on_no_replica_before_it_is_accepted(
    ann: Replica, ben: Replica, model: str, version: str, other: str
) -> None:
    ann.put_policy("prod", {"alias": "production", "approvals": 1})
    assert ann.state.of_kind("policy") == []
    ann.sync()
    ben.pull()
    ben.remove_policy("prod")
    ben.point(model, "production", version)
    (policy,) = ben.state.of_kind("policy")
    assert policy.value("state") == "active"
    assert ben.value(alias_id(model, "production"), "version") == other
    assert all(type(one) is Accepted for one in ben.sync())
    assert production(ann, model) == version
