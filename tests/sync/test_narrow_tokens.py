"""One replica, read with a token that may do less than its user, and then with one that may all."""

import pytest

from regtui.core.access import Grant, Role
from tests.sync.world import Person, World, signed_in

NARROW = (Grant(Role.VIEWER, "nlp/*"),)


@pytest.fixture
def ben(world: World, ann: Person) -> Person:
    ann.registry.create_model("nlp/a")
    ann.registry.create_model("cv/b")
    ann.sync()
    world.grant("ben", "maintainer", "*")
    return signed_in(world, "ben")


def models(person: Person) -> list[str]:
    return sorted(one.model for one in person.registry.models())


def test_what_a_wider_token_may_read_comes_at_once(ann: Person, ben: Person) -> None:
    ben.token = NARROW
    ben.sync()
    assert models(ben) == ["nlp/a"]
    ben.token = None
    ben.sync()
    assert models(ben) == ["cv/b", "nlp/a"]
    ann.registry.create_model("cv/c")
    ann.sync()
    ben.sync()
    assert models(ben) == ["cv/b", "cv/c", "nlp/a"]
    assert ben.documents == ann.documents


def test_what_a_narrower_token_may_not_read_goes_at_once(ann: Person, ben: Person) -> None:
    ben.sync()
    assert models(ben) == ["cv/b", "nlp/a"]
    ben.token = NARROW
    ben.sync()
    assert models(ben) == ["nlp/a"]
    assert ben.sync().requests == 1
    ben.token = None
    ben.sync()
    assert ben.documents == ann.documents


def test_what_waits_goes_on_waiting_and_is_judged_by_the_token_that_sends_it(
    ann: Person, ben: Person
) -> None:
    ben.sync()
    ben.registry.edit("nlp/a", {"description": "mine"})
    ben.token = NARROW
    done = ben.sync()
    assert (done.accepted, done.rejected) == (0, 1)
    ben.token = None
    ben.sync()  # tells what he may do now
    ben.registry.retry()
    assert ben.sync().accepted == 1
    ann.sync()
    assert ann.documents == ben.documents
