"""`regtui grant ls | add | rm`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS

app = group("Say who may do what where, on the server.")

Holder = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A user, or team:TEAM.", autocompletion=complete.people),
]
Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE", help="'*', 'nlp/*' or one model.", autocompletion=complete.scopes
    ),
]


@app.command()
def ls() -> None:
    """List who may do what; who is no admin of a scope sees what he has himself."""
    found = SETTINGS.registry().grants()
    if SETTINGS.json:
        emit({"grants": found})
        return
    if not found:
        warn("no grants; an admin gives them with `regtui grant add NAME ROLE SCOPE`")
        return
    say(table(("HOLDER", "ROLE", "SCOPE"), [[one.holder, one.role, one.scope] for one in found]))


@app.command()
def add(
    holder: Holder,
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE",
            help="reporter, viewer, contributor, approver, maintainer or admin.",
            autocompletion=complete.roles,
        ),
    ],
    scope: Scope,
) -> None:
    """Give a role in a scope, in place of the one there was in this very scope."""
    grant = SETTINGS.registry().add_grant(holder, role, scope)
    if SETTINGS.json:
        emit({"grant": grant})
        return
    say(f"{grant.holder} is {grant.role} in {grant.scope}")


@app.command()
def rm(holder: Holder, scope: Scope) -> None:
    """Take the role in a scope away.

    What the holder could read by it leaves his machine at his next sync.
    """
    SETTINGS.registry().remove_grant(holder, scope)
    if SETTINGS.json:
        emit({"removed": {"holder": holder, "scope": scope}})
        return
    say(f"{holder} has no role in {scope} any more")
