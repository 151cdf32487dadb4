"""The outbox: what waits for the server, and what it refused.

Nothing leaves it without the user. A retry makes new operations, on what stands now; a refused
operation that is discarded is gone, for the server judged it and nobody else ever saw it. One that
waits goes only where the user says so, for a server that does not take it.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core.documents import Document, Rule, field_of
from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.core.operations import (
    CaptureBody,
    Change,
    ModelBody,
    Operation,
    decode_operation,
    subject,
)
from regtui.core.verdicts import Rejected, Unsupported, decode_verdict
from regtui.registry.changes import plain
from regtui.registry.context import Context
from regtui.registry.references import version_of
from regtui.registry.requested import let_go
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.file_lists import take_lost_lists


class OutboxEntry(Struct, frozen=True, kw_only=True):
    """One operation in the outbox.

    Attributes:
        id: UUID of the operation.
        kind: Such as `version.edit`.
        state: `waiting` for the server, `refused` by it, or `offered` to one that lost it.
        model: Name of the model; None where that is not known here.
        entity: UUID of what it changes.
        values: What it sets, by path.
        created: Milliseconds.
        code: Why it was refused, a stable word; for one that waits, why it would be.
        reason: The same in a sentence.
        hint: What to do about it.
        cause: The refused operation that it depends on.
    """

    id: str
    kind: str
    state: str
    model: str | None
    entity: str
    values: dict[str, Any]
    created: int
    code: str | None = None
    reason: str | None = None
    hint: str | None = None
    cause: str | None = None


def outbox(context: Context) -> list[OutboxEntry]:
    """Return what is in the outbox, oldest first."""
    with context.reading() as connection:
        names = dict(
            connection.execute("select id::varchar, display_name from base.model").fetchall()
        )
        rows = _rows(connection)
    return [entry for _, entry in _kept(rows, names)]


def discard(context: Context, identity: str | None) -> list[OutboxEntry]:
    """Let refused operations go; None for all of them.

    Raises:
        NotFound: There is no such one.
        BadInput: It was not refused.
    """
    with context.replica.changing() as connection:
        found = _refused(connection, identity)
        let_go(connection, [one.id for one, _ in found])
        take_lost_lists(connection, _contents(found))  # their files may go
    return [entry for _, entry in found]


def discard_waiting(context: Context, identity: str) -> list[OutboxEntry]:
    """Let an operation go that waits for the server, with all of what was done as one with it.

    For what the server does not take: all else waits behind it. Where the server has it after all,
    the next sync brings it back.

    Raises:
        NotFound: There is no such one.
        BadInput: It does not wait.
        Busy: Another process syncs this registry.
    """
    from regtui.sync.letting_go import let_go as forget

    with context.reading() as connection:
        rows = _rows(connection)
    every = _kept(rows)
    named, shown = _named(every, identity)
    if shown.state != "waiting":
        raise BadInput("it does not wait for the server", "`regtui outbox ls` tells what it does")
    found = [
        (operation, entry)
        for operation, entry in every
        if operation.id == named.id
        or (named.group and operation.group == named.group and entry.state == "waiting")
    ]
    forget(context.replica, context.session, [operation.id for operation, _ in found])
    return [entry for _, entry in found]


def retry(context: Context, identity: str | None) -> list[OutboxEntry]:
    """Make refused operations again on what stands now; None for all of them.

    What depends on them goes with them, in their order.

    Raises:
        NotFound: There is no such one.
        BadInput: It was not refused, or would be refused again.
    """
    return _again(context, identity, {})


def amend(context: Context, identity: str, values: dict[str, Any]) -> list[OutboxEntry]:
    """Make a refused operation again with other values, with what depends on it.

    Args:
        context: The registry.
        identity: The operation's id, or an end of it.
        values: Other values by path; an operation sets what it set before, and nothing else. The
            version of an alias is given by a reference or its id.

    Raises:
        NotFound: There is no such one.
        BadInput: It was not refused, sets no such value, or would be refused again.
    """
    if not values:
        raise BadInput("no value is given", "`regtui outbox retry` sends it as it was")
    return _again(context, identity, values)


def _again(context: Context, identity: str | None, values: dict[str, Any]) -> list[OutboxEntry]:
    with context.writing() as authority:
        found = _refused(authority.connection, identity)
        if values:
            given = _versions_named(authority, found[0][0], values)
            found = [(_amended(*found[0], given), found[0][1]), *found[1:]]
        if len(found) > 1:
            authority.begin_group()
        lists = take_lost_lists(authority.connection, _contents(found))
        for operation, _ in found:
            body = _on_what_stands(authority, operation)
            authority.submit(operation.kind, operation.stream, operation.entity, body)
            if isinstance(operation.body, CaptureBody) and operation.body.digest in lists:
                authority.add_files(operation.entity, lists[operation.body.digest])
        authority.flush()
        let_go(authority.connection, [one.id for one, _ in found])
    return [entry for _, entry in found]


def too_old(verdict: Unsupported) -> tuple[str, str]:
    """Return why a server did not understand an operation, and what to do about it."""
    return f"the server is too old for {verdict.kind}", "try again when it was upgraded"


def _contents(found: list[tuple[Operation, OutboxEntry]]) -> list[str]:
    """Return the digests of what captures among operations captured."""
    return [one.body.digest for one, _ in found if isinstance(one.body, CaptureBody)]


def _versions_named(
    authority: SoloAuthority, operation: Operation, values: dict[str, Any]
) -> dict[str, Any]:
    """Return values with the id of the version where an alias is to point to a reference."""
    named = values.get("version")
    if not operation.kind.startswith("alias.") or named is None or _is_id(str(named)):
        return values
    model = authority.view.document(operation.stream)
    if model is None:  # it was refused with its model, which nobody has
        raise NotFound("the model of this alias is not here", "amend what made it first")
    return {**values, "version": version_of(authority.connection, model, str(named)).id}


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _amended(operation: Operation, entry: OutboxEntry, values: dict[str, Any]) -> Operation:
    """Return an operation with other values.

    Raises:
        BadInput: It sets no such value.
    """
    changes = operation.body.set
    for path in values:
        if path not in changes:
            known = ", ".join(changes) or "nothing"
            raise BadInput(f"{entry.kind} {entry.id[-8:]} sets no {path!r}", f"it sets {known}")
    others = {
        path: msgspec.structs.replace(changes[path], to=plain(value))
        for path, value in values.items()
    }
    body = msgspec.structs.replace(operation.body, set={**changes, **others})
    return msgspec.structs.replace(operation, body=body)


def _refused(connection: Connection, identity: str | None) -> list[tuple[Operation, OutboxEntry]]:
    """Return refused operations: all, or one with what depends on it."""
    every = _kept(_rows(connection))
    refused = [one for one in every if one[1].state == "refused"]
    if identity is None:
        if not refused:
            raise NotFound("nothing was refused", "`regtui outbox ls` lists what waits")
        return refused
    operation, entry = _named(every, identity)
    if entry.state != "refused":
        raise BadInput("it waits for the server and was not refused", "`regtui undo` takes it back")
    tree = {operation.id}
    for operation, entry in refused:
        if entry.cause in tree:
            tree.add(operation.id)
    return [one for one in refused if one[0].id in tree]


def _rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Return bytes, state, verdict and time of what is in the outbox, oldest first."""
    return connection.execute(
        "select bytes, state, verdict, created from base.outbox "
        "where state <> 'acknowledged' order by position"
    ).fetchall()


def _kept(
    rows: Sequence[tuple[Any, ...]], names: dict[str, str] | None = None
) -> list[tuple[Operation, OutboxEntry]]:
    """Return operations with what is told of them; `names` are those of models, where known."""
    every = ((decode_operation(data.encode()), row) for data, *row in rows)
    return [(one, _entry(one, row, {} if names is None else names)) for one, row in every]


def _named(
    every: list[tuple[Operation, OutboxEntry]], identity: str
) -> tuple[Operation, OutboxEntry]:
    """Return the one of a list that an id, or an end of it, names."""
    digits = identity.lower().replace("-", "")
    named = [
        one
        for one in every
        if digits
        and (bare := one[0].id.replace("-", ""))
        and (bare.startswith(digits) or bare.endswith(digits))
    ]
    if not named:
        raise NotFound(f"the outbox has no operation {identity}", "`regtui outbox ls` lists them")
    if len(named) > 1:
        raise BadInput(f"several operations are called {identity}", "add more digits of the id")
    return named[0]


def _on_what_stands(authority: SoloAuthority, operation: Operation) -> Any:
    """Return an operation's body with the stamps that stand now."""
    document = authority.view.document(subject(operation))
    body = operation.body
    made = {path: _seen(document, path, change) for path, change in body.set.items()}
    changed: dict[str, Any] = {"set": made}
    if hasattr(body, "last") and document is not None:
        changed["last"] = document.by
    return msgspec.structs.replace(body, **changed)


def _seen(document: Document | None, path: str, change: Change) -> Change:
    if document is None:
        return Change(change.to)
    # A text goes on from the one that its author saw: what others wrote since is merged with it.
    is_text = field_of(document.kind, path).rule is Rule.TEXT
    return Change(change.to, saw=document.stamp(path), was=change.was if is_text else None)


def _entry(operation: Operation, row: Sequence[Any], names: dict[str, str]) -> OutboxEntry:
    state, verdict, created = row
    if isinstance(operation.body, ModelBody):
        names[operation.stream] = operation.body.name  # one that was refused is not here
    decided = None if verdict is None else decode_verdict(verdict.encode())
    told: dict[str, Any] = {}
    if isinstance(decided, Rejected):
        told = {
            "code": decided.code,
            "reason": decided.message,
            "hint": decided.hint or None,
            "cause": decided.cause,
        }
    elif isinstance(decided, Unsupported):
        reason, hint = too_old(decided)
        told = {"code": "unsupported", "reason": reason, "hint": hint}
    shown = {"pending": "waiting", "sent": "waiting"}.get(state, state)
    return OutboxEntry(
        id=operation.id,
        kind=operation.kind,
        state=shown,
        model=names.get(operation.stream),
        entity=operation.entity,
        values={path: change.to for path, change in operation.body.set.items()},
        created=created or operation.at // 1000,
        **told,
    )


__all__ = ["OutboxEntry", "RegtuiError", "amend", "discard", "discard_waiting", "outbox", "retry"]
