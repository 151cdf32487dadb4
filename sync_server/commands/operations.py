"""`regtui-server ops`."""

from typing import Annotated

import msgspec
import sqlalchemy as sa
import typer

from regtui.core.errors import NotFound
from sync_server import schema
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    RegistryName,
    group,
    registry_of,
)
from sync_server.output import emit, say

app = group("ops", "Operations as they came, and what was decided.")


@app.command("show")
def show(
    identity: Annotated[str, typer.Argument(metavar="ID")],
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show an operation and its verdict, also one that was refused."""
    with (
        registry_of(data, config, database, registry) as (server, row),
        server.database.reading() as connection,
    ):
        found = None
        for place in (schema.refusal, schema.operation):
            c = place.c
            found = (
                found
                or connection.execute(
                    sa.select(c.bytes, c.verdict).where(c.registry == row.key, c.id == identity)
                ).first()
            )
    if found is None:
        raise NotFound(f"no operation {identity!r} was accepted or refused here")
    operation, verdict = (msgspec.json.decode(bytes(one)) for one in found)
    if as_json:
        emit({"operation": operation, "verdict": verdict})
        return
    for heading, value in (("verdict", verdict), ("operation", operation)):
        say(f"{heading}:")
        for line in msgspec.json.format(msgspec.json.encode(value), indent=2).decode().split("\n"):
            say(f"  {line}")
