"""`regtui token ls | create | revoke`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.roles import narrowed
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import roles_text

if TYPE_CHECKING:
    from regtui.registry.answers_access import TokenAnswer

app = group("Look after tokens, by which people and machines sign in.")


@app.command()
def ls(
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only his tokens.", autocompletion=complete.people),
    ] = None,
) -> None:
    """List tokens without their secrets; who is no admin sees his own."""
    found = SETTINGS.registry().tokens(user)
    if SETTINGS.json:
        emit({"tokens": found})
        return
    if not found:
        warn("no tokens; `regtui token create` makes one")
        return
    rows = [
        [
            one.id[-8:],
            one.user,
            one.name,
            _may(one),
            one.state,
            _day(one.created),
            _day(one.expires),
            _day(one.used),
        ]
        for one in found
    ]
    say(table(("ID", "USER", "NAME", "MAY", "STATE", "CREATED", "EXPIRES", "USED"), rows))


@app.command()
def create(
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose it shall be; your own without.",
            autocompletion=complete.people,
        ),
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "token",
    role: Annotated[
        list[str],
        typer.Option(
            metavar="ROLE",
            help="The most that it may do; may be given repeatedly, also as ROLE:SCOPE.",
            autocompletion=complete.roles,
        ),
    ] = [],
    scope: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPE",
            help="Where it may do something; may be given repeatedly.",
            autocompletion=complete.scopes,
        ),
    ] = [],
    expires: Annotated[
        str | None, typer.Option(metavar="AGE", help="After how long it ends: 30d, 12h, 10m.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Good for one login only.")] = False,
) -> None:
    """Make a token and print its secret, which is told this once."""
    made = SETTINGS.registry().create_token(
        user, name=name, roles=narrowed(role, scope), expires=expires, once=once
    )
    if SETTINGS.json:
        emit(made)
        return
    typer.echo(made.token)  # what was asked for, whatever --quiet says
    warn(f"{made.known.user}'s, for {_may(made.known)}{_until(made.known)}; keep it safe")


@app.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The end of its id will do.")],
) -> None:
    """Make a token good for nothing, at once."""
    token = SETTINGS.registry().revoke_token(identity)
    if SETTINGS.json:
        emit({"revoked": token})
        return
    say(f"{token.user}'s token {token.name!r} is revoked")


def _may(token: "TokenAnswer") -> str:
    return "all that he may" if token.roles is None else roles_text(token.roles)


def _until(token: "TokenAnswer") -> str:
    once = ", good for one login" if token.once else ""
    return once if token.expires is None else f"{once}, until {_day(token.expires)} UTC"


def _day(moment: str | None) -> str:
    return "never" if moment is None else f"{moment[:10]} {moment[11:16]}"
