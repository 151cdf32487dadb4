"""Access: who may do what where.

Roles include one another in the order below. A grant gives a person a role in a scope: `*`, a
prefix such as `nlp/*`, or one model. The highest role in scope counts; without a grant there is no
sight, and what one may not see does not exist.
"""

from enum import IntEnum

from msgspec import Struct

from regtui.core.identity import name_key


class Role(IntEnum):
    """Roles by rank; `reporter` is for machines and sees nothing."""

    REPORTER = 0
    VIEWER = 1
    CONTRIBUTOR = 2
    APPROVER = 3
    MAINTAINER = 4
    ADMIN = 5


class Grant(Struct, frozen=True):
    """A role in a scope."""

    role: Role
    scope: str


class Actor(Struct, frozen=True):
    """Somebody who acts: a user id, the name, and the grants that hold now.

    Attributes:
        id: Of the user.
        name: As he is called.
        grants: What he holds.
        owner: For whom a service account acts; None for a person.
    """

    id: str
    name: str
    grants: tuple[Grant, ...]
    owner: str | None = None


REQUIRED: dict[str, Role] = {
    "model.create": Role.CONTRIBUTOR,
    "model.edit": Role.CONTRIBUTOR,
    "model.archive": Role.MAINTAINER,
    "model.delete": Role.MAINTAINER,
    "model.restore": Role.MAINTAINER,
    "version.capture": Role.CONTRIBUTOR,
    "version.edit": Role.CONTRIBUTOR,
    "version.archive": Role.MAINTAINER,
    "version.delete": Role.MAINTAINER,
    "version.restore": Role.MAINTAINER,
    "alias.set": Role.CONTRIBUTOR,
    "alias.remove": Role.CONTRIBUTOR,
    "conflict.resolve": Role.CONTRIBUTOR,
    "comment.add": Role.CONTRIBUTOR,
    "comment.edit": Role.CONTRIBUTOR,
    "dataset.put": Role.CONTRIBUTOR,
    "policy.put": Role.MAINTAINER,
    "policy.remove": Role.MAINTAINER,
    "check.put": Role.MAINTAINER,
    "check.remove": Role.MAINTAINER,
    "check.report": Role.CONTRIBUTOR,
    "environment.put": Role.MAINTAINER,
    "promotion.request": Role.CONTRIBUTOR,
    "promotion.review": Role.APPROVER,
    "promotion.apply": Role.CONTRIBUTOR,
    "promotion.withdraw": Role.CONTRIBUTOR,
    "deployment.record": Role.CONTRIBUTOR,
    "deployment.transition": Role.CONTRIBUTOR,
    "user.put": Role.ADMIN,
    "team.put": Role.ADMIN,
    "grant.add": Role.ADMIN,
    "grant.remove": Role.ADMIN,
    "replica.enrol": Role.ADMIN,
    "replica.revoke": Role.ADMIN,
}
"""The role that each kind of operation needs. Whose replica it is may enrol and revoke it, too.

What moves a protected alias, or a deployment in a protected environment, needs a maintainer, which
is a matter of policies (`regtui.core.governance`).
"""


ADMINISTRATION = frozenset(
    {"user.put", "team.put", "grant.add", "grant.remove", "replica.enrol", "replica.revoke"}
)
"""The kinds of operation that change who may do what; they belong to the access stream."""


def narrowed(role: Role, cap: Role) -> Role | None:
    """Return what is left of a role under a cap; None where nothing is.

    No role but that of an admin, who could make himself one, holds what a reporter may do.
    """
    if Role.REPORTER in {role, cap}:
        return Role.REPORTER if {role, cap} <= {Role.REPORTER, Role.ADMIN} else None
    return min(role, cap)


def in_scope(scope: str, name: str) -> bool:
    """Tell whether a model name lies in a scope."""
    if scope == "*":
        return True
    if scope.endswith("/*"):
        return name.startswith(scope[:-1])
    return scope == name


def scope_key(scope: str) -> str:
    """Return the identity form of a scope.

    Raises:
        BadInput: It is no scope.
    """
    if scope == "*":
        return scope
    if scope.endswith("/*"):
        return name_key(scope[:-2]) + "/*"
    return name_key(scope)


def covers(scope: str, other: str) -> bool:
    """Tell whether everything in another scope lies in this one."""
    if scope == "*":
        return True
    if other == "*" or (other.endswith("/*") and not scope.endswith("/*")):
        return False
    return in_scope(scope, other.removesuffix("*"))


def may_grant(actor: Actor, scope: str) -> bool:
    """Tell whether an actor may give and take roles in a scope."""
    return any(grant.role is Role.ADMIN and covers(grant.scope, scope) for grant in actor.grants)


def role_of(actor: Actor, name: str) -> Role | None:
    """Return the actor's highest role over a model name, None without any."""
    return max((grant.role for grant in actor.grants if in_scope(grant.scope, name)), default=None)


def has_role(actor: Actor, name: str, least: Role) -> bool:
    """Tell whether an actor's role over a model name is at least this one."""
    role = role_of(actor, name)
    return role is not None and role >= least


def role_over(actor: Actor, scope: str) -> Role | None:
    """Return the actor's highest role over everything in a scope, None without any."""
    return max((grant.role for grant in actor.grants if covers(grant.scope, scope)), default=None)


def reports(actor: Actor, name: str) -> bool:
    """Tell whether what an actor reports of a model counts as evidence: a reporter's does.

    An admin could make himself one, so his does, too; everybody else's is told and counts not.
    """
    return any(
        grant.role in {Role.REPORTER, Role.ADMIN} and in_scope(grant.scope, name)
        for grant in actor.grants
    )
