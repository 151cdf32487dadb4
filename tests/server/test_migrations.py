"""The numbered steps lead to the tables that the program knows."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sync_server import schema
from sync_server.database import Database
from sync_server.server import make_tables


def test_the_steps_lead_to_the_present_tables(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'made.sqlite'}")
    make_tables(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    database.close()
    assert [one for one in differences if one[0] != "remove_table"] == []
