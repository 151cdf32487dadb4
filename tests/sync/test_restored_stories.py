"""Short stories of three people around a backup: after a restore everything is as it was, whoever
comes back first. Who does something has seen what was done before, unless he is told not to have.
"""

from __future__ import annotations

import os
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from tests.sync.test_cases import back_up, put_back
from tests.sync.test_production import weights
from tests.sync.test_restored_as_it_was import state
from tests.sync.world import Person, World, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from regtui.registry import Registry

    Act = Callable[[Registry], object]

MODEL = "nlp/bert"
VERSION = f"{MODEL}@1"
CHECK, ENVIRONMENT = "smoke", "canary"
BACKUP = ("", None)


def edit(**values: object) -> Act:
    changes = {path.replace("__", "/"): value for path, value in values.items()}
    return lambda registry: registry.edit(VERSION, changes)


def line(place: int, text: str) -> Act:
    """Write one line of the model's card."""

    def act(registry: Registry) -> None:
        card = registry.card(MODEL)
        lines = (card or "a\nb\nc\nd\ne\nf\n").split("\n")
        lines[place] = text
        registry.write_card(MODEL, "\n".join(lines), seen=card)

    return act


def own(owned: bool | None) -> Act:
    return lambda registry: registry.edit(MODEL, {"owners/x": owned})


def to(verb: str) -> Act:
    return lambda registry: registry.change_state("version", VERSION, verb)


def check(run: str) -> Act:
    return lambda registry: registry.put_check(CHECK, "nlp/*", {"run": run, "on": []})


def forget_check(registry: Registry) -> object:
    return registry.remove_check(CHECK, "nlp/*")


def environment(**values: str) -> Act:
    return lambda registry: registry.put_environment(ENVIRONMENT, values)


def dataset(**values: str) -> Act:
    return lambda registry: registry.put_dataset("squad", values)


def take_candidate(registry: Registry) -> None:
    (found,) = registry.conflicts()
    registry.resolve(found.id, "candidate", candidate=str(found.candidates[0].id))


def take_standing(registry: Registry) -> None:
    (found,) = registry.conflicts()
    registry.resolve(found.id, "accepted")


def take_back(registry: Registry) -> object:
    return registry.undo()


def open_again(registry: Registry) -> object:
    """Take back somebody's end of a conflict."""
    log = registry.log(limit=40).operations
    return registry.undo(next(one.id for one in log if one.kind == "conflict.resolve"))


STORIES: dict[str, list[tuple[str, Act | None]]] = {
    "a tag is set, removed and set again": [
        BACKUP,
        ("ben", edit(tags__a="1")),
        ("ben", edit(tags__a=None)),
        ("ann", edit(tags__a="1")),
    ],
    "a tag comes to be what it was": [
        BACKUP,
        ("ben", edit(tags__a="1")),
        ("ben", edit(tags__a="2")),
        ("ann", edit(tags__a="1")),
    ],
    "a value over an old one is removed": [
        ("carl", edit(tags__a="old", params__p=1.0, metrics__f1=1.0)),
        BACKUP,
        ("ben", edit(tags__a="new", params__p=2.0, metrics__f1=2.0)),
        ("ann", edit(tags__a=None, params__p=None, metrics__f1=None)),
    ],
    "a metric goes back": [
        BACKUP,
        ("ben", edit(metrics__f=0.1)),
        ("ben", edit(metrics__f=0.2)),
        ("ann", edit(metrics__f=0.1)),
    ],
    "a metric of an earlier step is lost": [
        BACKUP,
        ("ben", edit(metrics__f={"value": 0.1, "step": 5})),
        ("carl, unseen", edit(metrics__f={"value": 0.2, "step": 3})),
    ],
    "a tag is set by two": [
        BACKUP,
        ("ben", edit(tags__a="ben")),
        ("carl, unseen", edit(tags__a="carl")),
        ("ann, unseen", edit(tags__a="ann")),
    ],
    "a removed tag was set by another": [
        ("ann", edit(tags__a="old")),
        BACKUP,
        ("ben", edit(tags__a="new")),
        ("ann, unseen", edit(tags__a=None)),
    ],
    "an owner comes and goes": [
        ("carl", own(True)),
        BACKUP,
        ("ben", own(None)),
        ("ann", own(True)),
        ("ben", own(None)),
    ],
    "a description is changed by three": [
        BACKUP,
        ("ben", edit(description="x")),
        ("carl", edit(description=None)),
        ("ann", edit(description="z")),
    ],
    "a description is given back": [
        ("carl", edit(description="x")),
        BACKUP,
        ("ben", edit(description="y")),
        ("ann", edit(description="z")),
        ("ann", take_back),
    ],
    "a line of the card is changed by three": [
        ("ann", line(0, "zero")),
        BACKUP,
        ("ben", line(1, "ben")),
        ("carl", line(1, "carl")),
        ("ann", line(1, "ann")),
    ],
    "a card is written first after the backup": [
        BACKUP,
        ("ben", line(1, "ben")),
        ("carl", line(1, "carl")),
        ("ann", line(1, "ann")),
    ],
    "lines of the card are merged": [
        ("carl", line(0, "zero")),
        BACKUP,
        ("ben", line(1, "ben")),
        ("carl, unseen", line(4, "carl")),
    ],
    "a deleted version is edited": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(tags__a="1")),
    ],
    "a deleted version is described": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(description="1")),
    ],
    "a version is edited that was deleted before": [
        ("ben", to("delete")),
        BACKUP,
        ("carl, unseen", edit(tags__a="1")),
    ],
    "a deleted version is edited by two": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(tags__a="1")),
        ("ann, unseen", edit(description="2")),
    ],
    "an edit of a deleted version is kept": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(tags__a="1")),
        ("ann", take_candidate),
    ],
    "an edit of a deleted version is thrown away": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(tags__a="1")),
        ("ann", take_standing),
    ],
    "a version is restored that was edited": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(tags__a="1")),
        ("ben", to("restore")),
    ],
    "an edited version is deleted": [
        BACKUP,
        ("ben", edit(tags__a="1")),
        ("carl, unseen", to("delete")),
    ],
    "descriptions are in conflict": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
    ],
    "one of two descriptions is taken": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        ("ann", take_candidate),
    ],
    "one of two descriptions stays": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        ("ann", take_standing),
    ],
    "one of three descriptions is taken": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        ("ann, unseen", edit(description="a")),
        ("ben", take_candidate),
    ],
    "a conflict is opened again": [
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        BACKUP,
        ("ann", take_candidate),
        ("ann", take_back),
    ],
    "a conflict comes, goes and is opened again": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        ("ann", take_candidate),
        ("ann", take_back),
    ],
    "a settled conflict is opened again and settled otherwise": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        ("ann", take_candidate),
        ("carl", open_again),
        ("ben", take_standing),
    ],
    "a settled conflict is opened again, and the value changed": [
        BACKUP,
        ("ben", edit(description="b")),
        ("carl, unseen", edit(description="c")),
        ("ann", take_candidate),
        ("carl", open_again),
        ("ben", edit(description="d")),
    ],
    "an edit of a deleted version is kept, and that taken back": [
        BACKUP,
        ("ben", to("delete")),
        ("carl, unseen", edit(tags__a="1")),
        ("ann", take_candidate),
        ("carl", open_again),
        ("ben", to("restore")),
    ],
    "a dataset is made by two": [
        BACKUP,
        ("ben", dataset(uri="s3://1")),
        ("carl, unseen", dataset(uri="s3://2")),
    ],
    "a check is changed and removed": [
        ("ann", check("true")),
        BACKUP,
        ("ben", check("false")),
        ("ann", forget_check),
    ],
    "a check goes back": [
        BACKUP,
        ("ann", check("true")),
        ("ben", check("false")),
        ("carl", check("true")),
    ],
    "an environment is made and changed": [
        BACKUP,
        ("ann", environment(kind="staging", expect="1m")),
        ("ben", environment(expect="2m")),
    ],
    "an environment is changed by three": [
        ("ann", environment(kind="staging", expect="1m")),
        BACKUP,
        ("ben", environment(expect="2m")),
        ("carl", environment(expect="1m", kind="production")),
        ("ann", environment(expect="3m")),
    ],
    "a dataset goes back": [
        BACKUP,
        ("ben", dataset(uri="s3://1", description="d")),
        ("ben", dataset(uri="s3://2")),
        ("ann", dataset(uri="s3://1")),
    ],
}

NAMES = ("ann", "ben", "carl")
FAST = "carl-ann-ben"
SLOW = ("ben-carl-ann",)
"""Orders in which who came later comes back first; REGTUI_ORDERS takes all six."""

ALL = ["-".join(order) for order in permutations(NAMES)]
ORDERS = [
    pytest.param(order.split("-"), id=order, marks=[] if order == FAST else pytest.mark.slow)
    for order in (ALL if os.environ.get("REGTUI_ORDERS") else (FAST, *SLOW))
]


def team(world: World, folder: Path) -> dict[str, Person]:
    for name in NAMES:
        world.grant(name, "admin", "*")
    made = {name: signed_in(world, name) for name in NAMES}
    made["ann"].registry.capture(weights(folder, "one"), model=MODEL)
    for person in made.values():
        person.sync()
    return made


def known(person: Person) -> dict[str, Any]:
    """Return what holds, without who made a definition first."""
    found = {}
    for identity, (values, facts) in state(person).items():
        kept = {name: one for name, one in facts.items() if name not in {"created", "author"}}
        found[identity] = (values, kept)
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_did_whoever_comes_back_first(
    world: World, tmp_path: Path, story: str, order: list[str]
) -> None:
    people = team(world, tmp_path)
    backup = None
    for who, act in STORIES[story]:
        if act is None:
            backup = back_up(world)
            continue
        name, _, unseen = who.partition(", ")
        if not unseen:
            people[name].sync()
        act(people[name].registry)
        people[name].sync()
        assert people[name].registry.outbox() == []
    for person in people.values():
        person.sync()
    before = known(people["ann"])
    assert backup is not None
    put_back(world, backup, told=True)
    for name in order * 3:
        people[name].sync()
    assert known(people["ann"]) == before
    assert [one.kind for person in people.values() for one in person.registry.outbox()] == []
