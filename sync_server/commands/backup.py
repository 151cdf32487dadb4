"""`regtui-server backup` and `restore`."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from regtui.core.errors import BadInput, Busy, Damaged
from regtui.core.wording import count_text
from sync_server import schema
from sync_server.backup import begin_epochs, create_backup, load_rows, open_backup
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    configuration_of,
    group,
)
from sync_server.configuration import Configuration
from sync_server.data_folder import make_folder, open_database, opened, running_lock
from sync_server.database import Database, other_sessions
from sync_server.examine import examine
from sync_server.output import emit, say
from sync_server.server import SQLITE_NAME, wall_clock

app = group("backup", "Copies of everything but the model files.")


@app.command("create")
def create(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    data: Data,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write everything into a new file; a server may run meanwhile."""
    with opened(data, configuration_of(data, config, database)) as server:
        size = create_backup(server.database, file)
    if as_json:
        emit({"file": str(file), "bytes": size})
    else:
        say(f"wrote {file} ({size} bytes); model files are not in it")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    data: Data,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of what is there.")
    ] = False,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back; replicas that were ahead bring the rest when they sync.

    The server must not run. A database file that is replaced is kept beside the new one.
    """
    make_folder(data)
    configuration = configuration_of(data, config, database)
    with (
        running_lock(data, alone=True),
        tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as scratch,
    ):
        copy = Path(scratch) / SQLITE_NAME
        source = open_backup(file, copy)
        try:
            damage = examine(source)
            if damage:
                raise Damaged(f"the backup is damaged: {damage[0]}", "try an older one")
            kept = None
            if configuration.database is None:
                names = begin_epochs(source, wall_clock, lambda: os.urandom(16))
                source.close()
                kept = _put(copy, data / SQLITE_NAME, replace=replace)
            else:
                names = _load(source, data, configuration, replace=replace)
        finally:
            source.close()
    if as_json:
        emit({"registries": names, "healing": True, "kept": None if kept is None else str(kept)})
        return
    say(f"restored {', '.join(names)}; replicas bring back what is missing when they sync")
    say("`regtui-server heal --close` ends that; new versions get their numbers then")
    if kept is not None:
        say(f"what was there before is in {kept}")


def _put(copy: Path, place: Path, *, replace: bool) -> Path | None:
    """Put a database file in its place; return where the one before is now."""
    kept = None
    if place.exists():
        if not replace:
            raise BadInput(f"there is a registry in {place.parent}", "--replace takes its place")
        kept = place.with_name(f"{place.name}.before-{wall_clock() // 1_000_000}")
        place.rename(kept)
        for end in ("-wal", "-shm"):  # what is not in the file itself yet
            beside = place.with_name(place.name + end)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + end))
    copy.chmod(0o600)
    copy.rename(place)
    return kept


def _load(
    source: Database, data: Path, configuration: Configuration, *, replace: bool
) -> list[str]:
    target = open_database(data, configuration, makes=True)
    try:
        with target.reading() as connection:
            is_used = connection.execute(sa.select(schema.registry.c.key)).first() is not None
        if is_used and not replace:
            raise BadInput("there is a registry in this database", "--replace takes its place")
        target.engine.dispose()  # no connection of this process is counted
        others = other_sessions(target) if is_used else 0
        if others:
            message = f"{count_text(others, 'other connection')} to the database are open"
            raise Busy(message, "stop every server that serves it, whatever machine it is on")
        # In the copy, so that one transaction brings everything.
        names = begin_epochs(source, wall_clock, lambda: os.urandom(16))
        load_rows(source, target)
    finally:
        target.close()
    return names
