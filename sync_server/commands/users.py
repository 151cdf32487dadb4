"""`regtui-server user`."""

from pathlib import Path
from typing import Annotated, Any

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
from sync_server.directory import UserAnswer
from sync_server.output import emit, say, table

app = group("user", "People and service accounts.")

Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("add")
def add(
    name: Name,
    data: Data,
    display_name: Annotated[str | None, typer.Option("--display-name")] = None,
    service_of: Annotated[
        str | None,
        typer.Option("--service-of", metavar="NAME", help="A service account, and whose it is."),
    ] = None,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make somebody known; `grant add` lets him see and do something."""

    def change(administration: Administration) -> None:
        values: dict[str, Any] = {}
        if display_name is not None:
            values["display_name"] = display_name
        if service_of is not None:
            administration.put_service(name, service_of, **values)
        else:
            administration.put_user(name, **values)

    found = _changed(name, change, data, config, database, registry)
    if as_json:
        emit({"user": found})
    else:
        say(f"{found.name} is known; `regtui-server grant add {found.name} ROLE SCOPE` goes on")


@app.command("ls")
def ls(
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List everybody."""
    with registry_of(data, config, database, registry) as (server, row):
        found = server.look(row.id, lambda directory: directory.users())
    if as_json:
        emit({"users": found})
        return
    rows = [
        [one.name, one.kind, one.state, ", ".join(f"{role} {scope}" for role, scope in one.roles)]
        for one in found
    ]
    table(["NAME", "KIND", "STATE", "ROLES"], rows)


@app.command("disable")
def disable(
    name: Name,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Stop somebody, and the service accounts that are his, from signing in."""
    _set_state(name, "disabled", data, config, database, registry, as_json)


@app.command("enable")
def enable(
    name: Name,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody sign in again."""
    _set_state(name, "active", data, config, database, registry, as_json)


def _set_state(
    name: str,
    state: str,
    data: Path,
    config: Path | None,
    database: str | None,
    registry: str | None,
    as_json: bool,
) -> None:
    def change(administration: Administration) -> None:
        administration.user(name)
        administration.put_user(name, state=state)

    found = _changed(name, change, data, config, database, registry)
    if as_json:
        emit({"user": found})
    else:
        say(f"{found.name} is {found.state}")


def _changed(
    name: str,
    change: Any,
    data: Path,
    config: Path | None,
    database: str | None,
    registry: str | None,
) -> UserAnswer:
    with registry_of(data, config, database, registry) as (server, row):
        found: UserAnswer = server.administrate_and_look(
            row.id, change, lambda _, directory: directory.user(name)
        )
        return found
