"""What the kinds of production require and do: policies, checks, requests, deployments.

Values of these are no candidates of conflicts: whoever changes a policy, a request or a deployment
that is not what he saw is refused and looks again. Whether a target may move is asked of the gates
afterwards, by what moves here (`regtui.core.governance`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import UNSET

from regtui.core.access import Role, has_role, reports, role_of
from regtui.core.documents import Document
from regtui.core.governance import is_protected
from regtui.core.governance.moves import ACTIVE, all_live_on, in_environment, live_on
from regtui.core.identity import alias_id, alias_key, deployment_id, environment_id
from regtui.core.judgement.merge import Merger, accepted_by
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.seen import Fold, resolve
from regtui.core.judgement.shape import CONTROL
from regtui.core.operations import Change, DeploymentBody, Operation
from regtui.core.policies import duration, environment_key
from regtui.core.verdicts import PathResult
from regtui.core.view import View

NEXT = {
    "pending": frozenset({"live", "failed", "stopped"}),
    "live": frozenset({"draining", "stopped", "failed", "rolled_back"}),
    "draining": frozenset({"stopped", "failed"}),
}
"""The states that may follow each state of a deployment; the others are final."""

_ORDER = {"pending": 0, "live": 1, "draining": 2, "stopped": 3, "failed": 3, "rolled_back": 3}
"""How far each state is on the way of a deployment."""

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
        facts = _made(operation, merger, name=body.name, models=body.models)
        first = {**body.set, "state": Change("active")}
        merger.create(operation.entity, kind, operation.stream, facts, first)
        return
    _check_seen(operation, merger, found)
    merger.date_back(found)
    merger.put(found, {"definition": body.set["definition"].to, "state": "active"})


def remove_definition(operation: Operation, merger: Merger) -> None:
    """Take a policy or check away; its history stays."""
    found = merger.view.document(operation.entity)
    is_gone = found is None or (found.value("state") != "active" and merger.settled is None)
    if found is None or is_gone:
        raise Refusal("not_found", f"there is no such {operation.kind.partition('.')[0]}")
    _check_seen(operation, merger, found)
    merger.put(found, {"state": "removed"})


def put_environment(operation: Operation, merger: Merger) -> None:
    """Make an environment, or change it; one that was removed comes back."""
    body = operation.body
    _check_said(operation, merger)
    found = merger.view.document(operation.entity)
    if found is None:
        facts = _made(operation, merger, name=environment_key(body.name))
        first = {"state": Change("active"), "protected": Change(True), **body.set}
        merger.create(operation.entity, "environment", operation.stream, facts, first)
        return
    _check_seen(operation, merger, found)
    merger.date_back(found)
    state = body.set.get("state")
    if state is not None and state.to == "removed" != found.value("state"):
        _refuse_if_used(found, merger)
    merger.put(found, {"state": "active"} | {path: one.to for path, one in body.set.items()})


def report_check(operation: Operation, merger: Merger) -> None:
    """Tell how a check of a version ended."""
    model, body = merger.view.document(operation.stream), operation.body
    version, figures = _version(operation, merger, body.version), body.figures.items()
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the run is told already")
    facts = _made(
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
        version = _version(operation, merger, body.version)
        if version.value("state") != "captured" and not _changed_later(version, merger):
            raise Refusal(
                str(version.value("state")), "the version is put away", "restore it first"
            )
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the request is there already")
    _refuse_more(operation, merger)
    if body.target_kind == "environment":
        target = environment_key(body.target)
        _environment(merger, target)
        if body.version is None:
            raise Refusal("malformed", "an environment is emptied by stopping what runs there")
    else:
        target = alias_key(body.target)
    facts = _made(
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
    version = _captured(operation, merger, str(facts["version"]))
    _environment(merger, str(facts["target"]))
    identity = deployment_id(promotion.id)
    made = _made(
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


def record_deployment(operation: Operation, merger: Merger) -> None:
    """Bring a version to an environment."""
    body = operation.body
    _check_said(operation, merger)
    version = _captured(operation, merger, body.version)
    name = environment_key(body.environment)
    environment = _environment(merger, name)
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the deployment is there already")
    replaces, rollback_of = (_unless_lost(one, merger) for one in (body.replaces, body.rollback_of))
    for other in (replaces, rollback_of):
        if other is not None:
            _check_there(_deployment(operation, merger, other), name)
    facts = _made(
        operation,
        merger,
        version=version.id,
        environment=environment.id,
        environment_name=name,
        target=body.target,
        replaces=replaces or _in_the_way(operation, merger, environment.id),
        rollback_of=rollback_of,
        request=None,
    )
    if body.beside:
        facts["beside"] = True
    first = {**body.set, "state": Change(body.state)}
    if body.state == "live":
        first["since"] = Change(_moment(merger))
    made = merger.create(operation.entity, "deployment", operation.stream, facts, first)
    if body.state == "live":
        _end_replaced(made, merger)


def _unless_lost(deployment: str | None, merger: Merger) -> str | None:
    """Return a deployment that is named; none that another machine may bring back later.

    What comes late without it is a deployment like any other, to the gates as well.
    """
    is_lost = merger.late is not None and merger.view.document(deployment or "") is None
    return None if is_lost else deployment


def _in_the_way(operation: Operation, merger: Merger, environment: str) -> str | None:
    """Return the deployment that is live on the same target, and ends by a new one."""
    body = operation.body
    if body.beside or body.state != "live":
        return None
    if merger.settled is not None:
        # It ended that one then, which may not be back yet.
        ended = sorted(merger.settled.documents.keys() - {operation.entity})
        return ended[-1] if ended else None  # ids go by time
    newest = live_on(merger.view, operation.stream, environment, body.target)
    return None if newest is None else newest.id


def move_deployment(operation: Operation, merger: Merger) -> None:
    """Take a deployment to its next state."""
    body = operation.body
    found = _deployment(operation, merger, operation.entity)
    state = str(found.value("state"))
    if merger.settled is not None and _comes_behind(found, operation, merger):
        return
    if state == body.to:
        raise Refusal("no_change", f"it is {state} already")
    if body.to not in NEXT.get(state, frozenset()):
        raise Refusal("changed_meanwhile", f"a deployment that is {state} can't become {body.to}")
    if body.to != "live":
        _check_may_end(found, operation, merger)
    values: dict[str, Any] = {"state": body.to}
    if body.reason:
        values["reason"] = body.reason
    if body.to == "live":
        _captured(operation, merger, str(found.facts["version"]))
        values["since"] = _moment(merger)
    elif body.to != "draining":
        values["until"] = _moment(merger)
    merger.put(found, values)
    if body.to == "live":
        _end_replaced(merger.documents[found.id], merger)


def _moment(merger: Merger) -> int:
    """Return when what an operation tells happened: it may be told again, after a restore."""
    return merger.now if merger.late is None else merger.late


def _comes_behind(deployment: Document, operation: Operation, merger: Merger) -> bool:
    """Let a step come back behind later ones of other machines; False where it is none of these."""
    to, reason, state = operation.body.to, operation.body.reason, str(deployment.value("state"))
    until = deployment.value("until")
    is_later = until is not None and int(until) > merger.now
    if is_later and to not in NEXT:
        told = {"reason": reason} if reason else {}
        ended = {"state": to, "until": merger.now, "replaced_by": None, **told}
        _tell_again(deployment, ended, merger)
    elif is_later and to == "draining" and _only_seems_over(deployment, merger):
        _tell_again(deployment, {"state": to, "until": None, "replaced_by": None}, merger)
    elif state != to and to not in NEXT.get(state, ()) and _ORDER[state] >= _ORDER[to]:
        merger.record(deployment, "state", to, PathResult("lost"))
        if to == "live" and deployment.value("since") is None:
            merger.put(deployment, {"since": merger.now})
    else:
        return False
    return True


def _only_seems_over(deployment: Document, merger: Merger) -> bool:
    """Tell whether a deployment came back as ended by one that ended nothing then (`_end_behind`).

    It drained, and that comes back now.
    """
    other = merger.view.document(str(deployment.value("replaced_by")))
    since = None if other is None else other.stamp("since")
    by = None if since is None else accepted_by(since, merger.view)
    return by is not None and by.first is not None and deployment.id not in by.documents


def _tell_again(deployment: Document, values: Mapping[str, object], merger: Merger) -> None:
    """Let a step that comes back count, although what came later stands there already."""
    for path, value in values.items():
        if value is not None or path in deployment.fields:
            merger.note(deployment, path, value)


def open_promotion(operation: Operation, merger: Merger) -> Document:
    """Return the request that an operation is about.

    Raises:
        Refusal: There is none, or it has ended.
    """
    found = merger.view.document(operation.entity)
    if found is None or found.kind != "promotion" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such request")
    if found.value("state") != "open" and not _changed_later(found, merger):
        raise Refusal("changed_meanwhile", f"the request is {found.value('state')} already")
    return found


def _move_alias(promotion: Document, merger: Merger) -> None:
    facts, model = promotion.facts, promotion.stream
    name, version = str(facts["target"]), facts["version"]
    there = None if version is None else _captured(merger.operation, merger, str(version))
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


def _end_replaced(deployment: Document, merger: Merger) -> None:
    """End the deployments whose place another one takes; again, only those that it ended then."""
    if merger.late is not None and _first_after(deployment, merger.late, merger.view) is not None:
        told = "another version was deployed there since"
        raise Refusal("changed_meanwhile", told, "`regtui deploy` it again if it runs")
    for found in _replaced(deployment, merger.view):
        if merger.settled is not None and found.id not in merger.settled.documents:
            continue
        merger.put(found, _end_by(deployment, found, merger))
    _end_behind(deployment, merger)
    _have_ended(deployment, merger)


def _end_by(deployment: Document, found: Document, merger: Merger) -> dict[str, object]:
    """Return the values of a deployment that another one ended."""
    state = "rolled_back" if deployment.facts["rollback_of"] == found.id else "stopped"
    return {"state": state, "until": _moment(merger), "replaced_by": deployment.id}


def _have_ended(deployment: Document, merger: Merger) -> None:
    """Be again what ended a deployment, where a later one was back before and is said to have."""
    if merger.settled is None:
        return
    for identity in merger.settled.documents.keys() - {deployment.id}:
        found = merger.documents.get(identity) or merger.view.document(identity)
        until = None if found is None or found.kind != "deployment" else found.value("until")
        if found is None or until is None or int(until) <= merger.now:
            continue
        if found.value("replaced_by") is None:
            continue  # somebody saw it end himself since
        for path, value in _end_by(deployment, found, merger).items():
            merger.note(found, path, value)


def _end_behind(deployment: Document, merger: Merger) -> None:
    """End a deployment that comes back behind the one that took its place meanwhile."""
    if merger.settled is None:
        return
    first = _first_after(deployment, int(deployment.value("since") or 0), merger.view)
    if first is not None:
        ended = {"state": "stopped", "until": first.value("since"), "replaced_by": first.id}
        merger.put(merger.documents[deployment.id], ended)


def _first_after(deployment: Document, since: int, view: View) -> Document | None:
    """Return what took the place of a deployment first, since a moment; None where nothing did."""
    facts = deployment.facts
    if facts.get("beside"):
        return None
    later = [
        one
        for one in in_environment(view, deployment.stream, str(facts["environment"]))
        if one.facts["target"] == facts["target"]
        and not one.facts.get("beside")
        and int(one.value("since") or 0) > since
    ]
    return min(later, key=lambda one: int(one.value("since")), default=None)


def _replaced(deployment: Document, view: View) -> Iterator[Document]:
    """Yield what ends where a deployment goes live: what it names, and what is live there by now.

    Between the record of one that was pending and now others may have come to its target.
    """
    facts = deployment.facts
    named = None if facts["replaces"] is None else view.document(str(facts["replaces"]))
    if named is not None and named.value("state") in ACTIVE:
        yield named
    if facts.get("beside"):
        return
    target = str(facts["target"])
    for one in all_live_on(view, deployment.stream, str(facts["environment"]), target):
        if one.id not in {deployment.id, facts["replaces"]}:
            yield one


def _check_there(deployment: Document, environment: str) -> None:
    """Refuse to take the place of what is somewhere else: that is ended by who may do so there."""
    if deployment.facts["environment_name"] != environment:
        there = deployment.facts["environment_name"]
        raise Refusal("malformed", f"what it replaces is in {there}, not in {environment}")


def _check_may_end(deployment: Document, operation: Operation, merger: Merger) -> None:
    """Refuse to end what is in a protected environment to who is no maintainer.

    No gate is asked: what is wrong in production must go without anybody's approval.
    """
    model, name = merger.view.document(operation.stream), str(deployment.facts["environment_name"])
    known = str(model.value("name")) if model else ""
    if merger.settled is not None or has_role(merger.actor, known, Role.MAINTAINER):
        return
    if is_protected(name, known, merger.view):
        told = f"deployments in the protected environment {name} are ended by maintainers"
        raise Refusal("denied", told)


def _check_seen(operation: Operation, merger: Merger, found: Document) -> None:
    """Refuse to change values that are not those that the author saw.

    What comes back after a restore has its place by when it was decided (`Merger.put`).
    """
    if merger.settled is not None:
        return
    for path, change in operation.body.set.items():
        seen = merger.seen(found, path, change)
        if seen != found.stamp(path) and found.value(path) != change.to:
            raise Refusal(
                "changed_meanwhile", "somebody changed it meanwhile", "look at it and try again"
            )


def _version(operation: Operation, merger: Merger, identity: str) -> Document:
    found = merger.view.document(identity)
    if found is None or found.kind != "version" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such version")
    return found


def _captured(operation: Operation, merger: Merger, identity: str) -> Document:
    found = _version(operation, merger, identity)
    state = found.value("state")
    if state != "captured" and not _changed_later(found, merger):
        raise Refusal(str(state), f"the version is {state}", "restore it first")
    return found


def _deployment(operation: Operation, merger: Merger, identity: str) -> Document:
    found = merger.view.document(identity)
    if found is None or found.kind != "deployment" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such deployment")
    return found


def _changed_later(document: Document, merger: Merger) -> bool:
    """Tell whether a state is of later than what comes back: it was another one then."""
    return merger.is_behind(document.fields["state"])


def _environment(merger: Merger, name: str) -> Document:
    found = merger.view.document(environment_id(name))
    gone = found is not None and found.value("state") != "active"
    if found is None or (gone and not _changed_later(found, merger)):
        raise Refusal(
            "not_found", f"there is no environment {name!r}", "`regtui env put` makes one"
        )
    return found


def _check_said(operation: Operation, merger: Merger) -> None:
    """Refuse an interval of no time, and an address that does something else than lead somewhere.

    What was accepted before is not asked again.
    """
    said = {path: one.to for path, one in operation.body.set.items() if one.to is not None}
    if merger.settled is not None:
        return
    if isinstance(operation.body, DeploymentBody):
        # The way back from any target is open.
        target = operation.body.target if operation.body.rollback_of is None else ""
        for name, text in (("target", target), ("url", str(said.get("url", "")))):
            if CONTROL.search(text):
                raise Refusal("malformed", f"the {name} contains a control character")
    if "expect" in said and duration(str(said["expect"])) == 0:
        raise Refusal("malformed", "nothing is heard of every 0 seconds", "such as 5m")
    scheme, _, rest = str(said.get("url", "https://-")).partition("://")
    if scheme.lower() not in {"http", "https"} or not rest:
        told = "a deployment answers at an address of http or https"
        raise Refusal("malformed", told, "such as https://eu-1.example.org")


def _refuse_if_used(environment: Document, merger: Merger) -> None:
    """No environment goes while something runs there, or is about to."""
    name = str(environment.facts["name"])
    running = sum(one.value("state") in ACTIVE for one in merger.view.deployed_in(name))
    if running and merger.settled is None:
        told = "a deployment runs" if running == 1 else f"{running} deployments run"
        lists = f"`regtui deploy ls --env {name}` lists {'it' if running == 1 else 'them'}"
        raise Refusal("in_use", f"{told} in {name}", lists)


def _made(operation: Operation, merger: Merger, **facts: object) -> dict[str, object]:
    return {**facts, "created": merger.stamp.at, "author": operation.actor}


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
