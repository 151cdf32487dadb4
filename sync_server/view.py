"""The server's answers to what judging asks, with what the transaction did on top.

What a batch touches is read in a few queries before its first operation is judged.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.access import Actor
from regtui.core.documents import Document, decode_document
from regtui.core.errors import BadInput
from regtui.core.identity import UUID_FORM
from regtui.core.operations import (
    Operation,
    UnknownKind,
    decode_operation,
    is_of_one_replica,
)
from regtui.core.verdicts import Accepted, Judged, Verdict, decode_verdict
from regtui.core.view import Contents, Past
from sync_server import schema
from sync_server.database import chunks
from sync_server.rights import PeopleCache

_e, _o, _r, _s = schema.entity.c, schema.operation.c, schema.refusal.c, schema.stream.c


class Snapshot(Struct):
    """What a group can be taken back to."""

    documents: dict[str, Document | None]
    bodies: dict[str, bytes | None]
    pasts: dict[str, Past | None]
    texts: dict[str, str]
    numbers: dict[str, int]
    made: set[str]
    seq: int


class Unread(Struct, frozen=True):
    """An operation that was judged before and can't be read, as of a newer program."""

    data: bytes
    verdict: Verdict


def _ids(names: Iterable[str], known: dict[str, Any]) -> list[str]:
    """Return the ids of which nothing is known yet, and note that nothing stands there so far."""
    wanted = [one for one in dict.fromkeys(names) if one not in known]
    known.update(dict.fromkeys(wanted))
    return [one for one in wanted if UUID_FORM.fullmatch(one)]


class ServerView:
    """A `regtui.core.view.View` over the server's database.

    Args:
        connection: Inside a transaction that holds the registry's row.
        registry: The registry's number.
        seq: The sequence number that the next operation will have.
        numbers: Whether versions get numbers now.
        people: Knows everybody's rights.
    """

    def __init__(
        self,
        connection: Connection,
        registry: int,
        seq: int,
        *,
        numbers: bool = True,
        people: PeopleCache | None = None,
    ) -> None:
        self.seq = seq
        self._people = PeopleCache() if people is None else people
        self._listed: set[tuple[str, str]] = set()
        self._kinds: dict[str, dict[str, None]] = {}
        """Ids of what was read or made, by kind."""
        self._connection = connection
        self._registry = registry
        self._gives_numbers = numbers
        self._documents: dict[str, Document | None] = {}
        self._bodies: dict[str, bytes | None] = {}
        self._pasts: dict[str, Past | None] = {}
        self._unread: dict[str, Unread] = {}
        self._texts: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._claims: dict[str, int] = {}
        self._knows_claims = False
        self._made: set[str] = set()
        self._was_restored: bool | None = None
        self._changes: dict[str, list[Past]] = {}
        """What was accepted in this transaction, by what it changed."""

    @property
    def was_restored(self) -> bool:
        """Whether an epoch followed upon the first one."""
        if self._was_restored is None:
            c = schema.epoch.c
            query = sa.select(sa.func.count()).where(c.registry == self._registry)
            self._was_restored = self._connection.execute(query).scalar_one() > 1
        return self._was_restored

    def load(self, entities: Iterable[str], operations: Iterable[str]) -> None:
        """Read documents and earlier operations in few queries.

        What is no id is nothing's: operations are read before their shape is looked at.
        """
        for wanted in chunks(_ids(entities, self._documents)):
            self._bodies.update(dict.fromkeys(wanted))
            for body in self._connection.execute(
                sa.select(_e.body).where(_e.registry == self._registry, _e.id.in_(wanted))
            ).scalars():
                self._remember(bytes(body))
        for wanted in chunks(_ids(operations, self._pasts)):
            self._load_pasts(wanted)

    def take(self, operation: Operation, judged: Judged) -> None:
        """Put the effects of an operation on top; `seq` moves on where it was accepted."""
        verdict = judged.verdict
        past = self._pasts[operation.id] = Past(operation, verdict, self.seq)
        if not isinstance(verdict, Accepted):
            return
        for document, body in judged.documents:
            self._changes.setdefault(document.id, []).append(past)
            self._documents[document.id] = document
            self._kinds.setdefault(document.kind, {})[document.id] = None
            self._bodies[document.id] = body
            self._made.add(document.id)
            number = document.facts.get("number")
            if document.kind == "version" and number is not None:
                self._numbers[document.stream] = max(self.last_number(document.stream), number)
        self._texts.update(judged.texts)
        self.seq += 1

    def replace(self, document: Document, body: bytes) -> None:
        """Put a document on top that changed by no operation."""
        self._documents[document.id] = document
        self._bodies[document.id] = body
        number = document.facts.get("number")
        if document.kind == "version" and number is not None:
            self._numbers[document.stream] = max(self.last_number(document.stream), number)
        self.seq += 1

    def snapshot(self) -> Snapshot:
        """Return what to go back to."""
        return Snapshot(
            dict(self._documents),
            dict(self._bodies),
            dict(self._pasts),
            dict(self._texts),
            dict(self._numbers),
            set(self._made),
            self.seq,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot."""
        self._listed = set()  # what was read since is not known any more
        self._documents, self._bodies = snapshot.documents, snapshot.bodies
        self._pasts, self._texts = snapshot.pasts, snapshot.texts
        self._numbers, self._made, self.seq = snapshot.numbers, snapshot.made, snapshot.seq
        self._changes = {
            entity: [one for one in changes if one.seq < self.seq]
            for entity, changes in self._changes.items()
        }

    def body(self, entity: str) -> bytes | None:
        """Return the exact bytes of a document as it is now."""
        self.document(entity)
        return self._bodies[entity]

    def document(self, entity: str) -> Document | None:
        """Return an entity's document, deleted or not."""
        if entity not in self._documents:
            self.load([entity], ())
        return self._documents[entity]

    def past(self, operation: str) -> Past | None:
        """Return an operation judged before."""
        if operation not in self._pasts:
            self.load((), [operation])
        return self._pasts[operation]

    def unread(self, operation: str) -> Unread | None:
        """Return an operation judged before that this program can't read: no `past` tells of it."""
        return self._unread.get(operation) if self.past(operation) is None else None

    def forget_past(self, operation: str) -> None:
        """Let go of an operation that is judged anew."""
        self._pasts[operation] = None

    def text(self, digest: str) -> str | None:
        """Return a kept text."""
        if digest in self._texts:
            return self._texts[digest]
        value = self._connection.execute(
            sa.select(schema.text.c.value).where(schema.text.c.digest == digest)
        ).scalar()
        return None if value is None else bytes(value).decode()

    def texts_in(self, stream: str, digests: list[str]) -> set[str]:
        """Return which of these texts belong to a stream."""
        c = schema.text_ref.c
        found: set[str] = set()
        for wanted in chunks(digests):
            found |= set(
                self._connection.execute(
                    sa.select(c.digest).where(
                        c.registry == self._registry, c.stream == stream, c.digest.in_(wanted)
                    )
                ).scalars()
            )
        return found

    def offer_texts(self, texts: dict[str, str]) -> None:
        """Let texts that came with operations be found."""
        self._texts.update(texts)

    def open_conflict(self, entity: str, path: str) -> Document | None:
        """Return the unresolved conflict on a value."""
        self._load_targeting(entity, "conflict")
        return next(
            (
                document
                for document in self._known("conflict")
                if (document.facts["of"], document.facts["path"]) == (entity, path)
                and document.value("resolution") is None
            ),
            None,
        )

    def holder(self, name: str) -> Document | None:
        """Return the model, not deleted, that holds a name now."""
        self._load_where(_e.name == name, _e.kind == "model", sa.not_(_e.gone))
        return next(
            (
                document
                for document in self._known("model")
                if document.value("name") == name and document.value("state") != "deleted"
            ),
            None,
        )

    def generation(self, name: str) -> int | None:
        """Return the newest generation in which a name was given."""
        newest = self._connection.execute(
            sa.select(sa.func.max(_e.generation)).where(
                _e.registry == self._registry, _e.minted == name
            )
        ).scalar()
        found = [] if newest is None else [int(newest)]
        found += [d.facts["generation"] for d in self._known("model") if d.facts["name"] == name]
        return max(found, default=None)

    def aliases_of(self, version: str) -> list[Document]:
        """Return the aliases that point to a version."""
        self._load_targeting(version, "alias")
        return [one for one in self._known("alias") if one.value("version") == version]

    def next_number(self, model: str, version: str) -> int | None:
        """Return the number that a new version gets: the one that it had, the next one, or none."""
        claimed = self.claimed(version)
        if claimed is None:
            return self.last_number(model) + 1 if self._gives_numbers else None
        # Where two were lost one after the other, both can prove the number: who has it keeps it.
        others = (one.id for one in self.numbered(model, claimed) if one.id != version)
        if any(self._claims.get(other) == claimed for other in others):
            return self.last_number(model) + 1
        return claimed

    def claimed(self, version: str) -> int | None:
        """Return the number that a version had before a restore, as somebody could prove."""
        if not self._knows_claims:
            # There are some only while a server takes back what it lost.
            c = schema.claim.c
            rows = self._connection.execute(
                sa.select(c.version, c.number).where(c.registry == self._registry)
            )
            self._claims = {row.version: row.number for row in rows} | self._claims
            self._knows_claims = True
        return self._claims.get(version)

    def numbered(self, model: str, number: int) -> list[Document]:
        """Return the versions of a model that have a number; two of them where one comes back."""
        self._load_where(_e.stream == model, _e.kind == "version", _e.number == number)
        return [
            one
            for one in self._known("version")
            if (one.stream, one.facts.get("number")) == (model, number)
        ]

    def reserve(self, model: str, number: int) -> None:
        """Count a number as given."""
        self._numbers[model] = max(self.last_number(model), number)

    def claim(self, version: str, number: int) -> None:
        """Note the number that a version had."""
        self._claims[version] = number

    def last_number(self, model: str) -> int:
        """Return the highest version number given in a model."""
        if model not in self._numbers:
            given = self._connection.execute(
                sa.select(_s.last_number).where(_s.registry == self._registry, _s.id == model)
            ).scalar()
            self._numbers[model] = int(given or 0)
        return self._numbers[model]

    def changed_by_others(self, entity: str, since: str | None, by: Operation) -> str | None:
        """Return an operation of another replica that changed the entity after `since`."""
        past = None if since is None else self.past(since)
        first = 0 if past is None or not isinstance(past.verdict, Accepted) else past.seq
        rows = self._connection.execute(
            sa.select(_o.id)
            .where(
                _o.registry == self._registry,
                _o.subject == entity,
                _o.seq > first,
            )
            .order_by(_o.seq)
        ).scalars()
        here = [one.operation.id for one in self._changes.get(entity, ()) if one.seq > first]
        for part in chunks([*rows, *here]):
            self.load((), part)
            for identity in part:
                later = self.past(identity)
                if (
                    later is not None
                    and isinstance(later.verdict, Accepted)
                    and entity in later.verdict.documents
                    and not is_of_one_replica(later.operation, by)
                ):
                    return str(identity)
        return None

    def in_stream(self, stream: str, kind: str) -> list[Document]:
        """Return the documents of a kind that belong to a stream."""
        if (stream, kind) not in self._listed:
            self._load_where(_e.stream == stream, _e.kind == kind)
            self._listed.add((stream, kind))
        return [one for one in self._known(kind) if one.stream == stream]

    def about(self, version: str, kind: str) -> list[Document]:
        """Return the check runs, promotion requests or deployments of a version."""
        if (version, kind) not in self._listed:
            self._load_targeting(version, kind)
            self._listed.add((version, kind))
        return [one for one in self._known(kind) if one.facts.get("version") == version]

    def deployed_in(self, environment: str) -> list[Document]:
        """Return the deployments of all models in an environment, by its name."""
        if ("", "deployment") not in self._listed:
            models = sa.select(_s.id).where(_s.registry == self._registry)
            self._load_where(_e.stream.in_(models), _e.kind == "deployment")  # as the index is
            self._listed.add(("", "deployment"))
        found = self._known("deployment")
        return [one for one in found if one.facts["environment_name"] == environment]

    def person(self, user: str) -> Actor:
        """Return somebody with the grants that hold now; none where he may do nothing."""
        people = self._people.get(self._connection, self._registry)
        owner = people.documents.get(user)
        rights = people.of(user)
        grants = rights.actor.grants if rights.is_active else ()
        acts_for = None if owner is None else owner.value("owner")
        return Actor(user, rights.name, grants, acts_for)

    def contents(self, version: Document) -> Contents:
        """Return what the server knows of a version's files."""
        from sync_server.contents import contents_of  # which needs what needs this module

        return contents_of(self._connection, self._registry, version)

    def public_key(self, replica: str) -> str | None:
        """Return the key of a replica that may act now; None where there is no such one."""
        people = self._people.get(self._connection, self._registry)
        found = people.documents.get(replica)
        if found is None or found.kind != "replica" or found.value("state") != "active":
            return None
        if not people.of(str(found.facts["user"])).is_active:
            return None
        return str(found.facts["public_key"])

    def _known(self, kind: str) -> list[Document]:
        """Return the documents of a kind among those that were read or made."""
        found = (self._documents.get(one) for one in self._kinds.get(kind, ()))
        return [document for document in found if document is not None]

    def _load_targeting(self, entity: str, kind: str) -> None:
        self._load_where(_e.target == entity, _e.kind == kind)

    def _load_where(self, *conditions: sa.ColumnElement[bool]) -> None:
        rows = self._connection.execute(
            sa.select(_e.id, _e.body).where(_e.registry == self._registry, *conditions)
        ).all()
        for identity, body in rows:
            if identity not in self._documents:
                self._remember(bytes(body))

    def _remember(self, body: bytes) -> None:
        document = decode_document(body)
        self._documents[document.id] = document
        self._kinds.setdefault(document.kind, {})[document.id] = None
        self._bodies[document.id] = body

    def _load_pasts(self, ids: list[str]) -> None:
        rows = self._connection.execute(
            sa.select(_o.seq, _o.bytes, _o.verdict).where(
                _o.registry == self._registry, _o.id.in_(ids)
            )
        ).all()
        refused = self._connection.execute(
            sa.select(sa.literal(0), _r.bytes, _r.verdict).where(
                _r.registry == self._registry, _r.id.in_(ids)
            )
        ).all()
        for seq, data, verdict in (*refused, *rows):
            decided = decode_verdict(bytes(verdict))
            try:
                operation = decode_operation(bytes(data))
            except (UnknownKind, BadInput):
                self._unread[decided.op] = Unread(bytes(data), decided)
                continue
            self._pasts[operation.id] = Past(operation, decided, int(seq))
