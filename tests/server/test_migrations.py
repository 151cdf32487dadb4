"""The numbered steps lead to the tables that the program knows."""

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from regtui.core.errors import BadInput
from sync_server import schema
from sync_server.database import Database
from sync_server.server import make_tables


def test_the_steps_lead_to_the_present_tables(database_url: str) -> None:
    database = Database(database_url)
    make_tables(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    assert differences == []
    make_tables(database)
    database.close()


def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    database = Database(database_url)
    make_tables(database)
    with database.writing() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(BadInput, match="newer"):
        make_tables(database)
    database.close()


def test_two_programs_that_start_at_once_make_the_tables_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(2)]
    failed: list[BaseException] = []

    def make(database: Database) -> None:
        try:
            make_tables(database)
        except BaseException as error:  # noqa: BLE001 -- told below
            failed.append(error)

    threads = [threading.Thread(target=make, args=[one]) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for one in databases:
        one.close()
