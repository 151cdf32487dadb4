"""The home of a replica: its folder, how it is found, how it comes to be.

A home holds the database, its locks, the stored files and the backups. It is private (mode 0700)
and tells git to look away. The key that the replica signs with is kept in the user's configuration
folder instead, so that a copied home is not a copied identity.
"""

import os
import uuid
from pathlib import Path

from regtui.core.errors import RegtuiError
from regtui.replica.database import Connection, connected

FOLDER = ".regtui"
DATABASE = "registry.duckdb"


class Home:
    """The folder of one replica.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / DATABASE
        self.artifacts = path
        self.backups = path / "backups"

    def exists(self) -> bool:
        """Tell whether a replica is here."""
        return os.path.exists(self.database)  # noqa: PTH110 -- False where one may not look

    def make_folder(self) -> None:
        """Make the folder, private and ignored by git.

        Raises:
            RegtuiError: It can't be made or written to.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="ascii")
        except OSError as error:
            raise RegtuiError(
                f"can't make the replica in {self.path}: {error.strerror}",
                "choose another folder with --home",
            ) from error

    def make_database(self, now: int) -> None:
        """Make the database beside its name and rename it; the caller holds the exclusive lock.

        Args:
            now: Microseconds.
        """
        from regtui.replica.migrate import apply_all

        beside = self.database.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            beside.with_name(beside.name + ".wal").unlink(missing_ok=True)
            with connected(beside, read_only=False) as connection:
                apply_all(connection, now // 1000)
                _enrol(connection, now)
                connection.execute("checkpoint")  # the log would not be renamed with the file
            beside.replace(self.database)
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise RegtuiError(
                f"can't make the replica in {self.path}: {error.strerror}",
                "choose another folder with --home",
            ) from error


def find(start: Path) -> Home:
    """Return the nearest home upwards from a folder, else the user's own."""
    for folder in (start, *start.parents):
        if os.path.isdir(folder / FOLDER):  # noqa: PTH112 -- False where one may not look
            return Home(folder / FOLDER)
    import platformdirs

    return Home(Path(platformdirs.user_data_dir("regtui")))


def configuration_folder() -> Path:
    """Return the user's configuration folder; `REGTUI_CONFIG` overrides it."""
    chosen = os.environ.get("REGTUI_CONFIG")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_config_dir("regtui"))


def _enrol(connection: Connection, now: int) -> None:
    """Give the replica its key, its id and its first row."""
    from regtui.core import chain
    from regtui.core.identity import replica_id

    identity = replica_id(_make_key())
    connection.execute(
        "insert into base.replica values (?, ?, ?, 0, ?, 0, 0, ?, 1)",
        [identity, str(uuid.uuid4()), now // 1000, chain.GENESIS, chain.FIRST_LINK],
    )


def _make_key() -> bytes:
    """Make a signing key, keep it where only its owner reads it, and return its public half."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from regtui.core.identity import replica_id

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    folder = configuration_folder() / "keys"
    file = folder / f"{replica_id(public)}.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(key.private_bytes_raw().hex() + "\n")
    except OSError as error:
        raise RegtuiError(
            f"can't keep the replica's key in {folder}: {error.strerror}",
            "make that folder writable or set REGTUI_CONFIG",
        ) from error
    return public
