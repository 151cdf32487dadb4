"""`regtui team ls | show | put | add | rm | delete | restore`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS

if TYPE_CHECKING:
    from regtui.registry.answers_access import TeamAnswer

app = group("Look after teams, which have roles for several people.")

Name = Annotated[str, typer.Argument(metavar="TEAM")]
Members = Annotated[list[str], typer.Argument(metavar="NAME...", autocompletion=complete.people)]


@app.command()
def ls() -> None:
    """List the teams; who is no admin sees those that he is in."""
    found = SETTINGS.registry().teams()
    if SETTINGS.json:
        emit({"teams": found})
        return
    if not found:
        warn("no teams; `regtui team put TEAM --add NAME` makes one")
        return
    rows = [[one.name, one.state, ", ".join(one.members), one.description or ""] for one in found]
    say(table(("TEAM", "STATE", "MEMBERS", "DESCRIPTION"), rows))


@app.command()
def show(name: Name) -> None:
    """Tell who is in a team; who is no admin sees only himself."""
    team = SETTINGS.registry().team(name)
    if SETTINGS.json:
        emit({"team": team})
        return
    _tell(team)
    if team.description:
        say(team.description)


@app.command()
def put(
    name: Annotated[str, typer.Argument(metavar="TEAM", help="One word, without /.")],
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    add: Annotated[
        list[str],
        typer.Option(
            "--add", metavar="NAME", help="Somebody who joins.", autocompletion=complete.people
        ),
    ] = [],
    remove: Annotated[
        list[str],
        typer.Option(
            "--remove", metavar="NAME", help="Somebody who leaves.", autocompletion=complete.people
        ),
    ] = [],
) -> None:
    """Make a team, or change it; `grant add team:TEAM` gives it a role."""
    _answer(SETTINGS.registry().put_team(name, add=add, remove=remove, description=description))


@app.command("add")
def add_members(name: Name, members: Members) -> None:
    """Let people join a team."""
    registry = SETTINGS.registry()
    registry.team(name)  # a misspelt one shall not be made
    _answer(registry.put_team(name, add=members))


@app.command("rm")
def remove_members(name: Name, members: Members) -> None:
    """Take people out of a team.

    What they could read by it leaves their machines at their next sync.
    """
    registry = SETTINGS.registry()
    registry.team(name)
    _answer(registry.put_team(name, remove=members))


@app.command()
def delete(name: Name) -> None:
    """Let a team hand no roles on; `team restore` brings it back as it was."""
    registry = SETTINGS.registry()
    registry.team(name)
    _answer(registry.put_team(name, state="deleted"))


@app.command()
def restore(name: Name) -> None:
    """Bring a deleted team back, with its members and grants."""
    registry = SETTINGS.registry()
    registry.team(name)
    _answer(registry.put_team(name, state="active"))


def _answer(team: "TeamAnswer") -> None:
    if SETTINGS.json:
        emit({"team": team})
        return
    _tell(team)


def _tell(team: "TeamAnswer") -> None:
    state = "" if team.state == "active" else f" ({team.state})"
    say(f"{team.name}{state}: {', '.join(team.members) or 'nobody'}")
