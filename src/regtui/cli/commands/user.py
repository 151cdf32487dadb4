"""`regtui user ls | add | show | set`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import roles_text

if TYPE_CHECKING:
    from regtui.registry.answers_access import UserAnswer

app = group("Look after people and service accounts on the server.")

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete.people)]
DisplayName = Annotated[
    str | None, typer.Option("--display-name", metavar="TEXT", help="What he is called.")
]


@app.command()
def ls() -> None:
    """List everybody; who is no admin sees himself."""
    found = SETTINGS.registry().users()
    if SETTINGS.json:
        emit({"users": found})
        return
    rows = [[one.name, _kind(one), one.state, roles_text(one.roles)] for one in found]
    say(table(("NAME", "KIND", "STATE", "ROLES"), rows))


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One word, without /.")],
    display_name: DisplayName = None,
    service_of: Annotated[
        str | None,
        typer.Option(
            "--service-of",
            metavar="NAME",
            help="A service account, and for whom it acts.",
            autocompletion=complete.people,
        ),
    ] = None,
) -> None:
    """Make somebody known; `grant add` lets him see and do something."""
    user, created = SETTINGS.registry().add_user(
        name, display_name=display_name, service_of=service_of
    )
    if SETTINGS.json:
        emit({"user": user, "created": created})
        return
    if not created:
        say(f"{user.name} was known already")
        return
    say(
        f"{user.name} is known; `regtui grant add {user.name} ROLE SCOPE` gives rights, "
        f"`regtui token create --user {user.name} --once` lets him sign in"
    )


@app.command()
def show(name: Name) -> None:
    """Tell who somebody is, and what he may do."""
    user = SETTINGS.registry().user(name)
    if SETTINGS.json:
        emit({"user": user})
        return
    called = "" if user.display_name is None else f" ({user.display_name})"
    say(f"{user.name}{called}  {_kind(user)}  {user.state}")
    for role, scope in user.roles:
        say(f"{role} in {scope}")
    if not user.roles:
        say("no role")


@app.command("set")
def set_(
    name: Name,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="active, or disabled: out at once, with his service accounts.",
            autocompletion=complete.user_states,
        ),
    ] = None,
    display_name: DisplayName = None,
) -> None:
    """Disable or enable somebody, or change what he is called."""
    user = SETTINGS.registry().change_user(name, state=state, display_name=display_name)
    if SETTINGS.json:
        emit({"user": user})
        return
    called = "" if user.display_name is None else f", called {user.display_name}"
    say(f"{user.name} is {user.state}{called}")


def _kind(user: "UserAnswer") -> str:
    return user.kind if user.owner is None else f"{user.kind} of {user.owner}"
