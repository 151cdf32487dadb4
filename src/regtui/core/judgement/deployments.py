"""What deployments require and do: what is brought where, its steps, and what ends by them.

Replicas bring back what a restore lost in any order, and whoever ended whom was decided then: the
verdict names what an operation changed. What comes back behind a later one is ended by that, and
what comes back behind what it had ended is its end again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from regtui.core.access import Role, has_role
from regtui.core.documents import Document
from regtui.core.governance import is_protected
from regtui.core.governance.moves import ACTIVE, all_live_on, in_environment, live_on
from regtui.core.judgement.coming_back import verdict_of
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.named import (
    captured_version,
    check_said,
    deployment_of,
    environment_of,
    made_by,
)
from regtui.core.judgement.refusal import Refusal
from regtui.core.operations import Change, Operation
from regtui.core.policies import environment_key
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


def record_deployment(operation: Operation, merger: Merger) -> None:
    """Bring a version to an environment."""
    body = operation.body
    check_said(operation, merger)
    version = captured_version(operation, merger, body.version)
    name = environment_key(body.environment)
    environment = environment_of(merger, name)
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the deployment is there already")
    replaces, rollback_of = (_unless_lost(one, merger) for one in (body.replaces, body.rollback_of))
    for other in (replaces, rollback_of):
        if other is not None:
            _check_there(deployment_of(operation, merger, other), name)
    facts = made_by(
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
    found = deployment_of(operation, merger, operation.entity)
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
        captured_version(operation, merger, str(found.facts["version"]))
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
    by = None if since is None else verdict_of(since, merger.view)
    return by is not None and by.first is not None and deployment.id not in by.documents


def _tell_again(deployment: Document, values: Mapping[str, object], merger: Merger) -> None:
    """Let a step that comes back count, although what came later stands there already."""
    for path, value in values.items():
        if value is not None or path in deployment.fields:
            merger.note(deployment, path, value)


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
