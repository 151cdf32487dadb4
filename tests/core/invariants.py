"""What must hold of every judgement, whatever came before it.

`check` compares the state before an operation with its outcome. It follows the operation's own
words (`to`, `saw`), not the rules by which `judge` comes to its decision.
"""

from collections.abc import Iterator
from typing import Any

from regtui.core import encoding
from regtui.core.documents import Document, Register, Rule, field_of
from regtui.core.holders import HOLDERS_LIMIT
from regtui.core.judgement.merge import CLOCK_DRIFT
from regtui.core.operations import Change, Operation, ResolveBody, subject
from regtui.core.verdicts import Accepted, Conflicted, Judged
from tests.core.registry_state import RegistryState

RESTORING = {"version.capture", "dataset.put"}

DECIDED = {"policy", "check", "environment", "promotion", "deployment", "check_run"}
"""What has rules of its own: who did not see what he changes is refused (`test_governance_*`)."""

MOVING = {"promotion.request", "promotion.review", "promotion.apply", "check.report"}
"""What moves an alias by a request, which names no stamp: its approvals are bound to it."""


def check(before: RegistryState, operation: Operation, judged: Judged) -> None:
    after = before.copy(final=True)
    after.apply(operation, judged)
    if isinstance(judged.verdict, Accepted):
        nothing_asked_for_disappears(after, operation, judged)
        time_is_clamped(before, operation, judged.verdict)
    nothing_that_stood_disappears(before, after, operation, judged)
    values_are_replaced_only_by_who_saw_them(before, after, operation)
    conflicts_end_as_they_say(before, after, operation)
    one_conflict_is_open_for_a_value(after)
    only_authors_change_comments(before, after, operation)
    aliases_remember_their_holders(before, after, operation)
    nobody_conflicts_with_himself(before, operation, judged)
    times_never_go_back(before, after)
    aliases_point_to_what_is_there(after)
    numbers_are_unique_and_kept(before, after)


def nothing_asked_for_disappears(
    after: RegistryState, operation: Operation, judged: Judged
) -> None:
    assert isinstance(judged.verdict, Accepted)
    entity = judged.verdict.merged_into or subject(operation)
    document = after.documents.get(entity)
    assert document is not None
    for path, change in operation.body.set.items():
        asked = stored(document.kind, path, change.to)
        if field_of(document.kind, path).rule is Rule.TEXT and change.to is not None:
            assert after.texts[asked] == change.to
        stands = covers(document.value(path), asked)
        logged = any(
            (row.entity, row.path, row.after) == (entity, path, asked) for row in judged.log
        )
        assert stands or logged, f"{path} = {asked!r} is gone"
        result = judged.verdict.paths.get(path)
        if result is not None and result.result == "conflict":
            assert isinstance(judged.verdict, Conflicted)
            assert result.conflict in judged.verdict.conflicts
            conflict = after.documents[str(result.conflict)]
            candidate = conflict.value(f"candidates/{operation.id}")["value"]
            own = conflict.facts["path"] == path
            assert asked == (candidate if own else candidate["edit"][path])


def nothing_that_stood_disappears(
    before: RegistryState, after: RegistryState, operation: Operation, judged: Judged
) -> None:
    for old, new in changed(before, after):
        for path, register in old.fields.items():
            if new.fields.get(path) == register:
                continue
            if path == "evidence":
                continue  # what a decision rested on is noted; the move is what is logged
            if path.startswith("holders/"):
                assert len(old.entries("holders")) == HOLDERS_LIMIT
                continue
            if path.startswith("candidates/"):
                assert register.v["author"] == operation.actor
                kept = new.value(f"candidates/{operation.id}")
                if kept is not None:
                    assert kept["first"] <= register.v["first"]
                    continue
                standing = before.documents[old.facts["of"]]
                assert standing_as_asked(operation, standing, old.facts["path"])
            rows = [row for row in judged.log if (row.entity, row.path) == (old.id, path)]
            assert [row.before for row in rows] == [register.v]


def values_are_replaced_only_by_who_saw_them(
    before: RegistryState, after: RegistryState, operation: Operation
) -> None:
    for old, new in changed(before, after):
        if old.kind in DECIDED or operation.kind in MOVING:
            continue
        for path, register in old.fields.items():
            if (
                path == "evidence"
                or old.kind == "conflict"
                or field_of(old.kind, path).rule is not Rule.CAS
            ):
                continue
            if new.fields[path] == register or path not in operation.body.set:
                restored = path == "state" and operation.kind in RESTORING
                assert new.fields[path] == register or restored
                continue
            change: Change = operation.body.set[path]
            setter = before.history[register.by].operation
            own = setter.replica == operation.replica
            assert own or change.saw == register.by or found_equal(before, change, path, register)


def conflicts_end_as_they_say(
    before: RegistryState, after: RegistryState, operation: Operation
) -> None:
    """A conflict ends or opens by who saw all of it, and what he chose stands then."""
    for old, new in changed(before, after):
        resolution = new.value("resolution") if old.kind == "conflict" else None
        if old.kind != "conflict" or old.value("resolution") == resolution:
            continue
        body, path = operation.body, old.facts["path"]
        document = after.documents[old.facts["of"]]
        if not isinstance(body, ResolveBody):
            (candidate,) = new.entries("candidates").values()
            assert candidate["author"] == operation.actor
            assert (resolution or {})["choice"] == "accepted"
            assert standing_as_asked(operation, document, path)
            continue
        assert operation.entity == old.id
        if resolution is None:
            assert body.choice is None
            for changed_path, value in (old.value("resolution") or {})["before"].items():
                assert document.value(changed_path) == value
            continue
        assert resolution["choice"] == body.choice
        assert set(old.entries("candidates")) <= set(body.seen)
        standing = before.documents[document.id]
        for changed_path in body.set:
            assert resolution["before"][changed_path] == standing.value(changed_path)
        if body.choice == "accepted":
            assert standing is document
        elif body.choice != "value":
            wanted = old.entries("candidates")[str(body.choice)]["value"]
            asked = stored_changes(document.kind, operation)
            state = {"model": "active", "version": "captured"}.get(document.kind)
            edit = wanted["edit"] | {"state": state} if isinstance(wanted, dict) else {path: wanted}
            assert asked == edit


def one_conflict_is_open_for_a_value(after: RegistryState) -> None:
    conflicts = after.of_kind("conflict")
    opened = [(c.facts["of"], c.facts["path"]) for c in conflicts if c.value("resolution") is None]
    assert len(set(opened)) == len(opened)
    assert all(c.entries("candidates") for c in conflicts if c.value("resolution") is None)


def only_authors_change_comments(
    before: RegistryState, after: RegistryState, operation: Operation
) -> None:
    for old, _ in changed(before, after):
        assert old.kind != "comment" or old.facts["author"] == operation.actor


def aliases_remember_their_holders(
    before: RegistryState, after: RegistryState, operation: Operation
) -> None:
    for alias in after.of_kind("alias"):
        old = before.document(alias.id)
        if old is alias:
            continue
        newest = alias.entries("holders")[operation.id]
        assert (newest["version"], newest["author"]) == (alias.value("version"), operation.actor)
        kept = set(alias.entries("holders")) - {operation.id}
        assert old is None or kept <= set(old.entries("holders"))


def found_equal(before: RegistryState, change: Change, path: str, register: Register) -> bool:
    """Tell whether the author's own last operation had found this value and left it."""
    past = before.past(change.saw or "")
    result = past.verdict.paths.get(path) if past and isinstance(past.verdict, Accepted) else None
    return result is not None and (result.result, result.stamp) == ("same", register.by)


def nobody_conflicts_with_himself(
    before: RegistryState, operation: Operation, judged: Judged
) -> None:
    """No conflict opens over an own value; a merged text is not only one's own."""
    for document, _ in judged.documents:
        if document.kind != "conflict" or document.id in before.documents:
            continue
        path = document.facts["path"]
        theirs = before.past(before.documents[document.facts["of"]].stamp(path) or "")
        if theirs is None or path == "state":
            continue
        assert isinstance(theirs.verdict, Accepted)
        assert theirs.operation.replica != operation.replica or path in theirs.verdict.paths


def times_never_go_back(before: RegistryState, after: RegistryState) -> None:
    for old, new in changed(before, after):
        for path, register in old.fields.items():
            later = new.fields.get(path)
            if later is not None:
                assert later.at >= register.at or step(later) > step(register), path


def time_is_clamped(before: RegistryState, operation: Operation, verdict: Accepted) -> None:
    verdicts = [past.verdict for past in before.history.values()]
    used = [earlier.at_used for earlier in verdicts if isinstance(earlier, Accepted)]
    merged = [r.at for doc in before.documents.values() for r in doc.fields.values()]
    highest = max([verdict.now + CLOCK_DRIFT, *(at + 1 for at in used + merged)])
    assert verdict.at_used <= highest
    assert verdict.at_used >= min(operation.at, verdict.now + CLOCK_DRIFT)


def aliases_point_to_what_is_there(after: RegistryState) -> None:
    for alias in after.of_kind("alias"):
        target = alias.value("version")
        if target is not None:
            assert after.documents[target].stream == alias.stream
            assert after.documents[target].value("state") != "deleted"


def numbers_are_unique_and_kept(before: RegistryState, after: RegistryState) -> None:
    numbers = [(version.stream, version.facts["number"]) for version in after.of_kind("version")]
    assert len(set(numbers)) == len(numbers)
    assert all(number >= 1 for _, number in numbers)
    assert all(after.documents[old.id].facts == old.facts for old in before.of_kind("version"))


def changed(before: RegistryState, after: RegistryState) -> Iterator[tuple[Document, Document]]:
    for entity, old in before.documents.items():
        if after.documents[entity] is not old:
            yield old, after.documents[entity]


def standing_as_asked(operation: Operation, document: Document, path: str) -> bool:
    asked = stored_changes(document.kind, operation)
    return path in asked and asked[path] == document.value(path)


def stored_changes(kind: str, operation: Operation) -> dict[str, Any]:
    return {path: stored(kind, path, change.to) for path, change in operation.body.set.items()}


def stored(kind: str, path: str, value: Any) -> Any:
    text = field_of(kind, path).rule is Rule.TEXT and value is not None
    return encoding.digest(value.encode()) if text else value


def covers(value: Any, asked: Any) -> bool:
    """Tell whether a value is what was asked for, a metric perhaps with the step that was seen."""
    if isinstance(value, dict) and isinstance(asked, dict):
        return asked.items() <= value.items()
    return bool(value == asked)


def step(register: Register) -> int:
    found = register.v.get("step") if isinstance(register.v, dict) else None
    return -1 if found is None else int(found)
