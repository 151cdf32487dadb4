"""`regtui-server heal`."""

from typing import Annotated

import typer

from regtui.core.errors import BadInput
from sync_server.authority import Authority, registry_row
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    RegistryName,
    registry_of,
)
from sync_server.healing import close as close_healing
from sync_server.output import emit, say


def heal(
    data: Data,
    close: Annotated[bool, typer.Option("--close", help="End the healing.")] = False,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether the registry heals after a restore; `--close` ends that, and gives numbers."""
    numbered = 0
    with registry_of(data, config, database, registry) as (server, row):
        healing = row.healing
        if close:
            with server.database.writing() as connection:
                held = registry_row(connection, row.id, lock=True)
                if held is None or not held.healing:
                    raise BadInput("this registry does not heal", "there is nothing to close")
                authority = Authority(connection, held, server.clock())
                numbered = close_healing(authority)
                authority.flush()
            healing = False
    if as_json:
        emit({"healing": healing, "numbered": numbered})
    elif close:
        said = "1 version" if numbered == 1 else f"{numbered} versions"
        say(f"healing has ended; {said} got a number")
    elif healing:
        say("healing: replicas bring back what was lost; `regtui-server heal --close` ends it")
    else:
        say("there is nothing to heal")
