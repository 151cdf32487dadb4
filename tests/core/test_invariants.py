"""Random stories of three people, offline and not; every judgement in them is checked."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.core.access import ADMINISTRATION
from regtui.core.documents import Document
from regtui.core.encoding import digest
from regtui.core.identity import (
    check_id,
    dataset_id,
    environment_id,
    policy_id,
    version_id,
)
from regtui.core.operations import (
    KINDS,
    ActBody,
    AliasBody,
    CaptureBody,
    Change,
    Changes,
    CheckBody,
    CommentBody,
    DatasetBody,
    DeploymentBody,
    EditBody,
    EnvironmentBody,
    ModelBody,
    Operation,
    PolicyBody,
    ReportBody,
    RequestBody,
    ResolveBody,
    ReviewBody,
    StateBody,
    TransitionBody,
)
from regtui.core.verdicts import Judged
from tests.core import invariants
from tests.core.registry_state import SECOND, Authority, Replica

NAMES = ("nlp/bert", "nlp/t5")
LINES = ("alpha\n", "beta\n", "gamma\n", "delta\n", "omega\n")

CHAPTERS = 8
SEEDS = settings().max_examples // 3
"""Long stories in a chapter: they reach further than short ones, but shrink to nothing less."""

Pick = Callable[[int], int]
"""Chooses one of so many."""


class Checked(Authority):
    """An authority that looks at the whole state after every operation."""

    def _check(self, operation: Operation, judged: Judged) -> None:
        super()._check(operation, judged)
        invariants.check(self.state, operation, judged)


def documents(who: Replica, *kinds: str) -> list[Document]:
    return [document for kind in kinds for document in who.state.of_kind(kind)]


def edit(who: Replica, pick: Pick) -> None:
    known = [d for d in documents(who, "model", "version") if d.value("state") != "deleted"]
    if not known:
        return
    document = known[pick(len(known))]
    values: dict[str, Any] = {
        "description": ("one", "two", None)[pick(3)],
        f"tags/{pick(2)}": ("x", "y", None)[pick(3)],
    }
    if document.kind == "model":
        text = who.text(document.id, "card") or "".join(LINES)
        lines = text.splitlines(keepends=True)
        lines[pick(len(lines))] = LINES[pick(len(LINES))].upper()
        values["card"] = ("".join(lines), None)[pick(8) == 0]
        values[f"owners/{pick(2)}"] = (True, None)[pick(2)]
    else:
        step = (None, 0, 1, 2)[pick(4)]
        metric = {"value": pick(3) / 2} | ({} if step is None else {"step": step})
        values[f"metrics/{pick(2)}"] = (metric, metric, None)[pick(3)]
    chosen = sorted(values)[pick(len(values)) :][: 1 + pick(2)]
    who.edit(document.id, {path: values[path] for path in chosen})


def create(who: Replica, pick: Pick) -> None:
    name = (NAMES[pick(2)], NAMES[0].upper())[pick(4) == 0]
    newest = who.state.generation(name.lower())
    description = {"description": ("one", "two")[pick(2)]} if pick(2) else {}
    who.create(name, {**description, "owners/0": True}, generation=newest or 0)


def capture(who: Replica, pick: Pick) -> None:
    known = documents(who, "model")
    if known:
        place = {
            "host": who.actor.name,
            "folder": "/",
            "name": "last",
            "at": 1,
            "author": who.actor.id,
        }
        values = {f"places/{pick(2)}": place, "metrics/0": {"value": 0.5}}
        who.capture(known[pick(len(known))].id, f"content {pick(3)}", values, nonce="n" * pick(2))


def alias(who: Replica, pick: Pick) -> None:
    versions = documents(who, "version")
    if versions:
        version = versions[pick(len(versions))]
        name = ("champion", "next")[pick(2)]
        found = [a for a in documents(who, "alias") if a.stream == version.stream]
        if pick(4) == 0 and found:
            who.unpoint(version.stream, found[pick(len(found))].facts["name"])
        else:
            who.point(version.stream, name, version.id)


def move(who: Replica, pick: Pick) -> None:
    known = documents(who, "model", "version", "version")
    if known:
        verb = (who.archive, who.delete, who.restore)[pick(3)]
        verb(known[pick(len(known))].id)


def resolve(who: Replica, pick: Pick) -> None:
    conflicts = documents(who, "conflict")
    if not conflicts:
        return
    conflict = conflicts[pick(len(conflicts))]
    if conflict.value("resolution") is not None:
        who.reopen(conflict.id)
        return
    choices = ["accepted", *conflict.entries("candidates")]
    values = {"description": "three", "card": "alpha\nomega\n", "text": "three", "uri": "c"}
    if conflict.facts["path"] in values:
        choices.append("value")
    who.resolve(conflict.id, choices[pick(len(choices))], values.get(conflict.facts["path"]))


def comment(who: Replica, pick: Pick) -> None:
    own = [c for c in documents(who, "comment") if c.facts["author"] == who.actor.id or not pick(9)]
    about = documents(who, "model", "version")
    if own and pick(2):
        change = {"text": ("one", "two", "three")[pick(3)]} if pick(3) else {}
        state = {"state": ("posted", "withdrawn")[pick(2)]} if not change else {}
        who.edit(own[pick(len(own))].id, {**change, **state})
    elif about:
        who.comment(about[pick(len(about))].id, "one")


def dataset(who: Replica, pick: Pick) -> None:
    values: dict[str, Any] = {"uri": ("a", "b")[pick(2)], "tags/0": ("x", "y", None)[pick(3)]}
    if pick(3) == 0:
        values["state"] = ("active", "deleted")[pick(2)]
    who.put_dataset(("imdb", "IMDB")[pick(2)], values)


def forge(who: Replica, pick: Pick) -> None:
    """Push what no honest replica makes: stamps, bases and entities taken from anywhere."""
    state = who.authority.state
    entities, stamps = [*state.documents], [None, "nobody's", *state.history]
    document = state.documents[entities[pick(len(entities))]]
    path, to = FORGED[pick(len(FORGED))]
    texts = [None, "no text", *state.texts]
    change = Change(to, saw=stamps[pick(len(stamps))], was=texts[pick(len(texts))])
    kinds = sorted(KINDS.keys() - ADMINISTRATION)
    kind = kinds[pick(len(kinds))]
    body = {
        "edit": EditBody({path: change}),
        "create": ModelBody(NAMES[pick(2)], pick(3), {path: change}),
        "capture": CaptureBody(digest(b"content 0"), "", 1, 1, {path: change}),
        "set": AliasBody("champion", {"version": change}),
        "remove": AliasBody("champion", {"version": change}),
        "add": CommentBody(document.id, document.kind, {"text": change}),
        "resolve": forged_resolution(document, pick, {} if pick(3) else {path: change}),
    }.get(kind.partition(".")[2], StateBody(change.saw, {"state": change}))
    body = forged_production(document, pick, {path: change}).get(kind, body)
    fits = {"version": version_id(document.stream, digest(b"content 0"))}
    named = {
        "dataset": dataset_id("imdb"),
        "policy": policy_id("*", "prod"),
        "check": check_id("*", "smoke"),
        "environment": environment_id("test"),
    }.get(kind.partition(".")[0])
    stream = document.stream if named is None else "registry"
    others = (named,) if named is not None else (who._minted(),)
    for entity in (document.id, fits.get(document.kind, document.stream), *others):
        operation = who.draft(kind, stream, entity, body)
        who.authority.judge(operation, who.actor)


def forged_production(document: Document, pick: Pick, changes: Changes) -> dict[str, Any]:
    """Return bodies of what policies are about, for things that are none of theirs."""
    entity, none = document.id, Changes()
    act = ActBody((None, "", "fire")[pick(3)], none)
    policy = PolicyBody("prod", "*", {"definition": Change({"alias": "champion"})})
    return {
        "dataset.put": DatasetBody("imdb", changes),
        "policy.put": (policy, PolicyBody("prod", "*", changes))[pick(2)],
        "policy.remove": PolicyBody("prod", "*", {"state": Change("removed")}),
        "check.put": CheckBody("smoke", "*", {"definition": Change({"run": "true"})}),
        "check.remove": CheckBody("smoke", "*", changes),
        "check.report": ReportBody(
            entity, "smoke", None, "passed", {"f1": "NaN"}, "box", 0, pick(2), None, none
        ),
        "environment.put": EnvironmentBody("test", {"protected": Change(pick(2) == 0)}),
        "promotion.request": RequestBody(entity, "alias", "champion", pick(2) == 0, none),
        "promotion.review": ReviewBody(("approve", "reject", "none")[pick(3)], "", {}, none),
        "promotion.apply": act,
        "promotion.withdraw": act,
        "deployment.record": DeploymentBody(
            entity, "test", "", ("live", "pending")[pick(2)], None, None, None, changes
        ),
        "deployment.transition": TransitionBody(("live", "stopped")[pick(2)], "", none),
    }


def forged_resolution(document: Document, pick: Pick, changes: Changes) -> ResolveBody:
    """Resolve a conflict by what is no choice of it, or say so of something else."""
    candidates = [*document.entries("candidates")]
    choices = ["accepted", "value", None, "nobody's", *candidates]
    facts = document.facts
    seen = candidates[pick(2) :]
    return ResolveBody(
        facts.get("of", document.id),
        facts.get("of_kind", document.kind),
        choices[pick(len(choices))],
        seen,
        changes,
    )


def clocks(who: Replica, pick: Pick) -> None:
    who.clock = max(0, who.clock + (pick(4) - 1) * 900 * SECOND)
    who.authority.now += pick(3) * 60 * SECOND


def sync(who: Replica, pick: Pick) -> None:
    who.sync()


def pull(who: Replica, pick: Pick) -> None:
    who.pull()


FORGED: tuple[tuple[str, Any], ...] = (
    ("description", "forged"),
    ("tags/0", "forged"),
    ("tags/0", None),
    ("card", "ALPHA\nforged\n"),
    ("metrics/0", {"value": 1.0}),
    ("owners/0", True),
    ("state", "deleted"),
    ("state", "archived"),
    ("state", "active"),
    ("state", "captured"),
    ("name", "nlp/other"),
    ("version", None),
    ("text", "forged"),
    ("uri", "forged"),
    ("state", "withdrawn"),
)

ACTIONS = (
    create,
    capture,
    capture,
    edit,
    edit,
    edit,
    edit,
    alias,
    move,
    resolve,
    resolve,
    comment,
    dataset,
    clocks,
    sync,
    sync,
    pull,
    forge,
)


def tell(pick: Pick, length: int) -> None:
    """Let three people do so many things, and then let everything arrive."""
    authority = Checked()
    people = [authority.person(name) for name in ("ann", "ben", "cara")]
    model = people[0].create(NAMES[0]).entity
    people[0].capture(model, "content 0")
    people[0].sync()
    for person in people:
        person.pull()
    for _ in range(length):
        ACTIONS[pick(len(ACTIONS))](people[pick(len(people))], pick)
    for person in people:
        person.sync()


@given(st.data(), st.integers(0, 25))
def test_every_judgement_in_a_story_keeps_the_invariants(data: st.DataObject, length: int) -> None:
    tell(lambda choices: data.draw(st.integers(0, choices - 1)), length)


@pytest.mark.parametrize("chapter", range(CHAPTERS))
def test_every_judgement_in_a_long_story_keeps_the_invariants(chapter: int) -> None:
    for seed in range(chapter * SEEDS, (chapter + 1) * SEEDS):
        tell(random.Random(seed).randrange, 60)
