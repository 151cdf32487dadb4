"""The home of a replica: its folder, how it is found, how it comes to be.

A home holds the database, its locks, the stored files and the backups. It is private (mode 0700)
and tells git to look away. The key that the replica signs with is kept in the user's configuration
folder instead, so that a copied home is not a copied identity.

The database is the first of what lasts in a home: files are stored and copies kept only where there
is one. So a home without a database that holds any of these has lost it, and a new, empty one would
hide that: it is refused, for `regtui doctor` to bring the old one back.
"""

import os
import re
import stat
import uuid
from pathlib import Path

from regtui.core.errors import BadInput, Damaged, RegtuiError
from regtui.replica.database import Connection, connected

FOLDER = ".regtui"
DATABASE = "registry.duckdb"
REPAIRED = "registry.repaired"
"""What a repair made, until it has the name of the database."""

_OBJECT = re.compile(r"[0-9a-f]{62}")

_RESTS = {
    "watch": re.compile(
        r"([0-9a-f]{16}|rules)(\.[0-9]+)?\.(now|new|told|told\.old|jsonl)|starting"
    ),
    "pins": re.compile(r"[0-9a-f]{16}"),
}
"""What lies in the folders of a watcher, which may outlive its registry."""


class Home:
    """The folder of one replica.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / DATABASE
        self.backups = path / "backups"

    def exists(self) -> bool:
        """Tell whether a replica is here."""
        return os.path.exists(self.database)  # noqa: PTH110 -- False where one may not look

    def written(self) -> list[tuple[int, int]]:
        """Return by what one sees that somebody wrote: time and size of database and log."""
        found = []
        for file in (self.database, self._log):
            try:
                status = file.stat()
            except OSError:
                continue
            found.append((status.st_mtime_ns, status.st_size))
        return found

    def is_gone(self) -> bool:
        """Tell whether nothing of a replica is here, not even what one leaves that is damaged."""
        try:
            self.database.stat()
        except (FileNotFoundError, NotADirectoryError):
            return not self.has_lost_database()
        except OSError:
            return False  # one may not look, or the disk fails: who knows
        return False

    def has_lost_database(self) -> bool:
        """Tell whether there is no database and still something that is kept only beside one."""
        rests = (self._log, self.path / REPAIRED)
        return not self.exists() and (
            any(map(os.path.lexists, rests))
            or any(self.backups.glob("*.duckdb"))
            or any(
                _OBJECT.fullmatch(path.name)
                for path in (self.path / "objects").glob("[0-9a-f][0-9a-f]/*")
            )
        )

    def make_folder(self) -> None:
        """Make the folder, private and ignored by git; one that holds other things is refused.

        Raises:
            BadInput: The folder is there and is somebody else's.
            RegtuiError: It can't be made or written to.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.exists():
                self._refuse_foreign()
                self.path.chmod(0o700)
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

        Raises:
            Damaged: There was one, and what is left of its registry is still there.
            RegtuiError: It can't be made.
        """
        if self.has_lost_database():
            raise Damaged(
                f"the database {self.database} is gone, the rest of the registry is still there",
                "`regtui doctor --repair` brings its newest copy back; without one, "
                "`regtui backup restore FILE --home DIR` makes the registry from a backup",
            )
        from regtui.replica.migrate import apply_all

        beside = self.database.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            beside.with_name(beside.name + ".wal").unlink(missing_ok=True)
            with connected(beside, read_only=False) as connection:
                apply_all(connection, now // 1000)
                _enrol(connection, self.path, now)
                connection.execute("checkpoint")  # the log would not be renamed with the file
            beside.chmod(0o600)
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

    def _refuse_foreign(self) -> None:
        """Refuse a folder of other things: a home is private and hidden from git as a whole."""
        entries = [entry for entry in self.path.iterdir() if not _is_rest_of_watcher(entry)]
        names = {entry.name for entry in entries} - {".gitignore"}
        ours = {"gate", "objects", "backups", "registry.new", REPAIRED, self._log.name}
        if names and not names & ours:
            raise BadInput(
                f"{self.path} is no registry and holds other things, such as {min(names)!r}",
                "give --home a new or empty folder",
            )

    @property
    def _log(self) -> Path:
        """The log of a killed writer, whose changes are in no database yet."""
        return self.database.with_name(self.database.name + ".wal")


def _is_rest_of_watcher(entry: Path) -> bool:
    """Tell whether an entry of a home is a folder in which watchers alone have written."""
    names = _RESTS.get(entry.name)
    if names is None or entry.is_symlink() or not entry.is_dir():
        return False
    return all(names.fullmatch(inner.name) for inner in entry.iterdir())


def find(start: Path) -> Home:
    """Return the nearest home upwards from a folder, else the user's own."""
    for folder in (start, *start.parents):
        if _is_ours(folder / FOLDER):
            return Home(folder / FOLDER)
    import platformdirs

    return Home(Path(platformdirs.user_data_dir("regtui")))


def _is_ours(folder: Path) -> bool:
    """Tell whether a folder is there and belongs to who asks; bytes go to no stranger's home."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and os.geteuid() in {0, status.st_uid}


def configuration_folder() -> Path:
    """Return the user's configuration folder; `REGTUI_CONFIG` overrides it."""
    chosen = os.environ.get("REGTUI_CONFIG")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_config_dir("regtui"))


def _enrol(connection: Connection, home: Path, now: int) -> None:
    """Give the replica its key, its id and its first row."""
    from regtui.core import chain
    from regtui.replica.keys import make_key

    key = make_key(home)
    connection.execute(
        "insert into base.replica values (?, ?, ?, 0, ?, 0, 0, ?, 1)",
        [key.replica, str(uuid.uuid4()), now // 1000, chain.GENESIS, chain.FIRST_LINK],
    )
    connection.execute(
        "insert into base.enrolment values (?, ?, ?)", [key.replica, key.public, now // 1000]
    )
