"""Signing in: one-time tokens become lasting ones; machines are signed in by somebody elsewhere.

A machine without a browser and without a token shows a short code. Whoever is signed in somewhere
else types it there, for himself: the machine gets a token of his, never wider than the one that he
approved it with. The code has 39 bits, lives for ten minutes and can be tried a few times.
"""

import secrets as system_secrets
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.access import Grant
from sync_server import schema
from sync_server.administration import TOKEN_START, token_digest
from sync_server.authority import Refused, registry_row
from sync_server.database import insert
from sync_server.server import Server
from sync_server.sync import Caller

LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""What codes are made of: nothing that looks like something else, no words."""

CODE_LENGTH = 8
LIFE = 600
"""Seconds that a code is good for."""

INTERVAL = 3
"""Seconds between two questions of a machine that waits."""

WAITING_LIMIT = 10_000
"""Machines that wait at a time."""

_SECOND = 1_000_000


class SignedIn(Struct, frozen=True):
    """A token, and whose it is where."""

    token: str
    registry: str
    registry_name: str
    user: str
    name: str


class Waiting(Struct, frozen=True):
    """What a machine that wants to be signed in shows, and asks with."""

    device_code: str
    user_code: str
    verification: str
    interval: int
    expires_in: int


def log_in(server: Server, secret: str) -> SignedIn:
    """Exchange a one-time token for a lasting one; give back one that lasts already.

    Raises:
        Refused: It is not good, or was exchanged before.
    """
    c, now = schema.token.c, server.clock()
    with server.database.reading() as connection:
        row = _good_token(connection, secret, now)
        if not row.once:
            return _signed_in(server, connection, row.registry, row.user, secret)
    with server.database.writing() as connection:
        taken = connection.execute(
            sa.update(schema.token)
            .where(c.id == row.id, c.used.is_(None), c.revoked.is_(None))
            .values(used=now)
        )
        if taken.rowcount != 1:
            raise _not_good()
        # What one made for oneself does not outlive the token that it was made with.
        ends = row.expires if row.created_by == row.user else None
        made = _new_token(connection, server, row.registry, row.user, "login", row.roles, ends)
        return _signed_in(server, connection, row.registry, row.user, made)


def log_out(server: Server, token: str) -> None:
    """Make the token in use good for nothing."""
    c = schema.token.c
    with server.database.writing() as connection:
        connection.execute(
            sa.update(schema.token).where(c.id == token).values(revoked=server.clock())
        )


def begin_device(server: Server, name: str) -> Waiting:
    """Let a machine wait for somebody who signs it in.

    Raises:
        Refused: Too many wait.
    """
    c, now = schema.device.c, server.clock()
    secret = system_secrets.token_urlsafe(32)
    code = "".join(system_secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    with server.database.writing() as connection:
        connection.execute(sa.delete(schema.device).where(c.expires < now - LIFE * _SECOND))
        waiting = connection.execute(sa.select(sa.func.count()).select_from(schema.device))
        if waiting.scalar_one() >= WAITING_LIMIT:
            raise Refused(503, "busy", "too many machines wait to be signed in")
        row = {
            "digest": token_digest(secret),
            "code": code,
            "name": name,
            "expires": now + LIFE * _SECOND,
            "state": "waiting",
            "registry": None,
            "user": None,
            "roles": None,
            "until": None,
            "token": None,
        }
        insert(connection, schema.device, [row])
    shown = f"{code[:4]}-{code[4:]}"
    said = f"on a machine that is signed in: regtui login --approve {shown}"
    return Waiting(secret, shown, said, INTERVAL, LIFE)


def ask_device(server: Server, secret: str) -> SignedIn:
    """Return the token of a machine that was signed in; it is given once.

    Raises:
        Refused: `authorization_pending`, `denied` or `expired`, which an unknown one is too.
    """
    c, now = schema.device.c, server.clock()
    mine = c.digest == token_digest(secret)
    with server.database.reading() as connection:
        row = connection.execute(sa.select(schema.device).where(mine)).first()
        if row is None or row.expires < now:
            raise Refused(400, "expired", "this code is not good (any more)")
        if row.state == "waiting":
            raise Refused(400, "authorization_pending", "nobody has signed this machine in yet")
        if row.state == "denied":
            raise Refused(400, "denied", "this machine was refused")
    with server.database.writing() as connection:
        taken = connection.execute(
            sa.delete(schema.device).where(mine, c.state == "approved", c.expires >= now)
        )
        # Whoever takes the token away that it was approved with means this machine, too.
        t = schema.token.c
        approved = connection.execute(sa.select(schema.token).where(t.id == row.token)).first()
        if taken.rowcount != 1 or approved is None or not _is_good(approved, now):
            raise Refused(400, "expired", "this code is not good (any more)")
        made = _new_token(
            connection, server, row.registry, row.user, row.name, row.roles, row.until
        )
        return _signed_in(server, connection, row.registry, row.user, made)


def settle_device(  # noqa: PLR0913 -- who, with what, which one, how
    server: Server, registry: int, caller: Caller, token: str, code: str, *, approves: bool
) -> str:
    """Sign a machine in for the caller, or refuse it; return what it called itself.

    Raises:
        Refused: No machine waits with this code.
    """
    c, t, now = schema.device.c, schema.token.c, server.clock()
    wanted = "".join(one for one in code.upper() if one.isalnum())
    waiting = (c.code == wanted, c.state == "waiting", c.expires >= now)
    with server.database.writing() as connection:
        row = connection.execute(sa.select(c.name).where(*waiting)).first()
        if row is None:
            raise Refused(404, "not_found", "no machine waits with this code")
        until = connection.execute(sa.select(t.expires).where(t.id == token)).scalar()
        values: dict[str, Any] = {"state": "denied"}
        if approves:
            values = {
                "state": "approved",
                "registry": registry,
                "user": caller.user,
                "roles": _sealed(caller.roles),
                "until": until,
                "token": token,
            }
        connection.execute(sa.update(schema.device).where(*waiting).values(**values))
        return str(row.name)


def _good_token(connection: Connection, secret: str, now: int) -> Any:
    c = schema.token.c
    row = connection.execute(
        sa.select(schema.token).where(c.digest == token_digest(secret))
    ).first()
    if row is None or not _is_good(row, now):
        raise _not_good()
    return row


def _is_good(token: Any, now: int) -> bool:
    lasts = token.expires is None or token.expires >= now
    return token.revoked is None and lasts and not (token.once and token.used is not None)


def _not_good() -> Refused:
    return Refused(401, "unauthenticated", "this token is not good (any more)")


def _new_token(  # noqa: PLR0913, PLR0917 -- everything that a token has
    connection: Connection,
    server: Server,
    registry: int,
    user: str,
    name: str,
    roles: bytes | None,
    expires: int | None,
) -> str:
    secret, now = TOKEN_START + system_secrets.token_urlsafe(32), server.clock()
    row = {
        "id": server.mint(now),
        "registry": registry,
        "user": user,
        "name": name,
        "digest": token_digest(secret),
        "roles": roles,
        "once": False,
        "created": now,
        "created_by": user,
        "expires": expires,
        "revoked": None,
        "used": None,
    }
    insert(connection, schema.token, [row])
    return secret


def _signed_in(
    server: Server, connection: Connection, registry: int, user: str, token: str
) -> SignedIn:
    row = registry_row(connection, server.registry_id(registry), lock=False)
    if row is None:
        raise _not_good()
    rights = server.service.rights_of(connection, row.key, Caller(user))
    return SignedIn(token, row.id, row.name, rights.user, rights.name)


def _sealed(roles: tuple[Grant, ...] | None) -> bytes | None:
    if roles is None:
        return None
    return msgspec.json.encode([(one.role.name.lower(), one.scope) for one in roles])
