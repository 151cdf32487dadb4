"""Databases of a server that have their tables already: to make these takes longer than a test."""

import functools
import tempfile
from pathlib import Path

from sync_server.database import Database
from sync_server.server import make_tables


def sqlite_with_tables(path: Path) -> str:
    """Make a SQLite database with the tables of a server, and return its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_tables())
    return _url(path)


@functools.cache
def _tables() -> bytes:
    with tempfile.TemporaryDirectory(prefix="regtui-test-") as folder:
        path = Path(folder) / "tables.sqlite"
        database = Database(_url(path))
        make_tables(database)
        database.close()
        return path.read_bytes()


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
