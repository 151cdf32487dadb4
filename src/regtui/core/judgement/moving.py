"""What becomes of the moves of an operation: asked of the gates, then noted, requested or refused.

An authority notes beside the target what its gates said, so that anybody can tell later on what
evidence it moved. A replica that is none leaves the target where it is: the move is *requested*.

A request that is to be applied by itself is, by what made its last gate pass: a review, a report,
an edit of its version or model, a restore of the version, or the request itself. It moves with the
rights of who made the request. Time and changes of policies make nothing move: who promotes again
applies it.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from regtui.core.access import Actor, Grant, Role, has_role, narrowed, role_of
from regtui.core.documents import Document
from regtui.core.governance import (
    GateResult,
    Governed,
    approvals_counted,
    governed,
    no_conflict,
)
from regtui.core.governance.moves import Move, moves_of, target_move
from regtui.core.governance.overlay import Overlay
from regtui.core.identity import deployment_id, environment_id
from regtui.core.judgement.coming_back import came_back
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.production import carry_out
from regtui.core.judgement.refusal import Refusal
from regtui.core.operations import EnvironmentBody, Operation
from regtui.core.policies import applying
from regtui.core.verdicts import Accepted
from regtui.core.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

ONLINE = frozenset({"policy.put", "policy.remove"})
"""What only a server changes: it never takes effect on a replica by itself."""

EDITS = frozenset({"version.edit", "model.edit"})
"""What fills in what a policy asks for."""

TRIGGERS = (
    frozenset({"promotion.request", "promotion.review", "check.report", "version.restore"}) | EDITS
)
"""What may make a request's last gate pass, or bring back what is to move."""


def is_online(operation: Operation, view: View) -> bool:
    """Tell whether only a server does this: it never takes effect on a replica by itself.

    So it is with policies, and with taking away what protects an environment without any.
    """
    opened = operation.body.set.get("protected")
    if isinstance(operation.body, EnvironmentBody) and opened is not None and opened.to is False:
        found = view.document(operation.entity)
        return found is not None and found.value("protected") is not False
    return operation.kind in ONLINE


def ask_gates(operation: Operation, merger: Merger) -> Governed:
    """Return what the gates say to what an operation moves; what passed is noted.

    Raises:
        Refusal: `blocked`, with what every gate that fails says.
    """
    view, model = merger.view, merger.view.document(operation.stream)
    moves = list(moves_of(operation, merger.documents, view))
    if merger.settled is not None:
        for move in moves:  # what the gates said is lost, but not that nobody asked them
            if move.break_glass is not None:
                _note(move, [], None, merger)
        return Governed(())
    found = governed(moves, model, view, merger.actor, merger.now)
    # Who decides has nobody to leave it to: what is unknown here does not pass.
    against = [one for one in found.results if not one.passed] if view.seq else found.failed
    if against:
        told = "; ".join(f"{one.gate}: {one.reason}" for one in against)
        raise Refusal("blocked", told, "`regtui promote` says what it takes")
    if view.seq and model is not None:
        for move, results in found.moves:
            counted = approvals_counted(move, model, view, merger.actor, merger.now)
            _note(move, results, counted, merger)
    return found


def apply_by_itself(operation: Operation, merger: Merger) -> None:
    """Apply the requests whose last gate an operation made pass."""
    if operation.kind not in TRIGGERS or not merger.view.seq:
        return
    for promotion in _waiting(operation, merger):
        view = Overlay(merger.view, dict(merger.documents), merger.texts)
        requester, model = requester_of(promotion, view), view.document(promotion.stream)
        if requester is None or model is None:
            continue
        move = requested_move(promotion, view)
        if merger.settled is not None:
            # Another request for the same target may have stayed open.
            if _was_applied(promotion, move, merger.settled):
                _carry_out(promotion, operation, merger, view)
            continue
        if in_the_way(move, view) is not None:
            continue
        if overtaken(move, model, view, requester, merger.now) is not None:
            continue
        found = governed([move], model, view, requester, merger.now)
        may = has_role(requester, str(model.value("name")), Role.CONTRIBUTOR)
        passed = may and all(one.passed for one in found.results)
        if passed and restored(move, model, view, requester, merger.now) is None:
            _carry_out(promotion, operation, merger, view)
            for made, results in found.moves:
                counted = approvals_counted(made, model, view, requester, merger.now)
                _note(made, results, counted, merger)


def _was_applied(promotion: Document, move: Move, settled: Accepted) -> bool:
    """Tell whether a request applied itself then; old verdicts tell only what changed."""
    if settled.applied:
        return promotion.id in settled.applied
    return {promotion.id, move.subject} <= settled.documents.keys()


def _carry_out(promotion: Document, operation: Operation, merger: Merger, after: View) -> None:
    """Apply a request to what an operation leaves: it may have brought back what is to move."""
    before, merger.view = merger.view, after
    merger.applied.append(promotion.id)
    try:
        carry_out(promotion, operation, merger, None)
    finally:
        merger.view = before


def requester_of(promotion: Document, view: View) -> Actor | None:
    """Return who made a request, with no more rights than he made it with; None where nobody knows.

    His token may have been one that may do less than he, and he may do more by now.
    """
    person, model = view.person(str(promotion.facts["author"])), view.document(promotion.stream)
    told = promotion.facts.get("role")
    if person is None or told is None or model is None:
        return person
    name = str(model.value("name"))
    held = role_of(person, name)
    left = None if held is None else narrowed(held, Role[str(told).upper()])
    grants = () if left is None else (Grant(left, name),)
    return Actor(person.id, person.name, grants, person.owner)


def requested_move(promotion: Document, view: Any) -> Move:
    """Return the move that a request asks for, as the registry stands."""
    facts = promotion.facts
    return target_move(
        view,
        promotion.stream,
        str(facts["target_kind"]),
        str(facts["target"]),
        facts["version"],
        subject=deployment_id(promotion.id),
        request=promotion,
    )


def _waiting(operation: Operation, merger: Merger) -> list[Document]:
    """Return the open requests that apply themselves and that an operation may have completed."""
    body = operation.body
    found: Sequence[Document | None]
    if operation.kind == "check.report":
        found = merger.view.about(body.version, "promotion")
    elif operation.kind == "version.restore":
        found = merger.view.about(operation.entity, "promotion")
    elif operation.kind in EDITS:
        found = _completed_by_edit(operation, merger)
    else:
        found = [merger.documents.get(operation.entity)]  # None where nothing changed
    return [one for one in found if one and one.value("state") == "open" and one.facts["auto"]]


def _completed_by_edit(operation: Operation, merger: Merger) -> "Sequence[Document]":
    """Return the requests that an edit is about; none where no policy binds the model."""
    view, model = merger.view, merger.view.document(operation.stream)
    if model is None or operation.entity not in merger.documents:
        return ()
    if not applying(view.in_stream("registry", "policy"), str(model.value("name"))):
        return ()
    if operation.kind == "version.edit":
        return view.about(operation.entity, "promotion")
    return view.in_stream(operation.stream, "promotion")


def in_the_way(move: Move, view: View) -> GateResult | None:
    """Return which of what is to move, and where to, is not there; None where all of it is."""
    if move.kind == "environment" and not _is_there(move.name, view):
        return GateResult("environment", False, f"there is no environment {move.name!r} any more")
    if move.version is None:
        gone = GateResult("alias", False, "there is no such alias any more")
        return gone if move.current is None else None
    version = view.document(move.version)
    state = "not here" if version is None else str(version.value("state"))
    if state == "captured":
        return None
    told = f"the version is {state}"
    if version is not None:
        told += "; `regtui version restore` brings it back"
    return GateResult("version", False, told, evidence=move.version)


def overtaken(move: Move, model: Document, view: View, actor: Actor, now: int) -> GateResult | None:
    """Return why a request to move an alias does not apply itself; None where nothing holds it up.

    Its author saw the alias elsewhere, or with a conflict on it: what somebody else chose is not
    overwritten unseen. Who approves has seen where it stands by then.
    """
    if move.kind != "alias" or move.request is None or move.version == move.current:
        return None
    contested = no_conflict(move, view)
    if not contested.passed:
        return contested
    alias = view.document(move.subject)
    stands = None if alias is None else alias.stamp("version")
    if move.request.facts.get("stood", stands) == stands:
        return None
    counted = approvals_counted(move, model, view, actor, now)
    if "" in counted.values():
        return None
    passed = None if counted and not view.seq else False  # the server knows whether one counts
    told = f"somebody moved {move.name} meanwhile: approve it anew, or ask again"
    return GateResult("unmoved", passed, told, evidence=stands)


def restored(move: Move, model: Document, view: View, actor: Actor, now: int) -> GateResult | None:
    """Return why a request does not apply itself after a restore; None where nothing holds it up.

    It, an approval or a run of a check came back, and what was said to it later, on another
    machine, may not be back yet. Somebody has to look at it again.
    """
    request = move.request
    if request is None:
        return None
    run = _run_that_came_back(move, model, view, actor, now)
    if run is not None:
        told = "a run of a check came back after a restore of the server: run it anew, or apply it"
        return GateResult("restored", False, f"{told} by hand", evidence=run)
    counted = approvals_counted(move, model, view, actor, now)
    # Whether one counts is known to the server; here all may.
    given = [f"reviews/{user}" for user, why in counted.items() if not why or not view.seq]
    fresh = [path for path in given if not came_back(request.fields[path].by, view)]
    if len(fresh) == len(given) and not came_back(request.fields["state"].by, view):
        return None
    if fresh:  # which may suffice without those that came back
        stale = set(given) - set(fresh)
        fields = {path: one for path, one in request.fields.items() if path not in stale}
        slim = msgspec.structs.replace(request, fields=fields)
        without = msgspec.structs.replace(move, request=slim)
        over = Overlay(view, {slim.id: slim}, {})
        results = governed([without], model, over, actor, now).results
        if all(one.passed for one in results):
            return None
    told = "it came back after a restore of the server: approve it anew, or apply it by hand"
    return GateResult("restored", None if given and not view.seq else False, told)


def _run_that_came_back(
    move: Move, model: Document, view: View, actor: Actor, now: int
) -> str | None:
    """Return a check run that a move rests on and that came back; None where it rests on none."""
    for one in governed([move], model, view, actor, now).results:
        run = None if one.evidence is None else view.document(one.evidence)
        if run is not None and run.kind == "check_run" and came_back(run.by, view):
            return run.id
    return None


def _is_there(environment: str, view: View) -> bool:
    found = view.document(environment_id(environment))
    return found is not None and found.value("state") == "active"


def _note(move: Move, results: list[Any], approvals: dict[str, str] | None, merger: Merger) -> None:
    """Keep what the gates said beside what moved, and in the request that it follows from.

    Args:
        move: It.
        results: What they said.
        approvals: Why the approval of each who gave one did not count, empty where it did; None
            where nobody knows any more.
        merger: Collects the effects.
    """
    request = move.request
    evidence: dict[str, Any] = {
        "gates": [
            {
                "policy": one.policy,
                "gate": one.gate,
                "reason": one.reason,
                "evidence": one.evidence,
            }
            for one in results
        ],
        "request": None if request is None else request.id,
        "break_glass": move.break_glass,
        "version": move.version,
        "before": move.current,
        "by": merger.stamp.op,
        "at": merger.now,
    }
    if approvals is not None:
        evidence["approvals"] = approvals
    subjects = [move.subject, *([] if request is None else [request.id])]
    for identity in subjects:
        document = merger.documents.get(identity)
        if document is not None:
            merger.note(document, "evidence", evidence)
