"""What comes back late after a restore, or in another order than it was done: people with several
machines, and what they had seen may not be back yet."""

import json

import pytest

from regtui.core.errors import RegtuiError
from regtui.core.identity import model_id
from regtui.core.operations import Change, ModelBody
from tests.sync.test_cases import back_up, close_healing, put_back
from tests.sync.test_production import at, model, put_policies, weights
from tests.sync.test_production_restored import GATED, heal, on_two_machines
from tests.sync.world import Person, World, signed_in

__all__ = ["model"]


@pytest.fixture
def carl(world: World, ann: Person, ben: Person) -> Person:
    """Another maintainer; ben is one, too."""
    for name in ("ben", "carl"):
        world.grant(name, "maintainer", "*")
    made = signed_in(world, "carl")
    for person in (made, ann, ben):
        person.sync()
    return made


@pytest.fixture
def team(ann: Person, ben: Person, carl: Person) -> dict[str, Person]:
    """All three."""
    return {"ann": ann, "ben": ben, "carl": carl}


def models(person: Person) -> dict[int, dict[str, object]]:
    """Return the values of every generation of a model's name."""
    documents = map(json.loads, person.documents.values())
    return {
        one["facts"]["generation"]: {
            path: register["v"] for path, register in one["fields"].items()
        }
        for one in documents
        if one["kind"] == "model" and one["facts"]["name"] == "nlp/m"
    }


def test_a_deletion_that_comes_before_the_edit_that_it_saw_is_none_of_a_conflict(
    world: World, ann: Person, ben: Person, carl: Person, model: str
) -> None:
    backup = back_up(world)
    ben.registry.edit(f"{model}@2", {"tags/by": "ben"})
    ben.sync()
    carl.sync()
    carl.registry.change_state("version", f"{model}@2", "delete")
    carl.sync()
    put_back(world, backup, told=True)
    for person in (carl, ben, carl, ben, ann):
        person.sync()
    assert ann.registry.conflicts() == []
    states = {one.number: one.state for one in ann.registry.versions("state:any").versions}
    assert states == {1: "captured", 2: "deleted"}
    assert ann.documents == ben.documents == carl.documents


@pytest.mark.parametrize("closed", [False, True])
def test_a_model_comes_back_as_the_one_that_it_was_beside_its_later_namesake(
    world: World, ann: Person, ben: Person, carl: Person, closed: bool
) -> None:
    backup = back_up(world)
    first = model_id("nlp/m", 0)
    ann.registry.capture(weights(world.folder, "m1"), model="nlp/m")
    with ben.replica.writing(ben.registry.context.actor, "cli", "s") as authority:
        body = ModelBody(name="nlp/m", generation=0, set={"tags/by": Change("ben")})
        authority.submit("model.create", first, first, body)
    ben.sync()
    ann.sync()
    ann.registry.edit("nlp/m", {"tags/x": "ann"})
    ann.sync()
    carl.sync()
    carl.registry.change_state("model", "nlp/m", "delete")
    carl.sync()
    carl.registry.capture(weights(world.folder, "m3"), model="nlp/m")
    carl.sync()
    for person in (ann, ben, carl):
        person.sync()
    before = models(ann)
    assert before.keys() == {0, 1}
    put_back(world, backup, told=True)
    for person in (ann, carl, carl):
        person.sync()
    if closed:
        close_healing(world)
    for person in (ben, carl, ann, ben):
        person.sync()
    assert models(ann) == before
    assert ann.documents == ben.documents == carl.documents


@pytest.mark.parametrize("closed", [False, True])
def test_a_rollback_stands_though_what_it_took_back_comes_later(  # noqa: PLR0913, PLR0917
    world: World, ann: Person, ben: Person, carl: Person, model: str, closed: bool
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ben.registry.deploy(f"{model}@2", "production", target="eu")
    ben.sync()
    ann.sync()
    ann.registry.roll_back(model, "production", target="eu")
    ann.sync()
    ben.sync()
    put_back(world, backup, told=True)
    if closed:
        close_healing(world)
    for person in (ann, ben, ann, carl):
        person.sync()
    assert ann.registry.outbox() == []
    for person in (ann, carl):
        (live,) = person.registry.deployments()
        assert live.number == 1


@pytest.mark.parametrize("needed", [1, 2])
def test_approvals_that_are_given_anew_suffice_beside_one_that_came_back(
    world: World, ann: Person, model: str, needed: int
) -> None:
    put_policies(ann, [{**GATED, "approvals": needed}])
    people = []
    for name in ("carl", "dora", "edgar")[: needed + 1]:
        world.grant(name, "approver", "*")
        people.append(signed_in(world, name))
    carl, *others = people
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    for person in people:
        person.sync()
    backup = back_up(world)
    if needed > 1:  # else it would have moved
        carl.registry.review(asked.request, "approve")
        carl.sync()
    heal(world, backup, *people, ann)
    close_healing(world)
    for person in others:
        assert at(ann) == 1
        person.sync()
        person.registry.review(asked.request, "approve")
        person.sync()
    ann.sync()
    assert at(ann) == 2


def test_an_approval_that_came_back_satisfies_no_gate_beside_a_new_one(
    world: World, ann: Person, model: str
) -> None:
    """carl took his back on a machine that is not here; the author approves his own request."""
    put_policies(ann, [{**GATED, "approvals": 1, "four_eyes": True}])
    for name in ("carl", "dora"):
        world.grant(name, "approver", "*")
    one, two, dora = (
        signed_in(world, *names) for names in (("carl", "c1"), ("carl", "c2"), ("dora",))
    )
    asked = ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    dora.sync()
    dora.registry.review(asked.request, "reject", "wait")
    for person in (dora, one, two):
        person.sync()
    backup = back_up(world)
    one.registry.review(asked.request, "approve")
    one.sync()
    two.sync()
    two.registry.review(asked.request, "none")
    two.sync()
    heal(world, backup, one, ann, dora)
    close_healing(world)
    dora.registry.review(asked.request, "none")
    dora.sync()
    ann.sync()
    ann.registry.review(asked.request, "approve")
    ann.sync()
    assert at(ann) == 1
    dora.registry.review(asked.request, "approve")
    dora.sync()
    ann.sync()
    assert at(ann) == 2


@pytest.mark.parametrize("what", ["version", "model"])
def test_an_edit_that_comes_before_the_restore_that_it_saw_stands(  # noqa: PLR0913, PLR0917
    world: World, ann: Person, ben: Person, carl: Person, model: str, what: str
) -> None:
    reference = f"{model}@2" if what == "version" else model
    backup = back_up(world)
    ben.registry.change_state(what, reference, "delete")
    ben.sync()
    carl.sync()
    carl.registry.change_state(what, reference, "restore")
    carl.sync()
    ann.sync()
    ann.registry.edit(reference, {"description": "ann's"})
    ann.sync()
    put_back(world, backup, told=True)
    for person in (ben, ann, carl, ben, ann):
        person.sync()
    registry = ann.registry
    found = registry.version(reference) if what == "version" else registry.model(reference)
    assert (found.description, registry.conflicts()) == ("ann's", [])


def test_a_model_made_anew_waits_for_the_end_of_the_one_before(
    world: World, ann: Person, ben: Person, carl: Person
) -> None:
    ann.registry.capture(weights(world.folder, "one"), model="nlp/m")
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ben.registry.change_state("model", "nlp/m", "delete")
    ben.sync()
    ann.sync()
    ann.registry.capture(weights(world.folder, "two"), model="nlp/m")
    ann.sync()
    put_back(world, backup, told=True)
    for person in (ann, ben, ann, ben, ann, carl):
        person.sync()
    assert ann.registry.outbox() == []
    close_healing(world)
    carl.sync()
    assert carl.registry.version("nlp/m@1").files == 1
    assert models(carl).keys() == {0, 1}


@pytest.mark.parametrize("path", ["tags/a", "params/p", "metrics/f1"])
def test_a_value_that_was_removed_stays_so_though_it_comes_back_later(
    world: World, ann: Person, ben: Person, model: str, path: str
) -> None:
    def values(person: Person) -> dict[str, object]:
        version = person.registry.version(f"{model}@2")
        return {**version.tags, **version.metrics, **version.params}

    backup = back_up(world)
    ben.registry.edit(f"{model}@2", {path: "x" if path == "tags/a" else 1.5})
    ben.sync()
    ann.sync()
    ann.registry.edit(f"{model}@2", {path: None})
    ann.sync()
    put_back(world, backup, told=True)
    for person in (ann, ben, ann):
        person.sync()
    assert values(ann) == values(ben) == {}
    ben.registry.edit(f"{model}@2", {path: "y" if path == "tags/a" else 2.5})
    ben.sync()
    ann.sync()
    assert len(values(ann)) == 1
    ann.registry.edit(f"{model}@2", {path: None})
    ann.sync()
    ben.sync()
    assert values(ben) == {}
    assert ann.documents == ben.documents


def test_a_value_that_stood_beside_its_removal_stands_again(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    """A set beats a remove that did not see it, whichever comes back first."""
    ann.registry.edit(f"{model}@2", {"tags/a": "old"})
    ann.sync()
    ben.sync()
    backup = back_up(world)
    ben.registry.edit(f"{model}@2", {"tags/a": "new"})
    ben.sync()
    ann.registry.edit(f"{model}@2", {"tags/a": None})
    ann.sync()
    ben.sync()
    assert ann.registry.version(f"{model}@2").tags == {"a": "new"}
    put_back(world, backup, told=True)
    for person in (ann, ben, ann):
        person.sync()
    assert ann.registry.version(f"{model}@2").tags == {"a": "new"}
    assert ann.documents == ben.documents


def tags(person: Person, model: str) -> dict[str, object]:
    return dict(person.registry.version(f"{model}@2").tags)


def test_no_clock_decides_what_comes_back(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    backup = back_up(world)
    ben.skew = 120_000_000
    ben.registry.edit(f"{model}@2", {"tags/a": "ben"})
    ben.sync()
    ann.sync()
    ann.registry.edit(f"{model}@2", {"tags/a": "ann"})
    ann.sync()
    put_back(world, backup, told=True)
    for person in (ann, ben, ann):
        person.sync()
    assert tags(ann, model) == tags(ben, model) == {"a": "ann"}


def test_a_tag_that_was_removed_twice_does_not_come_back(
    world: World, ann: Person, ben: Person, carl: Person, model: str
) -> None:
    """Somebody else set it, and took it away, before who had set it first came back."""
    backup = back_up(world)
    ben.registry.edit(f"{model}@2", {"tags/a": "x"})
    ben.sync()
    ann.sync()
    ann.registry.edit(f"{model}@2", {"tags/a": None})
    ann.sync()
    put_back(world, backup, told=True)
    for person in (ann, carl, ann, carl):
        person.sync()
    for value in ("y", None):
        carl.registry.edit(f"{model}@2", {"tags/a": value})
        carl.sync()
    ben.sync()
    assert tags(ben, model) == {}


@pytest.mark.parametrize("closed", [False, True], ids=["healing", "closed"])
def test_an_approval_that_was_taken_back_twice_does_not_come_back(
    world: World, ann: Person, model: str, closed: bool
) -> None:
    put_policies(ann, [{**GATED, "approvals": 1}])
    for name in ("carl", "dora"):
        world.grant(name, "approver", "*")
    one, two = (signed_in(world, "carl", home) for home in ("carl1", "carl2"))
    dora = signed_in(world, "dora")
    asked = ann.registry.request_promotion(f"{model}@2", "production").request
    ann.sync()
    dora.sync()
    dora.registry.review(asked, "reject", "wait")
    for person in (dora, one, two):
        person.sync()
    backup = back_up(world)
    one.registry.review(asked, "approve")
    one.sync()
    two.sync()
    two.registry.review(asked, "none")
    two.sync()
    put_back(world, backup, told=True)
    for person in (two, ann, dora, two, ann):
        person.sync()
    if closed:
        close_healing(world)
    for said, why in (("reject", "no"), ("none", "")):
        two.registry.review(asked, said, why)
        two.sync()
    one.sync()
    dora.sync()
    dora.registry.review(asked, "none")
    dora.sync()
    ann.sync()
    with pytest.raises(RegtuiError, match="approv"):
        ann.registry.apply_promotion(asked)
    ann.sync()
    assert at(ann) == 1


def test_a_run_that_came_back_lets_nothing_move_by_itself(
    world: World, ann: Person, ben: Person, model: str
) -> None:
    policy = {"approvals": 0, "checks": ["smoke"], "metadata": ["model.tags.owner"]}
    put_policies(ann, [{**GATED, **policy}])
    one, two = on_two_machines(world, "runner", reporter="*", viewer="nlp/*")
    asked = ann.registry.request_promotion(f"{model}@2", "production").request
    for person in (ann, one, two, ben):
        person.sync()
    backup = back_up(world)
    one.registry.report_check(f"{model}@2", "smoke", outcome="passed")
    one.sync()
    two.registry.report_check(f"{model}@2", "smoke", outcome="failed")
    two.sync()
    put_back(world, backup, told=True)
    for person in (ann, one):
        person.sync()
    close_healing(world)
    for person in (one, ben):
        person.sync()
    ben.registry.edit(model, {"tags/owner": "ben"})
    ben.sync()
    ann.sync()
    assert at(ann) == 1
    two.sync()  # the other run is back, and says no
    ann.sync()
    with pytest.raises(RegtuiError, match="smoke"):
        ann.registry.apply_promotion(asked)
    one.registry.report_check(f"{model}@2", "smoke", outcome="passed")
    one.sync()
    ann.sync()
    assert at(ann) == 2


def deployed(person: Person) -> dict[int | None, tuple[object, ...]]:
    """Return how each version ran, by its number."""
    return {
        one.number: (one.state, one.since, one.until, one.reason)
        for one in person.registry.deployments(ended=True)
    }


@pytest.mark.parametrize("step", ["replaced", "stopped"])
def test_what_is_told_months_later_happened_then(
    world: World, ann: Person, ben: Person, model: str, step: str
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    ann.sync()
    ben.sync()
    backup = back_up(world)
    if step == "replaced":
        ben.registry.deploy(f"{model}@2", "production", target="eu")
    else:
        (running,) = ben.registry.deployments()
        ben.registry.transition(running.deployment, "stopped")
    ben.sync()
    ann.sync()
    before = deployed(ann)
    put_back(world, backup, told=True)
    ann.sync()
    ann.sync()
    close_healing(world)
    world.now += 90 * 86_400_000_000
    ben.sync()
    ann.sync()
    assert deployed(ann) == before


def test_a_failure_behind_a_newer_deployment_comes_back(
    world: World, ann: Person, ben: Person, carl: Person, model: str
) -> None:
    ann.registry.put_environment("production", {"protected": True})
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    for person in (ann, ben, carl):
        person.sync()
    backup = back_up(world)
    (running,) = ben.registry.deployments()
    ben.registry.transition(running.deployment, "failed", reason="out of memory")
    ben.sync()
    ann.sync()
    before = deployed(ann)
    put_back(world, backup, told=True)
    carl.sync()
    world.now += 86_400_000_000
    carl.registry.deploy(f"{model}@2", "production", target="eu")
    for person in (carl, ben, ann):
        person.sync()
    found = deployed(ann)
    assert found[1] == before[1]
    assert found[2][0] == "live"


@pytest.mark.parametrize("order", ["carl ann ben", "carl ben ann", "ben carl ann"])
def test_what_drained_beside_its_successor_drains_still(
    world: World, team: dict[str, Person], model: str, order: str
) -> None:
    ann, ben, carl = team.values()
    ann.registry.put_environment("production", {"protected": True})
    for person in (ann, ben, carl):
        person.sync()
    backup = back_up(world)
    ann.registry.deploy(f"{model}@1", "production", target="eu")
    ann.sync()
    ben.sync()
    (running,) = ben.registry.deployments()
    ben.registry.transition(running.deployment, "draining")
    ben.sync()
    carl.sync()
    carl.registry.deploy(f"{model}@2", "production", target="eu")
    carl.sync()
    ann.sync()
    before = deployed(ann)
    assert {one[0] for one in before.values()} == {"draining", "live"}
    put_back(world, backup, told=True)
    for name in order.split() * 3:
        team[name].sync()
    assert deployed(ann) == before


@pytest.mark.parametrize("closed", [False, True], ids=["healing", "closed"])
def test_a_candidate_that_nobody_saw_who_settled_it_is_open(
    world: World, team: dict[str, Person], model: str, closed: bool
) -> None:
    ann, ben, carl = team.values()
    world.grant("dora", "maintainer", "*")
    dora = signed_in(world, "dora")
    for person in (ann, ben, carl):
        person.sync()
    backup = back_up(world)
    for person in (ann, ben, carl):
        person.registry.edit(f"{model}@2", {"description": person.name})
    for person in (ann, ben, carl, dora):
        person.sync()
    put_back(world, backup, told=True)
    for person in (ann, ben, dora, dora):
        person.sync()
    (found,) = dora.registry.conflicts()
    dora.registry.resolve(found.id, "accepted")
    dora.sync()
    if closed:
        close_healing(world)
    for person in (carl, dora):
        person.sync()
    (left,) = dora.registry.conflicts()
    assert [one.value for one in left.candidates] == ["carl"]


@pytest.mark.parametrize("order", ["ann ben", "ben ann"])
def test_who_made_a_version_made_it_whatever_the_clocks_say(
    world: World, team: dict[str, Person], model: str, order: str
) -> None:
    backup = back_up(world)
    team["ben"].skew = -86_400_000_000
    for name in ("ann", "ben"):
        team[name].sync()
        team[name].registry.capture(weights(world.folder, "found twice"), model=model)
        team[name].sync()
    version = team["ben"].registry.versions(f"model:{model}", limit=1).versions[0]
    assert version.author == "ann"
    put_back(world, backup, told=True)
    for name in order.split() * 2:
        team[name].sync()
    found = team["ben"].registry.version(version.short_id)
    assert (found.author, found.created) == ("ann", version.created)


def test_marks_of_what_was_removed_fill_no_version(
    world: World, ann: Person, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(world)
    put_back(world, backup, told=True)
    ann.sync()
    close_healing(world)
    ann.sync()
    monkeypatch.setattr("regtui.core.judgement.merge.FIELDS_LIMIT", 20)
    for number in range(25):
        for value in ("x", None):
            ann.registry.edit(f"{model}@2", {f"tags/t{number}": value})
    ann.sync()
    assert [one.code for one in ann.registry.outbox()] == []
    ann.registry.edit(f"{model}@2", {f"tags/t{number}": "x" for number in range(10)})
    ann.sync()
    assert len(tags(ann, model)) == 10
