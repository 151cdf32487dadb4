"""Merging: what becomes of each change that an operation asks for.

If the stamp that stands at a path is the one that the author saw, the change is taken. Else the
field's rule decides: `cas` makes the newcomer a candidate of a conflict, `map` and `metric` let one
value win and keep the other in the log, `set` lets an add win over a concurrent remove, `text`
merges by lines. Nothing that was asked for is ever dropped without a trace.

What the author saw is resolved first (`seen`), for he builds on his own operations before they were
judged. Winners under a key are chosen by a total order of (step,) time, replica and operation,
which does not depend on the order in which an authority comes to judge them.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.access import Actor
from regtui.core.documents import Document, Register, Rule, field_of
from regtui.core.holders import with_holder
from regtui.core.identity import conflict_id
from regtui.core.judgement.coming_back import MET, ComingBack, came_back
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.seen import Fold, resolve, stands_by_itself, step_of, times, with_step
from regtui.core.operations import Change, Changes, Operation
from regtui.core.text_merge import merge_text
from regtui.core.verdicts import Accepted, LogRow, PathResult
from regtui.core.view import View

CLOCK_DRIFT = 5 * 60 * 1_000_000
"""Microseconds that an operation's clock may be ahead of the authority's in ties."""


FIELDS_LIMIT = 20_000
"""Values of one entity: each change of one writes and sends all of them."""

CANDIDATES_LIMIT = 100
"""Candidates of one conflict: everybody who reads it gets all of them."""


class Stamp(Struct, frozen=True):
    """What an operation puts on the values that it sets."""

    op: str
    at: int
    replica: str
    actor: str


class Merger:
    """Collects what an operation does to documents.

    It changes nothing outside of itself: what it collects is the outcome.
    """

    def __init__(  # noqa: PLR0913 -- all that decides
        self,
        operation: Operation,
        view: View,
        actor: Actor,
        now: int,
        *,
        settled: Accepted | None = None,
        late: int | None = None,
    ) -> None:
        self.settled = settled
        """The verdict of one that was accepted before; None for a new one."""
        self.then = None if settled is None else ComingBack(operation, settled, now, view)
        """What became of one that was accepted before; None for a new one."""
        self.late = late
        """When one that was accepted before was decided then, where it is judged anew."""
        self.view = view
        self.actor = actor
        self.operation = operation
        self.now = now
        at = min(operation.at, now + CLOCK_DRIFT)
        if settled is not None:  # what it counted as later than may not be back yet
            at = settled.at_used
        self.stamp = Stamp(operation.id, at, operation.replica, operation.actor)
        self.documents: dict[str, Document] = {}
        self.log: list[LogRow] = []
        self.texts: dict[str, str] = {}
        self.paths: dict[str, PathResult] = {}
        self.conflicts: list[str] = []
        self.role: str | None = None
        """In which a promotion request is made or reviewed, or a check reported."""
        self.applied: list[str] = []
        """The promotion requests that it made apply themselves."""

    def seen(self, document: Document, path: str, change: Change) -> str | Fold | None:
        """Return the stamp of the value that the author of a change built on.

        Raises:
            Refusal: He built on an operation of his own that was rejected.
        """
        return resolve(self.operation, self.view, document, path, change.saw)

    def create(  # noqa: PLR0913 -- everything that a document has
        self,
        entity: str,
        kind: str,
        stream: str,
        facts: Mapping[str, object],
        changes: Changes,
        *,
        request: str | None = None,
    ) -> Document:
        """Make a new document with its first values; an alias may follow from a request.

        Raises:
            Refusal: It was there already when this was accepted, and is not back yet.
        """
        for path in () if self.then is None else changes:
            self._note_met(path)
        fields = {
            path: self._register(kind, path, change.to)
            for path, change in changes.items()
            if change.to is not None
        }
        if kind == "alias":
            fields = self._with_holder(fields, request)
        document = Document(
            id=entity,
            kind=kind,
            stream=stream,
            seq=self.view.seq,
            by=self.stamp.op,
            facts=dict(facts),
            fields=fields,
        )
        self.documents[entity] = document
        self.log.append(LogRow(entity, kind, "", None, None, "created"))
        return document

    def change(self, document: Document, changes: Changes) -> None:
        """Apply changes to a document that exists, each by the rule of its field."""
        seen = {path: self.seen(document, path, change) for path, change in changes.items()}
        self._count_as_later(document, changes, seen)
        fields = dict(document.fields)
        for path, change in changes.items():
            result = self._merge(document, path, change, seen[path])
            if isinstance(result, PathResult):
                self.record(document, path, change.to, result)
                continue
            met = self.paths.get(path)
            is_merged = met is not None and met.result == "merged"
            self._log(document, path, change.to, "merged" if is_merged else "applied")
            if result is not None:
                fields[path] = result
            else:
                self._take_away(fields, path)
        if document.kind == "alias" and fields["version"] != document.fields["version"]:
            fields = self._with_holder(fields)
        if fields != document.fields:
            if _stands(fields) > max(FIELDS_LIMIT, _stands(document.fields)) and not self.settled:
                told = f"a {document.kind} has at most {FIELDS_LIMIT:,} values"
                raise Refusal("too_many", told, "keep what is long in a file, or in the card")
            self._replace(document, fields)

    def put(
        self, document: Document, values: Mapping[str, Any], *, request: str | None = None
    ) -> None:
        """Set values whatever their author saw: what has rules of its own was judged before.

        Replicas bring back what a restore lost in any order: what was decided later stays.

        Args:
            document: As it stood before the operation; what it did to it already stays.
            values: Value by path; None takes it away.
            request: The promotion request that a move of an alias follows from.
        """
        document = self.documents.get(document.id, document)
        fields = dict(document.fields)
        for path, value in values.items():
            earlier = fields.get(path)
            if earlier is not None and earlier.v == value:
                if self.settled is not None and not self.is_behind(earlier):
                    # So that what was decided in between does not count as later.
                    fields[path] = Register(value, self.stamp.op, self._after(earlier))
                continue
            if earlier is not None and self.is_behind(earlier):
                self.record(document, path, value, PathResult("lost"))
                continue
            self._log(document, path, value, "applied")
            if value is None and field_of(document.kind, path).keyed:
                self._take_away(fields, path)
                continue
            fields[path] = Register(value, self.stamp.op, self._after(earlier))
        if document.kind == "alias" and fields["version"] != document.fields["version"]:
            fields = self._with_holder(fields, request)
        if fields != document.fields:
            self._replace(document, fields)

    def is_behind(self, standing: Register) -> bool:
        """Tell whether what stands was decided later than what comes back after a restore."""
        return self.then is not None and self.then.is_behind(standing)

    def note(self, document: Document, path: str, value: object) -> None:
        """Set a value that nobody asked for, such as what a decision rested on.

        Its history row is no change of anybody's, which undo would give back: the value stays to be
        found when the next decision has taken its place.
        """
        document = self.documents.get(document.id, document)
        self.log.append(LogRow(document.id, document.kind, path, None, value, "noted"))
        fields = {**document.fields, path: Register(value, self.stamp.op, self.stamp.at)}
        self._replace(document, fields)

    def record(self, document: Document, path: str, value: object, result: PathResult) -> None:
        """Record what became of a change that was not applied."""
        self.paths[path] = result
        self._log(document, path, value, result.result)

    def contest(self, document: Document, value: object, replaces: Collection[str]) -> None:
        """Make a whole operation a candidate of a conflict on the state: a delete met an edit."""
        changes = self.operation.body.set
        seen = {path: self.seen(document, path, change) for path, change in changes.items()}
        self._count_as_later(document, changes, seen)
        before = next(iter(self.settled.paths.values()), None) if self.settled else None
        result = self.conflict(document, "state", value, replaces, before=before)
        result = msgspec.structs.replace(result, of="state")
        for path, change in changes.items():
            self.record(document, path, change.to, result)

    def conflict(
        self,
        document: Document,
        path: str,
        value: object,
        replaces: Collection[str] = (),
        *,
        before: PathResult | None = None,
    ) -> PathResult:
        """Make a value a candidate of the open conflict on a path, or of a new one.

        Args:
            document: What the conflict is about.
            path: Path of the value in it.
            value: The candidate.
            replaces: Operations whose candidates it takes the place of.
            before: What became of it when it was accepted first: it is in the same conflict again,
                whoever comes back first, for whoever settled that one names it.
        """
        known = None if before is None else before.conflict
        found = None if known is None else self.view.document(known)
        if found is not None and self.then is not None and not self.then.had_its_say(found):
            found, known = None, None
        found = found or self.view.open_conflict(document.id, path)
        if found is None:
            identity = known or conflict_id(document.id, path, self.stamp.op)
            facts = {"of": document.id, "of_kind": document.kind, "path": path}
            found = self.create(identity, "conflict", document.stream, facts, {})
        self._add_candidate(found, value, replaces)
        return PathResult("conflict", conflict=found.id)

    def date_back(self, document: Document, facts: Mapping[str, object]) -> Document:
        """Return a document as made by what comes back, where that had made it.

        Args:
            document: As it stands.
            facts: What is told of how it was made, beside when and by whom.
        """
        if self.then is None or not self.then.had_made(document):
            return document
        told = {"created": self.stamp.at, "author": self.operation.actor, **facts}
        kept = {name: one for name, one in document.facts.items() if name != "owner"}
        made = msgspec.structs.replace(document, facts={**kept, **told})
        self._replace(made, made.fields)
        return self.documents[document.id]

    def settle(self, conflict: Document, resolution: object) -> None:
        """End a conflict; None opens it again. What was decided later stays."""
        fields = dict(conflict.fields)
        if "resolution" in fields and self.is_behind(fields["resolution"]):
            self._log(conflict, "resolution", resolution, "lost")
            return
        self._log(conflict, "resolution", resolution, "applied")
        at = self._after(fields.get("resolution"))
        fields["resolution"] = Register(resolution, self.stamp.op, at)
        self._replace(conflict, fields)

    def value(self, kind: str, path: str, value: object) -> object:
        """Return a value as documents and log rows hold it: texts by digest, and then kept."""
        if value is None or field_of(kind, path).rule is not Rule.TEXT:
            return value
        text = str(value)
        digest = encoding.digest(text.encode())
        self.texts[digest] = text
        return digest

    def _merge(
        self, document: Document, path: str, change: Change, seen: str | Fold | None
    ) -> Register | PathResult | None:
        """Return the new register, None for a value taken away, or what else became of it."""
        rule = field_of(document.kind, path).rule
        current = document.fields.get(path)
        if isinstance(seen, Fold):
            return self._fold(document, path, change, seen)
        # What is given back had this step, or none.
        if rule is Rule.METRIC and self.operation.undoes is None:
            change = with_step(self.view, document, path, change)
        if self.then is not None:
            return self._bring_back(self.then, document, path, change)
        if rule is Rule.TEXT:
            return self._merge_text(document, path, current, change)
        if seen == document.stamp(path):
            return self._taken(document.kind, path, change)
        if rule is Rule.CAS:
            return self._merge_unseen(document, path, change)
        return self._merge_keyed(document.kind, path, current, change)

    def _merge_unseen(self, document: Document, path: str, change: Change) -> PathResult:
        """Make a value that meets one that its author did not see a candidate."""
        if document.value(path) == change.to:
            return PathResult("same", stamp=document.stamp(path))
        return self.conflict(document, path, change.to)

    def _bring_back(
        self, then: ComingBack, document: Document, path: str, change: Change
    ) -> Register | PathResult | None:
        """Let a change that comes back have its place among what is back (`coming_back`)."""
        before, current = then.result(path), document.fields.get(path)
        if before is not None and before.conflict is not None:
            value = self.value(document.kind, path, change.to)
            return self.conflict(document, path, value, before=before)
        if current is not None and then.is_behind(current):
            made = self._bring_back_behind(then, document, path, current, change)
        elif before is not None and before.result in MET:
            made = self._meet_again(document, path, current, change, before)
        else:
            made = self._over(document.kind, path, current, change)
        if not isinstance(made, PathResult):
            self._note_met(path)
        return made

    def _note_met(self, path: str) -> None:
        """Note that a change is not taken for all there was: what it met then comes behind it."""
        before = None if self.then is None else self.then.result(path)
        if before is not None and before.conflict is not None:
            raise Refusal("not_found", "what it was in conflict with is not there")
        if before is not None and before.result in MET:
            self.paths[path] = before

    def _bring_back_behind(
        self, then: ComingBack, document: Document, path: str, current: Register, change: Change
    ) -> Register | PathResult | None:
        """Bring back a change behind what was decided later."""
        field, before = field_of(document.kind, path), then.result(path)
        is_removed = field.keyed and current.v is None
        if is_removed or then.stays_behind(current, path):
            return PathResult("lost")
        if field.rule is Rule.TEXT:
            return self._merge_text(document, path, current, change)
        if field.rule is not Rule.CAS:
            return self._merge_keyed(document.kind, path, current, change)
        # Whoever set since what it had found there, or lost to, did so without this one.
        is_new = not came_back(current.by, self.view)
        if before is None and is_new:
            return self._merge_unseen(document, path, change)
        return PathResult("lost")

    def _meet_again(
        self,
        document: Document,
        path: str,
        current: Register | None,
        change: Change,
        before: PathResult,
    ) -> Register | PathResult | None:
        """Let a change meet again what it had lost to or was merged with, if that is back."""
        field = field_of(document.kind, path)
        if field.keyed:
            is_removal = change.to is None
            return before if is_removal else self._merge_keyed(document.kind, path, current, change)
        if field.rule is Rule.TEXT and before.result == "merged":
            return self._merge_text(document, path, current, change)
        return self._over(document.kind, path, current, change)

    def _over(
        self, kind: str, path: str, current: Register | None, change: Change
    ) -> Register | None:
        """Return the register of a change that goes over what stands, as it was written."""
        if field_of(kind, path).rule is Rule.TEXT:
            return self._text(kind, path, current, change.to)
        return self._later(kind, path, current, change)

    def _fold(self, document: Document, path: str, change: Change, seen: Fold) -> PathResult:
        """Put a value in the place of its author's candidate, unless it is what stands."""
        value = self.value(document.kind, path, change.to)
        if value != document.value(path):
            return self.conflict(document, path, value, {seen.op})
        self._withdraw(seen)
        return PathResult("same", stamp=document.stamp(path))

    def _after(self, earlier: Register | None) -> int:
        """Return a time later than that of the value before, although this wins by no clock."""
        return self.stamp.at if earlier is None else max(self.stamp.at, earlier.at + 1)

    def _take_away(self, fields: dict[str, Register], path: str) -> None:
        """Take a value under a key away; where a restore lost some, a mark of that is left.

        What was there before may come back later than that, and has to find that it is over.
        """
        # Whoever takes away what is not there can't mean what may come back.
        if self.settled is not None or (self.view.was_restored and path in fields):
            fields[path] = Register(None, self.stamp.op, self._after(fields.get(path)))
        else:
            fields.pop(path, None)

    def _merge_keyed(
        self, kind: str, path: str, current: Register | None, change: Change
    ) -> Register | PathResult | None:
        """Settle concurrent changes under one key: a set beats a remove, then the later wins."""
        if current is None or current.v is None:
            return self._taken(kind, path, change)
        if change.to is not None and self._wins(kind, path, current, change):
            return self._taken(kind, path, change)
        if encoding.encode(current.v) == encoding.encode(change.to):
            return PathResult("same", stamp=current.by)
        return PathResult("lost")

    def _wins(self, kind: str, path: str, current: Register, change: Change) -> bool:
        """Compare by step (metrics only), time, replica, operation.

        Where the history of the present value is gone, its operation alone breaks ties.
        """
        metric = field_of(kind, path).rule is Rule.METRIC
        past = self.view.past(current.by)
        replica = self.stamp.replica if past is None else past.operation.replica
        mine = (_rank(change.to) if metric else 0, self.stamp.at, self.stamp.replica, self.stamp.op)
        theirs = (_rank(current.v) if metric else 0, current.at, replica, current.by)
        return mine > theirs

    def _merge_text(
        self, document: Document, path: str, current: Register | None, change: Change
    ) -> Register | PathResult | None:
        """Merge by lines, with the text that the author saw as base.

        The stamp alone does not tell: where the author's own earlier change was merged with another
        one, its stamp stands there over a text that the author never saw.
        """
        standing = None if current is None else current.v
        if change.was == standing or stands_by_itself(self.operation, self.view, document, path):
            return self._text(document.kind, path, current, change.to)
        wanted = self.value(document.kind, path, change.to)
        if wanted == standing:
            return PathResult("same", stamp=document.stamp(path))
        theirs = "" if standing is None else self.view.text(standing)
        base = "" if change.was is None else self.view.text(change.was)
        if theirs is None or base is None:
            return self.conflict(document, path, wanted)
        merged = merge_text(base, theirs, change.to or "")
        if merged is None:
            return self.conflict(document, path, wanted)
        if merged == theirs:
            return PathResult("merged")
        self.paths[path] = PathResult("merged")
        return self._text(document.kind, path, current, merged)

    def _text(self, kind: str, path: str, current: Register | None, text: str | None) -> Register:
        """Return a text's register, later than the one before it although it wins by no clock."""
        register = self._register(kind, path, text)
        at = register.at if current is None else max(register.at, current.at + 1)
        return msgspec.structs.replace(register, at=at)

    def _with_holder(
        self, fields: dict[str, Register], request: str | None = None
    ) -> dict[str, Register]:
        return with_holder(
            fields,
            op=self.stamp.op,
            at=fields["version"].at,  # later than the one before, whatever the clock says
            author=self.stamp.actor,
            undoes=self.operation.undoes,
            request=request,
        )

    def _count_as_later(
        self, document: Document, changes: Changes, seen: Mapping[str, str | Fold | None]
    ) -> None:
        """Let the operation count as later than every value that its author saw."""
        latest = (
            time + 1
            for path, change in changes.items()
            for time in times(self.view, document, path, {change.saw, seen[path]})
        )
        self.stamp = msgspec.structs.replace(self.stamp, at=max([self.stamp.at, *latest]))

    def _add_candidate(self, conflict: Document, value: object, replaces: Collection[str]) -> None:
        held = conflict.entries("candidates").keys() - set(replaces)
        if len(held) >= CANDIDATES_LIMIT and self.settled is None:
            told = f"{CANDIDATES_LIMIT} values are in conflict there already"
            raise Refusal("too_many", told, "`regtui resolve` settles it")
        fields = dict(conflict.fields)
        folded = [fields.pop(f"candidates/{op}", None) for op in sorted(replaces)]
        first = next((candidate.v["first"] for candidate in folded if candidate), self.stamp.op)
        candidate = {
            "value": value,
            "author": self.stamp.actor,
            "replica": self.stamp.replica,
            "first": first,
        }
        register = Register(candidate, self.stamp.op, self.stamp.at)
        fields[f"candidates/{self.stamp.op}"] = register
        self._replace(conflict, fields)
        self.conflicts.append(conflict.id)

    def _withdraw(self, fold: Fold) -> None:
        """Take back a candidate whose author came to what stands; the last one ends the conflict.

        That one stays there to be seen, and to be taken should the conflict be opened again.
        """
        conflict, path = self.view.document(fold.conflict), f"candidates/{fold.op}"
        if conflict is None or path not in conflict.fields:
            return
        if len(conflict.entries("candidates")) == 1:
            ended = {"choice": "accepted", "before": {}, "author": self.stamp.actor}
            self.settle(conflict, ended)
            return
        self._log(conflict, path, None, "applied")
        fields = {other: value for other, value in conflict.fields.items() if other != path}
        self._replace(conflict, fields)

    def _replace(self, document: Document, fields: dict[str, Register]) -> None:
        self.documents[document.id] = msgspec.structs.replace(
            document, fields=fields, seq=self.view.seq, by=self.stamp.op
        )

    def _taken(self, kind: str, path: str, change: Change) -> Register | None:
        """Return the register of a change that is taken; a keyed value taken away leaves none."""
        if change.to is None and field_of(kind, path).keyed:
            return None
        return self._register(kind, path, change.to)

    def _later(
        self, kind: str, path: str, current: Register | None, change: Change
    ) -> Register | None:
        """Return the register of a change that is taken, later than what stands by any clock."""
        made = self._taken(kind, path, change)
        if made is None or current is None:
            return made
        return msgspec.structs.replace(made, at=max(made.at, current.at + 1))

    def _register(self, kind: str, path: str, value: object) -> Register:
        return Register(self.value(kind, path, value), self.stamp.op, self.stamp.at)

    def _log(self, document: Document, path: str, value: object, result: str) -> None:
        after = self.value(document.kind, path, value)
        before = document.value(path)
        self.log.append(LogRow(document.id, document.kind, path, before, after, result))


def _stands(fields: Mapping[str, Register]) -> int:
    """Return how many values stand; marks of what was taken away are none."""
    if len(fields) <= FIELDS_LIMIT:
        return len(fields)  # about as many, which is all that is asked
    return sum(one.v is not None for one in fields.values())


def _rank(value: object) -> float:
    """Return the step of a metric value; one without a step counts as before the first."""
    step = step_of(value)
    return -math.inf if step is None else step
