"""People and teams: who is there, as the server has it."""

from collections.abc import Sequence

from regtui.core.errors import BadInput
from regtui.core.identity import name_key
from regtui.registry.answers_access import TeamAnswer, UserAnswer
from regtui.registry.asking import ask, segment
from regtui.registry.context import Context
from regtui.sync.transport import understood

USER_STATES = ("active", "disabled")
TEAM_STATES = ("active", "deleted")


def users(context: Context) -> list[UserAnswer]:
    """Return everybody by name; who is no admin sees himself."""
    return understood(ask(context, "GET", "users"), list[UserAnswer], "users")


def user(context: Context, name: str) -> UserAnswer:
    """Return a user.

    Raises:
        NotFound: There is none, or one may not know.
    """
    return understood(ask(context, "GET", f"users/{segment(name, 'user')}"), UserAnswer)


def add_user(
    context: Context, name: str, *, display_name: str | None = None, service_of: str | None = None
) -> tuple[UserAnswer, bool]:
    """Make somebody known; tell whether he was not before.

    Of somebody who is known already, it changes what is given.

    Args:
        context: The registry.
        name: One word, without `/`.
        display_name: What he is called.
        service_of: Name of the person for whom it acts, of a service account.

    Raises:
        BadInput: Nobody can be called so, or the owner is no person.
        Denied: This is for admins.
        NotFound: There is no such owner.
    """
    name_key(name, segments=False)
    body = _given(name=name, display_name=display_name or None, owner=service_of)
    if service_of is not None:
        body["kind"] = "service"
    told = ask(context, "POST", "users", body)
    return understood(told, UserAnswer, "user"), understood(told, bool, "created")


def change_user(
    context: Context, name: str, *, state: str | None = None, display_name: str | None = None
) -> UserAnswer:
    """Disable or enable somebody, or change what he is called; what is not given stays.

    Args:
        context: The registry.
        name: Of the user.
        state: `active` or `disabled`.
        display_name: What he is called; an empty one is taken away.

    Raises:
        NotFound: There is none.
        Denied: This is for admins.
        BadInput: There is no such state, nothing was given, or nobody would be left who may
            administrate.
    """
    changes = _given(state=_one_of(USER_STATES, state), display_name=display_name)
    if display_name == "":
        changes["display_name"] = None
    if not changes:
        raise BadInput("nothing was given to change", "such as --state disabled")
    told = ask(context, "PATCH", f"users/{segment(name, 'user')}", changes)
    return understood(told, UserAnswer)


def teams(context: Context) -> list[TeamAnswer]:
    """Return the teams by name; who is no admin sees those that he is in."""
    return understood(ask(context, "GET", "teams"), list[TeamAnswer], "teams")


def team(context: Context, name: str) -> TeamAnswer:
    """Return a team.

    Raises:
        NotFound: There is none, or one may not know.
    """
    return understood(ask(context, "GET", f"teams/{segment(name, 'team')}"), TeamAnswer)


def put_team(  # noqa: PLR0913 -- everything that a team has
    context: Context,
    name: str,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    description: str | None = None,
    state: str | None = None,
) -> TeamAnswer:
    """Make a team, or change it; what is not given stays.

    Args:
        context: The registry.
        name: One word, without `/`.
        add: Names of users who join.
        remove: Names of users who leave.
        description: What it is for; an empty one is taken away.
        state: `active` or `deleted`; a deleted one hands no roles on.

    Raises:
        NotFound: There is no such user.
        Denied: This is for admins.
        BadInput: No team can be called so, there is no such state, somebody shall join and leave,
            or nobody would be left who may administrate.
    """
    both = {one.lower() for one in add} & {one.lower() for one in remove}
    if both:
        raise BadInput(f"{min(both)!r} can't both join and leave")
    body = _given(description=description, state=_one_of(TEAM_STATES, state))
    if description == "":
        body["description"] = None
    body |= {"add": list(add), "remove": list(remove)}
    told = ask(context, "PUT", f"teams/{_new_segment(name)}", body)
    return understood(told, TeamAnswer)


def _given(**values: str | None) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _one_of(states: Sequence[str], state: str | None) -> str | None:
    if state is not None and state not in states:
        raise BadInput(f"there is no state {state!r}", f"there are {' and '.join(states)}")
    return state


def _new_segment(name: str) -> str:
    """Return the name of a team that may be new as a part of a path."""
    name_key(name, segments=False)
    return segment(name, "team")
