"""What a token may do at most: roles that narrow those of its user."""

from collections.abc import Iterable, Sequence

from regtui.core.access import Grant, Role, covers, narrowed, scope_key
from regtui.core.errors import BadInput, Denied

RoleInScope = tuple[str, str]
"""A role's name in lower case, and a scope."""


def role_in_scope(text: str) -> RoleInScope:
    """Return the role of `ROLE:SCOPE`.

    Raises:
        BadInput: It is none.
    """
    role, colon, scope = text.partition(":")
    if not colon:
        raise BadInput(f"{text!r} is no role in a scope", "such as contributor:nlp/*")
    return checked_role(role, scope)


def checked_role(role: str, scope: str) -> RoleInScope:
    """Return a role in a scope as it is kept.

    Raises:
        BadInput: There is no such role or scope.
    """
    if role.upper() not in Role.__members__:
        known = ", ".join(one.name.lower() for one in Role)
        raise BadInput(f"there is no role {role[:200]!r}", f"there are {known}")
    return role.lower(), scope_key(scope)


def within(
    wanted: Sequence[RoleInScope] | None, own: Iterable[Grant] | None
) -> list[RoleInScope] | None:
    """Return the roles of a new token that was asked for with another one.

    Args:
        wanted: What it shall be narrowed to; None for as much as may be.
        own: What the token in use is narrowed to; None where it is not.

    Raises:
        Denied: It would do more than the token in use.
    """
    if own is None:
        return None if wanted is None else list(wanted)
    caps = list(own)
    if wanted is None:
        return [(one.role.name.lower(), one.scope) for one in caps]
    for role, scope in wanted:
        asked = Role[role.upper()]
        if not any(narrowed(cap.role, asked) is asked and covers(cap.scope, scope) for cap in caps):
            raise Denied(
                f"the token in use is not {role} in {scope}", "a token can't make a wider one"
            )
    return list(wanted)
