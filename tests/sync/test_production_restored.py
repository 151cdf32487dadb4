"""After a restore: what was decided comes back as it was, with no more rights than it had."""

from pathlib import Path

import pytest

from regtui.core.access import Grant, Role
from regtui.core.operations import Change, EditBody
from tests.sync.test_cases import back_up, put_back
from tests.sync.test_production import POLICY, at, model, put_policies, weights
from tests.sync.world import Person, World

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
