"""Reminting: operations of a registry without a server, made again for one that has one.

Each gets a new id of the same moment, the name of who publishes, and the translation of everything
that it saw: stamps, undone operations, intents and conflicts name the new operations. What it sets
stays as it is, so that a judge treats it as what it was: a change by somebody who had seen just
that.
"""

from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from regtui.core.documents import Document
from regtui.core.identity import alias_id
from regtui.core.judgement.resolving import as_kept
from regtui.core.operations import (
    GROUP_LIMIT,
    KINDS,
    ActBody,
    AliasBody,
    CaptureBody,
    Change,
    DatasetBody,
    EditBody,
    Operation,
    PromotionApply,
    ReportBody,
    RequestBody,
    ResolveBody,
    StateBody,
    subject,
)
from regtui.core.view import View
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
        self._applies: dict[tuple[str, str], str] = {}
        """Applications of requests, by what they moved and the operation that set them off."""
        self._moved: dict[str, str] = {}
        """The operation that moved each alias last."""
        self._makers: dict[str, set[str]] = {}
        """The replicas that changed each entity."""

    def remint(
        self,
        operation: Operation,
        authority: SoloAuthority,
        *,
        was_number: int | None = None,
        was_contested: bool = False,
    ) -> Operation:
        """Return an operation as it is made again.

        Args:
            operation: The old one.
            authority: Of the unit of work in which it will be judged.
            was_number: The number that a captured version had and will not have.
            was_contested: Whether it opened a conflict, or became part of one.
        """
        entity, body = operation.entity, operation.body
        if isinstance(body, ResolveBody):
            entity = self._conflicts[entity]
            body = msgspec.structs.replace(
                body,
                choice=self._operations.get(str(body.choice), body.choice),
                seen=[self._operations.get(one, one) for one in body.seen],
            )
        self._makers.setdefault(subject(operation), set()).add(operation.replica)
        alias = None if was_contested else _moved_by(operation, authority)
        if alias is not None:
            self._moved[alias] = operation.id
        made = {path: self._change(entity, change) for path, change in body.set.items()}
        if isinstance(body, CaptureBody) and was_number is not None:
            made[NUMBER_TAG] = Change(str(was_number))
        body = msgspec.structs.replace(body, set=made)
        if isinstance(body, ReportBody):
            definition = self._operations.get(str(body.definition))
            body = msgspec.structs.replace(body, definition=definition)
        if isinstance(body, RequestBody | ActBody) and isinstance(body.saw, str):
            body = msgspec.structs.replace(
                body, saw=self._seen(_target(operation, authority), body.saw)
            )
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
            origin=self._origin(operation),
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
        identity = uuid7(_milliseconds(by.id) * 1000)
        target = _target_of(authority.view.document(request[0]))
        # It moves the alias from where that stood here, and not from where somebody put it there.
        saw: str | UnsetType | None = UNSET
        if target:
            saw = self._seen(target, self._moved[target]) if target in self._moved else None
        # What was set off stands there by the operation that set it off.
        self._applies[target, by.id] = identity
        self._moved[target] = by.id
        return PromotionApply(
            id=identity,
            replica=self._replica,
            at=by.at,
            actor=authority.actor.id,
            stream=request[1],
            entity=request[0],
            body=ActBody(None, {}, saw),
            via=by.via,
            session=by.session,
            origin=self._origin(by),
        )

    def ends_none(self, operation: Operation) -> bool:
        """Tell whether an operation ends what was a conflict, and is none here."""
        return isinstance(operation.body, ResolveBody) and operation.entity not in self._conflicts

    def note_conflicts(self, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        """Note which conflicts opened in the place of old ones."""
        if len(old) == len(new):
            self._conflicts.update(zip(old, new, strict=True))

    def _change(self, entity: str, change: Change) -> Change:
        if change.saw is None:
            return change
        return msgspec.structs.replace(change, saw=self._seen(entity, change.saw))

    def _seen(self, entity: str, stamp: str) -> str | None:
        """Return the new operation by which a value of an entity stands."""
        return self._applies.get((entity, stamp)) or self._operations.get(stamp)

    def _origin(self, operation: Operation) -> str | UnsetType:
        return UNSET if operation.replica == self._own else operation.replica

    def _last_seen(
        self, operation: Operation, authority: SoloAuthority, *, was_contested: bool
    ) -> str | None:
        """Return the last operation on an entity that who changes its state had seen."""
        if was_contested:
            return self._operations.get(operation.body.last or "")
        document = authority.view.document(subject(operation))
        # What the server had before, and whoever did it there, nobody saw here.
        if document is None or authority.accepted_by(document) is not None:
            return None
        is_shared = bool(self._makers[document.id] - {operation.replica})
        return document.by if is_shared else None

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


def as_edits(operation: Operation, view: View) -> list[Operation]:
    """Return the end of a conflict as the edits that it was.

    Where several homes met by file one may end a conflict that another one, or a server, never had.
    What is there already is left out, unless it is how somebody gives in: his own value is a
    candidate there.
    """
    document = view.document(operation.body.of)
    changes = {
        path: one
        for path, one in operation.body.set.items()
        if document is not None
        and (
            document.value(path) != as_kept(document.kind, path, one.to)
            or view.open_conflict(document.id, path) is not None
        )
    }
    if document is None or not changes:
        return []
    fields = {name: getattr(operation, name) for name in operation.__struct_fields__}
    fields["entity"] = document.id
    if document.kind == "alias":
        kind = "alias.remove" if changes["version"].to is None else "alias.set"
        moved = AliasBody(str(document.facts["name"]), changes)
        return [KINDS[kind](**fields | {"body": moved})]
    if document.kind == "dataset":
        named = DatasetBody(str(document.facts["name"]), changes)
        return [KINDS["dataset.put"](**fields | {"body": named})]
    made = []
    state = None if document.kind == "comment" else changes.pop("state", None)
    if state is not None:
        verb = {"archived": "archive", "deleted": "delete"}.get(str(state.to), "restore")
        body = StateBody(None, {"state": state})
        made.append(KINDS[f"{document.kind}.{verb}"](**fields | {"body": body}))
        fields["id"] = uuid7(_milliseconds(operation.id) * 1000)
    if changes:
        made.append(KINDS[f"{document.kind}.edit"](**fields | {"body": EditBody(changes)}))
    return made


def _moved_by(operation: Operation, authority: SoloAuthority) -> str | None:
    """Return the alias that an operation moves itself; None for none."""
    body = operation.body
    if isinstance(body, AliasBody):
        return operation.entity
    if isinstance(body, ResolveBody):
        return body.of if body.of_kind == "alias" and body.set else None
    if isinstance(operation, PromotionApply):
        return _target(operation, authority) or None
    return None


def _target(operation: Operation, authority: SoloAuthority) -> str:
    """Return the id of what a request moves, or one that is applied."""
    body = operation.body
    if isinstance(body, RequestBody):
        return alias_id(operation.stream, body.target) if body.target_kind == "alias" else ""
    return _target_of(authority.view.document(operation.entity))


def _target_of(request: Document | None) -> str:
    is_alias = request is not None and request.facts["target_kind"] == "alias"
    return alias_id(request.stream, str(request.facts["target"])) if request and is_alias else ""


def _milliseconds(identity: str) -> int:
    return UUID(identity).int >> 80
