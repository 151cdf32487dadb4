"""`regtui-server init`."""

from typing import Annotated

import tomlkit
import typer

from sync_server.commands.options import AsJson, ConfigFile, Data, DatabaseUrl, configuration_of
from sync_server.configuration import FILE_NAME
from sync_server.data_folder import make_folder, open_database
from sync_server.output import emit, say
from sync_server.server import make_registry

DEFAULT_NAME = "main"


def init(
    data: Data,
    admin: Annotated[str, typer.Option("--admin", metavar="NAME", help="The first admin.")],
    registry: Annotated[
        str, typer.Option("--registry", metavar="NAME", help="What it is called.")
    ] = DEFAULT_NAME,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a registry with its first admin, and print the token that he logs in with, once."""
    make_folder(data)
    opened = open_database(data, configuration_of(data, config, database), makes=True)
    try:
        made = make_registry(opened, registry, admin)
    finally:
        opened.close()
    file = data / FILE_NAME
    if database is not None and not file.exists():
        # So that `run` finds it without being told again. It may hold a password.
        file.touch(mode=0o600)
        file.write_text(tomlkit.dumps({"database": database}), encoding="utf-8")
    if as_json:
        emit(
            {
                "registry": made.name,
                "id": made.registry,
                "admin": made.admin,
                "token": made.token,
            }
        )
        return
    say(f"made the registry {made.name} ({made.registry}); {made.admin} is its admin")
    say(f"token for one login: {made.token}")
