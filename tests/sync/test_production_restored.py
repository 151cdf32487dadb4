"""After a restore: what was decided comes back as it was, with no more rights than it had."""

from pathlib import Path

import pytest

from regtui.core.access import Grant, Role
from regtui.core.operations import Change, EditBody, PolicyBody
from tests.sync.test_cases import back_up, close_healing, put_back
from tests.sync.test_production import POLICY, at, model, put_policies, weights
from tests.sync.world import Person, World, signed_in

__all__ = ["model"]

GATED = {**POLICY, "rollback": "gated"}


def heal(world: World, backup: Path, *people: Person) -> None:
    """Put the server back, and let people bring back what they have."""
    put_back(world, backup, told=True)
    for person in (*people, *people):
        person.sync()


@pytest.mark.parametrize("later", [False, True], ids=["restored", "promoted"])
def test_a_request_comes_back_in_the_role_of_its_token(
    world: World, ann: Person, ben: Person, model: str, later: bool
) -> None:
    put_policies(ann, [GATED])
    world.grant("ben", "contributor" if later else "maintainer", "*")
    ben.sync()
    backup = back_up(world)
    ben.token = (Grant(Role.CONTRIBUTOR, "nlp/*"),)
    ben.sync()
    asked = ben.registry.request_promotion(f"{model}@2", "production")
    ben.sync()
    if later:
        world.grant("ben", "maintainer", "*")
        ann.sync()
    else:
        heal(world, backup, ben, ann)
    ann.registry.review(asked.request, "approve")
    ann.sync()
    assert (at(ann), ann.registry.promotion(asked.request).state) == (1, "open")


def test_a_review_comes_back_in_the_role_of_its_token(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    put_policies(ann, [{**GATED, "approver_role": "maintainer"}])
    world.grant("ben", "maintainer", "*")
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    backup = back_up(world)
    ben.token = (Grant(Role.APPROVER, "nlp/*"),)
    ben.sync()
    ben.registry.review(asked.request, "approve")
    ben.sync()
    heal(world, backup, ben, ann)
    assert [one.role for one in ann.registry.promotion(asked.request).reviews] == ["approver"]
    assert at(ann) == 1


@pytest.mark.parametrize("missing", [[], ["tags.tested"]], ids=["unmoved", "gated"])
def test_a_request_that_stayed_open_beside_another_one_comes_back_open(
    world: World, ann: Person, ben: Person, model: str, missing: list[str]
) -> None:
    ann.registry.capture(weights(world.folder, "three"), model=model)
    put_policies(ann, [{**GATED, "approvals": 0, "metadata": ["model.tags.owner", *missing]}])
    ann.registry.edit(f"{model}@2", {"tags/tested": "yes"})
    asked = [ann.registry.request_promotion(f"{model}@{n}", "production") for n in (2, 3)]
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ben.registry.edit(model, {"tags/owner": "ben"})
    ben.sync()
    ann.sync()
    assert at(ann) == 2
    heal(world, backup, ben, ann)
    states = [ann.registry.promotion(one.request).state for one in asked]
    assert (at(ann), states) == (2, ["applied", "open"])


@pytest.mark.parametrize("name", ["champion", "fresh"])
def test_what_builds_on_a_move_of_ones_own_that_was_refused_is_applied(
    ann: Person, ben: Person, model: str, name: str
) -> None:
    if name == "champion":
        ann.registry.set_alias(f"{model}@1", name)
        ann.sync()
        ben.sync()
    ben.registry.set_alias(f"{model}@2", name)
    asked = ben.registry.request_promotion(f"{model}@1", name)
    ann.registry.change_state("version", f"{model}@2", "archive")
    ann.sync()
    ben.sync()
    assert ben.registry.promotion(asked.request).state == "applied"


def test_refused_operations_that_name_each_other_hold_up_nobody(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    row = ann.table(
        "select d.id::varchar, m.id::varchar from base.version v "
        "join base.document d on d.key = v.key join base.model m on m.key = v.model "
        "where v.number = 1"
    )
    version, stream = map(str, row[0])
    world.grant("ben", "contributor", "*")
    ben.sync()
    world.grant("ben", "viewer", "*")
    with ben.replica.writing(ben.registry.context.actor, "cli", "s") as authority:
        authority.submit("version.edit", stream, version, EditBody({"tags/a": Change("1")}))
    (waiting,) = ben.table("select id::varchar from base.outbox")
    with ben.replica.changing() as connection:
        connection.execute(  # it names itself
            "update base.outbox set bytes = replace(bytes, ?, ?)",
            ['"tags/a":{"to":"1"}', f'"tags/a":{{"saw":"{waiting[0]}","to":"1"}}'],
        )
    assert ben.sync().rejected == 1
    ben.registry.discard(None)
    world.grant("ben", "contributor", "*")
    ben.sync()
    with ben.replica.writing(ben.registry.context.actor, "cli", "s") as authority:
        change = Change("2", saw=str(waiting[0]))
        authority.submit("version.edit", stream, version, EditBody({"tags/a": change}))
    assert ben.sync().accepted == 1


def on_two_machines(world: World, name: str, **scopes: str) -> tuple[Person, Person]:
    """Return somebody who has roles in scopes, at each of his machines."""
    for role, scope in scopes.items():
        world.grant(name, role, scope)
    return signed_in(world, name, f"{name}1"), signed_in(world, name, f"{name}2")


def states(person: Person) -> dict[str, str]:
    """Return the state of each deployment by its version's number."""
    found = person.registry.deployments(ended=True)
    return {one.version.rsplit("@", 1)[1]: one.state for one in found}


def remove_policy(person: Person) -> None:
    """Remove the policy as the command does, without its network."""
    ((identity, stamp),) = person.table(
        "select id::varchar, body ->> '$.fields.state.by' from base.document where kind = 'policy'"
    )
    change = Change("removed", saw=str(stamp))
    body = PolicyBody("prod", "nlp/*", {"state": change})
    with person.replica.writing(person.registry.context.actor, "cli", "s") as authority:
        authority.submit("policy.remove", "registry", str(identity), body)


@pytest.mark.parametrize("last", ["reject", "none"])
def test_what_somebody_said_last_stands_whichever_machine_comes_back_first(
    world: World, ann: Person, model: str, last: str
) -> None:
    put_policies(ann, [{**GATED, "approvals": 1, "metadata": ["tags.ok"]}])
    one, two = on_two_machines(world, "carl", approver="*")
    asked = ann.registry.request_promotion(f"{model}@2", "production", auto=False)
    ann.sync()
    one.sync()
    two.sync()
    backup = back_up(world)
    one.registry.review(asked.request, "approve")
    one.sync()
    two.sync()
    two.registry.review(asked.request, last, "no!" if last == "reject" else "")
    two.sync()
    ann.sync()
    heal(world, backup, two, one, ann)
    close_healing(world)
    for person in (two, one, ann, two):
        person.sync()
    for person in (ann, one, two):
        said = [one.verdict for one in person.registry.promotion(asked.request).reviews]
        assert said == (["reject"] if last == "reject" else [])
    assert two.documents == one.documents == ann.documents


@pytest.mark.parametrize("lost", ["request", "approval"])
def test_what_came_back_moves_nothing_until_somebody_looks_at_it_again(
    world: World, ann: Person, ben: Person, model: str, lost: str
) -> None:
    """Who said no, or took it back, on another machine may not be back when somebody edits."""
    put_policies(ann, [{**GATED, "approvals": 1}])
    world.grant("ben", "contributor", "*")
    one, two = on_two_machines(world, "carl", approver="*")
    world.grant("dora", "approver", "*")
    dora = signed_in(world, "dora")
    backup = back_up(world)
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    for person in (one, two, dora, ben):
        person.sync()
    dora.registry.review(asked.request, "reject", "not yet")
    dora.sync()
    if lost == "approval":
        backup = back_up(world, "later")
    one.sync()
    one.registry.review(asked.request, "approve")
    one.sync()
    two.sync()
    two.registry.review(asked.request, "none")
    two.sync()
    dora.sync()
    dora.registry.review(asked.request, "none")
    dora.sync()
    heal(world, backup, ann, one, ben, *([dora] if lost == "approval" else []))
    close_healing(world)
    ben.registry.edit(f"{model}@2", {"tags/z": "1"})
    ben.sync()
    ann.sync()
    assert at(ann) == 1
    gates = {one.gate: one.passed for one in ann.registry.promotion(asked.request).gates}
    assert gates["restored"] is None  # the server knows which approvals count
    one.sync()
    one.registry.review(asked.request, "approve", "still")  # who looks at it again lets it move
    one.sync()
    ann.sync()
    assert at(ann) == 2


@pytest.mark.parametrize("late", [False, True])
def test_an_approval_that_was_taken_back_does_not_stand_again_after_the_healing(
    world: World, ann: Person, model: str, late: bool
) -> None:
    put_policies(ann, [{**GATED, "approvals": 1}])
    one, two = on_two_machines(world, "carl", approver="*")
    asked = ann.registry.request_promotion(f"{model}@2", "production", auto=False)
    ann.sync()
    one.sync()
    two.sync()
    backup = back_up(world)
    one.registry.review(asked.request, "approve")
    one.sync()
    two.sync()
    two.registry.review(asked.request, "none")
    two.sync()
    ann.sync()
    heal(world, backup, ann, *(() if late else (two,)))
    close_healing(world)
    for person in (two, one, ann, two):
        person.sync()
    for person in (ann, one, two):
        assert person.registry.promotion(asked.request).reviews == []
    assert two.documents == one.documents == ann.documents
    one.registry.review(asked.request, "approve")
    one.sync()
    two.sync()
    (said,) = two.registry.promotion(asked.request).reviews
    assert said.counts


def test_the_last_run_of_a_check_is_the_last_whichever_machine_comes_back_first(
    world: World, ann: Person, model: str
) -> None:
    put_policies(ann, [{**GATED, "approvals": 0, "checks": ["smoke"]}])
    one, two = on_two_machines(world, "runner", reporter="*", viewer="nlp/*")
    one.sync()
    two.sync()
    backup = back_up(world)
    one.registry.report_check(f"{model}@2", "smoke", outcome="passed")
    one.sync()
    two.sync()
    two.registry.report_check(f"{model}@2", "smoke", outcome="failed")
    two.sync()
    asked = ann.registry.request_promotion(f"{model}@2", "production", auto=False)
    ann.sync()
    heal(world, backup, two, one, ann)
    gates = {one.gate: one.passed for one in ann.registry.promotion(asked.request).gates}
    assert gates["check:smoke"] is False


@pytest.mark.parametrize("how", ["promote", "alias"])
def test_a_move_that_ones_own_edit_set_off_was_not_seen(
    world: World, ann: Person, ben: Person, model: str, how: str
) -> None:
    ann.registry.capture(weights(world.folder, "three"), model=model)
    put_policies(ann, [{**GATED, "approvals": 0, "metadata": ["model.tags.owner"]}])
    ann.sync()
    ben.sync()
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    ben.registry.edit(model, {"tags/owner": "ben"})
    if how == "promote":
        mine = ben.registry.request_promotion(f"{model}@3", "production")
    else:
        ben.registry.set_alias(f"{model}@3", "production")
    ben.sync()
    ann.sync()
    assert (at(ann), ann.registry.promotion(asked.request).state) == (2, "applied")
    if how == "promote":
        assert ann.registry.promotion(mine.request).state == "open"
    else:
        assert len(ann.registry.conflicts()) == 1


def test_a_move_that_ones_own_request_made_was_seen(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    ann.registry.capture(weights(world.folder, "three"), model=model)
    ann.sync()
    ben.sync()
    for number in (2, 3):
        ben.registry.request_promotion(f"{model}@{number}", "champion")
    ben.sync()
    assert ben.registry.version(f"{model}@champion").number == 3


@pytest.mark.parametrize("rights", ["viewer", "maintainer"])
def test_a_move_that_comes_back_after_the_healing_is_asked_the_gates(
    world: World, ann: Person, ben: Person, model: str, rights: str
) -> None:
    backup = back_up(world)
    ben.registry.set_alias(f"{model}@2", "production")
    ben.registry.edit(f"{model}@2", {"tags/kept": "yes"})
    ben.sync()
    put_back(world, backup, told=True)
    ann.sync()
    close_healing(world)
    ann.sync()
    put_policies(ann, [{**GATED, "approvals": 1}])
    world.grant("ben", rights, "*")
    world.now += 90 * 86_400_000_000
    ben.sync()
    ann.sync()
    assert at(ann) == 1
    assert ann.registry.version(f"{model}@2").tags == {"kept": "yes"}
    codes = {one.code for one in ben.registry.outbox()}
    assert codes == {"denied" if rights == "viewer" else "blocked"}


def test_a_policy_is_not_taken_away_after_the_healing_by_who_may_not(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    put_policies(ann, [{**GATED, "approvals": 1}])
    ben.sync()
    backup = back_up(world)
    remove_policy(ben)
    ben.sync()
    put_back(world, backup, told=True)
    ann.sync()
    close_healing(world)
    world.grant("ben", "viewer", "*")
    ben.sync()
    ann.sync()
    assert len(ann.registry.policies()) == 1


def test_of_two_that_were_live_one_after_the_other_the_later_is_live_after_a_restore(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    ann.sync()
    ben.registry.deploy(f"{model}@2", "production", target="eu")
    ben.sync()
    ann.sync()
    before = states(ann)
    assert before == {"1": "stopped", "2": "live"}
    heal(world, backup, ben, ann, ben)
    assert states(ann) == states(ben) == before


def test_steps_of_a_deployment_come_back_whichever_machine_comes_first(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    ann.registry.deploy(f"{model}@1", "production", target="eu", pending=True)
    ann.sync()
    ben.sync()
    (made,) = ann.registry.deployments()
    backup = back_up(world)
    ann.registry.transition(made.deployment, "live")
    ann.sync()
    ben.sync()
    ben.registry.transition(made.deployment, "draining")
    ben.sync()
    ben.registry.transition(made.deployment, "stopped")
    ben.sync()
    ann.sync()
    (before,) = ann.registry.deployments(ended=True)
    heal(world, backup, ben, ann, ben)
    close_healing(world)
    ben.sync()
    ann.sync()
    (after,) = ann.registry.deployments(ended=True)
    assert (after.state, after.since, after.until) == (before.state, before.since, before.until)
    assert ann.registry.outbox() == ben.registry.outbox() == []


@pytest.mark.parametrize("stopped", [False, True])
def test_a_deployment_that_comes_late_ends_none_that_was_made_since(
    world: World, ann: Person, ben: Person, model: str, stopped: bool
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    world.grant("ben", "maintainer", "*")
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    ann.registry.deploy(f"{model}@1", "production", target="us")
    ann.sync()
    heal(world, backup, ben)
    close_healing(world)
    ben.registry.deploy(f"{model}@2", "production", target="eu")
    ben.sync()
    if stopped:
        (made,) = ben.registry.deployments()
        ben.registry.transition(made.deployment, "stopped")
        ben.sync()
    ann.sync()
    ben.sync()
    live = {one.target: one.number for one in ben.registry.deployments()}
    assert live == ({"us": 1} if stopped else {"eu": 2, "us": 1})
    (refused,) = ann.registry.outbox()
    assert (refused.kind, refused.code) == ("deployment.record", "changed_meanwhile")
    ann.registry.retry(refused.id)  # it says that it runs now
    ann.sync()
    assert {one.target: one.number for one in ann.registry.deployments()} == {"eu": 1, "us": 1}


@pytest.mark.parametrize("order", ["first first", "last first"])
def test_of_several_deployments_that_come_late_the_last_is_live(
    world: World, ann: Person, ben: Person, model: str, order: str
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    world.grant("ben", "maintainer", "*")
    ann.sync()
    ben.sync()
    backup = back_up(world)
    for person, number in ((ann, 1), (ann, 2), (ben, 1), (ben, 2)):
        person.sync()
        person.registry.deploy(f"{model}@{number}", "production", target="eu")
        person.sync()
    ann.sync()
    (before,) = ann.registry.deployments()
    put_back(world, backup, told=True)
    close_healing(world)
    for person in (ann, ben) if order == "first first" else (ben, ann):
        person.sync()
    ann.sync()
    ben.sync()
    for person in (ann, ben):
        (after,) = person.registry.deployments()
        assert (after.deployment, after.since) == (before.deployment, before.since)
    refused = [one.code for person in (ann, ben) for one in person.registry.outbox()]
    assert refused == ([] if order == "first first" else ["changed_meanwhile"] * 2)
    assert ann.documents == ben.documents


@pytest.mark.parametrize("closed", [False, True])
def test_a_capture_that_comes_back_brings_back_nothing_that_was_put_away_since(
    world: World, ann: Person, ben: Person, model: str, closed: bool
) -> None:
    world.grant("ben", "maintainer", "*")
    ann.sync()
    backup = back_up(world)
    content = weights(world.folder, "three")
    ann.registry.capture(content, model=model, tags={"by": "ann"})
    ann.sync()
    heal(world, backup, ben)
    if closed:
        close_healing(world)
    ben.registry.capture(content, model=model)
    ben.sync()
    short = ben.registry.version(f"{model}@latest").short_id
    ben.registry.change_state("version", short, "archive")
    ben.sync()
    for person in (ann, ben, ann):
        person.sync()
    assert ann.registry.outbox() == []
    found = ann.registry.version(short)
    assert (found.state, found.tags) == ("archived", {"by": "ann"})
    assert ann.documents == ben.documents


@pytest.mark.parametrize("closed", [False, True])
def test_what_was_deleted_since_stays_so_whatever_made_it_comes_back(
    world: World, ann: Person, ben: Person, model: str, closed: bool
) -> None:
    for person in (ann, ben):
        world.grant(person.name, "maintainer", "*")
    ann.registry.put_dataset("ds0", {"uri": "s3://0"})
    ann.sync()
    ben.sync()
    backup = back_up(world)
    content = weights(world.folder, "three")
    ann.registry.put_dataset("ds0", {"uri": "s3://other"})
    ann.registry.put_dataset("ds1", {"uri": "s3://1"})
    ann.registry.capture(content, model="nlp/new", tags={"by": "ann"})
    ann.sync()
    heal(world, backup, ben)
    if closed:
        close_healing(world)
    ben.registry.put_dataset("ds1", {"uri": "s3://1"})
    ben.registry.capture(content, model="nlp/new")
    ben.sync()
    for name in ("ds0", "ds1"):
        ben.registry.remove_dataset(name)
    ben.registry.change_state("model", "nlp/new", "delete")
    ben.sync()
    for person in (ann, ben, ann):
        person.sync()
    assert ann.registry.outbox() == []
    assert [one.model for one in ann.registry.models()] == [model]
    assert ann.registry.datasets() == []
    assert ann.documents == ben.documents
    ann.registry.change_state("model", "nlp/new", "restore")
    assert ann.registry.version("nlp/new@latest").tags == {"by": "ann"}


@pytest.mark.parametrize("by", ["approval", "hand"])
@pytest.mark.parametrize("order", ["later first", "earlier first"])
def test_a_later_move_stands_whichever_request_comes_back_first(  # noqa: PLR0913, PLR0917
    world: World, ann: Person, ben: Person, model: str, by: str, order: str
) -> None:
    ann.registry.capture(weights(world.folder, "three"), model=model)
    put_policies(ann, [{**GATED, "approvals": 1}])
    world.grant("ben", "maintainer", "*")
    world.grant("carl", "maintainer", "*")
    carl = signed_in(world, "carl")
    first = ann.registry.request_promotion(f"{model}@2", "production", auto=by != "hand")
    ann.sync()
    if by == "hand":
        carl.sync()
        carl.registry.review(first.request, "approve")
        carl.sync()
    backup = back_up(world)
    ben.sync()
    if by == "hand":
        ben.registry.apply_promotion(first.request)
    else:
        ben.registry.review(first.request, "approve")
    ben.sync()
    ann.sync()
    second = ann.registry.request_promotion(f"{model}@3", "production")
    ann.sync()
    carl.sync()
    carl.registry.review(second.request, "approve")
    carl.sync()
    ann.sync()
    assert at(ann) == 3
    people = (carl, ben, ann) if order == "later first" else (ben, carl, ann)
    heal(world, backup, *people)
    for person in people:
        person.sync()
    assert [at(one) for one in people] == [3, 3, 3]
    assert ann.registry.conflicts() == []


def test_a_move_that_comes_back_does_not_take_the_place_of_a_newer_one(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    ann.registry.capture(weights(world.folder, "three"), model=model)
    put_policies(ann, [{**GATED, "approvals": 1}])
    world.grant("ben", "approver", "*")
    world.grant("carl", "approver", "*")
    carl = signed_in(world, "carl")
    first = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    backup = back_up(world)
    ben.sync()
    ben.registry.review(first.request, "approve")
    ben.sync()
    put_back(world, backup, told=True)
    ann.sync()
    second = ann.registry.request_promotion(f"{model}@3", "production")
    ann.sync()
    carl.sync()
    carl.registry.review(second.request, "approve")
    carl.sync()
    ann.sync()
    assert at(ann) == 3
    ben.sync()
    ann.sync()
    assert at(ann) == at(ben) == 3


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_nobody_conflicts_with_himself_for_the_order_in_which_he_comes_back(
    world: World, ann: Person, model: str, order: tuple[int, ...]
) -> None:
    ann.registry.capture(weights(world.folder, "three"), model=model)
    ann.sync()
    homes = [signed_in(world, "ben", f"ben{number}") for number in range(3)]
    for home in homes:
        home.sync()
    backup = back_up(world)
    for number, home in enumerate(homes):
        home.sync()
        home.registry.set_alias(f"{model}@{(2, 1, 3)[number]}", "champion")
        home.registry.edit(model, {"description": f"the {number}th"})
        home.sync()
    ann.sync()
    people = [homes[number] for number in order]
    heal(world, backup, *people, ann)
    close_healing(world)
    for person in (*people, ann):
        person.sync()
    assert ann.registry.conflicts() == []
    assert ann.registry.version(f"{model}@champion").number == 3
    assert ann.registry.model(model).description == "the 2th"
    assert all(home.documents == ann.documents for home in homes)


def test_who_sets_it_anew_meanwhile_is_not_overwritten(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    backup = back_up(world)
    ben.registry.edit(model, {"description": "ben's"})
    ben.sync()
    put_back(world, backup, told=True)
    ann.sync()
    ann.registry.edit(model, {"description": "ann's"})
    ann.sync()
    ben.sync()
    ann.sync()
    assert ann.registry.model(model).description == "ann's"
    assert len(ann.registry.conflicts()) == 1


def test_an_old_approval_does_not_come_over_a_later_rejection_after_the_healing(
    world: World, ann: Person, model: str
) -> None:
    put_policies(ann, [{**GATED, "approvals": 1}])
    one, two = on_two_machines(world, "carl", approver="*")
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    one.sync()
    two.sync()
    backup = back_up(world)
    one.registry.review(asked.request, "approve")
    one.sync()
    put_back(world, backup, told=True)
    ann.sync()
    two.sync()
    close_healing(world)
    assert at(ann) == 1
    two.registry.review(asked.request, "reject", "it is broken!")
    two.sync()
    world.now += 30 * 86_400_000_000
    one.sync()
    ann.sync()
    assert at(ann) == 1
    assert [said.verdict for said in ann.registry.promotion(asked.request).reviews] == ["reject"]


def test_an_old_run_moves_nothing_after_the_healing(world: World, ann: Person, model: str) -> None:
    put_policies(ann, [{**GATED, "approvals": 0, "checks": ["smoke"]}])
    one, two = on_two_machines(world, "runner", reporter="*", viewer="nlp/*")
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    one.sync()
    two.sync()
    backup = back_up(world)
    one.registry.report_check(f"{model}@2", "smoke", outcome="passed")
    one.sync()
    put_back(world, backup, told=True)
    ann.sync()
    close_healing(world)
    two.sync()
    two.registry.report_check(f"{model}@2", "smoke", outcome="failed")
    two.sync()
    one.sync()
    ann.sync()
    assert at(ann) == 1
    gates = {gate.gate: gate.passed for gate in ann.registry.promotion(asked.request).gates}
    assert gates["check:smoke"] is False


def test_what_was_replaced_by_what_has_failed_since_is_not_live_again(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    ann.sync()
    ben.registry.deploy(f"{model}@2", "production", target="eu")
    ben.sync()
    (live,) = ben.registry.deployments()
    ben.registry.transition(live.deployment, "failed")
    ben.sync()
    ann.sync()
    before = states(ann)
    assert before == {"1": "stopped", "2": "failed"}
    heal(world, backup, ben, ann, ben)
    assert states(ann) == before
