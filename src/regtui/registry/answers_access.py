"""Answers about access: people, teams, grants, tokens and replicas, as the server tells them.

What an older or newer server tells besides is passed over. Times are ISO 8601 in UTC with
milliseconds.
"""

from msgspec import Struct


class UserAnswer(Struct, frozen=True, kw_only=True):
    """A person or service account.

    Attributes:
        id: UUID.
        name: Signs in and is granted roles by it; case does not matter.
        display_name: What he is called; None for the name.
        kind: `person` or `service`.
        owner: Name of the person that a service account acts for.
        state: `active` or `disabled`.
        roles: What he may do, as `[role, scope]`; what he has from his teams included.
    """

    id: str
    name: str
    display_name: str | None
    kind: str
    owner: str | None
    state: str
    roles: list[tuple[str, str]]


class TeamAnswer(Struct, frozen=True, kw_only=True):
    """A team; who is no admin sees only himself of its members.

    Attributes:
        id: UUID.
        name: Case does not matter.
        description: One line or more; None without one.
        state: `active` or `deleted`.
        members: Names of users.
    """

    id: str
    name: str
    description: str | None
    state: str
    members: list[str]


class GrantAnswer(Struct, frozen=True, kw_only=True):
    """A role in a scope.

    Attributes:
        id: UUID.
        holder: A user's name, or `team:NAME`.
        role: `reporter`, `viewer`, `contributor`, `approver`, `maintainer` or `admin`.
        scope: `*`, a prefix such as `nlp/*`, or one model.
    """

    id: str
    holder: str
    role: str
    scope: str


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """A token without its secret.

    Attributes:
        id: UUID.
        user: Name of whose it is.
        name: What it is for.
        roles: What it may do at most, as `[role, scope]`; None for all that its user may.
        once: Whether it is good for one login only.
        state: `good`, `revoked`, `expired`, or `used` of one that was good for one login.
        created: When it was made.
        expires: When it stops being good; None for never.
        revoked: When it was revoked; None where it was not.
        used: When it was used last; None where it never was.
    """

    id: str
    user: str
    name: str
    roles: list[tuple[str, str]] | None
    once: bool
    state: str
    created: str
    expires: str | None
    revoked: str | None
    used: str | None


class NewTokenAnswer(Struct, frozen=True, kw_only=True):
    """A token that was just made.

    Attributes:
        token: The secret; it is told this once and kept nowhere.
        known: What stays known of it.
    """

    token: str
    known: TokenAnswer


class ReplicaAnswer(Struct, frozen=True, kw_only=True):
    """A replica that may sync, or might.

    Attributes:
        id: UUID.
        user: Name of whose it is.
        host: The machine where it was made.
        state: `active` or `revoked`.
        seen: When it spoke to the server last.
        here: Whether it is this very one.
    """

    id: str
    user: str
    host: str | None
    state: str
    seen: str
    here: bool


class WaitingDevice(Struct, frozen=True, kw_only=True):
    """A machine that waits for somebody who signs it in.

    Attributes:
        code: What it shows, and that person types: `regtui login --approve CODE`.
        secret: What it asks with; for nobody's eyes.
        interval: Seconds between two questions.
        expires_in: Seconds that the code is good for.
    """

    code: str
    secret: str
    interval: float
    expires_in: float
