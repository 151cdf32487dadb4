"""The data folder: who owns it, who runs on it.

It holds secrets, so it is its owner's alone. While a server runs it holds a shared lock on
`server.lock`; what can't be done under a running server takes the lock alone.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from regtui.core.errors import BadInput, Busy, NotFound
from sync_server.configuration import Configuration
from sync_server.database import Database
from sync_server.server import SQLITE_NAME, Server, database_url, make_tables

if TYPE_CHECKING:
    from sync_server.artifacts import ArtifactStore
    from sync_server.http_artifacts import Artifacts

LOCK_NAME = "server.lock"
ARTIFACTS_NAME = "artifacts"
PRIVATE = 0o700


def make_folder(data: Path) -> None:
    """Make the data folder, or close one that is empty to everybody else.

    Raises:
        BadInput: It can't be made.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        data.chmod(PRIVATE)
    except (FileExistsError, NotADirectoryError):
        raise BadInput(f"{data} is no folder", "choose another --data") from None


def open_database(data: Path, configuration: Configuration, *, makes: bool = False) -> Database:
    """Open the database of a data folder, brought up to this program.

    Args:
        data: The folder.
        configuration: Of it.
        makes: Whether a database that is not there is made.

    Raises:
        NotFound: There is none.
        Unreachable: It does not answer.
        BadInput: It belongs to a newer program.
    """
    if not makes and configuration.database is None and not (data / SQLITE_NAME).exists():
        raise NotFound(f"there is no registry in {data}", "`regtui-server init` makes one")
    database = Database(database_url(data.absolute(), configuration.database))
    try:
        make_tables(database)
    except BaseException:
        database.close()
        raise
    if database.is_sqlite and configuration.database is None:
        (data / SQLITE_NAME).chmod(0o600)
    return database


@contextlib.contextmanager
def opened(data: Path, configuration: Configuration) -> Iterator[Server]:
    """Open the server of a data folder; see `open_database` for the errors."""
    database = open_database(data, configuration)
    try:
        yield Server(database)
    finally:
        database.close()


def opened_artifacts(server: Server, data: Path, configuration: Configuration) -> "Artifacts":
    """Return what keeps the files of a data folder's server.

    Raises:
        BadInput: They can't lie where the configuration says.
    """
    from sync_server.http_artifacts import Artifacts, Limits

    limits = Limits(link=configuration.artifact_links)
    return Artifacts(server, artifact_store(data, configuration), data.absolute(), limits)


def artifact_store(data: Path, configuration: Configuration) -> "ArtifactStore":
    """Return where the files of a data folder's server lie.

    Raises:
        BadInput: They can't lie where the configuration says.
    """
    from sync_server.artifacts import open_store

    return open_store(configuration.artifacts or str(data.absolute() / ARTIFACTS_NAME))


@contextlib.contextmanager
def running_lock(data: Path, *, alone: bool) -> Iterator[None]:
    """Hold the folder's lock: with others who run a server on it, or alone.

    Raises:
        Busy: Somebody else holds it in a way that does not go together.
    """
    with (data / LOCK_NAME).open("a+b") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            if alone:
                raise Busy("a server runs on this folder", "stop it first") from None
            raise Busy("this folder is being restored", "try again in a moment") from None
        yield
