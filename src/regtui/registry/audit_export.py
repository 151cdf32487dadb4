"""Export of the audit: who did what, when, from where and on whose approval, one row an operation.

Rows go from the oldest to the newest, in pages of which each is a unit of work, so an export of any
length needs the memory of one page and lets writers get their turn. Operations never change: what
is added meanwhile is behind the end that was fixed when the export began.

What gates said stands in the history beside the move that they let pass, so that it is told of
every move and not of the last one only.

In CSV, a text that a spreadsheet would take for a formula gets an apostrophe before it, and what
would break a line is spelled out, so that every operation is one line.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from blake3 import blake3
from msgspec import structs

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.whole_file import free_target, whole_file
from regtui.core.access import in_scope
from regtui.core.documents import Document
from regtui.core.errors import BadInput
from regtui.core.identity import alias_key
from regtui.core.operations import KINDS, Operation
from regtui.core.policies import target_of
from regtui.core.verdicts import Conflicted, LogRow
from regtui.core.view import Past
from regtui.registry.answers import iso
from regtui.registry.answers_audit import AuditExport, AuditGate, AuditReview, AuditRow
from regtui.registry.approvers import approvers, why_not_counted
from regtui.registry.capture import Progress
from regtui.registry.context import Context
from regtui.registry.history import (
    NOTED,
    LogRequest,
    OperationAnswer,
    operation_answers,
    wanted_operations,
)
from regtui.registry.lookups import documents_by_id
from regtui.registry.production_lookups import Names
from regtui.registry.references import find_model, find_version, parse
from regtui.registry.remote_history import missing_before
from regtui.replica.database import Connection
from regtui.replica.history import (
    Wanted,
    accepted,
    between,
    first_wanted,
    newest,
    operations,
    rows_of,
)
from regtui.replica.remote import PENDING

FORMATS = ("jsonl", "csv")

PERSON = "person:"
"""What a reference begins with that means what somebody did."""

PAGE = 1_000
"""Operations that are told from one unit of work."""

WINDOW = 50_000
"""Sequence numbers that are looked through in one unit of work."""

CSV_COLUMNS = tuple(one for one in AuditRow.__struct_fields__ if one != "changes")

_MOVING = frozenset(
    kind
    for kind in KINDS
    if kind.partition(".")[0] in {"alias", "promotion", "deployment"}
    or kind in {"check.report", "conflict.resolve"}
)
"""The kinds of operation that may move what policies govern."""

_FORMULA = (
    "=", "+", "-", "@", "\t", "\r", "\n",
    "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)  # fmt: skip
_PARTED = re.compile("(;[ \N{NO-BREAK SPACE}]*)([" + re.escape("".join(_FORMULA)) + "])")


def export_audit(  # noqa: PLR0913 -- what of, how and where to
    context: Context,
    reference: str | None,
    target: str | Path | BinaryIO,
    *,
    form: str = "jsonl",
    since: str | None = None,
    replace: bool = False,
    on_progress: Progress | None = None,
) -> AuditExport:
    """Write the operations about something, oldest first.

    Args:
        context: The registry.
        reference: A model with all in it, a version, an alias (`MODEL@ALIAS`) with its requests and
            policies, `env:NAME` with its deployments, `dataset:NAME`, or `person:NAME`; None for
            everything.
        target: A new file, or an open stream.
        form: `jsonl` or `csv`.
        since: Not older than `7d` or than a date.
        replace: Whether a file of that name may be replaced.
        on_progress: Is told how many more operations were written.

    Raises:
        NotFound: There is no such model, version, alias, environment, dataset or person.
        BadInput: The reference, format or time is malformed, or the target is taken.
        RegtuiError: The target can't be written.
    """
    if form not in FORMATS:
        raise BadInput(f"there is no format {form!r}", f"there are {', '.join(FORMATS)}")
    to = Path(target) if isinstance(target, str) else target
    with context.reading() as connection:
        wanted = wanted_audit(context, connection, reference, since)
        missing = missing_before(connection)
    told = AuditExport(
        file=str(to) if isinstance(to, Path) else "-",
        format=form,
        rows=0,
        first=None,
        last=None,
        missing_before=missing if missing > 1 else None,
        unknown=0,
    )
    spell = _csv_line if form == "csv" else _json_line
    with _opened(context, to, replace=replace) as file:
        if form == "csv":
            file.write(_csv(CSV_COLUMNS))
        for rows, unknown in _pages(context, wanted):
            for row in rows:
                file.write(spell(row))
            first = told.first if told.first is not None or not rows else rows[0].seq
            told = structs.replace(
                told,
                rows=told.rows + len(rows),
                first=first,
                last=rows[-1].seq if rows else told.last,
                unknown=told.unknown + unknown,
            )
            if on_progress is not None:
                on_progress(len(rows))
    return told


def audit_rows(
    context: Context, reference: str | None = None, *, since: str | None = None
) -> Iterator[AuditRow]:
    """Yield the rows that an export would write; for scripts and reports."""
    with context.reading() as connection:
        wanted = wanted_audit(context, connection, reference, since)
    for rows, _ in _pages(context, wanted):
        yield from rows


def wanted_audit(
    context: Context, connection: Connection, reference: str | None, since: str | None
) -> Wanted:
    """Return which operations an audit of something is about.

    Raises:
        NotFound: There is no such thing.
        BadInput: The reference or time is malformed.
    """
    if reference is not None and reference.startswith(PERSON):
        request = LogRequest(author=reference.removeprefix(PERSON), since=since)
        return wanted_operations(context, connection, request)
    wanted = wanted_operations(context, connection, LogRequest(reference=reference, since=since))
    if reference is None or ":" in reference[1:]:
        return wanted
    parsed = parse(reference)
    if parsed.kind == "alias":
        model, document = find_model(connection, str(parsed.model))
        name = alias_key(parsed.selector)
        return structs.replace(
            wanted,
            entities=[
                *wanted.entities,
                *_requests_of(connection, model, name),
                *_policies_of(connection, str(document.value("name")), name),
            ],
        )
    if parsed.kind == "model":
        return wanted
    _, version = find_version(connection, reference)
    return structs.replace(wanted, stream=version.stream, version=version.id)


def _requests_of(connection: Connection, model: int, alias: str) -> list[int]:
    rows = connection.execute(
        "select key from base.promotion where model = ? and target_kind = 'alias' and target = ?",
        [model, alias],
    ).fetchall()
    return [row[0] for row in rows]


def _policies_of(connection: Connection, model: str, alias: str) -> list[int]:
    rows = connection.execute(
        "select key, models from base.definition "
        "where kind = 'policy' and target_kind = 'alias' and target = ?",
        [alias],
    ).fetchall()
    return [key for key, scope in rows if in_scope(scope, model)]


def _pages(context: Context, wanted: Wanted) -> Iterator[tuple[list[AuditRow], int]]:
    """Yield pages of rows, and how many operations of each are of unknown kinds."""
    with context.reading() as connection:
        head, last = accepted(connection), newest(connection)
        low = first_wanted(connection, wanted)
    while low <= head:
        high = min(head, low + WINDOW - 1)
        with context.reading() as connection:
            seqs = between(connection, wanted, low - 1, high)[:PAGE]
            rows = _rows(connection, seqs)
        if seqs:
            yield rows, len(seqs) - len(rows)
        low = seqs[-1] + 1 if len(seqs) == PAGE else high + 1
    if last >= PENDING:
        with context.reading() as connection:
            waiting = between(connection, wanted, PENDING - 1, newest(connection))
            rows = _rows(connection, waiting)
        since = None if wanted.since is None else iso(wanted.since * 1000)
        yield [row for row in rows if since is None or row.time >= since], 0


def _rows(connection: Connection, seqs: Sequence[int]) -> list[AuditRow]:
    """Return the rows of operations, in their order; of unknown kinds there are none."""
    if not seqs:
        return []
    pasts = operations(connection, seqs)
    answers = operation_answers(connection, [past.seq for past in pasts])
    known = _Known(connection, pasts)
    return [known.row(past, answer) for past, answer in zip(pasts, answers, strict=True)]


class _Known:
    """What the rows of one page need to know beside their operations."""

    def __init__(self, connection: Connection, pasts: Sequence[Past]) -> None:
        seqs = [past.seq for past in pasts]
        self._log = rows_of(connection, seqs)
        self._stored = _stored(connection, seqs)
        entities = {past.operation.entity for past in pasts}
        self._documents = documents_by_id(connection, entities)
        subjects = {str(d.facts["of"]) for d in self._documents.values() if "of" in d.facts}
        self._documents |= documents_by_id(connection, subjects - self._documents.keys())
        self._noted = self._evidence_of(connection, pasts)
        asked = {one for past in pasts if (one := self._request_of(past)) is not None}
        self._requests = documents_by_id(connection, asked)
        people = {user for one in self._requests.values() for user in one.entries("reviews")}
        people |= {user for one in self._noted.values() for user in one.get("approvals", ())}
        versions = {one for past in pasts if (one := self._version_of(past)) is not None}
        self._names = Names(connection, versions, people)

    def row(self, past: Past, answer: OperationAnswer) -> AuditRow:
        """Return the row of an operation."""
        operation, evidence = past.operation, self._evidence(past.seq)
        data, link, stream_link = self._stored[past.seq]
        request = self._request_of(past)
        reviews = self._reviews(request, evidence)
        glass = evidence.get("break_glass") or getattr(operation.body, "break_glass", None)
        version = self._version_of(past)
        return AuditRow(
            seq=past.seq,
            waiting=answer.waiting,
            id=operation.id,
            time=answer.time,
            actor=answer.actor,
            via=operation.via,
            session=operation.session,
            replica=operation.replica,
            host=_host(operation),
            kind=operation.kind,
            model=answer.model,
            version=self._names.reference(version),
            target=self._target(operation),
            entity=operation.entity,
            summary=answer.summary,
            changes=answer.changes,
            request=request,
            approved_by=sorted(
                map(self._names.person, approvers(self._requests.get(request or ""), evidence))
            ),
            reviews=reviews,
            gates=[
                AuditGate(
                    policy=str(one["policy"]),
                    gate=str(one["gate"]),
                    reason=str(one["reason"]),
                    evidence=one["evidence"],
                )
                for one in evidence.get("gates", [])
            ],
            break_glass=glass,
            verdict="conflicted" if isinstance(past.verdict, Conflicted) else "accepted",
            digest=blake3(data.encode()).hexdigest(),
            link=link or None,
            stream_link=stream_link or None,
        )

    def _evidence_of(
        self, connection: Connection, pasts: Sequence[Past]
    ) -> dict[int, Mapping[str, Any]]:
        """Return what the gates said, by sequence number of the operation that moved something.

        An older server has no rows of it; there the document tells, if it moved last by this.
        """
        found = {
            seq: row.after
            for seq, rows in self._log.items()
            for row in rows
            if row.result == NOTED and row.path == "evidence"
        }
        rest = [one for one in pasts if one.seq not in found and one.operation.kind in _MOVING]
        moved = {name for one in rest for name in getattr(one.verdict, "documents", {})}
        kept = documents_by_id(connection, moved).values()
        last = {
            str(evidence["by"]): evidence
            for document in kept
            if isinstance(evidence := document.value("evidence"), dict)
        }
        return found | {one.seq: last[one.operation.id] for one in rest if one.operation.id in last}

    def _evidence(self, seq: int) -> Mapping[str, Any]:
        """Return what the gates said as an operation moved something; empty where they did not."""
        return self._noted.get(seq, {})

    def _subject(self, operation: Operation) -> Document | None:
        """Return what an operation is about: for a comment or conflict, what that is about."""
        found = self._documents.get(operation.entity)
        if found is not None and "of" in found.facts:
            return self._documents.get(str(found.facts["of"]), found)
        return found

    def _request_of(self, past: Past) -> str | None:
        asked = self._evidence(past.seq).get("request")
        if asked is not None:
            return str(asked)
        subject = self._subject(past.operation)
        if subject is not None and subject.kind == "promotion":
            return subject.id
        if subject is not None and subject.kind == "deployment":
            return None if subject.facts["request"] is None else str(subject.facts["request"])
        return None

    def _version_of(self, past: Past) -> str | None:
        """Return the id of the version that an operation is about."""
        operation = past.operation
        named = getattr(operation.body, "version", None)
        if named is not None:
            return str(named)
        subject = self._subject(operation)
        if subject is None:
            return None
        if subject.kind == "version":
            return subject.id
        if subject.kind == "alias":
            to = _moved_to(operation, self._log.get(past.seq, []))
            return None if to is None else str(to)
        found = subject.facts.get("version")
        return None if found is None else str(found)

    def _target(self, operation: Operation) -> str | None:
        subject = self._subject(operation)
        facts = {} if subject is None else subject.facts
        kind = operation.kind.partition(".")[0] if subject is None else subject.kind
        if kind == "alias":
            return str(facts.get("name") or operation.body.name)
        if kind == "promotion" and subject is not None:
            return _spelled(str(facts["target_kind"]), str(facts["target"]))
        if kind == "deployment":
            body = operation.body
            name = facts.get("environment_name") or getattr(body, "environment", "")
            target = facts.get("target") or getattr(body, "target", "")
            return f"env:{name}/{target}" if target else f"env:{name}"
        if kind == "environment":
            return f"env:{facts.get('name') or operation.body.name}"
        if kind == "policy" and subject is not None:
            protected = target_of(subject.value("definition"))
            return None if protected is None else _spelled(*protected)
        return None

    def _reviews(self, request: str | None, evidence: Mapping[str, Any]) -> list[AuditReview]:
        found = None if request is None else self._requests.get(request)
        if found is None:
            return []
        reviews = [
            AuditReview(
                author=self._names.person(user),
                verdict=one["verdict"],
                role=one["role"],
                time=iso(one["at"]),
                text=one["text"],
                not_counted=why_not_counted(user, evidence),
            )
            for user, one in found.entries("reviews").items()
        ]
        return sorted(reviews, key=lambda one: (one.time, one.author))


def _moved_to(operation: Operation, rows: Iterable[LogRow]) -> Any:
    """Return the version that an alias was moved to; None where it was taken away."""
    moves = (row.after for row in rows if row.kind == "alias" and row.path == "version")
    change = operation.body.set.get("version")
    return next(moves, None if change is None else change.to)


def _spelled(kind: str, name: str) -> str:
    return f"env:{name}" if kind == "environment" else name


def _host(operation: Operation) -> str | None:
    """Return the machine that an operation itself tells of."""
    runner = getattr(operation.body, "runner", None)
    if runner:
        return str(runner)
    places = (
        change.to
        for path, change in operation.body.set.items()
        if path.startswith("places/") and isinstance(change.to, dict)
    )
    return next((str(place["host"]) for place in places if place.get("host")), None)


def _stored(connection: Connection, seqs: Sequence[int]) -> dict[int, tuple[str, str, str]]:
    """Return the bytes and links of operations by sequence number."""
    if not seqs:
        return {}
    rows = connection.execute(
        "select seq, bytes, lower(hex(link)), lower(hex(stream_link)) from base.operation "
        "where seq between ? and ? and seq in (select unnest(?::bigint[]))",
        [min(seqs), max(seqs), list(seqs)],
    ).fetchall()
    return {seq: (data, link, stream) for seq, data, link, stream in rows}


def _json_line(row: AuditRow) -> bytes:
    return msgspec.json.encode(row) + b"\n"


def _csv_line(row: AuditRow) -> bytes:
    return _csv([_cell(getattr(row, name)) for name in CSV_COLUMNS])


def _csv(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return safe_cell("; ".join(map(_item, value)) if isinstance(value, list) else str(value))


def _item(value: Any) -> str:
    if isinstance(value, AuditGate):
        asked = f"{value.policy}/{value.gate}" if value.policy else value.gate
        seen = f" [{value.evidence}]" if value.evidence else ""
        return f"{asked}: {value.reason}{seen}"
    if isinstance(value, AuditReview):
        said = f": {value.text}" if value.text else ""
        return f"{value.author} ({value.role}) {value.verdict} {value.time}{said}"
    return str(value)


def safe_cell(text: str) -> str:
    """Return a text as one line that no spreadsheet takes for a formula.

    Where a comma is the decimal mark, spreadsheets part cells at semicolons.
    """
    start = "'" if text.lstrip(" \N{NO-BREAK SPACE}").startswith(_FORMULA) else ""
    text = _PARTED.sub(r"\1'\2", text)
    told = "".join(
        c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else repr(c)[1:-1] for c in text
    )
    return start + told


def _opened(
    context: Context, target: Path | BinaryIO, *, replace: bool
) -> AbstractContextManager[BinaryIO]:
    if not isinstance(target, Path):
        return _flushed(target)
    return whole_file(free_target(target, context.home, replace=replace), 0o666)


@contextmanager
def _flushed(stream: BinaryIO) -> Iterator[BinaryIO]:
    yield stream
    with disk_errors("writing the audit"):
        stream.flush()
