"""Who may do what where, and that what one may not see does not exist."""

from typing import TYPE_CHECKING, Any

import pytest

from regtui.core.access import (
    ADMINISTRATION,
    REQUIRED,
    Actor,
    Grant,
    Role,
    in_scope,
    narrowed,
    reports,
    role_of,
)
from regtui.core.identity import alias_id
from regtui.core.judgement import judge
from regtui.core.operations import KINDS, Change, Operation, StateBody
from regtui.core.verdicts import Accepted, Rejected, Verdict, encode_verdict
from tests.core.registry_state import Authority, RegistryState, Replica

if TYPE_CHECKING:
    from collections.abc import Callable

EVERYWHERE = frozenset({"environment.put"})
"""What belongs to all models: it takes a role over all of them."""

WORK = [kind for kind in KINDS if kind not in ADMINISTRATION]
SEEING = [role for role in Role if role >= Role.VIEWER]


def legal(kind: str) -> tuple[Authority, Operation]:
    """Return a registry and an operation of a kind that its maintainer may do there."""
    authority = Authority()
    ann = authority.person("ann")
    made = {"model": ann.create("nlp/bert").entity}
    made["version"] = ann.capture(made["model"], "one").entity
    spare = ann.capture(made["model"], "two").entity
    ann.point(made["model"], "champion", spare)
    ann.sync()
    subject, _, verb = kind.partition(".")
    if verb == "restore":
        ann.archive(made[subject])
        ann.sync()
    if subject in {"policy", "check", "environment", "promotion", "deployment"}:
        made |= _production(ann, made)
    if kind == "comment.edit":
        made["comment"] = ann.comment(made["version"], "looks good").entity
        ann.sync()
    if kind == "conflict.resolve":
        ben = authority.person("ben")
        for who in (ann, ben):
            who.edit(made["version"], {"description": who.actor.name})
        ann.push()
        ben.sync()
        ann.pull()
    return authority, make(ann, kind, made)


def _production(ann: Replica, made: dict[str, str]) -> dict[str, str]:
    """Set up what nothing protects: what does asks for a maintainer, whatever the kind."""
    scope = "nlp/*"
    ann.put_policy("prod", {"alias": "elsewhere"}, models=scope)
    ann.put_check("smoke", {"run": "true"}, models=scope)
    ann.put_environment("test", {"protected": False})
    promotion = ann.request(made["model"], "champion", made["version"]).entity
    deployment = ann.deploy(made["version"], "test").entity
    ann.sync()
    return {"promotion": promotion, "deployment": deployment}


def make(ann: Replica, kind: str, made: dict[str, str]) -> Operation:
    subject = kind.partition(".")[0]
    if subject in {"policy", "check", "environment", "promotion", "deployment"}:
        return _made_of_production(ann, kind, made)
    return _made_of_models(ann, kind, made)


def _made_of_production(ann: Replica, kind: str, made: dict[str, str]) -> Operation:
    version, promotion, scope = made["version"], made["promotion"], "nlp/*"
    does: dict[str, Callable[[], Operation]] = {
        "policy.put": lambda: ann.put_policy("prod", {"alias": "other"}, models=scope),
        "policy.remove": lambda: ann.remove_policy("prod", models=scope),
        "check.put": lambda: ann.put_check("smoke", {"run": "false"}, models=scope),
        "check.remove": lambda: ann.remove_check("smoke", models=scope),
        "check.report": lambda: ann.report(version, "smoke"),
        "environment.put": lambda: ann.put_environment("test", {"description": "new"}),
        "promotion.request": lambda: ann.request(made["model"], "champion", version),
        "promotion.review": lambda: ann.review(promotion),
        "promotion.apply": lambda: ann.apply(promotion),
        "promotion.withdraw": lambda: ann.withdraw_request(promotion),
        "deployment.record": lambda: ann.deploy(version, "test"),
        "deployment.transition": lambda: ann.transition(made["deployment"], "stopped"),
    }
    return does[kind]()


def _made_of_models(  # noqa: PLR0911 -- one a kind
    ann: Replica, kind: str, made: dict[str, str]
) -> Operation:
    subject, _, verb = kind.partition(".")
    if kind == "model.create":
        return ann.create("nlp/other")
    if kind == "version.capture":
        return ann.capture(made["model"], "three")
    if kind == "alias.set":
        return ann.point(made["model"], "next", made["version"])
    if kind == "alias.remove":
        return ann.unpoint(made["model"], "champion")
    if kind == "comment.add":
        return ann.comment(made["version"], "looks good")
    if kind == "comment.edit":
        return ann.edit(made["comment"], {"text": "looks better"})
    if kind == "dataset.put":
        return ann.put_dataset("nlp/imdb", {"uri": "s3://data/imdb"})
    if kind == "conflict.resolve":
        (conflict,) = ann.state.of_kind("conflict")
        return ann.resolve(conflict.id, "value", "both")
    if verb == "edit":
        return ann.edit(made[subject], {"description": "new"})
    does: Any = getattr(ann, verb)
    operation: Operation = does(made[subject])
    return operation


def test_every_kind_has_a_required_role() -> None:
    assert REQUIRED.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", WORK)
@pytest.mark.parametrize("role", SEEING)
def test_a_role_may_do_exactly_what_requires_it_or_less(kind: str, role: Role) -> None:
    authority, operation = legal(kind)
    scope = "*" if kind in EVERYWHERE else "nlp/*"
    actor = Actor(operation.actor, "ann", (Grant(role, scope),))
    verdict = judge(operation, authority.state, actor, authority.now).verdict
    if role >= REQUIRED[kind]:
        assert type(verdict) is Accepted
    else:
        assert isinstance(verdict, Rejected)
        assert verdict.code == "denied"


@pytest.mark.parametrize("kind", WORK)
@pytest.mark.parametrize("grants", [(), (Grant(Role.ADMIN, "cv/*"),), (Grant(Role.REPORTER, "*"),)])
def test_a_refusal_for_no_sight_is_the_refusal_for_what_is_not_there(
    kind: str, grants: tuple[Grant, ...]
) -> None:
    authority, operation = legal(kind)
    if kind == "check.report" and Grant(Role.REPORTER, "*") in grants:
        return  # which is what reporters are for
    actor = Actor(operation.actor, "ann", grants)
    hidden = judge(operation, authority.state, actor, authority.now).verdict
    absent = judge(operation, RegistryState(final=True), actor, authority.now).verdict
    assert isinstance(hidden, Rejected)
    shown = kind in EVERYWHERE and any(grant.role >= Role.VIEWER for grant in grants)
    assert hidden.code == ("denied" if shown else "not_found")
    assert encode_verdict(hidden) == encode_verdict(absent)


@pytest.mark.parametrize("kind", ["version.edit", "version.delete", "alias.set"])
def test_a_version_of_a_hidden_model_can_not_be_told_from_none(kind: str) -> None:
    authority = Authority()
    ann = authority.person("ann")
    hidden = ann.create("hidden").entity
    shown = ann.create("nlp/bert").entity
    version = ann.capture(hidden, "weights").entity
    operation = {
        "version.edit": lambda: ann.edit(version, {"description": "mine"}),
        "version.delete": lambda: ann.delete(version),
        "alias.set": lambda: ann.point(hidden, "champion", version),
    }[kind]()
    moved = type(operation)(
        **{
            **{field: getattr(operation, field) for field in operation.__struct_fields__},
            "stream": shown,
            "entity": alias_id(shown, "champion") if kind == "alias.set" else version,
        }
    )
    ann.pending.remove(operation)
    ann.sync()
    eve = Actor(operation.actor, "ann", (Grant(Role.MAINTAINER, "nlp/*"),))
    there = judge(moved, authority.state, eve, authority.now).verdict
    authority.state.documents.pop(version)
    gone = judge(moved, authority.state, eve, authority.now).verdict
    assert isinstance(there, Rejected)
    assert encode_verdict(there) == encode_verdict(gone)


def test_a_stream_that_is_no_model_is_not_there() -> None:
    authority = Authority()
    ann = authority.person("ann")
    version = ann.capture(ann.create("nlp/bert").entity, "weights").entity
    ann.sync()
    body = StateBody(None, {"state": Change("archived")})
    operation = ann.draft("version.archive", version, version, body)
    eve = Actor(operation.actor, "eve", (Grant(Role.ADMIN, "None"),))
    there = judge(operation, authority.state, eve, authority.now).verdict
    gone = judge(operation, RegistryState(final=True), eve, authority.now).verdict
    assert isinstance(there, Rejected)
    assert encode_verdict(there) == encode_verdict(gone)


@pytest.mark.parametrize(
    ("scope", "name", "inside"),
    [
        ("*", "nlp/bert", True),
        ("nlp/*", "nlp/bert", True),
        ("nlp/*", "nlp/team/bert", True),
        ("nlp/*", "nlp", False),
        ("nlp/*", "nlpx/bert", False),
        ("nlp/bert", "nlp/bert", True),
        ("nlp/bert", "nlp/bert/base", False),
        ("nlp/bert", "nlp/bert2", False),
    ],
)
def test_a_scope_is_everything_a_prefix_or_one_model(scope: str, name: str, inside: bool) -> None:
    assert in_scope(scope, name) == inside


def test_the_highest_role_in_scope_counts() -> None:
    grants = (Grant(Role.VIEWER, "*"), Grant(Role.APPROVER, "nlp/*"), Grant(Role.ADMIN, "cv/*"))
    assert role_of(Actor("id", "ann", grants), "nlp/bert") == Role.APPROVER


def verdict_of(kind: str, *grants: Grant) -> Verdict:
    authority, operation = legal(kind)
    actor = Actor(operation.actor, "ann", grants)
    return judge(operation, authority.state, actor, authority.now).verdict


@pytest.mark.parametrize(
    ("role", "scope", "counts"),
    [
        (Role.REPORTER, "*", True),
        (Role.REPORTER, "nlp/*", True),
        (Role.REPORTER, "nlp/bert", True),
        (Role.CONTRIBUTOR, "*", False),
        (Role.APPROVER, "nlp/bert", False),
        (Role.MAINTAINER, "*", False),
        (Role.ADMIN, "nlp/*", True),
    ],
)
def test_reports_count_where_a_reporter_makes_them(role: Role, scope: str, counts: bool) -> None:
    authority, operation = legal("check.report")
    actor = Actor(operation.actor, "ann", (Grant(role, scope),))
    judged = judge(operation, authority.state, actor, authority.now)
    (run,) = (document for document, _ in judged.documents)
    assert run.facts["counts"] is counts


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("cap", Role)
def test_a_cap_leaves_the_lower_role_and_reporters_to_themselves(role: Role, cap: Role) -> None:
    if Role.REPORTER in {role, cap}:
        expected = Role.REPORTER if {role, cap} <= {Role.REPORTER, Role.ADMIN} else None
    else:
        expected = min(role, cap)
    assert narrowed(role, cap) is expected
    # Whatever is left, its evidence counts only where the role's own did.
    left = () if expected is None else (Grant(expected, "*"),)
    if reports(Actor("a", "a", left), "m"):
        assert reports(Actor("a", "a", (Grant(role, "*"),)), "m")


def test_a_reporter_elsewhere_reports_nothing_here() -> None:
    verdict = verdict_of("check.report", Grant(Role.REPORTER, "cv/*"))
    assert isinstance(verdict, Rejected)
    assert verdict.code == "not_found"


def test_a_viewer_who_is_a_reporter_elsewhere_reports_nothing_here() -> None:
    grants = (Grant(Role.VIEWER, "*"), Grant(Role.REPORTER, "cv/*"))
    verdict = verdict_of("check.report", *grants)
    assert isinstance(verdict, Rejected)
    assert verdict.code == "denied"


DEFINED = ["policy.put", "policy.remove", "check.put", "check.remove", "environment.put"]


@pytest.mark.parametrize("kind", DEFINED)
@pytest.mark.parametrize("scope", ["nlp/bert", "nlp/b/*"])
def test_who_has_a_part_of_a_scope_does_not_define_for_all_of_it(kind: str, scope: str) -> None:
    verdict = verdict_of(kind, Grant(Role.ADMIN, scope))
    assert isinstance(verdict, Rejected)
    assert verdict.code == "denied"
    assert "maintainer" in verdict.message


@pytest.mark.parametrize("kind", DEFINED)
def test_roles_in_parts_of_a_scope_do_not_add_up_to_one_over_it(kind: str) -> None:
    grants = (Grant(Role.MAINTAINER, "nlp/bert"), Grant(Role.APPROVER, "*"))
    verdict = verdict_of(kind, *grants)
    assert isinstance(verdict, Rejected)
    assert verdict.code == "denied"


def test_an_environment_needs_the_whole_registry() -> None:
    verdict = verdict_of("environment.put", Grant(Role.ADMIN, "nlp/*"))
    assert isinstance(verdict, Rejected)
    assert verdict.code == "denied"
