"""`regtui-server token`."""

from typing import Annotated

import typer

from regtui.core.errors import NotFound
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
from sync_server.durations import microseconds
from sync_server.output import day, emit, say, table
from sync_server.token_roles import role_in_scope

app = group("token", "What people and machines sign in with.")


@app.command("create")
def create(
    data: Data,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Whose it is.")],
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "token",
    roles: Annotated[
        list[str] | None,
        typer.Option(
            "--role", metavar="ROLE:SCOPE", help="All that it may do; may be given repeatedly."
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="30d", help="When it stops being good.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Good for one login.")] = False,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it; it is shown this once."""
    limited = [role_in_scope(one) for one in roles] if roles else None
    lasts = None if expires is None else microseconds(expires)

    with registry_of(data, config, database, registry) as (server, row):
        until = None if lasts is None else server.clock() + lasts

        def change(administration: Administration) -> str:
            whose = administration.user(user).id
            return administration.create_token(whose, name, roles=limited, expires=until, once=once)

        secret = server.administrate(row.id, change)
    if as_json:
        emit({"token": secret})
    else:
        say(secret)


@app.command("ls")
def ls(
    data: Data,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME")] = None,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the tokens, without their secrets."""
    with registry_of(data, config, database, registry) as (server, row):
        found = server.look(row.id, lambda directory: directory.tokens(user))
    if as_json:
        emit({"tokens": found})
        return
    rows = [
        [one.id, one.user, one.name, day(one.created), day(one.expires), day(one.used),
         "" if one.revoked is None else "revoked"]
        for one in found
    ]  # fmt: skip
    table(["ID", "USER", "NAME", "CREATED", "EXPIRES", "USED", ""], rows)


@app.command("revoke")
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID")],
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a token good for nothing, at once."""
    with registry_of(data, config, database, registry) as (server, row):
        if not server.administrate(row.id, lambda one: one.revoke_token(identity)):
            raise NotFound(
                f"there is no such token that is good: {identity!r}",
                "`regtui-server token ls` lists them",
            )
    if as_json:
        emit({"revoked": identity})
    else:
        say(f"revoked {identity}")
