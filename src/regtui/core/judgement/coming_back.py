"""Coming back: what became of an operation that a restore of the server lost, when it was accepted.

Replicas bring operations back in any order. What one saw or met may not be back yet, or never come,
and somebody may have set something else since. So each has its place by the verdict that it had and
by the moments at which things were decided, first of all what it changes:

- It was simply taken: it goes over what was decided earlier, and stays behind what was decided
  later and was taken, too.
- It lost, or was merged: it meets again what it met, as soon as that is back.
- It was a candidate: it is one in the same conflict again.

What was set after the restore is met like anything that is done at the same time.
"""

from msgspec import Struct

from regtui.core.documents import Document, Register, field_of
from regtui.core.identity import conflict_id
from regtui.core.operations import Operation
from regtui.core.verdicts import Accepted, PathResult
from regtui.core.view import View

MET = frozenset({"lost", "merged"})
"""The results of a change that met another value, by which that still has its place beside it."""


def verdict_of(operation: str, view: View) -> Accepted | None:
    """Return the verdict on an operation that was accepted, where it is known."""
    past = view.past(operation)
    return past.verdict if past is not None and isinstance(past.verdict, Accepted) else None


def came_back(operation: str, view: View) -> bool:
    """Tell whether what an operation made stand came back after a restore of the server."""
    accepted = verdict_of(operation, view)
    return accepted is not None and accepted.first is not None


class ComingBack(Struct, frozen=True):
    """An operation that comes back.

    Attributes:
        operation: It.
        verdict: The verdict that it had.
        moment: When that was decided.
        view: The registry right before it comes back.
    """

    operation: Operation
    verdict: Accepted
    moment: int
    view: View

    def result(self, path: str) -> PathResult | None:
        """Return what became of a change then; None where it was taken."""
        return self.verdict.paths.get(path)

    def was_candidate(self, path: str) -> bool:
        """Tell whether a value was in conflict then, with what may not be back yet."""
        before = self.result(path)
        return before is not None and before.result == "conflict"

    def was_contested(self, document: Document) -> bool:
        """Tell whether an edit met a deletion then, as a whole (`Merger.contest`).

        The conflict may not be back yet. Verdicts of earlier releases do not tell what it is of: it
        is the state where a field knows no conflicts of its own, where several fields are in one,
        or where its id follows from that.
        """
        results = {path: self.result(path) for path in self.operation.body.set}
        if any(one is not None and one.of == "state" for one in results.values()):
            return True
        contested = {one.conflict for one in results.values() if one and one.conflict}
        if len(contested) != 1 or None in results.values():
            return False
        (identity,) = contested
        found = self.view.document(str(identity))
        if found is not None:
            return bool(found.facts["path"] == "state")
        path = next(iter(results))
        is_of_one = len(results) == 1 and not field_of(document.kind, path).keyed
        return not is_of_one or identity == conflict_id(document.id, "state", self.operation.id)

    def had_made(self, document: Document) -> bool:
        """Tell whether it made an entity, which is said to be made by who came back first.

        His verdict said that he had found it there. This one's did not, or it found itself behind
        in an earlier restore. Of what was put away in between, and brought back, the clocks tell.
        """
        before = self.result("state")
        may_have = before is None or before.result == "lost"
        is_earlier = self.verdict.at_used < int(document.facts["created"])
        return may_have and is_earlier and self.is_behind(document.fields["state"])

    def is_behind(self, standing: Register) -> bool:
        """Tell whether what stands was decided later."""
        accepted = verdict_of(standing.by, self.view)
        return accepted is not None and accepted.decided > self.moment

    def stays_behind(self, standing: Register, path: str) -> bool:
        """Tell whether what was decided later came back, and was taken for all there was.

        A change that met another one then has that beside it, or under it. Whoever set what stands
        and had seen this one set it over it, also where he did so after the restore.
        """
        past = self.view.past(standing.by)
        set_over = None if past is None else past.operation.body.set.get(path)
        if set_over is not None and set_over.saw == self.operation.id:
            return True
        accepted = verdict_of(standing.by, self.view)
        if accepted is None or accepted.first is None:
            return False
        before = accepted.paths.get(path)
        return before is None or before.result not in MET

    def had_its_say(self, conflict: Document) -> bool:
        """Tell whether who settled a conflict knew of this candidate, or nobody settled it.

        What was settled before this one was made was opened again by then.
        """
        ended = conflict.fields.get("resolution")
        if ended is None or ended.v is None:
            return True
        past = self.view.past(ended.by)
        knew = past is not None and self.operation.id in getattr(past.operation.body, "seen", ())
        return knew or not self.is_behind(ended) or came_back(ended.by, self.view)
