"""Ways past the gates that somebody could think of, each with what stands there."""

from typing import Any

import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import Document
from regtui.core.governance.rule import ENTRIES_LIMIT
from regtui.core.identity import alias_id, deployment_id
from regtui.core.judgement import judge
from regtui.core.judgement.production import OPEN_LIMIT
from regtui.core.operations import ActBody, Change, DeploymentBody, ResolveBody
from regtui.core.verdicts import Accepted, Rejected, Verdict
from tests.core.registry_state import Replica
from tests.core.test_gates import World


@pytest.fixture
def world() -> World:
    made = World()
    made.does(made.ann, lambda who: who.put_environment("production"))
    return made


def put(world: World, definition: dict[str, Any], **more: Any) -> None:
    world.does(world.ann, lambda who: who.put_policy("prod", definition, **more))


def verdict_of(who: Replica, what: Any) -> Verdict:
    who.pull()
    what(who)
    return who.sync()[-1]


def refused(verdict: Verdict) -> str:
    assert isinstance(verdict, Rejected)
    return f"{verdict.code}: {verdict.message}"


def document(world: World, entity: str) -> Document:
    return world.state.documents[entity]


def let_in(world: World) -> str:
    """Promote the new version to the environment, and return the deployment, which is live."""
    world.request = world.does(
        world.ann,
        lambda who: who.request(world.model, "production", world.new, kind="environment"),
    )
    world.approve(world.carl)
    assert type(world.apply()) is Accepted
    deployment = deployment_id(world.request)
    world.does(world.ann, lambda who: who.transition(deployment, "live"))
    return deployment


def test_an_approval_lets_in_for_all_machines_of_an_environment(world: World) -> None:
    put(world, {"environment": "production", "approvals": 1})
    let_in(world)
    world.does(world.ann, lambda who: who.deploy(world.new, "Production", target="gpu-2"))


@pytest.mark.parametrize("end", ["rolled_back", "failed", "stopped"])
def test_an_approval_is_used_up_when_what_it_let_in_is_taken_out(world: World, end: str) -> None:
    put(world, {"environment": "production", "approvals": 1})
    deployment = let_in(world)
    world.does(world.ann, lambda who: who.transition(deployment, end))
    told = refused(verdict_of(world.ann, lambda who: who.deploy(world.new, "production")))
    assert "0 of 1 approval" in told


def test_an_approval_that_did_not_count_lets_in_nowhere_later(world: World) -> None:
    words = {"environment": "production", "approvals": 1, "metadata": ["tags.ok"]}
    put(world, {**words, "break_glass": True})
    world.edit(world.new, tags__ok="yes")
    world.request = world.does(
        world.ann,
        lambda who: who.request(world.model, "production", world.new, kind="environment"),
    )
    world.approve(world.carl)
    world.edit(world.new, tags__ok="changed")
    assert "what the policies read was changed" in refused(world.apply())
    assert type(world.apply(world.eve, break_glass="fire")) is Accepted
    told = refused(
        verdict_of(world.ann, lambda who: who.deploy(world.new, "production", target="eu"))
    )
    assert "0 of 1 approval; 1 not counted: what the policies read was changed" in told


def deployed(world: World, version: str, **more: Any) -> str:
    return world.does(world.ann, lambda who: who.deploy(version, "production", **more))


def test_each_target_goes_back_by_itself(world: World) -> None:
    for version in (world.old, world.new):
        for target in ("eu-1", "us-1"):
            deployed(world, version, target=target)
    put(world, {"environment": "production", "approvals": 1, "rollback": "free"})
    for target in ("eu-1", "us-1"):
        deployed(world, world.old, target=target)
    told = refused(
        verdict_of(world.ann, lambda who: who.deploy(world.new, "production", target="us-9"))
    )
    assert "0 of 1 approval" in told


def test_what_goes_live_ends_all_that_is_live_on_its_target(world: World) -> None:
    made = [deployed(world, world.old, beside=beside) for beside in (False, True, False)]
    assert [document(world, one).value("state") for one in made] == ["stopped", "stopped", "live"]


@pytest.mark.parametrize("field", ["target", "url"])
def test_what_was_accepted_with_any_text_comes_back_after_a_restore(
    world: World, field: str
) -> None:
    world.eve.pull()
    target, changes = ("a\nb", {}) if field == "target" else ("", {"url": Change("http://a\nb")})
    body = DeploymentBody(world.new, "production", target, "live", None, None, None, changes)
    operation = world.eve.draft("deployment.record", world.model, world.eve._minted(), body)
    now = world.authority.now
    assert isinstance(judge(operation, world.state, world.eve.actor, now).verdict, Rejected)
    settled = Accepted(op=operation.id, now=now, at_used=0, documents={operation.entity: ""})
    judged = judge(operation, world.state, world.eve.actor, now, settled=settled)
    assert isinstance(judged.verdict, Accepted)


def test_an_approval_for_one_version_is_none_for_another(world: World) -> None:
    put(world, {"environment": "production", "approvals": 1})
    let_in(world)
    told = refused(verdict_of(world.ann, lambda who: who.deploy(world.old, "production")))
    assert "0 of 1 approval" in told


def test_an_approval_for_an_alias_is_none_for_an_environment_of_that_name(world: World) -> None:
    put(world, {"environment": "production", "approvals": 1})
    world.ask({"alias": "production"})
    world.does(world.ann, lambda who: who.put_policy("env", {"environment": "production",
                                                             "approvals": 1}))  # fmt: skip
    world.approve(world.carl)
    assert type(world.apply()) is Accepted
    told = refused(verdict_of(world.ann, lambda who: who.deploy(world.new, "production")))
    assert "0 of 1 approval" in told


def test_a_request_is_applied_once(world: World) -> None:
    world.ask({"approvals": 1})
    world.approve(world.carl)
    assert type(world.apply()) is Accepted
    told = refused(world.apply())
    assert told.startswith("changed_meanwhile")


def test_a_request_of_another_model_moves_nothing_here(world: World) -> None:
    world.ask({"approvals": 1})
    world.approve(world.carl)
    other = world.does(world.ann, lambda who: who.create("nlp/other"))
    body = world.ann.draft("promotion.apply", other, world.request, ActBody(None, {}))
    told = world.authority.judge(body, world.ann.actor).verdict
    assert refused(told).startswith("not_found")


def test_a_version_of_another_model_is_not_asked_for(world: World) -> None:
    other = world.does(world.ann, lambda who: who.create("nlp/other"))
    foreign = world.does(world.ann, lambda who: who.capture(other, "weights"))
    world.ann.pull()
    for does in (
        lambda who: who.request(world.model, "production", foreign),
        lambda who: who.request(world.model, "production", foreign, kind="environment"),
    ):
        assert refused(verdict_of(world.ann, does)).startswith("not_found")


def test_nothing_of_a_deleted_model_moves(world: World) -> None:
    world.does(world.ann, lambda who: who.unpoint(world.model, "production"))
    world.request = world.does(
        world.ann, lambda who: who.request(world.model, "production", world.new)
    )
    world.does(world.ann, lambda who: who.delete(world.model))
    assert refused(world.apply()).startswith("deleted")


def test_a_model_does_not_go_from_under_a_protected_alias(world: World) -> None:
    put(world, {"alias": "Production"})
    for verb in ("archive", "delete"):
        told = refused(verdict_of(world.ann, lambda who, do=verb: getattr(who, do)(world.model)))
        assert told.startswith("in_use")


def test_an_auto_request_moves_nothing_when_its_author_lost_his_rights(world: World) -> None:
    mia = world.authority.person("mia")
    put(world, {"alias": "production", "approvals": 1})
    world.request = world.does(
        mia, lambda who: who.request(world.model, "production", world.new, auto=True)
    )
    lower = Actor(mia.actor.id, "mia", (Grant(Role.CONTRIBUTOR, "*"),))
    world.state.people[lower.id] = lower
    world.approve(world.carl)
    assert world.stands() == world.old
    world.state.people[lower.id] = mia.actor
    world.approve(world.dora)
    assert world.stands() == world.new


def test_two_requests_that_apply_themselves_by_one_report_make_one_move(world: World) -> None:
    put(world, {"alias": "champion", "checks": ["smoke"]})
    requests = [
        world.does(
            world.ann, lambda who: who.request(world.model, "Champion", world.new, auto=True)
        )
        for _ in range(2)
    ]
    world.report()
    assert {document(world, one).value("state") for one in requests} == {"applied"}
    alias = document(world, alias_id(world.model, "champion"))
    assert alias.value("version") == world.new
    assert len(alias.entries("holders")) == 1


def test_the_deployment_of_a_request_that_applied_itself_says_on_what_evidence(
    world: World,
) -> None:
    put(world, {"environment": "production", "checks": ["smoke"]})
    asked = world.does(
        world.ann,
        lambda who: who.request(
            world.model, "production", world.new, kind="environment", auto=True
        ),
    )
    world.report()
    evidence = document(world, deployment_id(asked)).value("evidence")
    assert {one["gate"] for one in evidence["gates"]} == {"maintainer", "check:smoke"}


def test_the_same_word_twice_in_one_moment_is_heard_once(world: World) -> None:
    world.ask({"approvals": 2})
    world.approve(world.carl)
    world.approve(world.carl)
    assert world.against() == ["approvals"]


def test_no_request_leads_into_an_environment_that_was_removed(world: World) -> None:
    put(world, {"environment": "production", "checks": ["smoke"]})

    def ask(*, auto: bool) -> str:
        return world.does(
            world.ann,
            lambda who: who.request(
                world.model, "production", world.new, kind="environment", auto=auto
            ),
        )

    world.request, auto = ask(auto=False), ask(auto=True)
    removed = {"state": "removed"}
    world.does(world.ann, lambda who: who.put_environment("production", removed))
    world.report()  # which is accepted all the same
    assert document(world, auto).value("state") == "open"
    assert refused(world.apply()).startswith("not_found")


@pytest.mark.parametrize("field", ["replaces", "rollback_of"])
def test_what_is_elsewhere_is_not_replaced_from_here(world: World, field: str) -> None:
    world.does(world.ann, lambda who: who.put_environment("test", {"protected": False}))
    live = world.does(world.ann, lambda who: who.deploy(world.old, "production"))
    told = refused(
        verdict_of(world.ben, lambda who: who.deploy(world.new, "test", **{field: live}))
    )
    assert told.startswith("malformed")
    assert document(world, live).value("state") == "live"


@pytest.mark.parametrize("by_policy", [False, True])
@pytest.mark.parametrize("end", ["draining", "stopped", "failed", "rolled_back"])
def test_only_maintainers_end_what_is_in_a_protected_environment(
    world: World, end: str, *, by_policy: bool
) -> None:
    world.does(
        world.ann, lambda who: who.put_environment("production", {"protected": not by_policy})
    )
    live = world.does(world.ann, lambda who: who.deploy(world.new, "production"))
    if by_policy:
        put(
            world,
            {"environment": "PRODUCTION", "approvals": 2, "freeze": ["2000-01-01 - 2099-01-01"]},
        )
    told = refused(verdict_of(world.ben, lambda who: who.transition(live, end)))
    assert told.startswith("denied")
    assert type(verdict_of(world.ann, lambda who: who.transition(live, end))) is Accepted


def test_a_narrower_check_does_not_stand_in_for_the_one_that_a_policy_means(world: World) -> None:
    world.does(world.ann, lambda who: who.put_check("smoke", {"run": "pytest"}))
    mia = world.authority.person("mia", (Role.MAINTAINER, "nlp/*"))
    world.ask({"checks": ["smoke"]})
    world.report()
    world.does(mia, lambda who: who.put_check("smoke", {"run": "true"}, models="nlp/*"))
    assert world.against() == []
    world.report()
    assert world.against() == []
    world.does(world.ann, lambda who: who.remove_check("smoke"))
    assert world.against() == ["check:smoke"]


def test_a_conflict_that_is_not_the_open_one_is_no_way_around_it(world: World) -> None:
    third = world.does(world.ann, lambda who: who.capture(world.model, "third"))
    world.ann.pull()
    world.eve.pull()
    world.ann.point(world.model, "production", third)
    world.eve.point(world.model, "production", world.new)
    world.ann.sync()
    world.eve.sync()
    put(world, {"alias": "production"})
    world.ann.pull()
    alias = document(world, alias_id(world.model, "production"))
    forged = alias_id(world.model, "nowhere")
    change = world.ann._change(alias, "version", world.new)
    body = ResolveBody(alias.id, "alias", "value", [], {"version": change})
    operation = world.ann.draft("conflict.resolve", world.model, forged, body)
    told = refused(world.authority.judge(operation, world.ann.actor).verdict)
    assert "no_conflict" in told


def test_that_a_protected_alias_stays_is_decided_by_maintainers_too(world: World) -> None:
    third = world.does(world.ann, lambda who: who.capture(world.model, "third"))
    for who, version in ((world.ann, third), (world.eve, world.new)):
        who.pull()
        who.point(world.model, "production", version)
    world.ann.sync()
    world.eve.sync()
    put(world, {"alias": "production"})
    (conflict,) = (one.id for one in world.state.of_kind("conflict"))
    told = refused(verdict_of(world.ben, lambda who: who.resolve(conflict, "accepted")))
    assert told == "denied: a conflict on @production, which is protected, is for maintainers"
    world.does(world.ann, lambda who: who.resolve(conflict, "accepted"))
    told = refused(verdict_of(world.ben, lambda who: who.reopen(conflict)))
    assert told.startswith("denied")
    world.does(world.ann, lambda who: who.reopen(conflict))


def test_glass_broken_for_a_deployment_is_broken_until_it_is_live(world: World) -> None:
    put(world, {"environment": "production", "approvals": 2, "break_glass": True})
    world.request = world.does(
        world.ann,
        lambda who: who.request(world.model, "production", world.new, kind="environment"),
    )
    assert type(world.apply(world.eve, break_glass="fire")) is Accepted
    deployment = deployment_id(world.request)
    told = refused(verdict_of(world.ann, lambda who: who.transition(deployment, "live")))
    assert "break_glass" in told
    world.does(world.eve, lambda who: who.transition(deployment, "live"))
    assert document(world, deployment).value("evidence")["break_glass"] == "fire"


def test_broken_glass_stays_flagged_when_it_comes_back_after_a_restore(world: World) -> None:
    put(world, {"environment": "production", "approvals": 2, "break_glass": True})
    world.eve.pull()
    operation = world.eve.deploy(world.new, "production", break_glass="fire")
    settled = Accepted(
        op=operation.id, now=world.authority.now, at_used=0, documents={operation.entity: ""}
    )
    judged = judge(operation, world.state, world.ben.actor, world.authority.now, settled=settled)
    (deployment,) = (one for one, _ in judged.documents if one.id == operation.entity)
    assert deployment.value("evidence")["break_glass"] == "fire"


def test_an_environment_is_not_opened_on_a_replica_by_itself(world: World) -> None:
    world.ann.pull()
    world.ann.put_environment("production", {"protected": False})
    deployment = world.ann.deploy(world.new, "production").entity
    assert world.ann.state.document(deployment) is None
    assert all(isinstance(one, Accepted) for one in world.ann.sync())
    assert world.ann.value(deployment, "state") == "live"


@pytest.mark.parametrize("target", ["latest", "3", "a/b", "", "a b"])
@pytest.mark.parametrize("kind", ["alias", "environment"])
def test_a_malformed_target_is_refused_by_its_shape(world: World, kind: str, target: str) -> None:
    if kind == "environment" and target in {"latest", "3"}:
        target = "/"
    told = verdict_of(world.ann, lambda who: who.request(world.model, target, world.new, kind=kind))
    assert refused(told).startswith("malformed")


def test_what_is_no_id_is_refused_by_its_shape(world: World) -> None:
    body = world.ann.draft(
        "deployment.record",
        world.model,
        world.ann._minted(),
        DeploymentBody("' or 1 = 1", "production", "", "live", None, None, None, {}),
    )
    told = world.authority.judge(body, world.ann.actor).verdict
    assert refused(told).startswith("malformed")


def test_figures_are_kept_as_they_come_out_of_their_bytes(world: World) -> None:
    run = world.does(world.runner, lambda who: who.report(world.new, "smoke", "passed", {"n": 1}))
    figure = document(world, run).facts["figures"]["n"]
    assert type(figure) is float


@pytest.mark.parametrize("more", [0, 1])
def test_no_entry_hides_from_a_rule_behind_more_than_it_may_go_over(
    world: World, more: int
) -> None:
    many = {f"tags/{n:05}": "x" for n in range(ENTRIES_LIMIT + more)}
    world.does(world.ann, lambda who: who.edit(world.new, many))
    world.ask({"rule": "!has(version.tags.blocked)"})
    assert world.against() == ["rule"] * more


@pytest.mark.parametrize("name", ["champion", "env"])
def test_a_rejected_request_is_applied_by_nobody_where_no_policy_is(
    world: World, name: str
) -> None:
    kind = "alias" if name == "champion" else "environment"
    target = name if kind == "alias" else "production"
    world.request = world.does(
        world.ben, lambda who: who.request(world.model, target, world.new, kind=kind, auto=False)
    )
    world.approve(world.carl, "reject")
    world.approve(world.dora)
    assert "rejection" in refused(world.apply(world.ann))
    world.approve(world.carl, "none")
    assert type(world.apply(world.ann)) is Accepted


def test_an_approver_rejects_where_maintainers_approve(world: World) -> None:
    world.ask({"approvals": 1, "approver_role": "maintainer"})
    world.approve(world.carl, "reject")
    world.approve(world.eve)
    assert "rejection" in refused(world.apply())


def test_a_rejection_of_who_may_not_review_any_more_holds_up_nobody(world: World) -> None:
    world.ask({"metadata": ["description"]})
    world.approve(world.carl, "reject")
    actor = world.carl.actor
    world.state.people[actor.id] = Actor(actor.id, actor.name, (Grant(Role.VIEWER, "*"),))
    world.edit(world.new, description="x")
    assert type(world.apply()) is Accepted


def test_a_rejected_request_for_where_the_alias_is_is_not_applied(world: World) -> None:
    world.ask({"approvals": 1, "break_glass": True})
    rejected = world.request
    world.approve(world.dora, "reject")
    world.request = world.does(
        world.ann, lambda who: who.request(world.model, "production", world.new)
    )
    assert type(world.apply(world.eve, break_glass="fire")) is Accepted
    world.request = rejected
    assert "rejection" in refused(world.apply(world.ben))


def test_what_was_rolled_back_is_not_free_for_having_been_there_before_that(world: World) -> None:
    put(
        world,
        {"environment": "production", "approvals": 1, "rollback": "free", "break_glass": True},
    )

    def deploy(version: str, **more: Any) -> str:
        return world.does(
            world.eve, lambda who: who.deploy(version, "production", break_glass="x", **more)
        )

    deploy(world.old)
    deploy(world.new)
    deploy(world.old)
    bad = deploy(world.new)
    world.does(world.ann, lambda who: who.deploy(world.old, "production", rollback_of=bad))
    assert document(world, bad).value("state") == "rolled_back"
    assert "approvals" in refused(
        verdict_of(world.ann, lambda who: who.deploy(world.new, "production"))
    )


def handed_over(world: World, account: Replica, owner: Replica) -> None:
    actor = account.actor
    given = Actor(actor.id, actor.name, actor.grants, owner.actor.id)
    world.state.people[actor.id] = account.actor = given


def test_an_account_that_was_handed_over_approves_anew_for_its_new_owner(world: World) -> None:
    bot = world.authority.person("bot", (Role.APPROVER, "*"))
    handed_over(world, bot, world.carl)
    world.ask({"approvals": 2, "metadata": ["description"]})
    world.approve(world.carl)
    world.approve(bot)
    handed_over(world, bot, world.eve)
    world.edit(world.new, description="x")
    world.approve(world.carl)
    world.approve(bot)
    assert type(world.apply()) is Accepted  # by eve's account now: two people


def test_what_an_account_approved_does_not_count_beside_its_owner_of_then(world: World) -> None:
    bot = world.authority.person("bot", (Role.APPROVER, "*"))
    handed_over(world, bot, world.carl)
    world.ask({"approvals": 2})
    world.approve(world.carl)
    world.approve(bot)
    handed_over(world, bot, world.eve)
    assert "approvals" in world.against()
    world.approve(world.eve)
    assert type(world.apply()) is Accepted


@pytest.mark.parametrize("made", ["version", "request"])
def test_what_an_account_made_stays_its_owners_of_then(world: World, made: str) -> None:
    bot = world.authority.person("bot", (Role.MAINTAINER, "*"))
    handed_over(world, bot, world.carl)
    maker, asker = (bot, world.ann) if made == "version" else (world.ann, bot)
    put(world, {"alias": "production", "four_eyes": True})
    version = world.does(maker, lambda who: who.capture(world.model, "bots"))
    world.request = world.does(asker, lambda who: who.request(world.model, "production", version))
    handed_over(world, bot, world.eve)
    world.approve(world.carl)
    assert "four_eyes" in world.against()
    world.approve(world.dora)
    assert type(world.apply()) is Accepted


def test_one_person_has_so_many_open_requests(world: World) -> None:
    for _ in range(OPEN_LIMIT):
        world.request = world.does(
            world.ben, lambda who: who.request(world.model, "champion", world.new, auto=False)
        )

    def ask(who: Replica) -> None:
        who.request(world.model, "champion", world.new, auto=False)

    assert refused(verdict_of(world.ben, ask)).startswith("too_many")
    assert type(verdict_of(world.ann, ask)) is Accepted
    world.does(world.ben, lambda who: who.withdraw_request(world.request))
    assert type(verdict_of(world.ben, ask)) is Accepted


@pytest.mark.parametrize(
    "said", ["0x" + "F" * 5_000, '"\\ud800"', "!!set {b, a, c}", "1:1:1:" * 900 + "1", "!!float ''"]
)
def test_whatever_a_card_says_is_judged(world: World, said: str) -> None:
    world.edit(world.model, card=f"---\nlicense: {said}\n---\nhi\n")
    world.ask({"approvals": 1, "metadata": ["card.license"]})
    world.approve(world.carl)
    filled = "metadata:card.license" not in world.against()
    assert (type(world.apply()) is Accepted) == filled


def test_a_crowd_where_the_alias_points_hides_nothing_either(world: World) -> None:
    world.ask({"rule": "!has(current.tags.pinned)"})
    many = {f"tags/{n:05}": "x" for n in range(ENTRIES_LIMIT)} | {"tags/pinned": "yes"}
    world.does(world.ann, lambda who: who.edit(world.old, many))
    assert world.against() == ["rule"]


def test_a_crowd_that_a_rule_does_not_read_is_nothing_to_it(world: World) -> None:
    world.ask({"rule": "checks.smoke.f1 > 0.5"})
    world.report(f1=0.9)
    many = {f"tags/{n:05}": "x" for n in range(ENTRIES_LIMIT + 1)}
    world.does(world.ann, lambda who: who.edit(world.model, many))
    assert "rule" not in world.against()
