"""`regtui-server grant`."""

from typing import Annotated

import typer

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

app = group("grant", "Who may do what where.")

Holder = Annotated[str, typer.Argument(metavar="NAME", help="A user, or team:NAME.")]
Scope = Annotated[str, typer.Argument(metavar="SCOPE", help="'*', 'nlp/*' or one model.")]


@app.command("add")
def add(
    holder: Holder,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="viewer … admin.")],
    scope: Scope,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a role in a scope."""
    with registry_of(data, config, database, registry) as (server, row):
        server.administrate(row.id, lambda one: one.grant(holder, role, scope))
    if as_json:
        emit({"grant": {"holder": holder, "role": role.lower(), "scope": scope}})
    else:
        say(f"{holder} is {role.lower()} in {scope}")


@app.command("rm")
def rm(
    holder: Holder,
    scope: Scope,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take the role in a scope away."""
    with registry_of(data, config, database, registry) as (server, row):
        server.administrate(row.id, lambda one: one.grant(holder, None, scope))
    if as_json:
        emit({"grant": {"holder": holder, "role": None, "scope": scope}})
    else:
        say(f"{holder} has no role in {scope} any more")


@app.command("ls")
def ls(
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List who may do what."""
    with registry_of(data, config, database, registry) as (server, row):
        found = server.look(row.id, lambda directory: directory.grants())
    if as_json:
        emit({"grants": found})
    else:
        table(["HOLDER", "ROLE", "SCOPE"], [[one.holder, one.role, one.scope] for one in found])
