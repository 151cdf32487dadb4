"""Every gate: one state in which it passes, and one in which it alone says no."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from regtui.core.access import Actor, Grant, Role
from regtui.core.governance import GateResult, gate_results
from regtui.core.governance.rule import check_sense
from regtui.core.governance.signing import signed_statement
from regtui.core.identity import alias_id, user_id
from regtui.core.judgement.moving import requested_move
from regtui.core.verdicts import Accepted, Rejected
from regtui.core.view import Contents
from tests.core.registry_state import SECOND, Authority, RegistryState, Replica

if TYPE_CHECKING:
    from regtui.core.documents import Document

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
TUESDAY = 1_700_000_000 * SECOND
"""2023-11-14 22:13:20 UTC."""


class World:
    """A model whose alias `production` is to move from one version to another.

    Ann maintains, carl and dora approve, `runner` reports. Everything is done online.
    """

    def __init__(self) -> None:
        self.authority = Authority()
        self.ann = self.authority.person("ann")
        self.ben = self.authority.person("ben", (Role.CONTRIBUTOR, "*"))
        self.carl = self.authority.person("carl", (Role.APPROVER, "*"))
        self.dora = self.authority.person("dora", (Role.APPROVER, "*"))
        self.eve = self.authority.person("eve", (Role.ADMIN, "*"))
        self.runner = self.authority.person("runner", (Role.REPORTER, "*"), (Role.VIEWER, "*"))
        self.model = self.does(self.ann, lambda who: who.create("nlp/bert"))
        self.old = self.does(self.ann, lambda who: who.capture(self.model, "old"))
        self.new = self.does(self.ann, lambda who: who.capture(self.model, "new"))
        self.does(self.ann, lambda who: who.point(self.model, "production", self.old))
        self.request = ""

    @property
    def state(self) -> RegistryState:
        return self.authority.state

    def does(self, who: Replica, what: Callable[[Replica], Any]) -> str:
        """Let somebody do something that is accepted, and return what it is about."""
        who.pull()
        operation = what(who)
        verdicts = who.sync()
        assert all(isinstance(one, Accepted) for one in verdicts), verdicts
        return str(operation.entity)

    def ask(self, policy: dict[str, Any], version: str | None = "new", **more: Any) -> None:
        """Put the policy, and ask for the move."""
        definition = {"alias": "production", **policy}
        if "environment" in policy:
            del definition["alias"]
        self.does(self.ann, lambda who: who.put_policy("prod", definition))
        target = {self.new: self.new, "new": self.new, "old": self.old}.get(str(version), version)
        self.request = self.does(
            self.ann, lambda who: who.request(self.model, "production", target, **more)
        )

    def approve(self, who: Replica, verdict: str = "approve") -> None:
        self.does(who, lambda one: one.review(self.request, verdict, "told so"))

    def report(self, version: str | None = None, outcome: str = "passed", **figures: Any) -> None:
        about = self.new if version is None else version
        self.does(self.runner, lambda who: who.report(about, "smoke", outcome, figures))

    def edit(self, entity: str, **values: Any) -> None:
        named = {path.replace("__", "/"): value for path, value in values.items()}
        self.does(self.ann, lambda who: who.edit(entity, named))

    def results(self, view: RegistryState | None = None) -> list[GateResult]:
        seen = view or self.state
        request, model = seen.documents[self.request], seen.documents[self.model]
        move = requested_move(request, seen)
        return gate_results(move, model, seen, self.ann.actor, self.authority.now)

    def against(self, view: RegistryState | None = None) -> list[str]:
        return [one.gate for one in self.results(view) if one.passed is False]

    def unknown(self, view: RegistryState | None = None) -> list[str]:
        return [one.gate for one in self.results(view) if one.passed is None]

    def apply(self, who: Replica | None = None, **more: Any) -> Any:
        actor = who or self.ann
        actor.pull()
        actor.apply(self.request, **more)
        verdicts = actor.sync()
        return verdicts[-1]

    def stands(self) -> str | None:
        alias: Document = self.state.documents[alias_id(self.model, "production")]
        value: str | None = alias.value("version")
        return value


Step = Callable[[World], object]


class Row(Struct, frozen=True):
    """A gate, the policy that asks it, and what is done before and after the request."""

    gate: str
    policy: dict[str, Any]
    good: Step
    bad: Step
    before: Step = lambda _: None


def nothing(_: World) -> None:
    """Leave it as it is."""


def at(hours: float) -> Step:
    """Go on by so many hours after Tuesday evening."""

    def step(world: World) -> None:
        world.authority.now = TUESDAY + int(hours * HOUR)

    return step


def card(text: str) -> Step:
    return lambda world: world.edit(world.model, card=text)


def both(*steps: Step) -> Step:
    def step(world: World) -> None:
        for one in steps:
            one(world)

    return step


def check(world: World) -> None:
    world.does(world.ann, lambda who: who.put_check("smoke", {"run": "true"}))


def changed_check(world: World) -> None:
    world.report()
    world.does(world.ann, lambda who: who.put_check("smoke", {"run": "false"}))


def by(name: str) -> Step:
    """Report by somebody who is no reporter."""
    return lambda world: world.does(
        getattr(world, name), lambda who: who.report(world.new, "smoke")
    )


def stored(complete: bool | None, safe: bool | None) -> Step:
    def step(world: World) -> None:
        world.state.stored[world.new] = Contents(complete, safe)

    return step


def signature(of: str = "", by_another: bool = False) -> Step:
    def step(world: World) -> None:
        key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        kept = (other if by_another else key).public_key().public_bytes_raw().hex()
        world.state.public_keys[world.ann.id] = kept
        digest = of or str(world.state.documents[world.new].facts["digest"])
        signed = key.sign(signed_statement(digest)).hex()
        world.does(world.ann, lambda w: w.edit(world.new, {f"signatures/{world.ann.id}": signed}))

    return step


def place(**git: Any) -> Step:
    def step(world: World) -> None:
        found = {
            "host": "h", "folder": "/", "name": "m", "at": 1, "author": user_id("a"),
            "context": {"git": git},
        }  # fmt: skip
        world.does(world.ann, lambda who: who.capture(world.model, "new", {"places/a": found}))

    return step


def live(version: str, *, hours: float, ends: str | None = None) -> Step:
    def step(world: World) -> None:
        world.does(world.ann, lambda who: who.put_environment("Staging", {"protected": False}))
        about = getattr(world, version)
        deployment = world.does(world.ann, lambda who: who.deploy(about, "STAGING"))
        world.authority.now += int(hours * HOUR)
        if ends is not None:
            world.does(world.ann, lambda who: who.transition(deployment, ends))
            world.authority.now += 100 * HOUR

    return step


def aged(hours: float) -> Step:
    def step(world: World) -> None:
        world.report()
        world.authority.now += int(hours * HOUR)

    return step


def demoted(world: World) -> None:
    world.approve(world.carl)
    actor = world.carl.actor
    lower = Actor(actor.id, actor.name, (Grant(Role.CONTRIBUTOR, "*"),))
    world.state.people[actor.id] = lower


def of_services(world: World) -> None:
    """Let two service accounts of one person approve."""
    for name in ("bot-1", "bot-2"):
        bot = world.authority.person(name, (Role.APPROVER, "*"))
        actor = Actor(bot.actor.id, name, bot.actor.grants, world.carl.actor.id)
        world.state.people[actor.id] = bot.actor = actor
        world.approve(bot)


def own_service(world: World) -> None:
    """Let a service account approve what its owner made."""
    bot = world.authority.person("bot", (Role.APPROVER, "*"))
    actor = Actor(bot.actor.id, "bot", bot.actor.grants, world.ann.actor.id)
    world.state.people[actor.id] = bot.actor = actor
    world.approve(bot)


def unreadable(world: World) -> None:
    """Let a newer program write the policy."""
    (policy,) = world.state.of_kind("policy")
    register = policy.fields["definition"]
    newer = type(register)({"alias": "production", "horoscope": "leo"}, register.by, register.at)
    fields = {**policy.fields, "definition": newer}
    world.state.documents[policy.id] = type(policy)(
        id=policy.id, kind="policy", stream="registry", seq=policy.seq, by=policy.by,
        facts=policy.facts, fields=fields,
    )  # fmt: skip


def conflict(world: World) -> None:
    """Let two people point the alias elsewhere before anything protects it."""
    third = world.does(world.ann, lambda who: who.capture(world.model, "third"))
    world.ann.pull()
    world.eve.pull()
    world.ann.point(world.model, "production", third)
    world.eve.point(world.model, "production", world.new)
    world.ann.sync()
    world.eve.sync()


def approved(world: World) -> None:
    world.approve(world.carl)


RATED = 'checks["smoke"].f1 >= 0.9'
BETTER = 'checks["smoke"].f1 >= current_checks["smoke"].f1 - 0.01'

ROWS = [
    Row("approvals", {"approvals": 1}, approved, nothing),
    Row("approvals", {"approvals": 2}, both(approved, lambda w: w.approve(w.dora)), approved),
    Row("approvals", {"approvals": 1}, approved, demoted),
    Row(
        "approvals",
        {"approvals": 2},
        both(approved, lambda w: w.approve(w.dora)),
        of_services,
    ),
    Row(
        "approvals",
        {"approvals": 1, "approver_role": "maintainer"},
        lambda w: w.approve(w.ann),
        approved,
    ),
    Row(
        "approvals",
        {"approvals": 1},
        approved,
        both(approved, lambda w: w.does(w.carl, lambda who: who.review(w.request, "none"))),
    ),
    Row(
        "rejection",
        {"approvals": 1},
        both(approved, lambda w: w.approve(w.dora, "reject"), lambda w: w.approve(w.dora)),
        both(approved, lambda w: w.approve(w.dora, "reject")),
    ),
    Row("rejection", {}, nothing, lambda w: w.approve(w.dora, "reject")),
    Row("four_eyes", {"four_eyes": True}, approved, lambda w: w.approve(w.ann)),
    Row("four_eyes", {"four_eyes": True}, approved, own_service),
    Row("check:smoke", {"checks": ["smoke"]}, World.report, nothing),
    Row("check:smoke", {"checks": ["smoke"]}, World.report, lambda w: w.report(outcome="failed")),
    Row("check:smoke", {"checks": ["smoke"]}, World.report, lambda w: w.report(outcome="error")),
    Row("check:smoke", {"checks": ["smoke"]}, World.report, lambda w: w.report(outcome="timeout")),
    Row("check:smoke", {"checks": ["smoke"]}, World.report, lambda w: w.report(w.old)),
    Row(
        "check:smoke",
        {"checks": ["smoke"]},
        both(lambda w: w.report(outcome="failed"), World.report),
        both(World.report, lambda w: w.report(outcome="failed")),
    ),
    Row("check:smoke", {"checks": ["smoke"]}, by("eve"), by("ben")),
    Row("check:smoke", {"checks": ["smoke"]}, by("runner"), by("ann")),
    Row("check:smoke", {"checks": ["smoke"]}, both(World.report, by("ben")), by("carl")),
    Row("check:smoke", {"checks": ["smoke"]}, World.report, changed_check, check),
    Row(
        "check:smoke",
        {"checks": ["smoke"]},
        both(changed_check, World.report),
        both(World.report, lambda w: w.does(w.ann, lambda who: who.remove_check("smoke"))),
        check,
    ),
    Row("check:smoke", {"checks": ["smoke"], "max_age": "1d"}, aged(24), aged(24.1)),
    Row(
        "metadata:description",
        {"metadata": ["description"]},
        lambda w: w.edit(w.new, description="good"),
        both(lambda w: w.edit(w.old, description="good"), lambda w: w.edit(w.new, description=" ")),
    ),
    Row(
        "metadata:tags.task",
        {"metadata": ["tags.task"]},
        lambda w: w.edit(w.new, tags__task="ner"),
        lambda w: w.edit(w.new, tags__other="ner"),
    ),
    Row(
        "metadata:params.lr",
        {"metadata": ["params.lr"]},
        lambda w: w.edit(w.new, params__lr=0),
        nothing,
    ),
    Row(
        "metadata:metrics.f1",
        {"metadata": ["metrics.f1"]},
        lambda w: w.edit(w.new, metrics__f1={"value": 0.5}),
        lambda w: w.edit(w.old, metrics__f1={"value": 0.5}),
    ),
    Row("metadata:card", {"metadata": ["card"]}, card("it works"), nothing),
    Row("metadata:card", {"metadata": ["card"]}, card("it works"), card(" \n")),
    Row("metadata:model.card", {"metadata": ["model.card"]}, card("it works"), card(" \n")),
    Row(
        "metadata:card.license",
        {"metadata": ["card.license"]},
        card("---\nlicense: mit\n---\n"),
        card("license: mit\n"),
    ),
    Row(
        "metadata:card.license",
        {"metadata": ["card.license"]},
        card("---\nlicense: false\n---\n"),
        card("---\nlicense: ''\n---\n"),
    ),
    Row(
        "metadata:card.model.size.params",
        {"metadata": ["card.model.size.params"]},
        card("---\nmodel:\n  size:\n    params: 7\n---\n"),
        card("---\nmodel:\n  size: 7\n---\n"),
    ),
    Row(
        "metadata:card.tags",
        {"metadata": ["card.tags"]},
        card("---\ntags: [a]\n---\n"),
        card("---\ntags: []\n---\n"),
    ),
    Row(
        "metadata:card.a",
        {"metadata": ["card.a"]},
        card("---\na: b\n---\n"),
        card("---\nb: &x [1]\na: *x\n---\n"),
    ),
    Row(
        "metadata:model.description",
        {"metadata": ["model.description"]},
        lambda w: w.edit(w.model, description="a model"),
        lambda w: w.edit(w.new, description="a version"),
    ),
    Row(
        "metadata:model.tags.task",
        {"metadata": ["model.tags.task"]},
        lambda w: w.edit(w.model, tags__task="ner"),
        lambda w: w.edit(w.new, tags__task="ner"),
    ),
    Row(
        "metadata:owners",
        {"metadata": ["owners"]},
        lambda w: w.edit(w.model, owners__ann=True),
        nothing,
    ),
    Row(
        "metadata:primary_metric",
        {"metadata": ["primary_metric"]},
        lambda w: w.edit(w.model, primary_metric="f1"),
        nothing,
    ),
    Row("rule", {"rule": RATED}, lambda w: w.report(f1=0.9), lambda w: w.report(f1=0.89)),
    Row("rule", {"rule": RATED}, lambda w: w.report(f1=1), lambda w: w.report(f1="NaN")),
    Row("rule", {"rule": RATED}, lambda w: w.report(f1="Infinity"), lambda w: w.report(f2=1.0)),
    Row("rule", {"rule": RATED}, lambda w: w.report(f1=1), nothing),
    Row(
        "rule",
        {"rule": 'checks["smoke"].f1 != 0.5'},
        lambda w: w.report(f1=0.6),
        lambda w: w.report(f1="NaN"),
    ),
    Row(
        "rule",
        {"rule": "has(checks.smoke) && checks.smoke.passed"},
        World.report,
        nothing,
    ),
    Row(
        "rule",
        {"rule": "!has(checks.smoke.loss) || checks.smoke.loss < 1.0"},
        World.report,
        lambda w: w.report(loss=1),
    ),
    Row(
        "rule",
        {"rule": BETTER},
        both(lambda w: w.report(w.old, f1=0.8), lambda w: w.report(f1=0.795)),
        both(lambda w: w.report(w.old, f1=0.8), lambda w: w.report(f1=0.78)),
    ),
    Row(
        "rule",
        {"rule": BETTER},
        both(lambda w: w.report(w.old, f1=0.8), lambda w: w.report(f1=0.795)),
        lambda w: w.report(f1=0.9),
    ),
    Row(
        "rule",
        {"rule": "version.metrics.f1 > 0.5", "trust": "declared"},
        lambda w: w.edit(w.new, metrics__f1={"value": 0.6}),
        lambda w: w.edit(w.new, metrics__f1={"value": "NaN"}),
    ),
    Row(
        "rule",
        {"rule": "version.metrics.f1 > current.metrics.f1", "trust": "declared"},
        both(
            lambda w: w.edit(w.old, metrics__f1={"value": 1}),
            lambda w: w.edit(w.new, metrics__f1={"value": 2}),
        ),
        both(
            lambda w: w.edit(w.old, metrics__f1={"value": 2}),
            lambda w: w.edit(w.new, metrics__f1={"value": 1}),
        ),
    ),
    Row(
        "rule",
        {"rule": 'version.tags.task == "ner" && model.name == "nlp/bert"'},
        lambda w: w.edit(w.new, tags__task="ner"),
        lambda w: w.edit(w.new, tags__task="pos"),
    ),
    Row(
        "rule",
        {"rule": 'version.params.lr < 0.1 && version.params.opt == "adam"'},
        lambda w: w.edit(w.new, params__lr=0, params__opt="adam"),
        lambda w: w.edit(w.new, params__lr="NaN", params__opt="adam"),
    ),
    Row("complete", {"complete": True}, stored(True, None), stored(False, True)),
    Row("safe_files", {"safe_files": True}, stored(None, True), stored(True, False)),
    Row("signed", {"signed": True}, signature(), nothing),
    Row("signed", {"signed": True}, signature(), signature(of="0" * 64)),
    Row("signed", {"signed": True}, signature(), signature(by_another=True)),
    Row("clean_git", {"clean_git": True}, place(commit="c" * 40, dirty=False), nothing),
    Row(
        "clean_git",
        {"clean_git": True},
        place(commit="c" * 40, dirty=False),
        place(commit="c" * 40, dirty=True),
    ),
    Row("clean_git", {"clean_git": True}, place(commit="c" * 40), place(dirty=False)),
    Row(
        "lineage",
        {"lineage": True},
        lambda w: w.does(w.ann, lambda who: who.edit(w.new, {f"parents/{w.old}": True})),
        nothing,
    ),
    Row(
        "lineage",
        {"lineage": True},
        lambda w: w.edit(w.new, inputs__train={"uri": "s3://a"}),
        lambda w: w.edit(w.old, inputs__train={"uri": "s3://a"}),
    ),
    Row("soak", {"soak": {"environment": "Staging", "for": "24h"}}, live("new", hours=24), nothing),
    Row(
        "soak",
        {"soak": {"environment": "staging", "for": "24h"}},
        live("new", hours=25, ends="stopped"),
        live("new", hours=23, ends="stopped"),
    ),
    Row(
        "soak",
        {"soak": {"environment": "staging", "for": "24h"}},
        live("new", hours=25, ends="draining"),
        live("new", hours=25, ends="failed"),
    ),
    Row(
        "soak",
        {"soak": {"environment": "staging", "for": "24h"}},
        live("new", hours=24),
        live("old", hours=99),
    ),
    Row(
        "soak",
        {"soak": {"environment": "staging", "for": "24h"}},
        live("new", hours=24),
        live("new", hours=25, ends="rolled_back"),
    ),
    # Tuesday 22:13: the Friday after begins 49.8 hours later.
    Row("freeze", {"freeze": ["fri 16:00 - mon 08:00"]}, at(65.7), at(65.8)),
    Row("freeze", {"freeze": ["fri 16:00 - mon 08:00"]}, at(129.8), at(129.7)),
    Row("freeze", {"freeze": ["FRI 16:00 - MON 08:00 +02:00"]}, at(63.7), at(63.8)),
    Row("freeze", {"freeze": ["fri 16:00 - mon 08:00 -05:30"]}, at(71.2), at(71.3)),
    Row("freeze", {"freeze": ["tue 22:00 - tue 23:00", "2030-01-01 - 2030-01-02"]}, at(1), at(0)),
    Row("freeze", {"freeze": ["2023-11-16 - 2023-11-17"]}, at(25.7), at(25.8)),
    Row("freeze", {"freeze": ["2023-11-16 - 2023-11-17"]}, at(73.8), at(73.7)),
    Row("freeze", {"freeze": ["2023-11-16 - 2023-11-17 +01:00"]}, at(72.8), at(72.7)),
    Row("policy", {}, nothing, unreadable),
    Row("no_conflict", {}, nothing, nothing),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.gate)
def test_a_gate_passes_and_fails_for_its_own_reason_alone(row: Row) -> None:
    good, bad = World(), World()
    for world, step in ((good, row.good), (bad, row.bad)):
        row.before(world)
        if row.gate == "no_conflict" and world is bad:
            conflict(world)
        world.ask(row.policy)
        step(world)
    assert good.against() == []
    assert bad.against() == [row.gate]
    if row.gate not in {"complete", "safe_files"}:
        assert good.unknown() == []
        assert type(good.apply()) is Accepted
        assert good.stands() == good.new
    before = bad.stands()
    verdict = bad.apply()
    assert isinstance(verdict, Rejected)
    assert verdict.code == "blocked"
    assert verdict.message.startswith(f"{row.gate}: ")
    assert bad.stands() == before


@pytest.mark.parametrize(
    ("hours", "limit", "told"),
    [
        (20 / 3600, "5s", "20 seconds"),
        (0.5, "5m", "30 minutes"),
        (1.5, "1h", "90 minutes"),
        (25, "1d", "25 hours"),
        (24 * 15, "2w", "15 days"),
    ],
)
def test_how_old_a_run_is_is_told_in_a_unit_that_fits(hours: float, limit: str, told: str) -> None:
    world = World()
    world.ask({"checks": ["smoke"], "max_age": limit})
    aged(hours)(world)
    (reason,) = [one.reason for one in world.results() if one.passed is False]
    assert reason == f"smoke passed {told} ago, more than {limit}"


def test_an_editable_metric_is_no_figure_of_a_rule_that_trusts_checks() -> None:
    world = World()
    world.ask({"rule": "version.metrics.f1 > 0.5"})
    world.edit(world.new, metrics__f1={"value": 0.9})
    assert world.against() == ["rule"]
    told = next(one.reason for one in world.results() if one.gate == "rule")
    assert told.startswith("the rule reads version.metrics")
    assert 'trust = "declared"' in told


def test_what_a_rule_only_tells_of_metrics_is_not_what_it_fails_by() -> None:
    world = World()
    rule = "version.number > 100.0 // no more version.metrics"
    world.ask({"rule": rule})
    (told,) = [one.reason for one in world.results() if one.passed is False]
    assert told == f"{rule} is false"


def test_a_rule_reads_what_was_asked_and_by_whom() -> None:
    world = World()
    author = world.ann.actor.id
    world.ask({"rule": f'request.author == "{author}" && request.reason == "better"'})
    assert world.against() == []


@pytest.mark.parametrize(
    "rule", ["1", '"true"', "0.0 / 0.0", "1 / 0 == 1", "version.nothing", 'version + 1 == "2"']
)
def test_a_rule_that_is_not_true_fails(rule: str) -> None:
    world = World()
    world.ask({"rule": rule})
    assert world.against() == ["rule"]


@pytest.mark.parametrize(
    "rule",
    [
        'model.name != "" // not version.metrics: anybody edits them',
        'model.name != "http://version.metrics"',
        "optional.of(1).hasValue()",
        'model.name.matches("^nlp") && !("a" in version.tags)',
        "version.params.all(name, name != 'x')",
    ],
)
def test_a_rule_that_may_hold_may_be_put(rule: str) -> None:
    check_sense(rule, declared=False)
    world = World()
    world.ask({"rule": rule})
    assert world.against() == []


@pytest.mark.parametrize("row", [{"complete": True}, {"safe_files": True}])
def test_what_the_authority_does_not_know_does_not_pass(row: dict[str, Any]) -> None:
    world = World()
    world.ask(row)
    assert world.against() == []
    assert world.unknown() == list(row)
    verdict = world.apply()
    assert isinstance(verdict, Rejected)
    assert verdict.code == "blocked"
    assert world.stands() == world.old


@pytest.mark.parametrize(
    ("policy", "step"),
    [
        ({"complete": True}, stored(False, False)),
        ({"safe_files": True}, stored(False, False)),
        ({"approvals": 1}, approved),
        ({"four_eyes": True}, approved),
        ({"signed": True}, signature()),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_only_a_server_knows_is_unknown_elsewhere(policy: dict[str, Any], step: Step) -> None:
    world = World()
    world.ask(policy)
    step(world)
    view = world.state.copy(final=False)
    assert world.against(view) == []
    assert world.unknown(view) == list(policy)


def test_a_rejection_by_who_may_not_be_known_is_unknown() -> None:
    world = World()
    world.ask({"approvals": 1})
    world.approve(world.carl, "reject")
    view = world.state.copy(final=False)
    assert "rejection" in world.unknown(view)


def test_too_few_approvals_are_too_few_wherever_they_are_counted() -> None:
    world = World()
    world.ask({"approvals": 2})
    world.approve(world.carl)
    assert world.against(world.state.copy(final=False)) == ["approvals"]


@pytest.mark.parametrize(("needed", "noun"), [(1, "approval"), (2, "approvals")])
def test_approvals_that_only_a_server_can_count_are_told(needed: int, noun: str) -> None:
    world = World()
    world.ask({"approvals": needed})
    world.approve(world.carl)
    told = {one.gate: one.reason for one in world.results(world.state.copy(final=False))}
    assert told["approvals"] == f"1 of {needed} {noun}; the server knows which still count"
    told = {one.gate: one.reason for one in world.results()}
    assert told["approvals"] == f"1 of {needed} {noun}"


def test_a_removal_asks_for_approvals_and_for_nothing_of_versions() -> None:
    world = World()
    world.ask({"approvals": 1, "checks": ["smoke"], "lineage": True, "rule": "false"}, None)
    assert world.against() == ["approvals"]
    world.approve(world.carl)
    assert type(world.apply()) is Accepted
    assert world.stands() is None


def test_a_contributor_moves_no_protected_target_that_asks_nothing() -> None:
    world = World()
    world.ask({})
    verdict = world.apply(world.ben)
    assert isinstance(verdict, Rejected)
    assert verdict.message.startswith("maintainer: ")
    assert type(world.apply()) is Accepted


@pytest.mark.parametrize(
    ("policy", "name", "reason", "passes"),
    [
        ({"break_glass": True}, "eve", "fire", True),
        ({"break_glass": True}, "eve", " ", False),
        ({"break_glass": True}, "ann", "fire", False),
        ({}, "eve", "fire", False),
    ],
)
def test_only_an_admin_with_a_reason_breaks_glass(
    policy: dict[str, Any], name: str, reason: str, *, passes: bool
) -> None:
    world = World()
    world.ask({"approvals": 2, "checks": ["smoke"], **policy})
    verdict = world.apply(getattr(world, name), break_glass=reason)
    assert (type(verdict) is Accepted) is passes
    assert world.stands() == (world.new if passes else world.old)
    if passes:
        assert world.state.documents[world.request].value("break_glass") == reason
        alias = world.state.documents[alias_id(world.model, "production")]
        assert alias.value("evidence")["break_glass"] == reason
    else:
        assert verdict.message.startswith("break_glass: ")


def test_glass_is_broken_of_every_policy_or_of_none() -> None:
    world = World()
    world.ask({"approvals": 1, "break_glass": True})
    strict = {"alias": "production", "approvals": 1}
    world.does(world.ann, lambda who: who.put_policy("strict", strict, models="nlp/*"))
    assert isinstance(world.apply(world.eve, break_glass="fire"), Rejected)


@pytest.mark.parametrize(("rollback", "free"), [("free", True), ("gated", False)])
def test_going_back_is_free_where_the_policy_says_so(rollback: str, *, free: bool) -> None:
    world = World()
    world.does(world.ann, lambda who: who.point(world.model, "production", world.new))
    world.ask({"approvals": 1, "rollback": rollback}, "old")
    assert (world.against() == []) is free
    assert (type(world.apply()) is Accepted) is free
    assert world.stands() == (world.old if free else world.new)


def test_going_back_is_free_to_maintainers_alone_and_not_to_what_never_was_there() -> None:
    world = World()
    third = world.does(world.ann, lambda who: who.capture(world.model, "third"))
    world.does(world.ann, lambda who: who.point(world.model, "production", world.new))
    world.ask({"approvals": 1, "rollback": "free"}, "old")
    assert isinstance(world.apply(world.ben), Rejected)
    world.ask({"approvals": 1, "rollback": "free"}, third)
    assert world.against() == ["approvals"]


def deployed(world: World, who: Replica, environment: str = "production", **more: Any) -> Any:
    who.pull()
    operation = who.deploy(world.new, environment, **more)
    return operation.entity, who.sync()[-1]


def test_what_goes_live_ends_what_is_live_there_by_then() -> None:
    world = World()
    world.does(world.ann, lambda who: who.put_environment("test", {"protected": False}))
    waiting, later, first = (
        deployed(world, world.ben, "test", state=state)[0]
        for state in ("pending", "pending", "live")
    )
    elsewhere, _ = deployed(world, world.ben, "test", target="eu-1")

    def states() -> list[Any]:
        known = world.state.documents
        return [known[one].value("state") for one in (waiting, later, first, elsewhere)]

    assert states() == ["pending", "pending", "live", "live"]
    world.does(world.ben, lambda who: who.transition(waiting, "live"))
    assert states() == ["live", "pending", "stopped", "live"]
    world.does(world.ben, lambda who: who.transition(later, "live"))
    assert states() == ["stopped", "live", "stopped", "live"]


def test_to_bring_what_is_there_to_another_target_is_no_going_back() -> None:
    world = World()
    world.does(world.ann, lambda who: who.put_environment("production"))
    assert type(deployed(world, world.ann)[1]) is Accepted
    words = {"environment": "production", "approvals": 1, "rollback": "free"}
    world.does(world.ann, lambda who: who.put_policy("strict", words, models="nlp/*"))
    _, verdict = deployed(world, world.ann, target="eu-1")
    assert isinstance(verdict, Rejected)
    assert "approval" in verdict.message


def test_an_environment_without_a_policy_is_for_maintainers_unless_it_is_open() -> None:
    world = World()
    world.does(world.ann, lambda who: who.put_environment("production"))
    _, verdict = deployed(world, world.ben, "Production")
    assert isinstance(verdict, Rejected)
    assert verdict.message.startswith("maintainer: ")
    assert type(deployed(world, world.ann)[1]) is Accepted
    world.does(world.ann, lambda who: who.put_environment("test", {"protected": False}))
    assert type(deployed(world, world.ben, "TEST")[1]) is Accepted


@pytest.mark.parametrize("state", ["pending", "live"])
def test_an_environment_stays_while_something_runs_there(state: str) -> None:
    world = World()
    world.does(world.ann, lambda who: who.put_environment("production"))
    world.does(world.ann, lambda who: who.put_environment("test"))
    deployment, _ = deployed(world, world.ann, state=state)
    world.ann.put_environment("Production", {"state": "removed"})
    (verdict,) = world.ann.sync()
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.message) == ("in_use", "a deployment runs in production")
    world.does(world.ann, lambda who: who.put_environment("test", {"state": "removed"}))
    world.does(world.ann, lambda who: who.transition(deployment, "stopped"))
    world.does(world.ann, lambda who: who.put_environment("production", {"state": "removed"}))


def test_a_policy_protects_an_open_environment() -> None:
    world = World()
    world.does(world.ann, lambda who: who.put_environment("test", {"protected": False}))
    policy = {"environment": "Test", "checks": ["smoke"]}
    world.does(world.ann, lambda who: who.put_policy("p", policy))
    assert isinstance(deployed(world, world.ann, "test")[1], Rejected)
    world.report()
    assert isinstance(deployed(world, world.ben, "test")[1], Rejected)
    assert type(deployed(world, world.ann, "test")[1]) is Accepted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy-for-many", {"targets": ["production"]}),
        ("of-a-form-to-come", {"alias": "prod*/[a]"}),
        ("of-both", {"alias": "other", "environment": "other"}),
    ],
)
def test_a_policy_that_does_not_say_what_it_protects_protects_everything(
    name: str, value: dict[str, Any]
) -> None:
    world = World()
    world.ask({})
    unreadable(world)
    (policy,) = world.state.of_kind("policy")
    register = policy.fields["definition"]
    policy.fields["definition"] = type(register)(value, register.by, register.at)
    assert world.against() == ["policy"], name
