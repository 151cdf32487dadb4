"""The replica's answers to what judging asks, with what this unit of work did on top.

Documents are read once and remembered, so that the operations of a batch see one another's effects
before anything is written.
"""

import itertools
from collections.abc import Callable, Iterable

from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import Document
from regtui.core.identity import UUID_FORM
from regtui.core.operations import Operation, is_of_one_replica
from regtui.core.verdicts import Accepted, Judged
from regtui.core.view import Contents, Past
from regtui.replica.database import Connection
from regtui.replica.decoded import known_past, stored_document

# Operations of others name what they like; the database takes nothing else for an id.


_LISTED = (
    "model", "conflict", "alias", "policy", "check", "check_run", "promotion", "environment",
    "deployment",
)  # fmt: skip
"""The kinds of which it matters what a unit of work made: no table has that yet."""

_IN_REGISTRY = {
    "policy": "select id::varchar from base.definition where kind = 'policy'",
    "check": "select id::varchar from base.definition where kind = 'check'",
    "environment": "select id::varchar from base.environment",
}
_IN_MODEL = {
    "alias": "select d.id::varchar from base.alias a join base.document d on d.key = a.key "
    "where a.model = (select key from base.model where id = ?)",
    "promotion": "select id::varchar from base.promotion "
    "where model = (select key from base.model where id = ?)",
    "deployment": "select id::varchar from base.deployment "
    "where model = (select key from base.model where id = ?)",
}
_ABOUT = {
    "check_run": "select id::varchar from base.check_run "
    "where version = (select key from base.version where id = ?)",
    "promotion": "select id::varchar from base.promotion "
    "where version = (select key from base.version where id = ?)",
    "deployment": "select id::varchar from base.deployment "
    "where version = (select key from base.version where id = ?)",
}
_DEPLOYED_IN = "select id::varchar from base.deployment where environment = ?"


class ReplicaView:
    """A `regtui.core.view.View` over an open replica.

    Args:
        connection: Inside a transaction.
        seq: The sequence number that the next operation will have.
    """

    was_restored = False
    """A replica loses what it has with everything that could bring it back."""

    def __init__(self, connection: Connection, seq: int) -> None:
        self.seq = seq
        self.keys: dict[str, int] = {}
        self._connection = connection
        self._documents: dict[str, Document | None] = {}
        self._pasts: dict[str, Past] = {}
        self._texts: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._aliases: dict[str, None] = {}
        self._asked: set[str] = set()
        self._listed: dict[tuple[str, ...], list[str]] = {}
        """What queries found in tables: a unit of work adds to that by `_made` alone."""
        self._made: dict[str, dict[str, None]] = {kind: {} for kind in _LISTED}
        self.look: Callable[[Document], Contents] | None = None
        """Looks at a version's files; None where nobody here can."""
        self.actor: Actor | None = None
        """Who acts here."""

    def load(self, entities: Iterable[str]) -> None:
        """Read the documents of many entities in one query."""
        wanted = [entity for entity in set(entities) if entity not in self._documents]
        if not wanted:
            return
        self._documents.update(dict.fromkeys(wanted))
        rows = self._connection.execute(
            "select key, body, id::varchar from base.document "
            "where id in (select unnest(?::uuid[]))",
            [
                [one for one in wanted if UUID_FORM.fullmatch(one)]
            ],  # the registry's stream has a name
        ).fetchall()
        for key, body, identity in rows:
            self._remember(key, stored_document(body, identity))

    def take(self, past: Past, judged: Judged) -> None:
        """Put the effects of an operation on top; `seq` moves on."""
        for document, _ in judged.documents:
            self._documents[document.id] = document
            if document.kind == "alias":
                self._aliases[document.id] = None
            if document.kind in self._made and document.id not in self.keys:
                self._made[document.kind][document.id] = None
            number = document.facts.get("number")
            if document.kind == "version" and number is not None:
                last = self.last_number(document.stream)
                self._numbers[document.stream] = max(last, number)
        self._texts.update(judged.texts)
        self._pasts[past.operation.id] = past
        if self.seq:  # 0 where another authority gives numbers
            self.seq += 1

    def document(self, entity: str) -> Document | None:
        """Return an entity's document, deleted or not."""
        if entity not in self._documents:
            self._documents[entity] = None
            row = None
            if UUID_FORM.fullmatch(entity):
                row = self._connection.execute(
                    "select key, body from base.document where id = ?", [entity]
                ).fetchone()
            if row is not None:
                self._remember(row[0], stored_document(row[1], entity))
        return self._documents[entity]

    def past(self, operation: str) -> Past | None:
        """Return an operation judged before."""
        if operation in self._pasts:
            return self._pasts[operation]
        if not UUID_FORM.fullmatch(operation):
            return None
        row = self._connection.execute(
            "select seq, bytes, verdict from base.operation where id = ?", [operation]
        ).fetchone()
        return None if row is None else known_past(*row)

    def text(self, digest: str) -> str | None:
        """Return a kept text."""
        if digest in self._texts:
            return self._texts[digest]
        row = self._connection.execute(
            "select value from base.text where digest = ?", [digest]
        ).fetchone()
        return None if row is None else str(row[0])

    def open_conflict(self, entity: str, path: str) -> Document | None:
        """Return the unresolved conflict on a value."""
        for document in self._made_here("conflict"):
            facts = document.facts
            if (facts["of"], facts["path"]) == (entity, path) and _is_open(document):
                return document
        rows = self._connection.execute(
            "select d.id from base.conflict c join base.document d on d.key = c.key "
            "where c.open and c.path = ? "
            "and c.entity = (select key from base.document where id = ?)",
            [path, entity],
        ).fetchall()
        found = (self.document(str(row[0])) for row in rows)
        return next(
            (document for document in found if document is not None and _is_open(document)), None
        )

    def holder(self, name: str) -> Document | None:
        """Return the model, not deleted, that holds a name now."""
        for document in self._made_here("model"):
            if document.value("name") == name and document.value("state") != "deleted":
                return document
        rows = self._connection.execute(
            "select id from base.model where name = ? and state <> 'deleted'", [name]
        ).fetchall()
        for row in rows:
            found = self.document(str(row[0]))
            if found is not None and found.value("name") == name:
                return None if found.value("state") == "deleted" else found
        return None

    def generation(self, name: str) -> int | None:
        """Return the newest generation in which a name was given."""
        row = self._connection.execute(
            "select max(generation) from base.model where minted = ?", [name]
        ).fetchone()
        found = [] if row is None or row[0] is None else [int(row[0])]
        made = self._made_here("model")
        found += [d.facts["generation"] for d in made if d.facts["name"] == name]
        return max(found, default=None)

    def aliases_of(self, version: str) -> list[Document]:
        """Return the aliases that point to a version."""
        if version not in self._asked:
            self.load_aliases([version])
        aliases = (self._documents[alias] for alias in self._aliases)
        return [one for one in aliases if one is not None and one.value("version") == version]

    def load_aliases(self, versions: Iterable[str]) -> None:
        """Read the aliases that point to many versions in one query."""
        wanted = list(versions)
        rows = self._connection.execute(
            "select d.id from base.alias a join base.document d on d.key = a.key "
            "join base.document v on v.key = a.version where v.id in (select unnest(?::uuid[]))",
            [wanted],
        ).fetchall()
        self.load(str(row[0]) for row in rows)
        self._asked.update(wanted)

    def next_number(self, model: str, version: str) -> int | None:  # noqa: ARG002 -- a View's
        """Return the number that a new version gets; None where another authority gives it."""
        return self.last_number(model) + 1 if self.seq else None

    def last_number(self, model: str) -> int:
        """Return the highest version number given in a model."""
        if model not in self._numbers:
            row = self._connection.execute(
                "select last_number from base.stream where id = ?", [model]
            ).fetchone()
            self._numbers[model] = 0 if row is None else int(row[0])
        return self._numbers[model]

    def changed_by_others(self, entity: str, since: str | None, by: Operation) -> str | None:
        """Return an operation of another replica that changed the entity after `since`."""
        past = None if since is None else self.past(since)
        first = 0 if past is None else past.seq
        rows = self._connection.execute(
            "select distinct o.seq, o.bytes, o.verdict from base.log l "
            "join base.operation o on o.seq = l.seq "
            "where l.seq > ? and l.entity = (select key from base.document where id = ?)",
            [first, entity],
        ).fetchall()
        stored = (past for row in rows if (past := known_past(*row)) is not None)
        here = (made for made in self._pasts.values() if made.seq > first)
        for later in itertools.chain(stored, here):
            changed = isinstance(later.verdict, Accepted) and entity in later.verdict.documents
            if changed and not is_of_one_replica(later.operation, by):
                return later.operation.id
        return None

    def in_stream(self, stream: str, kind: str) -> list[Document]:
        """Return the documents of a kind that belong to a stream."""
        if stream == "registry":
            found = self._found(_IN_REGISTRY[kind], [])
        else:
            found = self._found(_IN_MODEL[kind], [stream])
        made = (one for one in self._made_here(kind) if one.stream == stream)
        return list({one.id: one for one in (*found, *made)}.values())

    def about(self, version: str, kind: str) -> list[Document]:
        """Return the check runs, promotion requests or deployments of a version."""
        found = self._found(_ABOUT[kind], [version])
        made = (one for one in self._made_here(kind) if one.facts.get("version") == version)
        return list({one.id: one for one in (*found, *made)}.values())

    def deployed_in(self, environment: str) -> list[Document]:
        """Return the deployments of all models in an environment, by its name."""
        found = self._found(_DEPLOYED_IN, [environment])
        made = self._made_here("deployment")
        mine = (one for one in made if one.facts["environment_name"] == environment)
        return list({one.id: one for one in (*found, *mine)}.values())

    def load_about(self, versions: Iterable[str], kind: str) -> None:
        """Read the check runs, requests or deployments of many versions in one query."""
        found: dict[str, list[str]] = {version: [] for version in versions}
        rows = self._connection.execute(
            f"select v.id::varchar, a.id::varchar from base.{kind} a "  # noqa: S608 -- a key of _ABOUT
            "join base.version v on v.key = a.version where v.id in (select unnest(?::uuid[]))",
            [list(found)],
        ).fetchall()
        for version, identity in rows:
            found[version].append(identity)
        self.load(identity for _, identity in rows)
        self._listed.update({(_ABOUT[kind], one): ids for one, ids in found.items()})

    def person(self, user: str) -> Actor | None:
        """Return somebody with the grants that hold now.

        Where this replica decides, everybody who acts here is its admin; elsewhere only who acts
        himself is known.
        """
        if self.seq:
            return Actor(user, self._called(user), (Grant(Role.ADMIN, "*"),))
        return self.actor if self.actor is not None and self.actor.id == user else None

    def contents(self, version: Document) -> Contents:
        """Return what is known of a version's files."""
        if self.look is None or not self.seq:
            return Contents(None, None)
        return self.look(version)

    def public_key(self, replica: str) -> str | None:
        """Return the key of a replica that may act now; those of this home are known."""
        if not UUID_FORM.fullmatch(replica):
            return None
        row = self._connection.execute(
            "select public_key from base.enrolment where replica = ?", [replica]
        ).fetchone()
        return None if row is None else bytes(row[0]).hex()

    def _called(self, user: str) -> str:
        """Return the name of somebody who acts here or acted before; his id where nobody knows."""
        if self.actor is not None and self.actor.id == user:
            return self.actor.name
        if not UUID_FORM.fullmatch(user):
            return user
        row = self._connection.execute(
            "select name from base.actor where id = ?", [user]
        ).fetchone()
        return user if row is None else str(row[0])

    def _found(self, query: str, parameters: list[str]) -> list[Document]:
        asked = (query, *parameters)
        if asked not in self._listed:
            rows = self._connection.execute(query, parameters).fetchall()
            self._listed[asked] = [str(row[0]) for row in rows]
        ids = self._listed[asked]
        self.load(ids)
        found = (self._documents[one] for one in ids)
        return [one for one in found if one is not None]

    def _made_here(self, kind: str) -> list[Document]:
        """Return the entities that this unit of work made, as they are now: no table has them."""
        found = (self._documents[entity] for entity in self._made[kind])
        return [document for document in found if document is not None]

    def _remember(self, key: int, document: Document) -> None:
        self._documents[document.id] = document
        self.keys[document.id] = key
        if document.kind == "alias":
            self._aliases[document.id] = None


def _is_open(document: Document) -> bool:
    return document.value("resolution") is None
