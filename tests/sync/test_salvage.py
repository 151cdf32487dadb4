"""What a repair of the database takes over of a replica that has a remote."""

import shutil
from pathlib import Path

import pytest

from regtui.replica.database import Connection, connected
from regtui.replica.home import Home
from regtui.replica.salvage import salvage
from tests.sync.world import Person, World

Rows = dict[str, list[str]]


def rows(connection: Connection) -> Rows:
    """Return what each table holds, but the history of the schema."""
    tables = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'base' order by 1"
    ).fetchall()
    return {
        table: sorted(str(row) for row in connection.execute(f"from base.{table}").fetchall())
        for (table,) in tables
        if table != "schema_version"
    }


@pytest.fixture
def copied(world: World, ann: Person, ben: Person, tmp_path: Path) -> tuple[Home, Rows]:
    """A copy of a home in which something waits, and what its tables hold."""
    (tmp_path / "weights.bin").write_bytes(b"weights")
    ann.registry.capture(tmp_path / "weights.bin", model="bert")
    ann.sync()
    ann.registry.edit("bert@1", {"description": "waits"})
    with ann.replica.changing() as connection:
        connection.execute("insert into base.purged values ('00')")
        connection.execute("insert into base.staged values (1, '{}')")
        connection.execute("insert into base.trusted values ('00', 1)")
        connection.execute("insert into base.usage values (uuid(), 0, 1, 0, '[]', 1)")
    with ann.replica.reading() as connection:
        before = rows(connection)
    home = Home(tmp_path / "copy")
    shutil.copytree(ann.replica.home.path, home.path)
    return home, before


def test_a_repair_takes_over_all_that_is_no_projection(copied: tuple[Home, Rows]) -> None:
    home, before = copied
    done = salvage(home, 1)
    assert done is not None
    assert done.loss == "nothing is lost"
    with connected(home.database, read_only=True) as connection:
        after = rows(connection)
    assert after == before
    assert all(before[table] for table in ("remote", "outbox", "receipt", "unsent", "operation"))
