"""Conflicts: what people set without seeing each other, and how it is settled.

Settling is judged as the edit that it produces. It names the candidates that its author saw and the
stamp of what stood there, so a value that came meanwhile is never passed over unseen. The answer
comes from the unit of work that settles it: what is done must not fail for a reader's turn.
"""

from typing import Any, Literal

from regtui.core import encoding
from regtui.core.documents import Document, Rule, field_of
from regtui.core.errors import BadInput, ConflictOpen, NotFound
from regtui.core.judgement.resolving import candidate_values
from regtui.core.operations import Change, Changes, ResolveBody
from regtui.registry.answers_conflicts import ConflictAnswer
from regtui.registry.changes import plain
from regtui.registry.conflict_answers import conflict_answers
from regtui.registry.context import Context
from regtui.registry.references import find_model, version_of
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document

Choice = Literal["accepted", "mine", "value", "candidate"]

_SHOWN = (
    "select d.id::varchar, d.body from base.conflict c join base.document d on d.key = c.key "
    "left join base.document s on s.key = c.entity "
    "left join base.stream t on t.key = d.stream left join base.model m on m.id::varchar = t.id "
    # What belongs to a deleted model can't be settled, but for the deletion itself.
    "where (? or (c.open and (m.state is null or m.state <> 'deleted' or s.key = m.key))) "
    "and (?::varchar is null or t.id = ?) order by d.key"
)


def conflicts(
    context: Context, model: str | None = None, *, resolved: bool = False
) -> list[ConflictAnswer]:
    """Return the open conflicts, oldest first.

    Args:
        context: The registry.
        model: Only those that belong to this one.
        resolved: Whether those that are settled are wanted too.

    Raises:
        NotFound: There is no such model.
    """
    with context.reading() as connection:
        stream = None if model is None else _model(connection, model).id
        rows = connection.execute(_SHOWN, [resolved, stream, stream]).fetchall()
        return conflict_answers(connection, [stored_document(body, one) for one, body in rows])


def conflict(context: Context, identity: str) -> ConflictAnswer:
    """Return one conflict.

    Args:
        context: The registry.
        identity: Its id, or the beginning of it.

    Raises:
        NotFound: There is no such conflict.
        BadInput: Several ids begin so.
    """
    with context.reading() as connection:
        return conflict_answers(connection, [find_conflict(connection, identity)])[0]


def resolve(  # noqa: PLR0913 -- what is chosen, of what, and what was seen of it
    context: Context,
    identity: str,
    choice: Choice,
    *,
    value: Any = None,
    candidate: str = "",
    seen: ConflictAnswer | None = None,
) -> ConflictAnswer:
    """Settle a conflict.

    Args:
        context: The registry.
        identity: Its id, or the beginning of it.
        choice: `accepted` keeps what stands, `mine` takes what this person asked for, `value` sets
            another value, `candidate` takes one by its operation.
        value: For `value`; for an alias a reference of a version.
        candidate: For `candidate`, the id of its operation or the beginning of it.
        seen: What the person looked at; None for what is there now.

    Returns:
        The conflict as it is settled.

    Raises:
        NotFound: There is no such conflict or candidate.
        BadInput: It is settled already, the choice is ambiguous or came too late, or can't be.
        ConflictOpen: What stands is not any more what the person looked at; nothing is changed.
        Denied: It is not this person's to settle.
    """
    with context.writing() as authority:
        found = find_conflict(authority.connection, identity)
        if found.value("resolution") is not None:
            raise resolved_already()
        before = conflict_answers(authority.connection, [found])[0] if seen is None else seen
        subject = authority.view.document(found.facts["of"])
        if subject is None:
            raise NotFound("what the conflict is about is not there any more")
        # The judge takes what this replica did itself for seen, though others may share it.
        if subject.stamp(before.field) != before.accepted.id:
            raise ConflictOpen("what stands was changed meanwhile", "look at the conflict again")
        if choice == "value":
            named, values = "value", {before.field: _given(authority, subject, value)}
        elif choice == "accepted":
            named, values = "accepted", {}
        else:
            is_mine = choice == "mine"
            named = _mine(authority, found, before) if is_mine else _candidate(before, candidate)
            kept = found.value(f"candidates/{named}")
            if kept is None:
                raise BadInput("that value was changed meanwhile", "look at the conflict again")
            values = candidate_values(found, subject.kind, kept["value"])
            values = {path: _spelled(authority, subject, path, v) for path, v in values.items()}
        body = ResolveBody(
            of=subject.id,
            of_kind=subject.kind,
            choice=named,
            seen=[str(side.id) for side in before.candidates],
            set=_changes(subject, values, before),
        )
        authority.submit("conflict.resolve", found.stream, found.id, body)
        authority.flush()
        settled = find_conflict(authority.connection, found.id)
        return conflict_answers(authority.connection, [settled])[0]


def resolved_already() -> BadInput:
    """Return the error of who would settle what is settled."""
    return BadInput("the conflict is resolved already", "`regtui conflicts --all` lists it too")


def find_conflict(connection: Connection, identity: str) -> Document:
    """Return the conflict whose id begins so.

    Raises:
        NotFound: There is none.
        BadInput: There are several, or it is no beginning of an id.
    """
    digits = identity.lower().replace("-", "")
    if not digits or set(digits) - set("0123456789abcdef"):
        raise BadInput(f"{identity!r} is no id of a conflict", "`regtui conflicts` lists them")
    rows = connection.execute(
        "select d.body, d.id::varchar from base.conflict c join base.document d on d.key = c.key "
        "where starts_with(replace(d.id::varchar, '-', ''), ?) limit 2",
        [digits],
    ).fetchall()
    if not rows:
        raise NotFound(f"there is no conflict {identity}", "`regtui conflicts` lists them")
    if len(rows) > 1:
        raise BadInput(f"several conflicts begin with {identity}", "add more digits of the id")
    return stored_document(*rows[0])


def _model(connection: Connection, name: str) -> Document:
    """Return a model, deleted or not: that may be what the conflict is about."""
    try:
        return find_model(connection, name)[1]
    except NotFound:
        return find_model(connection, name, deleted=True)[1]


def _mine(authority: SoloAuthority, conflict: Document, shown: ConflictAnswer) -> str:
    """Return the one candidate that this person asked for.

    Raises:
        BadInput: There is none, or there are several.
    """
    entries = conflict.entries("candidates").items()
    mine = sorted(op for op, value in entries if value["author"] == authority.actor.id)
    if len(mine) == 1:
        return mine[0]
    if mine:
        named = ", ".join(op[-8:] for op in mine)
        raise BadInput(f"{len(mine)} of the values are yours: {named}", "--take ID chooses one")
    if shown.accepted.author == authority.actor.name:
        raise BadInput("what stands is yours, and no candidate is", "--theirs keeps what stands")
    others = ", ".join(f"{side.author}'s {str(side.id)[-8:]}" for side in shown.candidates)
    raise BadInput(f"none of the candidates is yours; there is {others}", "--take ID chooses one")


def _candidate(shown: ConflictAnswer, identity: str) -> str:
    """Return the operation of the candidate whose id begins or ends so.

    Ids of operations begin with their time, so people see the end of them.
    """
    digits = identity.lower().replace("-", "")
    ids = [str(side.id) for side in shown.candidates]
    plain_ids = {one.replace("-", ""): one for one in ids}
    found = [
        one
        for bare, one in plain_ids.items()
        if digits and (bare.startswith(digits) or bare.endswith(digits))
    ]
    if not found:
        named = ", ".join(one[-8:] for one in ids)
        raise NotFound(f"the conflict has no candidate {identity!r}", f"it has {named}")
    if len(found) > 1:
        raise BadInput(f"several candidates are called {identity!r}", "add more digits of the id")
    return found[0]


def _given(authority: SoloAuthority, subject: Document, value: Any) -> Any:
    """Return a value as the operation says it; an alias's is given by a reference."""
    if subject.kind != "alias" or value is None:
        return plain(value)
    model = authority.view.document(subject.stream)
    if model is None:
        raise NotFound("the model of this alias is not there any more")
    return version_of(authority.connection, model, str(value)).id


def _spelled(authority: SoloAuthority, subject: Document, path: str, kept: Any) -> Any:
    """Return a kept value as an operation says it: documents keep texts by their digest."""
    if kept is None or field_of(subject.kind, path).rule is not Rule.TEXT:
        return kept
    text = authority.view.text(kept)
    if text is None:
        raise NotFound("the text of that value is not kept any more", "--value gives another")
    return text


def _changes(subject: Document, values: dict[str, Any], seen: ConflictAnswer) -> Changes:
    """Return the changes of a resolution, each with what its author saw there."""
    made: Changes = {}
    for path, to in values.items():
        is_text = field_of(subject.kind, path).rule is Rule.TEXT
        saw, was = subject.stamp(path), subject.value(path)
        if path == seen.field:
            saw, was = seen.accepted.id, seen.accepted.value
            was = encoding.digest(was.encode()) if is_text and was is not None else was
        made[path] = Change(to, saw=saw, was=was if is_text else None)
    return made
