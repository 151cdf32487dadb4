"""Brings a database to the shape that this program knows, and refuses one that is newer.

A new step: change `schema`; `python -m sync_server.migrate "what it does"` then writes a module
into `sync_server/migrations/versions`, to be read and mended by hand.
"""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from regtui.core.errors import BadInput, Unreachable
from sync_server.database import Database

LOCK = 7_236_881
"""Number of the lock that keeps two servers on one Postgres from migrating at the same time."""


def upgrade(database: Database) -> None:
    """Take the steps that are missing, all or none of them.

    Raises:
        BadInput: A newer program has been here.
        Unreachable: The database does not answer.
    """
    script = _script()
    try:
        with database.reading() as connection:
            if _revision(connection) == script.get_current_head():
                return
        with database.writing() as connection:
            if not database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            _refuse_newer(connection, script)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.OperationalError as error:
        text = str(error.orig).strip().splitlines()[0]
        raise Unreachable(f"the database does not answer: {text}", "check --database") from None


def head() -> str:
    """Return the newest step that this program knows."""
    return str(_script().get_current_head())


def _refuse_newer(connection: Connection, script: ScriptDirectory) -> None:
    found = _revision(connection)
    if found is not None and found not in {one.revision for one in script.walk_revisions()}:
        raise BadInput(
            f"a newer regtui-server has changed this database (to {found[:40]})",
            "run that one or a newer one; this one would damage it",
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _write_step(message: str) -> None:
    """Write the step between the newest one and `schema`."""
    database = Database("sqlite://")
    upgrade(database)
    with database.writing() as connection:
        config = _config()
        config.attributes["connection"] = connection
        number = sum(1 for _ in _script().walk_revisions()) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    _write_step(sys.argv[1])
