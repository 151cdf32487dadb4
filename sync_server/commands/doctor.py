"""`regtui-server doctor`."""

from typing import Annotated

import typer

from regtui.core.errors import Damaged
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    configuration_of,
)
from sync_server.data_folder import artifact_store, open_database
from sync_server.examine import examine
from sync_server.output import emit, say, warn
from sync_server.server import wall_clock


def doctor(
    data: Data,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    files: Annotated[bool, typer.Option("--files", help="Read every file again, too.")] = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="Let replicas upload damaged files anew.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Recompute from the stored bytes all that can be; exit code 8 where something is damaged."""
    configuration = configuration_of(data, config, database)
    opened = open_database(data, configuration)
    try:
        damage = examine(opened)
        if files or mend:
            from sync_server.artifact_gc import verify  # with half of what serves requests

            store = artifact_store(data, configuration)
            for one in verify(opened, store, wall_clock, mend=mend):
                damage.append(f"file {one.digest} is {one.problem}")
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
