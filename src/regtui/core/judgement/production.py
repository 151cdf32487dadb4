"""What the kinds of production require and do: policies, checks, environments, requests.

Values of these are no candidates of conflicts: whoever changes a policy, a request or a deployment
that is not what he saw is refused and looks again. Whether a target may move is asked of the gates
afterwards, by what moves here (`regtui.core.governance`).
"""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from regtui.core.access import Role, has_role, reports, role_of
from regtui.core.documents import Document
from regtui.core.governance.moves import ACTIVE
from regtui.core.identity import alias_id, alias_key, deployment_id, environment_id
from regtui.core.judgement.deployments import move_deployment, record_deployment
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.named import (
    captured_version,
    changed_later,
    check_said,
    check_seen,
    environment_of,
    made_by,
    version_of,
)
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.seen import Fold, resolve
from regtui.core.operations import Change, Operation
from regtui.core.policies import environment_key

OPEN_LIMIT = 50
"""Open requests that one person may have for a model."""

_REPORTER, _ONLOOKER = "reporter", "viewer"
"""The roles in which a report counts as evidence, and does not."""


def put_definition(operation: Operation, merger: Merger) -> None:
    """Make a policy or check, or change it; one that was removed comes back."""
    body = operation.body
    found = merger.view.document(operation.entity)
    kind = operation.kind.partition(".")[0]
    if found is None:
        facts = made_by(operation, merger, name=body.name, models=body.models)
        first = {**body.set, "state": Change("active")}
        merger.create(operation.entity, kind, operation.stream, facts, first)
        return
    check_seen(operation, merger, found)
    merger.put(found, {"definition": body.set["definition"].to, "state": "active"})


def remove_definition(operation: Operation, merger: Merger) -> None:
    """Take a policy or check away; its history stays."""
    found = merger.view.document(operation.entity)
    if found is None or (found.value("state") != "active" and merger.settled is None):
        raise Refusal("not_found", f"there is no such {operation.kind.partition('.')[0]}")
    check_seen(operation, merger, found)
    merger.put(found, {"state": "removed"})


def put_environment(operation: Operation, merger: Merger) -> None:
    """Make an environment, or change it; one that was removed comes back."""
    body = operation.body
    check_said(operation, merger)
    found = merger.view.document(operation.entity)
    if found is None:
        facts = made_by(operation, merger, name=environment_key(body.name))
        first = {"state": Change("active"), "protected": Change(True), **body.set}
        merger.create(operation.entity, "environment", operation.stream, facts, first)
        return
    check_seen(operation, merger, found)
    state = body.set.get("state")
    if state is not None and state.to == "removed" != found.value("state"):
        _refuse_if_used(found, merger)
    merger.put(found, {"state": "active"} | {path: one.to for path, one in body.set.items()})


def report_check(operation: Operation, merger: Merger) -> None:
    """Tell how a check of a version ended."""
    model, body = merger.view.document(operation.stream), operation.body
    version, figures = version_of(operation, merger, body.version), body.figures.items()
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the run is told already")
    facts = made_by(
        operation,
        merger,
        version=version.id,
        check=body.check,
        definition=body.definition,
        outcome=body.outcome,
        # As they come out of their bytes, whoever judges: a float that was written as an integer.
        figures={name: one if isinstance(one, str) else float(one) for name, one in figures},
        runner=body.runner,
        started=body.started,
        ended=body.ended,
        inputs=body.inputs,
        told=merger.now,
        counts=_counts(merger, str(model.value("name")) if model else ""),
    )
    merger.create(operation.entity, "check_run", operation.stream, facts, body.set)


def _counts(merger: Merger, name: str) -> bool:
    """Tell whether a report is evidence; one that was accepted before is what it was then."""
    counts = reports(merger.actor, name)
    if merger.settled is not None and merger.settled.role is not None:
        counts = merger.settled.role == _REPORTER
    merger.role = _REPORTER if counts else _ONLOOKER
    return counts


def request_promotion(operation: Operation, merger: Merger) -> None:
    """Ask for a target to be moved to a version."""
    body = operation.body
    if body.version is not None:
        version = version_of(operation, merger, body.version)
        if version.value("state") != "captured" and not changed_later(version, merger):
            raise Refusal(
                str(version.value("state")), "the version is put away", "restore it first"
            )
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the request is there already")
    _refuse_more(operation, merger)
    if body.target_kind == "environment":
        target = environment_key(body.target)
        environment_of(merger, target)
        if body.version is None:
            raise Refusal("malformed", "an environment is emptied by stopping what runs there")
    else:
        target = alias_key(body.target)
    facts = made_by(
        operation,
        merger,
        version=body.version,
        target_kind=body.target_kind,
        target=target,
        auto=body.auto,
    )
    merger.role = _role_of(operation, merger)
    if merger.role is not None:
        facts["role"] = merger.role
    if merger.actor.owner is not None:
        facts["owner"] = merger.actor.owner
    if body.target_kind == "alias" and body.saw is not UNSET:
        facts["stood"] = _seen(alias_id(operation.stream, target), body.saw, operation, merger)
    first = {**body.set, "state": Change("open")}
    merger.create(operation.entity, "promotion", operation.stream, facts, first)


def _refuse_more(operation: Operation, merger: Merger) -> None:
    """Refuse a request beside many open ones: each edit and report has to look at all of them."""
    if merger.settled is not None:
        return
    of_model = merger.view.in_stream(operation.stream, "promotion")
    mine = (one for one in of_model if one.facts["author"] == operation.actor)
    if sum(one.value("state") == "open" for one in mine) >= OPEN_LIMIT:
        told = f"you have {OPEN_LIMIT} open requests for this model"
        raise Refusal("too_many", told, "`regtui request withdraw` those that are done with")


def _role_of(operation: Operation, merger: Merger) -> str | None:
    """Return the role in which somebody makes or reviews a request; None where he has none.

    His token may do less than he, and he may do more later: what moves by itself then moves with
    what he might do when he asked. What was accepted before was so in the role that it had then.
    """
    if merger.settled is not None and merger.settled.role is not None:
        return merger.settled.role
    model = merger.view.document(operation.stream)
    role = None if model is None else role_of(merger.actor, str(model.value("name")))
    return None if role is None else role.name.lower()


def review_promotion(operation: Operation, merger: Merger) -> None:
    """Approve or reject a request, or take that back."""
    promotion, body = open_promotion(operation, merger), operation.body
    path = f"reviews/{operation.actor}"
    if body.verdict == "none":
        # After a restore what it took back may not be back yet.
        if promotion.value(path) is None and merger.settled is None:
            raise Refusal("no_change", "you said nothing to this request yet")
        merger.put(promotion, {path: None})
        return
    merger.role = _role_of(operation, merger)
    review = {
        "verdict": body.verdict,
        "text": body.text,
        "role": merger.role or "viewer",
        "seen": body.seen,
        "at": merger.now,
    }
    if merger.actor.owner is not None:
        review["owner"] = merger.actor.owner
    merger.put(promotion, {path: review})


def apply_promotion(operation: Operation, merger: Merger) -> None:
    """Move the target as a request asks."""
    promotion, body = open_promotion(operation, merger), operation.body
    if promotion.facts["target_kind"] == "alias" and merger.settled is None:
        _check_stands(promotion, operation, merger)
    carry_out(promotion, operation, merger, body.break_glass)


def _check_stands(promotion: Document, operation: Operation, merger: Merger) -> None:
    """Refuse to move an alias that is contested, or from where the author did not see it."""
    facts = promotion.facts
    identity = alias_id(promotion.stream, str(facts["target"]))
    alias, saw = merger.view.document(identity), operation.body.saw
    if alias is None or alias.value("version") == facts["version"]:
        return
    if merger.view.open_conflict(identity, "version") is not None:
        told = f"no_conflict: a conflict on {facts['target']} is open"
        raise Refusal("blocked", told, "`regtui resolve` settles it")
    if saw is UNSET or _seen(identity, saw, operation, merger) == alias.stamp("version"):
        return
    told = f"somebody moved {facts['target']} meanwhile"
    raise Refusal("changed_meanwhile", told, "look at it and try again")


def _seen(alias: str, saw: str | None, operation: Operation, merger: Merger) -> str | None:
    """Return the operation that had moved an alias as the author of another one saw it."""
    found = merger.view.document(alias)
    if found is None:
        # What he saw there was his own, and never came to be, or it is not back yet.
        return None if merger.settled is None else saw
    seen = resolve(operation, merger.view, found, "version", saw, past_refused=True)
    return seen.op if isinstance(seen, Fold) else seen


def carry_out(
    promotion: Document, operation: Operation, merger: Merger, break_glass: str | None
) -> None:
    """Move the target of a request, and note that it is applied.

    Args:
        promotion: The request.
        operation: What applies it.
        merger: Collects the effects.
        break_glass: Why an admin passes the gates; None where he does not.
    """
    facts = promotion.facts
    values: dict[str, Any] = {"state": "applied"}
    if break_glass is not None:
        values["break_glass"] = break_glass
    merger.put(promotion, values)
    if facts["target_kind"] == "alias":
        _move_alias(promotion, merger)
        return
    version = captured_version(operation, merger, str(facts["version"]))
    environment_of(merger, str(facts["target"]))
    identity = deployment_id(promotion.id)
    made = made_by(
        operation,
        merger,
        version=version.id,
        environment=environment_id(str(facts["target"])),
        environment_name=facts["target"],
        target="",
        replaces=None,
        rollback_of=None,
        request=promotion.id,
    )
    if operation.kind != "promotion.apply":
        made["author"] = facts["author"]  # it moves by itself, with the rights of who asked for it
    first = {"state": Change("pending"), "reason": Change(promotion.value("reason"))}
    merger.create(identity, "deployment", operation.stream, made, first)


def withdraw_promotion(operation: Operation, merger: Merger) -> None:
    """Take a request back: its author may, and maintainers."""
    promotion = open_promotion(operation, merger)
    model = merger.view.document(operation.stream)
    name = str(model.value("name")) if model else ""
    is_keeper = has_role(merger.actor, name, Role.MAINTAINER)
    if promotion.facts["author"] != operation.actor and not is_keeper and merger.settled is None:
        raise Refusal("denied", "only its author or a maintainer takes a request back")
    merger.put(promotion, {"state": "withdrawn"})


def open_promotion(operation: Operation, merger: Merger) -> Document:
    """Return the request that an operation is about.

    Raises:
        Refusal: There is none, or it has ended.
    """
    found = merger.view.document(operation.entity)
    if found is None or found.kind != "promotion" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such request")
    if found.value("state") != "open" and not changed_later(found, merger):
        raise Refusal("changed_meanwhile", f"the request is {found.value('state')} already")
    return found


def _move_alias(promotion: Document, merger: Merger) -> None:
    facts, model = promotion.facts, promotion.stream
    name, version = str(facts["target"]), facts["version"]
    there = None if version is None else captured_version(merger.operation, merger, str(version))
    identity = alias_id(model, name)
    alias = merger.documents.get(identity) or merger.view.document(identity)
    if alias is not None and alias.value("version") == version and merger.settled is None:
        return
    if there is not None and there.value("state") != "captured":
        return  # it was put away later, and that is back already
    if alias is not None:
        merger.put(alias, {"version": version}, request=promotion.id)
    elif version is None:
        raise Refusal("not_found", "there is no such alias")
    else:
        made = {"model": model, "name": name}
        first = {"version": Change(version)}
        merger.create(identity, "alias", model, made, first, request=promotion.id)


def _refuse_if_used(environment: Document, merger: Merger) -> None:
    """No environment goes while something runs there, or is about to."""
    name = str(environment.facts["name"])
    running = sum(one.value("state") in ACTIVE for one in merger.view.deployed_in(name))
    if running and merger.settled is None:
        told = "a deployment runs" if running == 1 else f"{running} deployments run"
        lists = f"`regtui deploy ls --env {name}` lists {'it' if running == 1 else 'them'}"
        raise Refusal("in_use", f"{told} in {name}", lists)


PRODUCTION: dict[str, Callable[[Operation, Merger], None]] = {
    "policy.put": put_definition,
    "policy.remove": remove_definition,
    "check.put": put_definition,
    "check.remove": remove_definition,
    "check.report": report_check,
    "environment.put": put_environment,
    "promotion.request": request_promotion,
    "promotion.review": review_promotion,
    "promotion.apply": apply_promotion,
    "promotion.withdraw": withdraw_promotion,
    "deployment.record": record_deployment,
    "deployment.transition": move_deployment,
}
