"""`regtui-server doctor`."""

from regtui.core.errors import Damaged
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    configuration_of,
)
from sync_server.data_folder import open_database
from sync_server.examine import examine
from sync_server.output import emit, say, warn


def doctor(
    data: Data,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Recompute from the stored bytes all that can be; exit code 8 where something is damaged."""
    opened = open_database(data, configuration_of(data, config, database))
    try:
        damage = examine(opened)
    finally:
        opened.close()
    if as_json:
        emit({"damage": damage})
    else:
        for line in damage:
            warn(line)
        if not damage:
            say("all is well")
    return Damaged.exit_code if damage else 0
