"""Who is there and may do what, in the words of people: what commands and HTTP answer.

What a reader may not see is left out, so that it answers the same as what is not there. The admins
of the whole registry see everybody; admins of a scope see the grants in it; everybody sees himself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from regtui.core.access import Role, covers
from regtui.core.documents import Document
from regtui.core.errors import NotFound
from sync_server import schema
from sync_server.administration import Token, tokens
from sync_server.rights import People, Rights

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class UserAnswer:
    """A person or service account.

    Attributes:
        owner: Name of the person that a service account acts for.
        roles: `[role, scope]`, those of teams included.
    """

    id: str
    name: str
    display_name: str | None
    kind: str
    owner: str | None
    state: str
    roles: list[tuple[str, str]]


@dataclass(frozen=True)
class TeamAnswer:
    """A team; to who is no admin only his own membership shows."""

    id: str
    name: str
    description: str | None
    state: str
    members: list[str]


@dataclass(frozen=True)
class GrantAnswer:
    """A role in a scope; `holder` is a user's name, or `team:NAME`."""

    id: str
    holder: str
    role: str
    scope: str


@dataclass(frozen=True)
class ReplicaAnswer:
    """A replica: whose, where, and when it last spoke (microseconds)."""

    id: str
    user: str
    host: str | None
    state: str
    seen: int


@dataclass(frozen=True)
class TokenAnswer:
    """A token without its secret; times are microseconds."""

    id: str
    user: str
    name: str
    roles: list[tuple[str, str]] | None
    once: bool
    created: int
    expires: int | None
    revoked: int | None
    used: int | None


class Directory:
    """What one reader sees of who is there.

    Args:
        connection: Inside a transaction.
        registry: The registry's number.
        people: Everybody, at that moment.
        reader: The rights of who asks; None for the operator, who sees all.
    """

    def __init__(
        self, connection: Connection, registry: int, people: People, reader: Rights | None
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._people = people
        self._reader = reader
        self._sees_all = reader is None or reader.is_admin

    def users(self) -> list[UserAnswer]:
        """Return the users, by name."""
        found = [self._user(one) for one in self._of_kind("user", self._is_own)]
        return sorted(found, key=lambda one: one.name.lower())

    def user(self, name: str) -> UserAnswer:
        """Return a user.

        Raises:
            NotFound: There is none, or the reader may not know.
        """
        return _one(self.users(), lambda one: one.name.lower() == name.lower(), "user", name)

    def teams(self) -> list[TeamAnswer]:
        """Return the teams, by name; without rights, those that the reader is in."""
        found = [self._team(one) for one in self._of_kind("team", self._is_in)]
        return sorted(found, key=lambda one: one.name.lower())

    def team(self, name: str) -> TeamAnswer:
        """Return a team.

        Raises:
            NotFound: There is none, or the reader may not know.
        """
        return _one(self.teams(), lambda one: one.name.lower() == name.lower(), "team", name)

    def grants(self) -> list[GrantAnswer]:
        """Return the grants that hold, by holder and scope."""
        found = [
            GrantAnswer(one.id, self._holder(one), str(one.value("role")), str(one.facts["scope"]))
            for one in self._of_kind("grant", self._sees_grant)
            if one.value("role") is not None
        ]
        return sorted(found, key=lambda one: (one.holder, one.scope))

    def grant(self, identity: str) -> GrantAnswer:
        """Return a grant.

        Raises:
            NotFound: There is none, or the reader may not know.
        """
        return _one(self.grants(), lambda one: one.id == identity, "grant", identity)

    def replicas(self) -> list[ReplicaAnswer]:
        """Return the replicas, newest sign of life first."""
        c = schema.replica.c
        rows = self._connection.execute(
            sa.select(c.id, c.user, c.seen, c.revoked)
            .where(c.registry == self._registry)
            .order_by(c.seen.desc(), c.id)
        ).all()
        return [
            ReplicaAnswer(
                row.id,
                self._name(row.user),
                None if (known := self._people.documents.get(row.id)) is None
                else known.value("host"),
                "revoked" if row.revoked else "active",
                row.seen,
            )
            for row in rows
            # The server's own has no user.
            if row.user and (self._sees_all or self._is_reader(row.user))
        ]  # fmt: skip

    def replica(self, identity: str) -> ReplicaAnswer:
        """Return a replica.

        Raises:
            NotFound: There is none, or the reader may not know.
        """
        return _one(self.replicas(), lambda one: one.id == identity, "replica", identity)

    def tokens(self, user: str | None = None) -> list[TokenAnswer]:
        """Return the tokens, oldest first, of all whom the reader sees or of one user's name."""
        return [
            self._token(one)
            for one in tokens(self._connection, self._registry, self._people)
            if (self._sees_all or self._is_reader(one.user))
            and (user is None or self._name(one.user).lower() == user.lower())
        ]

    def token(self, identity: str) -> TokenAnswer:
        """Return a token.

        Raises:
            NotFound: There is none, or the reader may not know.
        """
        return _one(self.tokens(), lambda one: one.id == identity, "token", identity)

    def _of_kind(self, kind: str, shows: Callable[[Document], bool]) -> Iterable[Document]:
        for document in self._people.documents.values():
            if document.kind == kind and (self._sees_all or shows(document)):
                yield document

    def _is_reader(self, user: str) -> bool:
        return self._reader is not None and user == self._reader.user

    def _is_own(self, document: Document) -> bool:
        return self._is_reader(document.id)

    def _is_in(self, team: Document) -> bool:
        if self._reader is None or team.value("state") != "active":
            return False
        return self._reader.user in team.entries("members")

    def _sees_grant(self, grant: Document) -> bool:
        holder, scope = str(grant.facts["to"]), str(grant.facts["scope"])
        team = self._people.documents.get(holder)
        if self._is_reader(holder) or (team is not None and self._is_in(team)):
            return True
        held = () if self._reader is None else self._reader.actor.grants
        return any(one.role is Role.ADMIN and covers(one.scope, scope) for one in held)

    def _name(self, identity: str) -> str:
        document = self._people.documents.get(identity)
        return identity if document is None else str(document.facts["name"])

    def _holder(self, grant: Document) -> str:
        name = self._name(str(grant.facts["to"]))
        return f"team:{name}" if grant.facts["to_kind"] == "team" else name

    def _user(self, document: Document) -> UserAnswer:
        owner = document.value("owner")
        held = self._people.of(document.id).held
        return UserAnswer(
            id=document.id,
            name=str(document.facts["name"]),
            display_name=document.value("display_name"),
            kind=str(document.value("kind")),
            owner=None if owner is None else self._name(str(owner)),
            state=str(document.value("state")),
            roles=sorted((one.grant.role.name.lower(), one.grant.scope) for one in held),
        )

    def _team(self, document: Document) -> TeamAnswer:
        members = [
            self._name(one)
            for one, is_in in document.entries("members").items()
            if is_in and (self._sees_all or self._is_reader(one))
        ]
        return TeamAnswer(
            id=document.id,
            name=str(document.facts["name"]),
            description=document.value("description"),
            state=str(document.value("state")),
            members=sorted(members),
        )

    def _token(self, token: Token) -> TokenAnswer:
        return TokenAnswer(
            id=token.id,
            user=self._name(token.user),
            name=token.name,
            roles=token.roles,
            once=token.once,
            created=token.created,
            expires=token.expires,
            revoked=token.revoked,
            used=token.used,
        )


def _one(
    found: Iterable[_Answer], is_meant: Callable[[_Answer], bool], kind: str, name: str
) -> _Answer:
    for one in found:
        if is_meant(one):
            return one
    raise NotFound(f"there is no {kind} {name[:200]!r}")
