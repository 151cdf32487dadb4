"""The log: what was done to the registry, by whom, and whether it was taken back.

Pages go back from the newest operation by sequence number, so a page costs the same however large
the registry is, and what comes meanwhile neither repeats nor hides anything.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import (
    alias_id,
    alias_key,
    dataset_id,
    environment_id,
    name_key,
    short_id,
)
from regtui.core.inverse import DECIDED
from regtui.core.operations import KINDS, Operation
from regtui.core.policies import environment_key
from regtui.core.query.times import read_date, read_duration
from regtui.core.verdicts import LogRow
from regtui.core.view import Past
from regtui.registry.answers import iso
from regtui.registry.context import Context
from regtui.registry.figures import seq_text
from regtui.registry.lookups import actor_names, model_names
from regtui.registry.references import document_of, find_version, model_named, parse
from regtui.registry.summaries import summary
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.history import (
    Wanted,
    matching,
    newest,
    operations,
    operations_by_id,
    rows_of,
    undoers,
    undone_under,
)
from regtui.replica.remote import PENDING

DATASET = "dataset:"
ENVIRONMENT = "env:"
LIMIT = 10_000

NOTED = "noted"
"""Result of a history row that is no change: what a decision rested on."""

IDS = 500
"""Documents that are asked for at once."""


class ChangeAnswer(Struct, frozen=True, kw_only=True):
    """What became of one value.

    Attributes:
        path: Such as `tags/env`; empty where the entity itself came to be.
        before: The value before; a text by its digest.
        after: The value that was asked for.
        result: `created`, `applied`, `lost`, `merged`, `same` or `conflict`.
    """

    path: str
    before: Any
    after: Any
    result: str


class OperationAnswer(Struct, frozen=True, kw_only=True):
    """One operation.

    Attributes:
        seq: Its place in the registry's history, from 1; one that waits for the remote has a
            number from 2^52 on, until it gets its place.
        waiting: Whether it waits for the remote.
        id: UUID.
        kind: Such as `version.edit`.
        actor: Name of who did it.
        via: `cli`, `app`, `watcher`, `api` or `runner`.
        session: Id of the invocation that made it.
        time: When it was decided.
        model: Name of the model; None where it is about none.
        number: Number of the version that it is about.
        alias: The alias that it is about.
        dataset: The dataset that it is about.
        entity: Id of what it is about.
        changes: Value by value.
        undoes: Id of the operation that it took back.
        undone_by: Id of the operation that took it back and is in effect.
        group: Id of the intent that it belongs to; one intent is undone as one.
        summary: One plain line.
    """

    seq: int
    waiting: bool
    id: str
    kind: str
    actor: str
    via: str
    session: str
    time: str
    model: str | None
    number: int | None
    alias: str | None
    dataset: str | None
    entity: str
    changes: list[ChangeAnswer]
    undoes: str | None
    undone_by: str | None
    group: str | None
    summary: str


class OperationPage(Struct, frozen=True, kw_only=True):
    """Some operations and the cursor of the page after them; None at the end."""

    operations: list[OperationAnswer]
    next: str | None


class LogRequest(Struct, frozen=True, kw_only=True):
    """Which operations to tell.

    Attributes:
        reference: Of this model, version, alias (`MODEL@ALIAS`), `env:NAME` or `dataset:NAME` only.
        author: By this person only.
        kind: Of this kind only, such as `version.edit`.
        since: Not older than `7d` or than a date.
    """

    reference: str | None = None
    author: str | None = None
    kind: str | None = None
    since: str | None = None


def log(  # noqa: PLR0913 -- everything by which operations are chosen
    context: Context,
    reference: str | None = None,
    *,
    author: str | None = None,
    kind: str | None = None,
    since: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> OperationPage:
    """Return a page of the operations that are asked for, newest first.

    Args:
        context: The registry.
        reference: Only with a model, version, alias (`MODEL@ALIAS`), `env:NAME` or `dataset:NAME`.
        author: Only by this person.
        kind: Only of this kind, such as `version.edit`.
        since: Not older than `7d` or than a date.
        limit: Operations of the page.
        after: Cursor of the page before.

    Raises:
        NotFound: There is no such model, version, alias, dataset or person.
        BadInput: The reference, kind, time, limit or cursor is malformed.
    """
    if not 1 <= limit <= LIMIT:
        raise BadInput(f"a page can't have {limit} operations", f"give 1 to {LIMIT:,}")
    request = LogRequest(reference=reference, author=author, kind=kind, since=since)
    with context.reading() as connection:
        wanted = wanted_operations(context, connection, request)
        below = newest(connection) + 1 if after is None else _cursor(after)
        seqs = list(itertools.islice(matching(connection, wanted, below), limit + 1))
        answers = operation_answers(connection, seqs[:limit])
    return OperationPage(
        operations=answers, next=str(seqs[limit - 1]) if len(seqs) > limit else None
    )


def operation_answers(connection: Connection, seqs: Sequence[int]) -> list[OperationAnswer]:
    """Return the operations with these sequence numbers, in their order, in a few queries."""
    pasts = operations(connection, seqs)
    rows = rows_of(connection, [past.seq for past in pasts])
    undone_by = in_effect_over(connection, [past.operation.id for past in pasts])
    under = undone_under(connection, (past.operation.id for past in pasts))
    undone = operations_by_id(connection, itertools.chain(under, under.values()))
    names = _Names(connection, pasts, rows)
    return [
        names.answer(
            past,
            rows.get(past.seq, []),
            # Going back from where a decision led takes back where it led, and no decision.
            None if past.operation.kind in DECIDED else undone_by.get(past.operation.id),
            _undid(past, undone),
        )
        for past in pasts
    ]


def in_effect_over(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return, by operation, what took it back and was not taken back itself."""
    known = undoers(connection, ids)
    found: dict[str, str] = {}
    for operation in ids:
        chain = [operation]
        while (last := known.get(chain[-1], [])[-1:]) and last[0] not in chain:
            chain += last
        if len(chain) % 2 == 0:
            found[operation] = chain[1]
    return found


def is_revert(operation: Operation) -> bool:
    """Tell whether an operation is one's own move back rather than what `undo` or `redo` made."""
    return operation.undoes is not None and operation.group is None


class _Names:
    """What the ids in a page of operations are called."""

    def __init__(
        self, connection: Connection, pasts: Sequence[Past], rows: dict[int, list[LogRow]]
    ) -> None:
        wanted = {past.operation.entity for past in pasts}
        wanted |= {past.operation.stream for past in pasts if past.operation.stream != "registry"}
        for past in pasts:
            wanted.add(getattr(past.operation.body, "of", past.operation.entity))
            wanted.add(getattr(past.operation.body, "version", None) or past.operation.entity)
            wanted |= {row.entity for row in rows.get(past.seq, []) if row.kind == "promotion"}
            if past.operation.kind.startswith("alias."):
                moves = [row for row in rows.get(past.seq, []) if row.path == "version"]
                found = {v for row in moves for v in (row.before, row.after) if v is not None}
                wanted |= found | {past.operation.body.set["version"].to or past.operation.entity}
        self.documents = _documents(connection, wanted)
        subjects = {d.facts["of"] for d in self.documents.values() if "of" in d.facts}
        self.documents |= _documents(connection, subjects - self.documents.keys())
        models = {d.stream for d in self.documents.values() if d.stream != "registry"}
        self.models = model_names(connection, models)
        self.actors = actor_names(connection, {past.operation.actor for past in pasts})
        self.called = {identity: self._call(d) for identity, d in self.documents.items()}

    def answer(
        self, past: Past, rows: Sequence[LogRow], undone_by: str | None, undid: str
    ) -> OperationAnswer:
        operation = past.operation
        subject = self._subject(operation)
        facts = {} if subject is None else subject.facts
        kind = "" if subject is None else subject.kind
        return OperationAnswer(
            seq=past.seq,
            id=operation.id,
            kind=operation.kind,
            actor=self.actors.get(operation.actor, operation.actor),
            waiting=past.seq >= PENDING,
            via=operation.via,
            session=operation.session,
            time=iso(past.verdict.now),
            model=self.models.get(operation.stream),
            number=facts.get("number"),
            alias=facts["name"] if kind == "alias" else None,
            dataset=facts["name"] if kind == "dataset" else None,
            entity=operation.entity,
            changes=_changes(operation, rows),
            undoes=operation.undoes,
            undone_by=undone_by,
            group=operation.group,
            summary=summary(past, rows, self.called, undid),
        )

    def _subject(self, operation: Operation) -> Document | None:
        """Return what an operation is about: for a comment or conflict, what that is about."""
        found = self.documents.get(operation.entity)
        if found is not None and "of" in found.facts:
            return self.documents.get(found.facts["of"], found)
        return found

    def _call(self, document: Document) -> str:
        if document.kind == "version":
            number = document.facts["number"]
            model = self.models.get(document.stream, "")
            return short_id(document.id) if number is None else f"{model}@{number}"
        if document.kind == "model":
            return str(document.value("name"))
        if document.kind == "promotion":
            return str(document.facts["target"])
        return str(document.facts.get("name", ""))


def _changes(operation: Operation, rows: Sequence[LogRow]) -> list[ChangeAnswer]:
    """Return what became of each value; the first values of an entity stand in the operation."""
    found = [
        ChangeAnswer(path=row.path, before=row.before, after=row.after, result=row.result)
        for row in rows
        if row.result != NOTED
    ]
    if any(row.result == "created" and row.kind != "conflict" for row in rows):
        found += [
            ChangeAnswer(path=path, before=None, after=change.to, result="created")
            for path, change in operation.body.set.items()
            if change.to is not None
        ]
    return found


def _undid(past: Past, undone: dict[str, Past]) -> str:
    """Return what to say of the operation that one took back: the undo of a redo is an undo."""
    if past.operation.undoes is None:
        return ""
    count, last = 0, past
    while last.operation.undoes is not None and (last is past or not is_revert(last.operation)):
        below = undone.get(last.operation.undoes)
        if below is None or below.seq >= last.seq:
            break
        count, last = count + 1, below
        if is_revert(past.operation):
            break
    if count == 0:
        return "undid an operation that is not here"
    if is_revert(past.operation):
        return f"reverted {seq_text(last.seq)}"
    return f"{'undid' if count % 2 else 'redid'} {seq_text(last.seq)}"


def _documents(connection: Connection, ids: set[str]) -> dict[str, Document]:
    """Return documents by id; among 100,000 a list costs a tenth of what a join costs."""
    found: dict[str, Document] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), IDS):
        page = wanted[start : start + IDS]
        rows = connection.execute(
            "select id::varchar, body from base.document "  # noqa: S608 -- placeholders only
            f"where id in ({', '.join('?' * len(page))})",
            page,
        ).fetchall()
        found |= {identity: stored_document(body, identity) for identity, body in rows}
    return found


def wanted_operations(context: Context, connection: Connection, request: LogRequest) -> Wanted:
    """Return what to look for in the replica.

    Raises:
        NotFound: There is no such model, version, alias, dataset or person.
        BadInput: The reference, kind or time is malformed.
    """
    _check_kind(request.kind)
    stream, entities = _scope(connection, request.reference)
    return Wanted(
        stream=stream,
        entities=entities,
        actor=None if request.author is None else _author(connection, request.author),
        kind=request.kind,
        since=None if request.since is None else moment_of(context, request.since),
    )


def _scope(connection: Connection, reference: str | None) -> tuple[str | None, list[int]]:
    """Return the stream, or the keys of the entities, whose operations a reference asks for."""
    if reference is None:
        return None, []
    if reference.startswith(DATASET):
        name = reference.removeprefix(DATASET)
        key = _key(connection, dataset_id(name_key(name)))
        if key is None:
            raise NotFound(f"there is no dataset {name!r}", "`regtui dataset ls` lists them")
        return None, [key]
    if reference.startswith(ENVIRONMENT):
        return None, _environment(connection, reference.removeprefix(ENVIRONMENT))
    parsed = parse(reference)
    if parsed.kind == "model":
        return _model(connection, str(parsed.model)).id, []
    if parsed.kind == "alias":
        model = _model(connection, str(parsed.model))
        key = _key(connection, alias_id(model.id, alias_key(parsed.selector)))
        if key is None:
            raise NotFound(
                f"{parsed.model!r} never had an alias {parsed.selector!r}",
                f"`regtui aliases {parsed.model}` lists them",
            )
        return None, [key]
    key, _ = find_version(connection, reference)
    about = connection.execute(
        "select key from base.comment where entity = $1 "
        "union all select key from base.conflict where entity = $1 "
        "union all select key from base.check_run where version = $1 "
        "union all select key from base.promotion where version = $1 "
        "union all select key from base.deployment where version = $1",
        [key],
    ).fetchall()
    return None, [key, *(row[0] for row in about)]


def _environment(connection: Connection, name: str) -> list[int]:
    """Return the keys of an environment, its deployments, requests and policies."""
    wanted = environment_key(name)
    key = _key(connection, environment_id(wanted))
    if key is None:
        raise NotFound(f"there is no environment {wanted!r}", "`regtui env ls` lists them")
    about = connection.execute(
        "select key from base.deployment where environment = $1 "
        "union all select key from base.promotion "
        "where target_kind = 'environment' and target = $1 "
        "union all select key from base.definition "
        "where target_kind = 'environment' and target = $1",
        [wanted],
    ).fetchall()
    return [key, *(row[0] for row in about)]


def _model(connection: Connection, name: str) -> Document:
    """Return the model that holds a name, else the last one that held it."""
    try:
        return model_named(connection, name)[1]
    except NotFound:
        row = connection.execute(
            "select key from base.model where name = ? order by generation desc limit 1", [name]
        ).fetchone()
        if row is None:
            raise
        return document_of(connection, row[0])


def _key(connection: Connection, identity: str) -> int | None:
    row = connection.execute("select key from base.document where id = ?", [identity]).fetchone()
    return None if row is None else int(row[0])


def _author(connection: Connection, name: str) -> int:
    rows = connection.execute(
        "select key, name from base.actor where lower(name) = lower(?)", [name]
    ).fetchall()
    if not rows:
        known = connection.execute("select name from base.actor order by name limit 10").fetchall()
        raise NotFound(
            f"nobody called {name!r} has changed anything",
            f"there are {', '.join(row[0] for row in known)}" if known else "",
        )
    return int(rows[0][0])


def moment_of(context: Context, text: str) -> int:
    """Return the milliseconds that `7d` ago or a date stands for.

    Raises:
        BadInput: It is neither.
    """
    duration = read_duration(text)
    if duration is not None:
        return context.replica.clock() // 1000 - duration
    date = read_date(text)
    if date is None:
        raise BadInput(f"--since {text!r} is no time", "such as 7d, 12h or 2026-01-31")
    return date.start


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        raise BadInput(f"there is no kind {kind!r} of operation", f"there are {', '.join(KINDS)}")


def _cursor(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 -- 64 bits
        raise BadInput(f"{text!r} is no cursor", "give what `next` said")
    return int(text)
