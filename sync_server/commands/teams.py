"""`regtui-server team`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync_server.administration import Administration
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    RegistryName,
    group,
    registry_of,
)
from sync_server.output import emit, say, table

if TYPE_CHECKING:
    from sync_server.directory import TeamAnswer

app = group("team", "Teams: roles for several people at once.")

Name = Annotated[str, typer.Argument(metavar="TEAM")]
Members = Annotated[list[str], typer.Argument(metavar="NAME...")]


@app.command("ls")
def ls(
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the teams."""
    with registry_of(data, config, database, registry) as (server, row):
        found = server.look(row.id, lambda directory: directory.teams())
    if as_json:
        emit({"teams": found})
        return
    rows = [[one.name, one.state, ", ".join(one.members), one.description or ""] for one in found]
    table(["TEAM", "STATE", "MEMBERS", "DESCRIPTION"], rows)


@app.command("put")
def put(
    name: Name,
    data: Data,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT")] = None,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a team, or change it; `grant add team:TEAM` gives it a role."""
    values = {} if description is None else {"description": description}
    _change(name, {}, values, data, config, database, registry, as_json, makes=True)


@app.command("add")
def add(
    name: Name,
    members: Members,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let people join a team."""
    _change(name, dict.fromkeys(members, True), {}, data, config, database, registry, as_json)


@app.command("rm")
def rm(
    name: Name,
    members: Members,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take people out of a team."""
    _change(name, dict.fromkeys(members, False), {}, data, config, database, registry, as_json)


@app.command("delete")
def delete(
    name: Name,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a team hand no roles on; `team restore` brings it back as it was."""
    _change(name, {}, {"state": "deleted"}, data, config, database, registry, as_json)


@app.command("restore")
def restore(
    name: Name,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring a deleted team back, with its members and grants."""
    _change(name, {}, {"state": "active"}, data, config, database, registry, as_json)


def _change(
    name: str,
    members: dict[str, bool],
    values: dict[str, Any],
    data: Path,
    config: Path | None,
    database: str | None,
    registry: str | None,
    as_json: bool,
    *,
    makes: bool = False,
) -> None:
    def change(administration: Administration) -> None:
        if not makes:  # a misspelt one shall not be made
            administration.team(name)
        administration.put_team(name, members, **values)

    with registry_of(data, config, database, registry) as (server, row):
        found: TeamAnswer = server.administrate_and_look(
            row.id, change, lambda _, directory: directory.team(name)
        )
    if as_json:
        emit({"team": found})
        return
    state = "" if found.state == "active" else f" ({found.state})"
    say(f"{found.name}{state}: {', '.join(found.members) or 'nobody'}")
