"""Seen: what the author of a change had before him.

An author builds on his own operations before they were judged. One of them that had no effect on a
value leads on to the value that it was based on; one that found its value standing there already
leads to that; one that became a candidate of a conflict is replaced there by the newcomer (*fold*);
one that was rejected takes a dependent `cas` or text change with it. And a value that stands there
from an earlier operation of the same replica counts as seen whatever stamp is named, for a replica
knows what it did: nobody conflicts with himself. (Unless it is a text that was merged: an own stamp
then stands over lines that its author never saw.) Where one replica publishes what several did,
each operation names the one that made it first (`origin`), and counts as that one's.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core.documents import Document, Rule, field_of
from regtui.core.judgement.refusal import Refusal
from regtui.core.operations import Change, Operation, is_of_one_replica, subject
from regtui.core.verdicts import Accepted
from regtui.core.view import Past, View

LINKS_LIMIT = 1_000
"""Own operations that are followed back to what their author saw: each has to be looked up."""

_ASKED = frozenset({"promotion.request", "promotion.apply"})
"""What asks for a value of another entity than its own: the alias that is to move."""


class Fold(Struct, frozen=True):
    """The author built on an own change that is a candidate of an open conflict on this value."""

    conflict: str
    op: str


def resolve(  # noqa: PLR0913 -- everything that a stamp is about
    operation: Operation,
    view: View,
    document: Document,
    path: str,
    saw: str | None,
    *,
    past_refused: bool = False,
) -> str | Fold | None:
    """Return the stamp of the value that the author built on, or the candidate that he built on.

    Args:
        operation: His.
        view: The registry right before it.
        document: What the value is of.
        path: Path of the value in it.
        saw: The stamp that he names.
        past_refused: Whether one of his own that was refused leads on whatever the rule.

    Raises:
        Refusal: `depends_on_rejected`, where the rule of the value is `cas` or text.
    """
    if saw == document.stamp(path):
        return saw
    takes_along = field_of(document.kind, path).rule in {Rule.CAS, Rule.TEXT}
    strict = takes_along and not past_refused
    seen = _follow(operation, view, document, path, saw, strict=strict)
    own = not isinstance(seen, Fold) and stands_by_itself(operation, view, document, path)
    return document.stamp(path) if own else seen


def stands_by_itself(operation: Operation, view: View, document: Document, path: str) -> bool:
    """Tell whether what stands at a path is just what an earlier operation of the replica set.

    An edit, a review or a report may have let somebody else's request move an alias: that its
    author has not seen.
    """
    past = view.past(document.stamp(path) or "")
    if past is None or not is_of_one_replica(past.operation, operation):
        return False
    if _of(document, view, past.operation.id) is None and past.operation.kind not in _ASKED:
        return False
    return isinstance(past.verdict, Accepted) and path not in past.verdict.paths


def _follow(  # noqa: PLR0913 -- as above
    operation: Operation,
    view: View,
    document: Document,
    path: str,
    saw: str | None,
    *,
    strict: bool,
) -> str | Fold | None:
    followed = {operation.id}  # what was refused may name what came later, and so itself
    while saw is not None and saw not in followed and len(followed) < LINKS_LIMIT:
        past = _own(operation, view, document, saw)
        if past is None:
            break
        followed.add(saw)
        if isinstance(past.verdict, Accepted):
            result = past.verdict.paths.get(path)
            if result is None or result.result == "merged":
                return saw
            if result.result == "same":
                return result.stamp
            if result.conflict is not None:
                conflict = view.document(result.conflict)
                if conflict is None or conflict.facts["path"] == path:
                    if conflict is None or _closed(conflict):
                        return saw if conflict is None else _taken(conflict, saw)
                    return Fold(conflict.id, saw)
        elif strict:
            raise Refusal(
                "depends_on_rejected",
                f"it builds on operation {saw}, which was rejected",
                "retry or discard that one first",
                cause=saw,
            )
        saw = _based_on(past, path)
    return saw


def folded(
    operation: Operation, view: View, document: Document, conflict: Document | None
) -> dict[str, dict[str, Any]]:
    """Return the edits among a conflict's candidates that an edit builds on, by operation."""
    found: dict[str, dict[str, Any]] = {}
    candidates = {} if conflict is None else conflict.entries("candidates")
    for stamp in {change.saw for change in operation.body.set.values()} & set(candidates):
        past = _own(operation, view, document, stamp)
        if past is not None and isinstance(candidates[stamp]["value"], dict):
            found[stamp] = candidates[stamp]["value"]
    return dict(sorted(found.items()))


def times(
    view: View, document: Document, path: str, stamps: Iterable[str | Fold | None]
) -> Iterator[int]:
    """Yield the times by which the values behind these stamps count in ties."""
    register = document.fields.get(path)
    for stamp in stamps:
        if not isinstance(stamp, str):
            continue
        if register is not None and register.by == stamp:
            yield register.at
        elif (past := _of(document, view, stamp)) and isinstance(past.verdict, Accepted):
            yield past.verdict.at_used


def with_step(view: View, document: Document, path: str, change: Change) -> Change:
    """Return a metric's change with the step that its author saw, where it names none itself."""
    if change.to is None or step_of(change.to) is not None:
        return change
    step, saw, followed = None, change.saw, set[str]()
    while step is None and saw is not None and saw not in followed:
        if len(followed) >= LINKS_LIMIT:
            break
        followed.add(saw)
        register = document.fields.get(path)
        if register is not None and register.by == saw:
            step, saw = step_of(register.v), None
        else:
            past = _of(document, view, saw)
            earlier = None if past is None else past.operation.body.set.get(path)
            step, saw = (None, None) if earlier is None else (step_of(earlier.to), earlier.saw)
    if step is None:
        return change
    return msgspec.structs.replace(change, to={**change.to, "step": step})


def step_of(value: object) -> int | None:
    """Return the step of a metric value, None without one; what else it holds does not matter."""
    return value.get("step") if isinstance(value, dict) else None


def _of(document: Document, view: View, operation: str) -> Past | None:
    """Return an operation judged before, if it went into this document."""
    past = view.past(operation)
    if past is None:
        return None
    merged_into = past.verdict.merged_into if isinstance(past.verdict, Accepted) else None
    return past if document.id in {subject(past.operation), merged_into} else None


def _own(operation: Operation, view: View, document: Document, stamp: str) -> Past | None:
    past = _of(document, view, stamp)
    return past if past is not None and past.operation.actor == operation.actor else None


def _based_on(past: Past, path: str) -> str | None:
    change = past.operation.body.set.get(path)
    return None if change is None else change.saw


def _taken(conflict: Document, candidate: str) -> str:
    """Return the stamp that a candidate got when its conflict ended, if it was the one chosen."""
    resolution = conflict.fields["resolution"]
    return resolution.by if resolution.v["choice"] == candidate else candidate


def _closed(conflict: Document) -> bool:
    return conflict.value("resolution") is not None
