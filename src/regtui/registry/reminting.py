"""Reminting: operations of a registry without a server, made again for one that has one.

Each gets a new id of the same moment, the name of who publishes, and the translation of everything
that it saw: stamps, undone operations, intents and conflicts name the new operations. What it sets
stays as it is, so that a judge treats it as what it was: a change by somebody who had seen just
that.
"""

from uuid import UUID

import msgspec
from msgspec import UNSET

from regtui.core.operations import (
    GROUP_LIMIT,
    ActBody,
    CaptureBody,
    Change,
    Operation,
    PromotionApply,
    ReportBody,
    RequestBody,
    ResolveBody,
    StateBody,
    subject,
)
from regtui.replica.authority import SoloAuthority
from regtui.replica.ids import uuid7

NUMBER_TAG = "tags/solo-number"
"""Where the number stays that a version had."""


class Reminter:
    """Translates the operations of one registry, in their order.

    Args:
        replica: Id of the replica that publishes.
        own: Id of the replica that the registry's home is. What others did beside it, and came by
            a bundle, stays apart from that.
    """

    def __init__(self, replica: str, own: str) -> None:
        self._replica, self._own = replica, own
        self._operations: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._grouped: dict[str, int] = {}
        self._conflicts: dict[str, str] = {}
        self._makers: dict[str, set[str]] = {}
        """The replicas that changed each entity."""

    def remint(
        self,
        operation: Operation,
        authority: SoloAuthority,
        *,
        was_number: int | None = None,
        was_contested: bool = False,
    ) -> Operation | None:
        """Return an operation as it is made again; None where it settles what is no conflict now.

        Args:
            operation: The old one.
            authority: Of the unit of work in which it will be judged.
            was_number: The number that a captured version had and will not have.
            was_contested: Whether it opened a conflict, or became part of one.
        """
        entity, body = operation.entity, operation.body
        if isinstance(body, ResolveBody):
            if entity not in self._conflicts:
                return None
            entity = self._conflicts[entity]
            body = msgspec.structs.replace(
                body,
                choice=self._operations.get(str(body.choice), body.choice),
                seen=[self._operations.get(one, one) for one in body.seen],
            )
        self._makers.setdefault(subject(operation), set()).add(operation.replica)
        made = {path: self._change(change) for path, change in body.set.items()}
        if isinstance(body, CaptureBody) and was_number is not None:
            made[NUMBER_TAG] = Change(str(was_number))
        body = msgspec.structs.replace(body, set=made)
        if isinstance(body, ReportBody):
            definition = self._operations.get(str(body.definition))
            body = msgspec.structs.replace(body, definition=definition)
        if isinstance(body, RequestBody | ActBody) and isinstance(body.saw, str):
            body = msgspec.structs.replace(body, saw=self._operations.get(body.saw))
        if isinstance(body, RequestBody):
            # When it was applied stands in the history, and is made again by itself.
            body = msgspec.structs.replace(body, auto=False)
        if isinstance(body, StateBody):
            last = self._last_seen(operation, authority, was_contested=was_contested)
            body = msgspec.structs.replace(body, last=last)
        return msgspec.structs.replace(
            operation,
            id=self._new(self._operations, operation.id),
            replica=self._replica,
            n=0,
            prev="",
            actor=authority.actor.id,
            entity=entity,
            body=body,
            group=None if operation.group is None else self._group(operation.group),
            undoes=self._operations.get(operation.undoes or ""),
            origin=UNSET if operation.replica == self._own else operation.replica,
        )

    def applied(
        self, request: tuple[str, str], by: Operation, authority: SoloAuthority
    ) -> Operation:
        """Return the operation that applies a request which another operation made apply itself.

        Args:
            request: Ids of the request and its model.
            by: The old operation that did so.
            authority: Of the unit of work in which it will be judged.
        """
        return PromotionApply(
            id=uuid7(_milliseconds(by.id) * 1000),
            replica=self._replica,
            at=by.at,
            actor=authority.actor.id,
            stream=request[1],
            entity=request[0],
            body=ActBody(None, {}),
            via=by.via,
            session=by.session,
        )

    def note_conflicts(self, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        """Note which conflicts opened in the place of old ones."""
        if len(old) == len(new):
            self._conflicts.update(zip(old, new, strict=True))

    def _change(self, change: Change) -> Change:
        if change.saw is None:
            return change
        return msgspec.structs.replace(change, saw=self._operations.get(change.saw))

    def _last_seen(
        self, operation: Operation, authority: SoloAuthority, *, was_contested: bool
    ) -> str | None:
        """Return the last operation on an entity that who changes its state had seen."""
        if was_contested:
            return self._operations.get(operation.body.last or "")
        document = authority.view.document(subject(operation))
        if document is None:
            return None
        accepted = authority.accepted_by(document)
        is_shared = bool(self._makers[document.id] - {operation.replica})
        # What others did here before was seen; what somebody did at the server since was not.
        return document.by if accepted is None and is_shared else accepted

    def _group(self, old: str) -> str:
        """Return the new id of a group; one that is more than a server takes becomes several."""
        count = self._grouped[old] = self._grouped.get(old, 0) + 1
        if count % GROUP_LIMIT == 1:
            self._groups.pop(old, None)
        return self._new(self._groups, old)

    @staticmethod
    def _new(known: dict[str, str], identity: str) -> str:
        """Return the new id for an old one: of the same millisecond, by which intents are found."""
        if identity not in known:
            known[identity] = uuid7(_milliseconds(identity) * 1000)
        return known[identity]


def _milliseconds(identity: str) -> int:
    return UUID(identity).int >> 80
