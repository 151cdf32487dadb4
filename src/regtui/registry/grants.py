"""Grants: who may do what where, as the server has it."""

from regtui.core.access import Role, scope_key
from regtui.core.errors import BadInput
from regtui.registry.answers_access import GrantAnswer
from regtui.registry.asking import ask
from regtui.registry.context import Context
from regtui.sync.transport import understood


def grants(context: Context) -> list[GrantAnswer]:
    """Return the grants by holder and scope; who is no admin of a scope sees his own."""
    return understood(ask(context, "GET", "grants"), list[GrantAnswer], "grants")


def add_grant(context: Context, holder: str, role: str, scope: str) -> GrantAnswer:
    """Give a role in a scope, in place of the one that the holder had in this very scope.

    Args:
        context: The registry.
        holder: A user's name, or `team:NAME`.
        role: Its name.
        scope: `*`, a prefix such as `nlp/*`, or one model.

    Raises:
        BadInput: There is no such role or scope, or nobody would be left who may administrate.
        Denied: This is for admins of the scope.
        NotFound: There is no such user or team.
    """
    body = {"holder": _holder(holder), "role": role_name(role), "scope": scope_key(scope)}
    return understood(ask(context, "POST", "grants", body), GrantAnswer)


def remove_grant(context: Context, holder: str, scope: str) -> None:
    """Take the role in a scope away.

    Raises:
        BadInput: It is no scope, or nobody would be left who may administrate.
        Denied: This is for admins of the scope.
        NotFound: There is no such user, team or grant.
    """
    ask(context, "DELETE", "grants", holder=_holder(holder), scope=scope_key(scope))


def role_name(text: str) -> str:
    """Return the name of a role as it is kept.

    Raises:
        BadInput: There is none of that name.
    """
    if text.upper() not in Role.__members__:
        known = ", ".join(role.name.lower() for role in Role)
        raise BadInput(f"there is no role {text!r}", f"there are {known}")
    return text.lower()


def _holder(text: str) -> str:
    if not text or text == "team:":
        raise BadInput("nobody was named", "a user's name, or team:NAME")
    return text
