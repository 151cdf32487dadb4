"""Tokens: what people and machines sign in with, as the server knows them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from regtui.core.access import scope_key
from regtui.core.errors import BadInput
from regtui.core.query.times import read_duration
from regtui.registry.answers import iso
from regtui.registry.answers_access import NewTokenAnswer, TokenAnswer
from regtui.registry.asking import ask, segment
from regtui.registry.context import Context
from regtui.registry.grants import role_name
from regtui.registry.identified import identified
from regtui.replica.unit import wall_clock
from regtui.sync.transport import understood

LONGEST = 10 * 365 * 86_400
"""Seconds that a token may last, where it says how long."""


class _Told(msgspec.Struct, frozen=True):
    """A token as the server tells it; times are microseconds."""

    id: str
    user: str
    name: str
    roles: list[tuple[str, str]] | None
    once: bool
    created: int
    expires: int | None
    revoked: int | None
    used: int | None


def tokens(context: Context, user: str | None = None) -> list[TokenAnswer]:
    """Return tokens without their secrets, oldest first; who is no admin sees his own.

    Args:
        context: The registry.
        user: Only those of the user with this name.
    """
    told = ask(context, "GET", "tokens", user=user)
    return [_answer(one) for one in understood(told, list[_Told], "tokens")]


def create_token(  # noqa: PLR0913 -- everything that a token has
    context: Context,
    user: str | None = None,
    *,
    name: str = "token",
    roles: Sequence[tuple[str, str]] | None = None,
    expires: str | None = None,
    once: bool = False,
) -> NewTokenAnswer:
    """Make a token; its secret is told this once.

    Args:
        context: The registry.
        user: Whose it shall be; None for one's own.
        name: What it is for.
        roles: What it may do at most, as `(role, scope)`; None for all that its user may.
        expires: After how long it stops being good, such as `30d`; None for never.
        once: Whether it is good for one login only.

    Raises:
        BadInput: A role, scope or duration makes no sense.
        Denied: Only admins make tokens for others, and no token makes a wider one.
        NotFound: There is no such user.
    """
    body: dict[str, Any] = {"name": name, "once": once}
    if user is not None:
        body["user"] = user
    if roles is not None:
        body["roles"] = [(role_name(role), scope_key(scope)) for role, scope in roles]
    if expires is not None:
        body["expires_in"] = _seconds(expires)
    told = ask(context, "POST", "tokens", body)
    known = _answer(understood(told, _Told, "known"))
    return NewTokenAnswer(token=understood(told, str, "token"), known=known)


def revoke_token(context: Context, identity: str) -> TokenAnswer:
    """Make a token good for nothing, at once.

    Args:
        context: The registry.
        identity: Its id, or the beginning or end of it.

    Raises:
        NotFound: There is none, or one may not know.
        BadInput: Several ids begin or end so.
    """
    meant = identified(tokens(context), identity, "token")
    told = ask(context, "DELETE", f"tokens/{segment(meant.id, 'token')}")
    return _answer(understood(told, _Told))


def _answer(told: _Told) -> TokenAnswer:
    return TokenAnswer(
        id=told.id,
        user=told.user,
        name=told.name,
        roles=told.roles,
        once=told.once,
        state=_state(told),
        created=iso(told.created),
        expires=None if told.expires is None else iso(told.expires),
        revoked=None if told.revoked is None else iso(told.revoked),
        used=None if told.used is None else iso(told.used),
    )


def _state(told: _Told) -> str:
    if told.revoked is not None:
        return "revoked"
    if told.once and told.used is not None:
        return "used"
    is_over = told.expires is not None and told.expires < wall_clock()
    return "expired" if is_over else "good"


def _seconds(text: str) -> int:
    found = read_duration(text.strip())
    seconds = None if found is None else found // 1000
    if not seconds or seconds > LONGEST:
        raise BadInput(
            f"{text!r} is no duration of a token", "such as 30d, 12h or 10m; 10y at most"
        )
    return seconds
