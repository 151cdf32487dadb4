"""Governance: the gates that a move of a protected target must pass.

A policy protects an alias or an environment. Whatever operation moves that (an undo, a resolution,
a request that is applied) is asked the same gates, by `moves_of` its effects. On a replica with a
remote such an operation never takes effect by itself: it is *requested*, and the server decides.

What is not a move is left alone: requests, reviews, reports and edits take effect at once.
"""

from collections.abc import Iterable

from regtui.core.access import Actor, Role, role_of
from regtui.core.documents import Document
from regtui.core.errors import BadInput
from regtui.core.governance.evidence import Case
from regtui.core.governance.gates import (
    GateResult,
    answers,
    approvals_of,
    dismissed_review,
    rejection,
)
from regtui.core.governance.moves import Move, moves_of
from regtui.core.governance.reviewing import reviewed
from regtui.core.identity import environment_id
from regtui.core.policies import Policy, policy_of, protecting
from regtui.core.view import View

__all__ = [
    "GateResult",
    "Governed",
    "Move",
    "approvals_counted",
    "approvals_of",
    "cases_of",
    "gate_results",
    "governed",
    "is_protected",
    "moves_of",
    "parts_of",
]


def cases_of(move: Move, model: Document, view: View, actor: Actor, now: int) -> list[Case]:
    """Return the policies that a move is judged by, each with what its gates look at."""
    version = None if move.version is None else view.document(move.version)
    return [
        Case(
            view=view,
            policy=policy,
            document=one,
            move=move,
            model=model,
            version=version,
            actor=actor,
            now=now,
        )
        for one, policy in policies_of(move, model, view)
        if policy is not None
    ]


def policies_of(move: Move, model: Document, view: View) -> list[tuple[Document, Policy | None]]:
    """Return the policies that protect a target; None for one that this program can't read."""
    documents = view.in_stream("registry", "policy")
    found: list[tuple[Document, Policy | None]] = []
    for one in protecting(documents, str(model.value("name")), move.kind, move.name):
        try:
            found.append((one, policy_of(one.value("definition"))))
        except BadInput:
            found.append((one, None))
    return found


def parts_of(cases: list[Case], move: Move, model: Document, view: View) -> dict[str, str]:
    """Return the digest of each part of what somebody reviews (`reviewing`)."""
    return reviewed(cases, move, model, view)


def is_protected(name: str, model: str, view: View) -> bool:
    """Tell whether an environment is protected: it says so itself, or a policy does.

    Args:
        name: Of the environment, in the form of identity.
        model: Name of the model that is deployed there.
        view: The registry.
    """
    environment = view.document(environment_id(name))
    if environment is not None and environment.value("protected") is not False:
        return True
    policies = view.in_stream("registry", "policy")
    return bool(protecting(policies, model, "environment", name))


def gate_results(
    move: Move, model: Document, view: View, actor: Actor, now: int
) -> list[GateResult]:
    """Return what each gate says to a move; none where nothing holds it up or protects its target.

    Args:
        move: What is to move.
        model: Whose target it is.
        view: The registry right before it.
        actor: Who moves it.
        now: Microseconds of the authority's clock.
    """
    policies, name = policies_of(move, model, view), str(model.value("name"))
    against = rejection(move.request, name, view)
    rejected = [] if against is None else [against]
    if not policies and (move.kind != "environment" or not is_protected(move.name, name, view)):
        return rejected
    cases = cases_of(move, model, view, actor, now)
    results = [_maintainer(actor, model)]
    if move.kind == "alias":
        results.append(no_conflict(move, view))
    if not _all_ask_less(policies, move):
        results += rejected
    results += [_unreadable(document) for document, policy in policies if policy is None]
    parts = reviewed(cases, move, model, view)
    for case in cases:
        results += _of_policy(case, parts)
    return results


def approvals_counted(
    move: Move, model: Document, view: View, actor: Actor, now: int
) -> dict[str, str]:
    """Return why the approval of each who gave one does not count; empty where it does.

    What no policy asks for counts as long as it is about what is there.

    Args:
        move: What moves.
        model: Whose target it is.
        view: The registry right before it.
        actor: Who moves it.
        now: Microseconds of the authority's clock.
    """
    if move.request is None:
        return {}
    cases = cases_of(move, model, view, actor, now)
    parts = reviewed(cases, move, model, view)
    found = {
        user: dismissed_review(move.request, user, parts) or ""
        for user, review in move.request.entries("reviews").items()
        if review["verdict"] == "approve"
    }
    said = [one for case in cases for one in approvals_of(case, parts)]
    for user in found:
        mine = [one for one in said if one.user == user]
        if mine and not any(one.counts for one in mine):
            found[user] = mine[0].reason
    return found


class Governed:
    """What the moves of an operation come to.

    Attributes:
        moves: Those whose targets are protected, each with what the gates say.
    """

    def __init__(self, moves: Iterable[tuple[Move, list[GateResult]]]) -> None:
        self.moves = [(move, results) for move, results in moves if results]

    def __bool__(self) -> bool:
        """Whether anything that is protected moves."""
        return bool(self.moves)

    @property
    def results(self) -> list[GateResult]:
        """What all gates say."""
        return [result for _, results in self.moves for result in results]

    @property
    def failed(self) -> list[GateResult]:
        """The gates that say no."""
        return [one for one in self.results if one.passed is False]


def governed(
    moves: Iterable[Move], model: Document | None, view: View, actor: Actor, now: int
) -> Governed:
    """Return what the gates say to the moves of an operation on a model."""
    if model is None or model.kind != "model":
        return Governed(())
    return Governed((move, gate_results(move, model, view, actor, now)) for move in moves)


def _all_ask_less(policies: list[tuple[Document, Policy | None]], move: Move) -> bool:
    """Tell whether every policy lets a move pass by the gates: by breaking glass, or going back."""
    return bool(policies) and all(
        policy is not None
        and (move.break_glass is not None or (policy.rollback == "free" and move.returns))
        for _, policy in policies
    )


def _of_policy(case: Case, parts: dict[str, str]) -> list[GateResult]:
    """Return what one policy says: its gates, or why they are not asked."""
    name = str(case.document.facts["name"])
    if case.policy.rollback == "free" and case.move.returns:
        told = "it was there before, and going back is free"
        return [GateResult("rollback", True, told, policy=name)]
    if case.move.break_glass is not None:
        return [_glass(case, name)]
    return [
        GateResult(one.gate, one.passed, one.reason, name, one.evidence)
        for one in answers(case, parts)
    ]


def _glass(case: Case, name: str) -> GateResult:
    role, told = role_of(case.actor, case.name), str(case.move.break_glass)
    if not case.policy.break_glass:
        return GateResult("break_glass", False, "the policy does not allow it", policy=name)
    if role is not Role.ADMIN:
        return GateResult("break_glass", False, "it needs the role admin", policy=name)
    if not told.strip():
        return GateResult("break_glass", False, "it needs a reason", policy=name)
    return GateResult("break_glass", True, told, policy=name)


def _maintainer(actor: Actor, model: Document) -> GateResult:
    role = role_of(actor, str(model.value("name")))
    passed = role is not None and role >= Role.MAINTAINER
    who = "nobody" if role is None else role.name.lower()
    return GateResult("maintainer", passed, f"{actor.name} is {who}, it needs a maintainer")


def _unreadable(document: Document) -> GateResult:
    told = "this program is too old to read the policy; upgrade it"
    return GateResult("policy", False, told, str(document.facts["name"]), document.id)


def no_conflict(move: Move, view: View) -> GateResult:
    """Return whether no conflict is open on what moves, but for one that the move ends."""
    conflict = view.open_conflict(move.subject, "version")
    if conflict is None or conflict.id == move.resolves:
        return GateResult("no_conflict", True, "no conflict is open")
    told = "a conflict on it is open; `regtui resolve` settles it"
    return GateResult("no_conflict", False, told, evidence=conflict.id)
