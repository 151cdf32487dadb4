"""Brings a database to the shape that this program knows, and refuses one that is newer.

A new step: change `schema`; `python -m sync_server.migrate "what it does"` then writes a module
into `sync_server/migrations/versions`, to be read and mended by hand. Modules begin with the number
of their step, which is its revision. Alembic, which takes them, is loaded where one is missing.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from regtui.core.errors import BadInput, Unreachable
from sync_server.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"

LOCK = 7_236_881
"""Number of the lock that keeps two servers on one Postgres from migrating at the same time."""


def upgrade(database: Database) -> None:
    """Take the steps that are missing, all or none of them.

    Raises:
        BadInput: A newer program has been here.
        Unreachable: The database does not answer.
    """
    try:
        with database.reading() as connection:
            if _taken(connection) == _steps()[-1]:
                return
        with database.writing() as connection:
            if not database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            _take(connection)
    except sa.exc.OperationalError as error:
        text = str(error.orig).strip().splitlines()[0]
        raise Unreachable(f"the database does not answer: {text}", "check --database") from None


def _take(connection: Connection) -> None:
    from alembic import command

    found = _taken(connection)
    if found is not None and found not in _steps():
        raise BadInput(
            f"a newer regtui-server has changed this database (to {found[:40]})",
            "run that one or a newer one; this one would damage it",
        )
    command.upgrade(_config(connection), "head")


def _taken(connection: Connection) -> str | None:
    """Return the number of the last step that a database has taken; None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version = sa.table("alembic_version", sa.column("version_num", sa.String))
    return connection.execute(sa.select(version.c.version_num)).scalar()


def _steps() -> list[str]:
    """Return the numbers of the steps that this program knows, in order."""
    return sorted(file.name.split("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _write_step(message: str) -> None:
    """Write the step between the newest one and `schema`."""
    from alembic import command

    database = Database("sqlite://")
    upgrade(database)
    with database.writing() as connection:
        number = f"{len(_steps()) + 1:04}"
        command.revision(_config(connection), message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    _write_step(sys.argv[1])
