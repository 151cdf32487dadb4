"""What ending a conflict requires and does.

A resolution is judged as the edit that it produces: it names the candidates that its author saw,
and for the value the stamp that he saw there. A candidate that came meanwhile refuses it, a value
that was set meanwhile makes it a candidate itself; in both cases the conflict stays open and
nothing is lost. Ending a conflict can be taken back, which restores what stood before.
"""

from typing import Any

from regtui.core import encoding
from regtui.core.access import Role, has_role
from regtui.core.documents import Document, Rule, field_of, split_path
from regtui.core.identity import alias_key
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.refusal import Refusal
from regtui.core.operations import Change, Changes, Operation, ResolveBody
from regtui.core.policies import protecting

LIVE_STATES = {"model": "active", "version": "captured", "dataset": "active", "comment": "posted"}
"""The state in which an entity comes to be, and to which it is restored."""


def conflict_of(operation: Operation, merger: Merger) -> tuple[Document | None, Document]:
    """Return the conflict, None where it is not here, and what it is about.

    Raises:
        Refusal: There is no such entity, or the conflict is about another one.
    """
    body: ResolveBody = operation.body
    conflict = merger.view.document(operation.entity)
    subject = merger.view.document(body.of)
    about = None if subject is None else (subject.kind, subject.stream)
    if subject is None or about != (body.of_kind, operation.stream):
        raise Refusal("not_found", "there is no such conflict")
    if conflict is not None and (conflict.kind, conflict.facts.get("of")) != ("conflict", body.of):
        raise Refusal("not_found", "there is no such conflict")
    return conflict, subject


def check_subject(operation: Operation, subject: Document) -> None:
    """Refuse the edit that a resolution produces where such an edit is refused.

    Raises:
        Refusal: `denied` or `deleted`.
    """
    changes = operation.body.set
    if subject.kind == "comment" and subject.facts["author"] != operation.actor:
        raise Refusal("denied", "only its author may change a comment", "add one of your own")
    if changes and subject.value("state") == "deleted" and "state" not in changes:
        raise Refusal("deleted", f"the {subject.kind} is deleted", "restore it first")


def check_edit_alone(body: ResolveBody) -> None:
    """Refuse a resolution of a conflict that is not here and whose edit could not stand alone.

    Where something was captured no edit tells, but one that was a candidate.

    Raises:
        Refusal: `not_found`.
    """
    places = any(split_path(path)[0] == "places" for path in body.set)
    if body.choice is None or not body.set or "state" in body.set or places:
        raise Refusal("not_found", "there is no such conflict")


def check_resolution(
    conflict: Document, subject: Document, operation: Operation, merger: Merger
) -> None:
    """Refuse a resolution that does not do what it says, or whose author saw too little.

    Raises:
        Refusal: `resolved`, `no_change`, `changed_meanwhile`, `malformed` or `not_found`.
    """
    body: ResolveBody = operation.body
    if merger.then is not None:
        _check_choice(conflict, body)
        return  # it was right then, and what it ended or opened again may not be back yet
    _check_keeper(conflict, subject, merger)
    standing = conflict.value("resolution")
    if body.choice is None:
        if standing is None:
            raise Refusal("no_change", "the conflict is open")
        _check_equal(subject.kind, body.set, standing["before"])
        _refuse_second(conflict, subject, body, merger)
        return
    if standing is not None:
        raise Refusal("resolved", "the conflict is resolved already", "`regtui conflicts --all`")
    candidates = conflict.entries("candidates")
    if set(candidates) - set(body.seen):
        raise Refusal(
            "changed_meanwhile", "another value came in meanwhile", "look at the conflict again"
        )
    if body.choice == "accepted":
        _check_equal(subject.kind, body.set, {})
    elif body.choice == "value":
        if set(body.set) != {conflict.facts["path"]}:
            raise Refusal("malformed", "the value given is not the one in conflict")
    else:
        _check_choice(conflict, body)
        wanted = candidate_values(conflict, subject.kind, candidates[body.choice]["value"])
        _check_equal(subject.kind, body.set, wanted)


def _check_choice(conflict: Document, body: ResolveBody) -> None:
    """Refuse to take a candidate that is not there."""
    is_other = body.choice in {None, "accepted", "value"}
    if not is_other and body.choice not in conflict.entries("candidates"):
        raise Refusal("not_found", "the conflict has no such candidate")


def _check_keeper(conflict: Document, subject: Document, merger: Merger) -> None:
    """Refuse to decide of a protected alias to who is no maintainer: that it stays is one, too."""
    about = subject.kind, conflict.facts.get("path")
    if about != ("alias", "version"):
        return
    model = merger.view.document(subject.stream)
    name = str(model.value("name")) if model else ""
    alias = alias_key(str(subject.facts["name"]))
    policies = merger.view.in_stream("registry", "policy")
    is_keeper = has_role(merger.actor, name, Role.MAINTAINER)
    if not is_keeper and protecting(policies, name, "alias", alias):
        raise Refusal("denied", f"a conflict on @{alias}, which is protected, is for maintainers")


def _refuse_second(
    conflict: Document, subject: Document, body: ResolveBody, merger: Merger
) -> None:
    """Refuse to open a conflict again beside another one on the same value."""
    path = conflict.facts["path"]
    moved = any(
        merger.seen(subject, changed, change) != subject.stamp(changed)
        for changed, change in body.set.items()
    )
    if moved or merger.view.open_conflict(subject.id, path) is not None:
        raise Refusal(
            "changed_meanwhile", "the value was changed since it was resolved", "edit it instead"
        )


def candidate_values(conflict: Document, kind: str, value: Any) -> dict[str, Any]:
    """Return the values that taking a candidate sets, by path; texts by their digest.

    A candidate of a conflict on the state may be an edit of what was deleted meanwhile: taking it
    restores the entity.
    """
    if conflict.facts["path"] == "state" and isinstance(value, dict):
        return {"state": LIVE_STATES[kind], **value["edit"]}
    return {conflict.facts["path"]: value}


def resolution_value(
    operation: Operation, subject: Document, merger: Merger
) -> dict[str, Any] | None:
    """Return what a conflict keeps of its end: the choice, and what stood before."""
    body: ResolveBody = operation.body
    if body.choice is None:
        return None
    before = {path: _stood(subject, path, change, merger) for path, change in body.set.items()}
    return {"choice": body.choice, "before": before, "author": operation.actor}


def _stood(subject: Document, path: str, change: Change, merger: Merger) -> Any:
    """Return what a resolution replaces; where it comes back, what its author saw there."""
    past = None if merger.settled is None else merger.view.past(change.saw or "")
    seen = None if past is None else past.operation.body.set.get(path)
    return subject.value(path) if seen is None else as_kept(subject.kind, path, seen.to)


def _check_equal(kind: str, changes: Changes, wanted: dict[str, Any]) -> None:
    given = {path: as_kept(kind, path, change.to) for path, change in changes.items()}
    if encoding.encode(given) != encoding.encode(wanted):
        raise Refusal("malformed", "the resolution sets something else than it says")


def as_kept(kind: str, path: str, value: Any) -> Any:
    """Return a value as documents hold it: texts by their digest."""
    is_text = isinstance(value, str) and field_of(kind, path).rule is Rule.TEXT
    return encoding.digest(value.encode()) if is_text else value
