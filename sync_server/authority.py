"""The authority: orders and judges the operations of one registry, inside one transaction.

Who makes an `Authority` holds the registry's row. Operations are judged one after the other on a
view that moves along; nothing is written before `flush`, so an operation on which the judge itself
fails leaves no trace but its verdict. Each gets exactly one final verdict.
"""

import json
import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core import chain, encoding
from regtui.core.access import Actor
from regtui.core.documents import Document, Register, texts_of
from regtui.core.errors import BadInput
from regtui.core.identity import UUID_FORM, name_key
from regtui.core.judgement import judge
from regtui.core.operations import (
    BYTES_LIMIT,
    CaptureBody,
    Operation,
    UnknownKind,
    decode_operation,
    subject,
)
from regtui.core.verdicts import (
    Accepted,
    Conflicted,
    Judged,
    Rejected,
    Unsupported,
    Verdict,
    decode_verdict,
    encode_verdict,
)
from regtui.core.view import Past
from regtui.wire import statements
from sync_server import schema
from sync_server.database import insert, upsert
from sync_server.file_lists import wrong_list
from sync_server.logs import note_failure
from sync_server.rights import ACCESS, PeopleCache
from sync_server.view import ServerView, Snapshot, Unread
from sync_server.webhooks import Happened, queue

EARLIER_NUMBER = "tags/earlier-number"
"""Where a version tells which number it had, before that came back with an older one."""

_log = logging.getLogger("sync_server")

SLICE = 0.25
"""Seconds that one request may hold the registry; the rest is for the next one."""


GROUP_SECONDS = 60.0
"""Seconds that one group may take, which can't be cut; a full one takes five."""


class Header(Struct, frozen=True):
    """What an operation of an unknown kind says like any other."""

    id: str
    replica: str
    n: int
    prev: str
    actor: str
    kind: str
    group: str | None = None


class Sent(Struct, frozen=True):
    """An operation as it came.

    Attributes:
        data: Its exact bytes.
        header: What any operation says.
        operation: What they hold; None for an unknown kind, and where they hold none.
        wrong: Why they hold none; it is refused by itself, and holds up no other.
    """

    data: bytes
    header: Header | Operation
    operation: Operation | None
    wrong: str | None = None


class RegistryRow(Struct):
    """The counters of a registry."""

    key: int
    id: str
    name: str
    epoch: str
    seq: int
    link: bytes
    clock_us: int
    healing: bool


class _Stream(Struct):
    head: int = 0
    link: bytes = chain.FIRST_LINK
    place: int = 0
    count: int = 0
    total: int = 0
    last_number: int = 0


class Refused(Exception):
    """The request as a whole is refused.

    Args:
        status: HTTP status.
        code: Stable word for programs.
        message: One sentence.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


_header = msgspec.json.Decoder(Header)


def read_operation(data: bytes) -> Sent:
    """Return what an operation's bytes hold.

    Raises:
        Refused: Not even what any operation says: it can't be answered by itself.
    """
    if len(data) > BYTES_LIMIT:
        raise Refused(413, "too_large", f"an operation has at most {BYTES_LIMIT} bytes")
    try:
        operation = decode_operation(data)
        sent = Sent(data, operation, operation)
    except UnknownKind:
        sent = _read_header(data)
    except (BadInput, ValueError, RecursionError) as error:
        sent = _read_header(data, wrong=str(error)[:400])
    _check_header(sent.header)
    return sent


def _check_header(header: Header | Operation) -> None:
    """Refuse what could not be kept, not even as refused: tables take ids as they are, or none."""
    named = (header.id, header.replica, header.actor, header.group)
    if not all(one is None or UUID_FORM.fullmatch(one) for one in named) or header.n >= 2**63:
        message = "an operation names something by what is no UUID, or its place is out of range"
        raise Refused(400, "malformed", message)


def _read_header(data: bytes, wrong: str | None = None) -> Sent:
    try:
        return Sent(data, _header.decode(data), None, wrong)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed", f"a malformed operation: {error}") from None


def registry_row(connection: Connection, registry: str, *, lock: bool) -> RegistryRow | None:
    """Return a registry's counters; with `lock`, nobody else changes them in this transaction."""
    c = schema.registry.c
    query = sa.select(c.key, c.id, c.name, c.epoch, c.seq, c.link, c.clock_us, c.healing).where(
        c.id == registry
    )
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).first()
    return None if row is None else RegistryRow(*row[:5], bytes(row[5]), *row[6:])


class Authority:
    """Judges operations on one registry and writes what becomes of them.

    Args:
        connection: Inside a transaction that holds the registry's row.
        row: That row.
        now: Microseconds of the server's clock.
        administrates: Whether it may change who may do what. Replicas may not: what must hold of
            that beside the judge (one admin stays, who enrols has the key) is seen to elsewhere.
        people: Knows everybody's rights; None where they are read when they are needed.
    """

    def __init__(
        self,
        connection: Connection,
        row: RegistryRow,
        now: int,
        *,
        administrates: bool = False,
        people: PeopleCache | None = None,
    ) -> None:
        self.row = row
        self.connection = connection
        self.view = ServerView(
            connection, row.key, row.seq + 1, numbers=not row.healing, people=people
        )
        self._now = now
        self._administrates = administrates
        self._streams: dict[str, _Stream] = {}
        self._before: dict[str, bytes | None] = {}
        self._changed: dict[str, tuple[Document, bytes]] = {}
        self._operations: list[dict[str, Any]] = []
        self._refusals: list[dict[str, Any]] = []
        self._texts: dict[str, str] = {}
        self._text_refs: dict[tuple[str, str], int] = {}
        self._authors: dict[tuple[str, str], int] = {}
        self._forgotten: list[str] = []
        self._steps: list[dict[str, Any]] = []
        self._happened: list[Happened] = []

    def moment(self) -> int:
        """Return the time that counts for the next operation; it never goes back."""
        return max(self._now, self.row.clock_us + 1)

    def load(self, sent: Sequence[Sent]) -> None:
        """Read what operations touch."""
        entities: set[str] = set()
        pasts: set[str] = set()
        for one in sent:
            operation = one.operation
            pasts.add(one.header.id)
            if operation is None:
                continue
            entities |= {operation.entity, operation.stream, subject(operation)}
            changes = operation.body.set
            if operation.kind == "alias.set" and "version" in changes:
                entities.add(str(changes["version"].to))
            pasts |= {change.saw for change in changes.values() if change.saw is not None}
        self.view.load(entities, pasts)
        stamps = {
            register.by
            for one in sent
            if one.operation is not None
            and (document := self.view.document(subject(one.operation))) is not None
            for path in one.operation.body.set
            if (register := document.fields.get(path)) is not None
        }
        self.view.load((), stamps)

    def judge_all(
        self, sent: Sequence[Sent], actor: Actor, *, limit: float | None = SLICE
    ) -> list[bytes]:
        """Judge operations in their order, groups as a whole.

        Args:
            sent: New operations; nothing is known of them.
            actor: Who sent them.
            limit: Seconds after which no further one is begun; None for all.

        Returns:
            The verdicts' bytes, of all or of the first ones.
        """
        verdicts: list[bytes] = []
        began = time.monotonic()
        place = 0
        while place < len(sent):
            if verdicts and limit is not None and time.monotonic() - began > limit:
                break
            end = end_of_group(sent, place)
            verdicts += self._judge_group(sent[place:end], actor)
            place = end
        return verdicts

    def refuse_all(self, sent: Sequence[Sent], reference: str) -> list[bytes]:
        """Refuse operations on which the server fails; return the verdicts' bytes.

        Args:
            sent: The operations.
            reference: Where its log tells how.
        """
        return [self.decide_refusal(one, self._failed_on(one, reference)) for one in sent]

    def _failed_on(self, sent: Sent, reference: str) -> Rejected:
        return Rejected(
            op=sent.header.id,
            now=self.moment(),
            code="internal",
            message=f"the server failed on it ({reference})",
            hint="tell its operator; your work is kept in the outbox",
        )

    def _judge_group(self, sent: Sequence[Sent], actor: Actor) -> list[bytes]:
        """Judge operations that are accepted together or not at all."""
        if len(sent) == 1:
            return [self.decide(sent[0], *self.weigh(sent[0], actor))]
        before = self.view.snapshot()
        saved = self._saved()
        made: list[bytes] = []
        until = time.monotonic() + GROUP_SECONDS
        for one in sent:
            verdict, judged = self.weigh(one, actor)
            if time.monotonic() > until:
                verdict = self._too_much(one)
            if isinstance(verdict, Rejected | Unsupported):
                self._take_back(before, saved)
                return [self.decide(*self._with_group(other, one, verdict)) for other in sent]
            made.append(self.decide(one, verdict, judged))
        return made

    def _too_much(self, sent: Sent) -> Rejected:
        return Rejected(
            op=sent.header.id,
            now=self.moment(),
            code="too_large",
            message="one change has more parts than the server can look at at once",
            hint="make it in several",
        )

    def _with_group(
        self, sent: Sent, cause: Sent, verdict: Rejected | Unsupported
    ) -> tuple[Sent, Verdict, Judged]:
        mine: Verdict = verdict
        if sent is not cause:
            mine = Rejected(
                op=sent.header.id,
                now=self.moment(),
                code="depends_on_rejected",
                message="another part of the same change was refused",
                hint="`regtui outbox ls` shows which, and why",
                cause=cause.header.id,
            )
        return sent, mine, Judged(mine)

    def weigh(
        self,
        sent: Sent,
        actor: Actor,
        *,
        settled: Accepted | None = None,
        late: int | None = None,
    ) -> tuple[Verdict, Judged]:
        """Judge one operation; nothing is taken yet.

        Args:
            sent: The operation.
            actor: Who sent it.
            settled: Of one that was accepted before, the verdict that it had.
            late: Of one that is judged anew although it was accepted before, when that was.
        """
        now = self.moment()
        if sent.wrong is not None:
            wrong_one = Rejected(op=sent.header.id, now=now, code="malformed", message=sent.wrong)
            return wrong_one, Judged(wrong_one)
        if sent.operation is None:
            verdict: Verdict = Unsupported(op=sent.header.id, now=now, kind=sent.header.kind)
            return verdict, Judged(verdict)
        if sent.operation.stream == ACCESS and not self._administrates:
            verdict = Rejected(
                op=sent.header.id,
                now=now,
                code="denied",
                message="who may do what is not changed by a sync",
                hint="`regtui user`, `team`, `grant` and `replica` ask the server for it",
            )
            return verdict, Judged(verdict)
        try:
            judged = judge(sent.operation, self.view, actor, now, settled=settled, late=late)
        except (sa.exc.DBAPIError, OSError, MemoryError):
            raise  # it says nothing of the operation: the request fails, and is sent again
        except Exception as error:  # noqa: BLE001 -- nothing blocks the queue
            reference = note_failure(error, operation=sent.header.id)
            verdict = self._failed_on(sent, reference)
            return verdict, Judged(verdict)
        wrong = None if settled is not None else self._wrong_list(sent.operation, judged.verdict)
        if wrong is not None:
            verdict = Rejected(op=sent.header.id, now=now, code="malformed", message=wrong)
            return verdict, Judged(verdict)
        return judged.verdict, judged

    def _wrong_list(self, operation: Operation, verdict: Verdict) -> str | None:
        """Return what is wrong with the list of files of what is captured; None where nothing is.

        Whoever reads the version needs it. It comes along, unless the model has it already.
        """
        body = operation.body
        if not isinstance(body, CaptureBody) or not isinstance(verdict, Accepted):
            return None
        text = self._texts.get(body.digest)
        if text is None and body.digest in self.view.texts_in(operation.stream, [body.digest]):
            text = self.view.text(
                body.digest
            )  # which may be there as something else, such as a card
        if text is None:
            return "the list of its files did not come along"
        return wrong_list(text, size=body.size, files=body.files)

    def decide(
        self, sent: Sent, verdict: Verdict, judged: Judged, *, is_told: bool = False
    ) -> bytes:
        """Take an operation's effects, or note that it was refused; return the verdict's bytes.

        Args:
            sent: The operation.
            verdict: Of it.
            judged: Its effects.
            is_told: Whether other programs heard of it before it was lost in a restore.
        """
        sealed = encode_verdict(verdict)
        row = self.row
        row.clock_us = max(row.clock_us, verdict.now)
        if not isinstance(verdict, Accepted) or sent.operation is None:
            self._refusals.append(
                {
                    "registry": row.key,
                    "id": sent.header.id,
                    "replica": sent.header.replica,
                    "actor": sent.header.actor,
                    "at": verdict.now,
                    "bytes": sent.data,
                    "verdict": sealed,
                }
            )
            if sent.operation is not None:
                self.view.take(sent.operation, judged)
            return sealed
        operation = sent.operation
        row.seq += 1
        said = chain.decided(sent.data, sealed)
        row.link = chain.link_on(row.link, said)
        stream = self._stream(operation.stream)
        stream.head, stream.place = row.seq, stream.place + 1
        stream.link = chain.link_on(stream.link, said)
        stream.last_number = max(stream.last_number, verdict.number or 0)
        texts = self._texts_named(operation, judged)
        changes = tuple((self.view.document(one.id), one) for one, _ in judged.documents)
        result = "conflicted" if isinstance(verdict, Conflicted) else "accepted"
        if not is_told:
            self._happened.append(Happened(operation, result, row.seq, verdict.now, changes))
        for document, body in judged.documents:
            before = self.view.body(document.id)
            # What was merged into an entity of another stream changed that one.
            self._change(self._stream(document.stream), before, document, body)
        changed = verdict.merged_into or subject(operation)
        self._operations.append(
            {
                "registry": row.key,
                "seq": row.seq,
                "id": operation.id,
                "stream": operation.stream,
                "replica": operation.replica,
                "subject": changed,
                "actor": operation.actor,
                "bytes": sent.data,
                "verdict": sealed,
                "log": encoding.encode(
                    [[r.entity, r.kind, r.path, r.before, r.after, r.result] for r in judged.log]
                ),
                "link": row.link,
                "stream_link": stream.link,
                "place": stream.place,
            }
        )
        self._authors.setdefault((operation.stream, operation.actor), row.seq)
        self._texts |= judged.texts
        for digest in texts:
            self._text_refs.setdefault((operation.stream, digest), row.seq)
        self.view.take(operation, judged)
        if isinstance(operation.body, CaptureBody) and verdict.number is not None:
            self._make_room(operation.stream, operation.entity, verdict.number)
        return sealed

    def _texts_named(self, operation: Operation, judged: Judged) -> list[str]:
        """Return the digests of texts that belong to an operation's stream from now on.

        One that did not come along and is not there yet is none of them: who guesses the digest of
        a text that he may not read would be sent it.
        """
        named, before = set[str](), set[str]()
        for document, _ in judged.documents:
            named |= texts_of(document)
            earlier = self.view.document(document.id)
            if earlier is not None:
                before |= texts_of(earlier)
        if isinstance(operation.body, CaptureBody):
            named.add(operation.body.digest)
        new = sorted(named - before)
        strange = [one for one in new if one not in self._texts and one not in judged.texts]
        hidden = set(strange) - self.view.texts_in(operation.stream, strange)
        return [*judged.texts, *(one for one in new if one not in hidden)]

    def restamp(self, document: Document) -> None:
        """Write a document that changed by no operation: a number that was given late."""
        self.row.seq += 1
        document = msgspec.structs.replace(document, seq=self.row.seq)
        body = encoding.encode(document)
        self.row.link = chain.link(self.row.link, b"restamp", body)
        self._change(self._stream(document.stream), self.view.body(document.id), document, body)
        self.view.replace(document, body)
        self._steps.append({"registry": self.row.key, "seq": self.row.seq, "link": self.row.link})

    def renumber(self, document: Document, number: int) -> None:
        """Give a version the number that it waits for, or another one."""
        self.reserve(document.stream, number)
        facts = {**document.facts, "number": number}
        self.restamp(msgspec.structs.replace(document, facts=facts))
        self._make_room(document.stream, document.id, number)

    def _make_room(self, model: str, version: str, number: int) -> None:
        """Give another number to whoever got one that came back: it was given before it was lost.

        Its own certificate is the newer one. Where it had another number before it was lost itself,
        it gets that one. A tag tells everybody which number it had since.
        """
        if self.view.claimed(version) != number:
            return
        for other in self.view.numbered(model, number):
            if other.id == version:
                continue
            own = self.view.claimed(other.id)
            is_free = own is not None and not self.view.numbered(model, own)
            new = own if own is not None and is_free else self.view.last_number(model) + 1
            told = {"version": other.id, "was": number, "number": new, "holder": version}
            _log.warning(json.dumps({"event": "renumbered", "registry": self.row.name} | told))
            self.renumber(self._with_earlier_number(other, number, version), new)

    def _with_earlier_number(self, document: Document, number: int, holder: str) -> Document:
        cause = self.view.document(holder)
        stamp = document.stamp("state") if cause is None else cause.stamp("state")
        before = document.value(EARLIER_NUMBER)
        value = str(number) if before is None else f"{before}, {number}"
        # It names the operation with which the number came back.
        register = Register(value, stamp or "", self.moment())
        fields = {**document.fields, EARLIER_NUMBER: register}
        return msgspec.structs.replace(document, fields=fields)

    def reserve(self, stream: str, number: int) -> None:
        """Give no version of a model a number up to this one any more, but for what claims it."""
        counters = self._stream(stream)
        counters.last_number = max(counters.last_number, number)
        self.view.reserve(stream, number)

    def claim(self, stream: str, version: str, number: int) -> None:
        """Let a version have the number that it had."""
        self.reserve(stream, number)
        self.view.claim(version, number)

    def decide_refusal(self, sent: Sent, verdict: Verdict) -> bytes:
        """Note a refusal."""
        return self.decide(sent, verdict, Judged(verdict))

    def forget_refusal(self, identity: str) -> None:
        """Let go of a refusal: the operation was accepted before, as its receipt shows."""
        self._forgotten.append(identity)
        self.view.forget_past(identity)

    def keep_texts(self, texts: dict[str, str]) -> None:
        """Keep texts that came along, whose digests were checked.

        What stands for no characters did not come along: no database keeps it.
        """
        texts = {digest: text for digest, text in texts.items() if _is_text(text)}
        self._texts |= texts
        self.view.offer_texts(texts)

    def flush(self) -> None:
        """Write everything; the caller commits."""
        connection, key = self.connection, self.row.key
        if self._forgotten:
            c = schema.refusal.c
            connection.execute(
                sa.delete(schema.refusal).where(c.registry == key, c.id.in_(self._forgotten))
            )
        insert(connection, schema.operation, self._operations)
        queue(connection, self.view, (key, self.row.id, self.row.name), self._happened)
        insert(connection, schema.step, self._steps)
        upsert(connection, schema.refusal, self._refusals, replace=False)
        upsert(connection, schema.entity, [self._row(*one) for one in self._changed.values()])
        texts = [{"digest": d, "value": v.encode()} for d, v in self._texts.items()]
        upsert(connection, schema.text, texts, replace=False)
        refs = [
            {"registry": key, "stream": stream, "digest": digest, "seq": seq}
            for (stream, digest), seq in self._text_refs.items()
        ]
        upsert(connection, schema.text_ref, refs, replace=False)
        authors = [
            {"registry": key, "stream": stream, "user": user, "seq": seq}
            for (stream, user), seq in self._authors.items()
        ]
        upsert(connection, schema.author, authors, replace=False)
        streams = [
            {
                "registry": key,
                "id": name,
                "head": one.head,
                "link": one.link,
                "place": one.place,
                "count": one.count,
                "total": f"{one.total:016x}",
                "last_number": one.last_number,
            }
            for name, one in self._streams.items()
        ]
        upsert(connection, schema.stream, streams)
        c = schema.registry.c
        row = self.row
        connection.execute(
            sa.update(schema.registry)
            .where(c.key == key)
            .values(
                seq=row.seq,
                link=row.link,
                clock_us=row.clock_us,
                epoch=row.epoch,
                healing=row.healing,
            )
        )

    def _change(
        self, stream: _Stream, before: bytes | None, document: Document, body: bytes
    ) -> None:
        stream.total = statements.moved(stream.total, before, body)
        stream.count += before is None
        stream.head = self.row.seq
        self._changed[document.id] = (document, body)

    def _row(self, document: Document, body: bytes) -> dict[str, Any]:
        facts, value = document.facts, document.value
        name = target = path = None
        gone = False
        if document.kind == "model":
            name, gone = value("name"), value("state") == "deleted"
        elif document.kind == "dataset":
            name = name_key(str(facts["name"]))
        elif document.kind == "alias":
            target = value("version")
        elif document.kind == "conflict":
            target, path = facts["of"], facts["path"]
            gone = value("resolution") is not None
            about = self.view.document(str(facts["of"]))
            if about is not None and about.kind == "dataset":
                name = name_key(str(about.facts["name"]))
        elif document.kind == "comment":
            target = facts["of"]
        elif document.kind in {"check_run", "promotion", "deployment"}:
            target = facts["version"]
        elif document.kind in {"policy", "check"}:
            name, gone = facts["models"], value("state") != "active"
        elif document.kind == "environment":
            name = "*"  # it is there for all models, so everybody sees it
        return {
            "registry": self.row.key,
            "id": document.id,
            "kind": document.kind,
            "stream": document.stream,
            "seq": document.seq,
            "body": body,
            "name": name,
            "minted": facts.get("name") if document.kind == "model" else None,
            "generation": facts.get("generation"),
            "number": facts.get("number"),
            "gone": gone,
            "target": target,
            "path": path,
        }

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            c = schema.stream.c
            row = self.connection.execute(
                sa.select(c.head, c.link, c.place, c.count, c.total, c.last_number).where(
                    c.registry == self.row.key, c.id == name
                )
            ).first()
            self._streams[name] = (
                _Stream()
                if row is None
                else _Stream(
                    row.head,
                    bytes(row.link),
                    row.place,
                    row[3],  # `count` is a method of rows
                    int(row.total, 16),
                    row.last_number,
                )
            )
        return self._streams[name]

    def _saved(self) -> tuple[Any, ...]:
        return (
            msgspec.structs.replace(self.row),
            {name: msgspec.structs.replace(one) for name, one in self._streams.items()},
            dict(self._changed),
            (len(self._operations), len(self._happened), len(self._steps)),
            dict(self._texts),
            dict(self._text_refs),
            dict(self._authors),
        )

    def _take_back(self, view: Snapshot, saved: tuple[Any, ...]) -> None:
        row, self._streams, self._changed, lengths, self._texts, self._text_refs, self._authors = (
            saved
        )
        self.row.seq, self.row.link, self.row.clock_us = row.seq, row.link, row.clock_us
        del self._operations[lengths[0] :]
        del self._happened[lengths[1] :]
        del self._steps[lengths[2] :]
        self.view.restore(view)


def end_of_group(sent: Sequence[Sent], place: int) -> int:
    """Return where the operations end that are taken together with the one at a place."""
    group, end = sent[place].header.group, place + 1
    while group is not None and end < len(sent) and sent[end].header.group == group:
        end += 1
    return end


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_same(one: Operation, other: Operation | None) -> bool:
    """Tell whether two operations are one, whatever its place in a replica's chain."""
    if other is None:
        return False
    place = {"n": other.n, "prev": other.prev, "replica": other.replica}
    return msgspec.structs.replace(one, **place) == other


def known_verdict(past: Past | Unread) -> bytes:
    """Return the bytes of a verdict that was given before."""
    return encode_verdict(past.verdict)


def decoded_verdict(data: bytes) -> Verdict:
    """Return the verdict behind bytes that a replica sends back.

    Raises:
        Refused: They hold none.
    """
    try:
        return decode_verdict(data)
    except (ValueError, RecursionError):
        raise Refused(400, "malformed", "a malformed verdict") from None
