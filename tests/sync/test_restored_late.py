"""What comes back late after a restore, or in another order than it was done: people with several
machines, and what they had seen may not be back yet."""

import json

import pytest

from regtui.core.identity import model_id
from regtui.core.operations import Change, ModelBody
from tests.sync.test_cases import back_up, close_healing, put_back
from tests.sync.test_production import at, model, put_policies, weights
from tests.sync.test_production_restored import GATED, heal
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
