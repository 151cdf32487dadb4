"""Administration: people, teams, grants, replicas and tokens, changed on the server alone.

Each change is an operation of the access stream, made by the server's own replica on behalf of who
asked, judged like any other and kept in the chain. Tokens are no operations: they are secrets, of
which the digest is kept.
"""

import hashlib
import secrets as system_secrets
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core import chain
from regtui.core.access import Actor, Grant, Role, may_grant, scope_key
from regtui.core.documents import Document
from regtui.core.errors import BadInput, Denied, NotFound, RegtuiError
from regtui.core.identity import grant_id, replica_id, team_id, user_id
from regtui.core.operations import (
    KINDS,
    Change,
    EditBody,
    GrantBody,
    ReplicaBody,
    TeamBody,
    UserBody,
    decode_operation,
)
from regtui.core.verdicts import Rejected, decode_verdict
from sync_server import schema
from sync_server.authority import Authority, Header, Refused, RegistryRow, Sent
from sync_server.database import insert, upsert
from sync_server.rights import ACCESS, People, load_people
from sync_server.secrets import Secrets

TOKEN_START = "regtui_"  # noqa: S105 -- how secrets begin, for scanners to find them

_roles = msgspec.json.Decoder(list[tuple[str, str]])


class Token(Struct, frozen=True):
    """What is known of a token; not its secret.

    Attributes:
        id: Of the token.
        user: Id of whose it is.
        name: As he called it.
        roles: What it may do at most, as `[role, scope]`; None for all that the user may.
        once: Whether it is good for one login only.
        created: Microseconds.
        expires: Microseconds, None for never.
        revoked: Microseconds, None where it is good.
        used: Microseconds, None where it never was.
    """

    id: str
    user: str
    name: str
    roles: list[tuple[str, str]] | None
    once: bool
    created: int
    expires: int | None
    revoked: int | None
    used: int | None


class Administration:
    """Changes of who may do what, in one transaction that holds the registry's row.

    Args:
        connection: That transaction.
        row: The registry's row.
        secrets: The server's key: its replica signs with it.
        actor: Who asks.
        now: Microseconds.
        mint: Returns a new UUIDv7 for a time.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- a transaction has that many sides
        self,
        connection: Connection,
        row: RegistryRow,
        secrets: Secrets,
        actor: Actor,
        now: int,
        mint: Callable[[int], str],
    ) -> None:
        self.connection = connection
        self.authority = Authority(connection, row, now, administrates=True)
        self._secrets = secrets
        self._actor = actor
        self._now = now
        self._mint = mint

    def need_admin(self, scope: str = "*") -> None:
        """Refuse who may not change access in a scope, before anything is looked up.

        Raises:
            Denied: He may not.
            BadInput: It is no scope.
        """
        scope = scope_key(scope)
        if not may_grant(self._actor, scope):
            raise Denied(f"this needs the role admin in {scope!r}")

    def put_user(self, name: str, **values: Any) -> Document:
        """Make a person or service account known, or change what is known of it.

        Raises:
            RegtuiError: It was refused.
        """
        identity = user_id(name)
        return self._submit("user.put", identity, UserBody(name, self._changes(identity, values)))

    def put_service(self, name: str, owner: str, **values: Any) -> Document:
        """Make a service account known, or change what is known of it.

        Args:
            name: Of the account.
            owner: Name of the person for whom it acts.
            values: What else is known.

        Raises:
            NotFound: There is no such person.
            BadInput: It would be its own, or another service account's: then nobody could stop it.
            RegtuiError: It was refused.
        """
        found = self.user(owner)
        if found.id == user_id(name) or found.value("kind") == "service":
            raise BadInput("a service account acts for a person", "name the person who owns it")
        people = load_people(self.connection, self.authority.row.key)
        owned = people.accounts_of(user_id(name))
        if owned:
            message = f"{name} is a person for whom {owned[0]} acts"
            raise BadInput(message, "give that account another owner first")
        return self.put_user(name, kind="service", owner=found.id, **values)

    def put_team(self, name: str, members: dict[str, bool], **values: Any) -> Document:
        """Make a team, or change it; members by the user's name, False takes one out."""
        identity = team_id(name)
        for member, is_in in members.items():
            values[f"members/{self.user(member).id}"] = True if is_in else None
        return self._submit("team.put", identity, TeamBody(name, self._changes(identity, values)))

    def grant(self, holder: str, role: str | None, scope: str) -> Document:
        """Give a user or team (`team:NAME`) a role in a scope; None takes it away."""
        scope = scope_key(scope)
        kind, name = ("team", holder[5:]) if holder.startswith("team:") else ("user", holder)
        found = (self.team(name) if kind == "team" else self.user(name)).id
        if role is not None and role.upper() not in Role.__members__:
            known = ", ".join(one.name.lower() for one in Role)
            raise BadInput(f"there is no role {role!r}", f"there are {known}")
        identity = grant_id(found, scope)
        held = self.authority.view.document(identity)
        if role is None and (held is None or held.value("role") is None):
            self.need_admin(scope)
            raise NotFound("there is no such grant", "`regtui grant ls` lists them")
        changes = self._changes(identity, {"role": None if role is None else role.lower()})
        body = GrantBody(found, kind, scope, changes)
        return self._submit("grant.remove" if role is None else "grant.add", identity, body)

    def enrol(self, user: str, public_key: bytes, host: str) -> str:
        """Let a replica act for a user; return its id."""
        identity = replica_id(public_key)
        known = self.authority.view.document(identity)
        changes = {} if known is not None else {"host": Change(host)}
        self._submit("replica.enrol", identity, ReplicaBody(user, public_key.hex(), changes))
        row = {
            "registry": self.authority.row.key,
            "id": identity,
            "user": user,
            "public_key": public_key,
            "last_n": 0,
            "tip": chain.GENESIS,
            "revoked": False,
            "seen": self._now,
        }
        upsert(self.connection, schema.replica, [row], replace=False)
        return identity

    def revoke_replica(self, identity: str) -> None:
        """Stop a replica from acting for its user."""
        body = EditBody(self._changes(identity, {"state": "revoked"}))
        self._submit("replica.revoke", identity, body)
        c = schema.replica.c
        self.connection.execute(
            sa.update(schema.replica)
            .where(c.registry == self.authority.row.key, c.id == identity)
            .values(revoked=True)
        )

    def create_token(
        self,
        user: str,
        name: str,
        *,
        roles: list[tuple[str, str]] | None = None,
        expires: int | None = None,
        once: bool = False,
    ) -> str:
        """Make a token for a user and return its secret, which is kept nowhere."""
        secret = TOKEN_START + system_secrets.token_urlsafe(32)
        insert(
            self.connection,
            schema.token,
            [
                {
                    "id": self._mint(self._now),
                    "registry": self.authority.row.key,
                    "user": user,
                    "name": name,
                    "digest": token_digest(secret),
                    "roles": None if roles is None else msgspec.json.encode(roles),
                    "once": once,
                    "created": self._now,
                    "created_by": self._actor.id,
                    "expires": expires,
                    "revoked": None,
                    "used": None,
                }
            ],
        )
        return secret

    def token_end(self, identity: str) -> int | None:
        """Return when a token stops being good, in microseconds; None for never."""
        c = schema.token.c
        return self.connection.execute(sa.select(c.expires).where(c.id == identity)).scalar()

    def token_id(self, secret: str) -> str:
        """Return the id of a token that was just made."""
        c = schema.token.c
        return str(
            self.connection.execute(
                sa.select(c.id).where(c.digest == token_digest(secret))
            ).scalar_one()
        )

    def revoke_token(self, identity: str) -> bool:
        """Make a token good for nothing; tell whether it was one of this registry that was good."""
        c = schema.token.c
        done = self.connection.execute(
            sa.update(schema.token)
            .where(c.registry == self.authority.row.key, c.id == identity, c.revoked.is_(None))
            .values(revoked=self._now)
        )
        return bool(done.rowcount)

    def finish(self) -> People:
        """Write everything, unless nobody would be left to administrate; the caller commits.

        Return everybody, as they are then.

        Raises:
            BadInput: That would take away the last admin.
        """
        had_admins = bool(load_people(self.connection, self.authority.row.key).admins())
        self.authority.flush()
        people = load_people(self.connection, self.authority.row.key)
        if had_admins and not people.admins():
            raise BadInput(
                "that would leave nobody who may administrate", "name another admin first"
            )
        return people

    def user(self, name: str) -> Document:
        """Return the user of a name.

        Raises:
            NotFound: There is none.
        """
        found = self.authority.view.document(user_id(name))
        if found is None:
            raise NotFound(f"there is no user {name!r}", "`regtui user ls` lists them")
        return found

    def team(self, name: str) -> Document:
        """Return the team of a name.

        Raises:
            NotFound: There is none.
        """
        found = self.authority.view.document(team_id(name))
        if found is None:
            raise NotFound(f"there is no team {name!r}", "`regtui team ls` lists them")
        return found

    def _changes(self, identity: str, values: dict[str, Any]) -> dict[str, Change]:
        document = self.authority.view.document(identity)
        return {
            path: Change(value, saw=None if document is None else document.stamp(path))
            for path, value in values.items()
            if document is None or document.value(path) != value
        }

    def _submit(self, kind: str, entity: str, body: Any) -> Document:
        authority = self.authority
        found = authority.view.document(entity)
        if found is not None and not body.set and kind != "replica.enrol":
            return found
        row = self._own_replica()
        moment = authority.moment()
        draft = KINDS[kind](
            id=self._mint(moment),
            replica=row["id"],
            at=moment,
            actor=self._actor.id,
            stream=ACCESS,
            entity=entity,
            body=body,
            via="api",
            session=row["id"],
        )
        _, data, tip = chain.seal(draft, n=row["last_n"] + 1, prev=row["tip"])
        operation = decode_operation(data)
        header = msgspec.json.decode(data, type=Header)
        sealed = authority.judge_all([Sent(data, header, operation)], self._actor, limit=None)[0]
        verdict = decode_verdict(sealed)
        if isinstance(verdict, Rejected):
            raise refusal(verdict)
        row |= {"last_n": row["last_n"] + 1, "tip": tip, "seen": moment}
        upsert(self.connection, schema.replica, [row])
        document = authority.view.document(entity)
        if document is None:
            raise NotFound("it is not there")
        return document

    def _own_replica(self) -> dict[str, Any]:
        """Return the row of the server's own replica."""
        identity, c = replica_id(self._secrets.public), schema.replica.c
        found = self.connection.execute(
            sa.select(schema.replica).where(c.registry == self.authority.row.key, c.id == identity)
        ).first()
        if found is not None:
            return dict(zip(schema.replica.columns.keys(), found, strict=True))
        return {
            "registry": self.authority.row.key,
            "id": identity,
            "user": "",
            "public_key": self._secrets.public,
            "last_n": 0,
            "tip": chain.GENESIS,
            "revoked": False,
            "seen": self._now,
        }


def operator() -> Actor:
    """Return who acts on the server's own machine: he may do everything."""
    return Actor(user_id("operator"), "operator", (Grant(Role.ADMIN, "*"),))


def token_digest(secret: str) -> str:
    """Return what is kept of a token; it has 256 random bits, which need no slow digest."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def refusal(verdict: Rejected) -> RegtuiError:
    """Return the error of a refused change."""
    errors: dict[str, type[RegtuiError]] = {"not_found": NotFound, "denied": Denied}
    return errors.get(verdict.code, BadInput)(verdict.message, verdict.hint)


def tokens(connection: Connection, registry: int, people: People) -> list[Token]:
    """Return the tokens of a registry, oldest first."""
    c = schema.token.c
    rows = connection.execute(
        sa.select(schema.token).where(c.registry == registry).order_by(c.created)
    )
    return [
        Token(
            id=row.id,
            user=row.user,
            name=row.name,
            roles=None if row.roles is None else _roles.decode(bytes(row.roles)),
            once=row.once,
            created=row.created,
            expires=row.expires,
            revoked=row.revoked,
            used=row.used,
        )
        for row in rows
        if row.user in people.documents
    ]


# Made once: every request asks it, and making it takes longer than its answer.
_TOKEN = sa.select(schema.token).where(schema.token.c.digest == sa.bindparam("digest"))


def authenticated(connection: Connection, secret: str, now: int) -> tuple[int, str, str, Any]:
    """Return a token's registry number, user, id and roles.

    Raises:
        Refused: It is none, not good any more, or good for a login only.
    """
    row = connection.execute(_TOKEN, {"digest": token_digest(secret)}).first()
    if row is None or row.revoked is not None or (row.expires is not None and row.expires < now):
        raise Refused(401, "unauthenticated", "this token is not good (any more)")
    if row.once:
        raise Refused(401, "unauthenticated", "this token is good for one login, and nothing else")
    roles = None
    if row.roles is not None:
        roles = tuple(
            Grant(Role[role.upper()], scope)
            for role, scope in msgspec.json.decode(bytes(row.roles))
        )
    return row.registry, row.user, row.id, roles
