"""Rights: what each user may do and see, worked out from the access stream when he asks.

Nothing is computed ahead: one grant for a hundred people over ten thousand models would make a
million rows under the lock. What is readable follows from a user's grants and a model's name, and
*since when* from the operations that gave him those.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.access import Actor, Grant, Role, covers, in_scope, narrowed
from regtui.core.documents import Document, decode_document
from regtui.core.policies import meets
from sync_server import schema

ACCESS = "access"
REGISTRY = "registry"


class Held(Struct, frozen=True):
    """A grant, and the sequence number since which it is held."""

    grant: Grant
    since: int


class Rights(Struct, frozen=True):
    """What one user may do now.

    Attributes:
        user: Id.
        name: As he is called.
        is_active: Whether he may do anything at all.
        held: His grants, teams' included.
        changed: The sequence number of the last change of access that may concern him.
        view: By what a token narrows them; empty where it does not.
    """

    user: str
    name: str
    is_active: bool
    held: tuple[Held, ...]
    changed: int
    view: str = ""

    @property
    def actor(self) -> Actor:
        """The user as the judge knows him."""
        return Actor(self.user, self.name, tuple(one.grant for one in self.held))

    @property
    def sees_all(self) -> bool:
        """Whether every model is readable."""
        return any(_sees(one) and one.grant.scope == "*" for one in self.held)

    @property
    def is_admin(self) -> bool:
        """Whether he may change everybody's access."""
        return any(one.grant.role is Role.ADMIN and one.grant.scope == "*" for one in self.held)

    def since(self, name: str) -> int | None:
        """Return since when what has a name is readable; None where it is not."""
        return min(
            (one.since for one in self.held if _sees(one) and in_scope(one.grant.scope, name)),
            default=None,
        )

    def shows(self, name: str) -> bool:
        """Tell whether what belongs to a name is seen: a model's, a dataset's, or a scope.

        What has a scope is there for whoever sees a part of it: he is bound by it.
        """
        if name.endswith("*"):
            return any(_sees(one) and meets(one.grant.scope, name) for one in self.held)
        return self.since(name) is not None

    def newest(self) -> int:
        """Return since when he holds his newest grant; 0 without one."""
        return max((one.since for one in self.held if _sees(one)), default=0)

    def narrowed(self, roles: Iterable[Grant]) -> "Rights":
        """Return the part of these rights that a token with roles of its own has."""
        caps = list(roles)
        held = [
            Held(Grant(role, scope), one.since)
            for one in self.held
            for cap in caps
            if (scope := _meet(one.grant.scope, cap.scope)) is not None
            and (role := narrowed(one.grant.role, cap.role)) is not None
        ]
        view = ",".join(sorted(f"{cap.role.name}:{cap.scope}" for cap in caps))
        return Rights(self.user, self.name, self.is_active, tuple(held), self.changed, view)


class People:
    """Everybody and his rights, as the access stream has them at one moment.

    Args:
        documents: Of the access stream.
        since: Sequence number by operation, for those that gave roles and memberships.
        changed: The stream's last operation.

    Attributes:
        changed: The same.
    """

    def __init__(
        self, documents: Iterable[Document], since: Mapping[str, int], changed: int
    ) -> None:
        self.changed = changed
        self.documents = {document.id: document for document in documents}
        self._since = since
        self._grants: dict[str, list[Document]] = {}
        self._teams: dict[str, list[Document]] = {}
        self._teams_changed = 0
        self._grants_changed: dict[str, int] = {}
        for document in self.documents.values():
            if document.kind == "grant":
                holder = str(document.facts["to"])
                known = self._grants_changed.get(holder, 0)
                self._grants_changed[holder] = max(known, document.seq)
            if document.kind == "team":
                self._teams_changed = max(self._teams_changed, document.seq)
            if document.kind == "grant" and document.value("role") is not None:
                self._grants.setdefault(str(document.facts["to"]), []).append(document)
            if document.kind == "team" and document.value("state") == "active":
                for member in document.entries("members"):
                    self._teams.setdefault(member, []).append(document)

    def of(self, user: str) -> Rights:
        """Return the rights of a user; one who is not there has none."""
        document = self.documents.get(user)
        if document is None or document.kind != "user":
            return Rights(user, user, False, (), self.changed)
        changed = self._changed_for(document)
        is_active = document.value("state") == "active"
        owner = document.value("owner")
        if owner is not None and owner in self.documents:
            # What acts for somebody stops when he is stopped.
            is_active = is_active and self.documents[owner].value("state") == "active"
        held = [self._held(grant) for grant in self._grants.get(user, ())] if is_active else []
        for team in self._teams.get(user, ()) if is_active else ():
            joined = self._since.get(team.stamp(f"members/{user}") or "", 0)
            for grant in self._grants.get(team.id, ()):
                one = self._held(grant)
                held.append(Held(one.grant, max(one.since, joined)))
        name = str(document.facts["name"])
        return Rights(user, name, is_active, tuple(held), changed)

    def accounts_of(self, user: str) -> list[str]:
        """Return the names of the service accounts that act for a user."""
        return sorted(
            str(one.facts["name"])
            for one in self.documents.values()
            if one.kind == "user" and one.value("kind") == "service" and one.value("owner") == user
        )

    def _changed_for(self, user: Document) -> int:
        """Return the number of the last change that may concern a user.

        Who left a team, or which team had a grant, nobody knows any more: all of them count.
        """
        owner = self.documents.get(str(user.value("owner")))
        of_teams = (
            seq
            for holder, seq in self._grants_changed.items()
            if (found := self.documents.get(holder)) is None or found.kind == "team"
        )
        return max(
            user.seq,
            0 if owner is None else owner.seq,
            self._grants_changed.get(user.id, 0),
            self._teams_changed,
            *of_teams,
        )

    def admins(self) -> set[str]:
        """Return the ids of the active users who may change everybody's access."""
        return {
            document.id
            for document in self.documents.values()
            if document.kind == "user" and self.of(document.id).is_admin
        }

    def named(self, name: str) -> Document | None:
        """Return the user of a name."""
        lowered = name.lower()
        return next(
            (
                document
                for document in self.documents.values()
                if document.kind == "user" and str(document.facts["name"]).lower() == lowered
            ),
            None,
        )

    def _held(self, grant: Document) -> Held:
        role = Role[str(grant.value("role")).upper()]
        since = self._since.get(grant.stamp("role") or "", 0)
        return Held(Grant(role, str(grant.facts["scope"])), since)


def load_people(connection: Connection, registry: int) -> People:
    """Read the access stream."""
    e, o = schema.entity.c, schema.operation.c
    rows = connection.execute(
        sa.select(e.body).where(e.registry == registry, e.stream == ACCESS)
    ).scalars()
    documents = [decode_document(bytes(body)) for body in rows]
    since: dict[str, int] = {
        row.id: row.seq
        for row in connection.execute(
            sa.select(o.id, o.seq).where(o.registry == registry, o.stream == ACCESS)
        )
    }
    return People(documents, since, access_head(connection, registry))


def access_head(connection: Connection, registry: int) -> int:
    """Return the sequence number of the last change of access."""
    return _head(connection, registry)[0]


def _head(connection: Connection, registry: int) -> tuple[int, bytes]:
    """Return number and link of the last change of access: after a restore one has another link."""
    found = connection.execute(_HEAD, {"registry": registry}).first()
    return (0, b"") if found is None else (int(found.head), bytes(found.link))


# Made once: every request asks it, and making it takes longer than its answer.
_HEAD = sa.select(schema.stream.c.head, schema.stream.c.link).where(
    schema.stream.c.registry == sa.bindparam("registry"), schema.stream.c.id == ACCESS
)


class PeopleCache:
    """Remembers everybody's rights until the access stream moves on."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[int, bytes], People]] = {}

    def get(self, connection: Connection, registry: int) -> People:
        """Return the people of the moment that the connection sees."""
        head = _head(connection, registry)
        known = self._known.get(registry)
        if known is None or known[0] != head:
            known = head, load_people(connection, registry)
            self._known[registry] = known
        return known[1]

    def forget(self) -> None:
        """Read everything anew the next time."""
        self._known.clear()


def _sees(held: Held) -> bool:
    return held.grant.role >= Role.VIEWER


def _meet(scope: str, other: str) -> str | None:
    """Return the narrower of two scopes, None where they have nothing in common."""
    if covers(scope, other):
        return other
    return scope if covers(other, scope) else None
