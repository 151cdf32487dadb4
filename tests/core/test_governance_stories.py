"""Random stories about production: whatever people do, nothing moves past what protects it.

People of every role work offline and not, and after each accepted operation the oracle says whether
the policies that were in force right before it allowed what moved. What a replica shows on top of
what was accepted never is a move that others decide about.
"""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import deployment_id
from regtui.core.inverse import inverse
from regtui.core.judgement import judge
from regtui.core.operations import KINDS, Operation
from regtui.core.verdicts import Accepted, Judged, LogRow
from regtui.core.view import Contents
from tests.core import governance_oracle as oracle
from tests.core.registry_state import SECOND, Authority, Replica

CHAPTERS = 8
SEEDS = settings().max_examples // 4
HOUR = 3_600 * SECOND

Pick = Callable[[int], int]
"""Chooses one of so many."""

ROLES: dict[str, tuple[tuple[Role, str], ...]] = {
    "vic": ((Role.VIEWER, "*"),),
    "cora": ((Role.CONTRIBUTOR, "*"),),
    "ada": ((Role.APPROVER, "*"),),
    "abe": ((Role.APPROVER, "nlp/bert"), (Role.CONTRIBUTOR, "*")),
    "max": ((Role.MAINTAINER, "*"),),
    "mia": ((Role.MAINTAINER, "nlp/*"),),
    "eve": ((Role.ADMIN, "*"),),
    "rita": ((Role.REPORTER, "*"), (Role.VIEWER, "*")),
    "bot": ((Role.APPROVER, "*"),),
    "robot": ((Role.MAINTAINER, "nlp/bert"),),
}
OWNERS = {"bot": "ada", "robot": "max"}
MODELS = ("nlp/bert", "nlp/t5", "NLP/Bert")
ALIASES = ("production", "Production", "champion")
ENVIRONMENTS = ("prod", "PROD", "test")
SCOPES = ("*", "nlp/*", "nlp/bert")


class Story(Authority):
    """An authority that asks the oracle about everything that it accepts.

    Attributes:
        saw: What each reviewer had before him, by the review's operation.
        rows: The history rows of each operation.
        moves: How many protected targets moved.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saw: dict[str, Any] = {}
        self.rows: dict[str, tuple[LogRow, ...]] = {}
        self.moves = 0
        self.acting: Actor | None = None

    def judge(self, operation: Operation, actor: Actor) -> Judged:
        """Judge, and keep the outcome; that judging is a pure function is told elsewhere."""
        self.acting = actor
        judged = judge(operation, self.state, actor, self.now)
        self._check(operation, judged)
        self.state.apply(operation, judged)
        return judged

    def _check(self, operation: Operation, judged: Judged) -> None:
        super()._check(operation, judged)
        self.rows[operation.id] = judged.log
        if not isinstance(judged.verdict, Accepted):
            return
        assert self.acting is not None
        before, now = self.state, self.now
        wrong = [*oracle.objections(before, operation, judged, self.acting, now, self.saw)]
        assert wrong == [], (operation, wrong)
        for options in oracle.arrivals(before, operation, judged, self.acting):
            for one in options:
                if one.request is not None and not one.applied:
                    stood = oracle.standing(before, judged, one, self.saw)
                    self.saw[oracle.applied_key(one.request)] = stood
        for one, *_ in oracle.arrivals(before, operation, judged, self.acting):
            self.moves += bool(oracle.protecting(before, one.model, one.kind, one.name))


def documents(who: Replica, *kinds: str) -> list[Document]:
    return [document for kind in kinds for document in who.state.of_kind(kind)]


def one_of(who: Replica, pick: Pick, *kinds: str) -> Document | None:
    found = documents(who, *kinds)
    return found[pick(len(found))] if found else None


def create(who: Replica, pick: Pick) -> None:
    name = MODELS[pick(3)]
    newest = who.state.generation(name.lower())
    holds = who.state.holder(name.lower()) is not None
    generation = 0 if newest is None else newest + (not holds)
    who.create(name, {}, generation=generation)


def capture(who: Replica, pick: Pick) -> None:
    model = one_of(who, pick, "model")
    if model is not None:
        who.capture(model.id, f"content {pick(4)}", {"metrics/f1": {"value": pick(3) / 2}})


def edit(who: Replica, pick: Pick) -> None:
    document = one_of(who, pick, "version", "version", "model")
    if document is None:
        return
    values: dict[str, Any] = {"description": ("one", " ", None)[pick(3)]}
    if document.kind == "version":
        parent = "00000000-0000-4000-8000-000000000000"
        values = [
            values,
            {"tags/task": ("ner", "pos", None)[pick(3)]},
            {"metrics/f1": {"value": (0.25, 0.75, "NaN")[pick(3)]}},
            {f"parents/{parent}": (True, None)[pick(2)]},
        ][pick(4)]
    who.edit(document.id, values)


def alias(who: Replica, pick: Pick) -> None:
    version = one_of(who, pick, "version")
    if version is None:
        return
    if pick(4) == 0:
        who.unpoint(version.stream, ALIASES[pick(3)])
    else:
        who.point(version.stream, ALIASES[pick(3)], version.id)


def move(who: Replica, pick: Pick) -> None:
    document = one_of(who, pick, "version", "version", "model")
    if document is not None:
        (who.archive, who.delete, who.restore)[pick(3)](document.id)


def resolve(who: Replica, pick: Pick) -> None:
    conflict = one_of(who, pick, "conflict")
    if conflict is None:
        return
    if conflict.value("resolution") is not None:
        who.reopen(conflict.id)
        return
    choices = ["accepted", *conflict.entries("candidates")]
    who.resolve(conflict.id, choices[pick(len(choices))])


def undo(who: Replica, pick: Pick) -> None:
    """Take back anything that is known here, in the steps that the core says."""
    story = who.authority
    assert isinstance(story, Story)
    known = [*who.accepted.history.values()][-12:]
    if not known:
        return
    past = known[pick(len(known))].operation
    try:
        for draft in inverse(past, story.rows[past.id], who.state):
            made = who.draft(draft.kind, draft.stream, draft.entity, draft.body)
            operation = msgspec.structs.replace(made, undoes=past.id)
            who.pending.append(operation)
            who._preview(operation)
    except (BadInput, NotFound):
        return


def policy(who: Replica, pick: Pick) -> None:
    name, scope = ("p", "q")[pick(2)], SCOPES[pick(3)]
    if pick(6) == 0:
        who.remove_policy(name, models=scope)
        return
    target = {"alias": ALIASES[pick(2)]} if pick(3) else {"environment": ENVIRONMENTS[pick(2)]}
    words: list[dict[str, Any]] = [
        {"approvals": 1},
        {"approvals": 2},
        {"approvals": 1, "approver_role": "maintainer"},
        {"four_eyes": True},
        {"checks": ["smoke"]},
        {"checks": ["smoke"], "max_age": "1h"},
        {"metadata": ["description"]},
        {"metadata": ["model.description", "tags.task"]},
        {"rule": "checks.smoke.f1 >= 0.5"},
        {"rule": "version.metrics.f1 > 0.5", "trust": ("checks", "declared")[pick(2)]},
        {"rule": 'version.tags.task == "ner"'},
        {"complete": True},
        {"safe_files": True},
        {"lineage": True},
        {"soak": {"environment": "Test", "for": "2h"}},
        {"freeze": ["fri 16:00 - mon 08:00"]},
    ]
    asked: dict[str, Any] = {}
    for _ in range(1 + pick(2)):
        asked |= words[pick(len(words))]
    asked |= ({}, {"rollback": "free"})[pick(2)] | ({}, {"break_glass": True})[pick(2)]
    who.put_policy(name, {**target, **asked}, models=scope)


def check(who: Replica, pick: Pick) -> None:
    scope = SCOPES[pick(2)]
    if pick(5) == 0:
        who.remove_check("smoke", models=scope)
    else:
        who.put_check("smoke", {"run": ("true", "false")[pick(2)]}, models=scope)


def report(who: Replica, pick: Pick) -> None:
    version = one_of(who, pick, "version")
    if version is not None:
        figures = {"f1": (0.25, 0.75, "NaN")[pick(3)]}
        who.report(version.id, "smoke", ("passed", "passed", "failed")[pick(3)], figures)


def environment(who: Replica, pick: Pick) -> None:
    values = ({}, {"protected": False}, {"protected": True}, {"state": "removed"})[pick(4)]
    who.put_environment(ENVIRONMENTS[pick(3)], values)


def request(who: Replica, pick: Pick) -> None:
    ask(who, pick)


def ask(who: Replica, pick: Pick) -> Operation | None:
    version = one_of(who, pick, "version")
    if version is None:
        return None
    auto = pick(2) == 0
    if pick(3):
        target = None if pick(6) == 0 else version.id
        return who.request(version.stream, ALIASES[pick(3)], target, auto=auto)
    name = ENVIRONMENTS[pick(3)]
    return who.request(version.stream, name, version.id, kind="environment", auto=auto)


def waiting(who: Replica, pick: Pick) -> Document | None:
    """Return a request, mostly one that is open."""
    found = documents(who, "promotion")
    found = [one for one in found if one.value("state") == "open"] or found
    return found[pick(len(found))] if found else None


def review(who: Replica, pick: Pick) -> None:
    promotion = waiting(who, pick)
    if promotion is not None:
        verdict = ("approve", "approve", "approve", "approve", "reject", "none")[pick(6)]
        say(who, promotion, verdict)


def say(who: Replica, promotion: Document, verdict: str) -> None:
    """Review a request, and keep what was there to be seen."""
    story = who.authority
    assert isinstance(story, Story)
    seen = oracle.looked_at(who.state, promotion)
    story.saw[who.review(promotion.id, verdict).id] = seen


def apply(who: Replica, pick: Pick) -> None:
    promotion = waiting(who, pick)
    if promotion is not None:
        who.apply(promotion.id, break_glass=(None, None, None, "fire", " ")[pick(5)])


def withdraw(who: Replica, pick: Pick) -> None:
    promotion = waiting(who, pick)
    if promotion is not None:
        who.withdraw_request(promotion.id)


def deploy(who: Replica, pick: Pick) -> None:
    version = one_of(who, pick, "version")
    if version is None:
        return
    other = one_of(who, pick, "deployment") if pick(2) else None
    who.deploy(
        version.id,
        ENVIRONMENTS[pick(3)],
        target=("", "", "eu")[pick(3)],
        state=("live", "pending")[pick(2)],
        replaces=None if other is None else other.id,
        rollback_of=None if other is None or pick(2) else other.id,
        break_glass=(None, None, None, "fire")[pick(4)],
    )


def transition(who: Replica, pick: Pick) -> None:
    deployment = one_of(who, pick, "deployment")
    if deployment is not None:
        states = ("live", "live", "draining", "stopped", "failed", "rolled_back")
        who.transition(deployment.id, states[pick(6)])


def rights(who: Replica, pick: Pick) -> None:
    """Take roles from somebody, or give them back."""
    held = ROLES[who.actor.name]
    lower = (held, held, ((Role.VIEWER, "*"),), ())[pick(4)]
    grants = tuple(Grant(role, scope) for role, scope in lower)
    actor = Actor(who.actor.id, who.actor.name, grants, who.actor.owner)
    who.actor = who.authority.state.people[actor.id] = actor


def files(who: Replica, pick: Pick) -> None:
    """Let files arrive at the server, and let it look at them."""
    version = one_of(who, pick, "version")
    if version is not None:
        known = (True, True, False, None)
        who.authority.state.stored[version.id] = Contents(known[pick(4)], known[pick(4)])


def clocks(who: Replica, pick: Pick) -> None:
    who.clock = max(0, who.clock + (pick(4) - 1) * HOUR)
    who.authority.now += (0, HOUR // 2, HOUR, 30 * HOUR)[pick(4)]


def sync(who: Replica, pick: Pick) -> None:
    who.sync()


def pull(who: Replica, pick: Pick) -> None:
    who.pull()


ACTIONS = (
    create,
    capture,
    edit,
    edit,
    alias,
    alias,
    move,
    resolve,
    undo,
    policy,
    check,
    report,
    environment,
    request,
    request,
    review,
    review,
    review,
    apply,
    apply,
    withdraw,
    deploy,
    transition,
    rights,
    files,
    clocks,
    sync,
    sync,
    pull,
)


def campaign(people: dict[str, Replica], pick: Pick) -> None:
    """Promote online, as one should, or nearly so."""

    def chosen(*names: str) -> Replica:
        who = people[names[pick(len(names))]]
        who.sync()
        return who

    author = chosen("cora", "max", "mia")
    asked = ask(author, pick)
    author.sync()
    if asked is None:
        return
    if asked.body.version is not None and pick(4):
        rita = chosen("rita")
        if rita.state.document(asked.body.version) is not None:
            rita.report(asked.body.version, "smoke", "passed", {"f1": 0.75})
        rita.sync()
    for who in (chosen("ada", "bot", "max"), chosen("abe", "robot", "mia")):
        promotion = who.state.document(asked.entity)
        if promotion is not None and pick(4):
            say(who, promotion, ("approve", "approve", "approve", "reject")[pick(4)])
        shows_no_governed_move(who)
        who.sync()
    last = chosen("max", "mia", "eve")
    if last.state.document(asked.entity) is not None:
        last.apply(asked.entity, break_glass=(None, None, None, "fire")[pick(4)])
        shows_no_governed_move(last)
    last.sync()
    if last.state.document(deployment_id(asked.entity)) is not None:
        last.transition(deployment_id(asked.entity), "live")
        shows_no_governed_move(last)
        last.sync()


def shows_no_governed_move(who: Replica) -> None:
    """A replica shows of what policies govern what was accepted, whatever waits to be sent."""
    accepted, shown = who.accepted, who.state
    assert accepted.of_kind("policy") == shown.of_kind("policy")
    for one in shown.of_kind("alias"):
        model = shown.documents[one.stream]
        if oracle.protecting(accepted, model, "alias", oracle.key(one.facts["name"])):
            known = accepted.document(one.id)
            assert one.value("version") == (None if known is None else known.value("version"))
    for one in shown.of_kind("deployment"):
        name, model = oracle.key(one.facts["environment_name"]), shown.documents[one.stream]
        governed = oracle.protecting(accepted, model, "environment", name)
        if one.value("state") in {"pending", "live"} and (
            governed or oracle.says_protected(accepted, name)
        ):
            assert oracle.state_of(accepted, one.id) == one.value("state")


def tell(pick: Pick, length: int) -> Story:
    """Let ten people do so many things, and then let everything arrive."""
    story = Story()
    people = {name: story.person(name, *grants) for name, grants in ROLES.items()}
    for name, owner in OWNERS.items():
        who = people[name]
        held = Actor(who.actor.id, name, who.actor.grants, people[owner].actor.id)
        who.actor = story.state.people[held.id] = held
    mia = people["max"]
    model = mia.create(MODELS[0]).entity
    for content in range(2):
        mia.capture(model, f"content {content}")
    mia.put_environment("test", {"protected": False})
    mia.put_environment("prod", {"protected": pick(2) == 0})
    mia.sync()
    policy(mia, pick)
    policy(mia, pick)
    mia.sync()
    for who in people.values():
        who.pull()
    everybody = [*people.values()]
    for _ in range(length):
        if pick(6) == 0:
            campaign(people, pick)
            continue
        who = everybody[pick(len(everybody))]
        ACTIONS[pick(len(ACTIONS))](who, pick)
        shows_no_governed_move(who)
    for who in everybody:
        who.sync()
        shows_no_governed_move(who)
    return story


@given(st.data(), st.integers(0, 20))
def test_nothing_moves_past_the_policies_in_a_story(data: st.DataObject, length: int) -> None:
    tell(lambda choices: data.draw(st.integers(0, choices - 1)), length)


@pytest.mark.parametrize("chapter", range(CHAPTERS))
def test_nothing_moves_past_the_policies_in_a_long_story(chapter: int) -> None:
    seeds = range(chapter * SEEDS, (chapter + 1) * SEEDS)
    moved = [tell(random.Random(seed).randrange, 50).moves for seed in seeds]
    assert sum(moved) > len(moved) / 5  # else they tell of nothing


def test_every_kind_that_is_not_administration_is_told_of() -> None:
    kinds = {"comment.add", "comment.edit", "dataset.put"}
    story: set[str] = set()
    for seed in range(60):
        told = tell(random.Random(seed).randrange, 60)
        story |= {past.operation.kind for past in told.state.history.values()}
    administration = {kind for kind in KINDS if kind.partition(".")[0] in ADMINISTERED}
    assert story >= KINDS.keys() - administration - kinds


ADMINISTERED = {"user", "team", "grant", "replica"}
