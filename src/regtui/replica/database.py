"""DuckDB: the one import, the one configuration, the one translation of its errors.

`import duckdb` spends 0.2 s on Python layers that a registry never uses; the compiled module below
it is shipped with type stubs and starts in 0.03 s. It is not a public name, so `duckdb` stands
behind it and a test holds the pinned version to what is used here.

To start DuckDB takes five times as long as to open a file in it. So engines, each a DuckDB without
a file of its own, are kept, and a file is attached to one as long as somebody uses it. Nothing
holds a file that nobody uses.
"""

import contextlib
import errno
import os
import re
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from regtui.core.errors import BadInput, Busy, Damaged, RegtuiError

try:
    import _duckdb as duckdb
except ImportError:  # a release that moved the compiled module
    import duckdb  # type: ignore[no-redef]

if TYPE_CHECKING:
    from _duckdb import DuckDBPyConnection

__all__ = [
    "ABOUT_VALUES",
    "REPAIR",
    "Connection",
    "NoRoom",
    "another",
    "configuration",
    "connected",
    "duckdb",
    "make_room",
    "quoted",
    "translated",
]

Connection: TypeAlias = "DuckDBPyConnection"
"""An open database."""

READING, WRITING = "48MB", "80MB"
"""Enough for a sort by a metric over a million versions, which stays within 120 MB in all (with
80 MB it takes 150 and is no faster), and for the rows of a batch. Readers and writers of one file
never meet in a process, because the locks keep them apart, so each may have its own configuration.
"""

KEYS = 300
"""Bytes of memory that a row of a large transaction takes with its indexes until it is committed:
with 80 MB a million versions are not to be had, with 300 they are."""

REPAIR = "`regtui doctor --repair` gets back what it can; stored files are not affected"
"""What to do about a damaged database."""

_NOT_A_DATABASE = (
    r"(?i)not a valid DuckDB|corrupt|checksum|Could not read enough bytes|deserializ|\bWAL\b|magic"
    r"|duckdb_extension"
)

_NO_MEMORY = r"could not allocate block|failed to (pin block|allocate data)"
"""What a commit says, whose error is of another class."""

IDLE = 2
"""Engines that are kept without work: who carries from one database to another uses two."""

_ATTACHED = "registry"
"""What the file is called within its engine."""


ABOUT_VALUES = (
    duckdb.ConversionException,
    duckdb.ConstraintException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)
"""Errors that say nothing of the file, whatever words the values in them hold."""


def configuration(*, read_only: bool = True) -> dict[str, str | bool | int | float | list[str]]:
    """Return the configuration of a connection; `REGTUI_MEMORY` overrides the memory limit."""
    return {
        "threads": 1,
        "memory_limit": os.environ.get("REGTUI_MEMORY", READING if read_only else WRITING),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,  # a name in SQL means a table, never a variable here
    }


def make_room(connection: "Connection", rows: int) -> None:
    """Let a transaction that writes very many rows have more memory, unless a person has chosen.

    The keys of indexed rows stay in memory until it is committed, which ends with the next use of
    the file.
    """
    if "REGTUI_MEMORY" not in os.environ:
        size = int(WRITING.removesuffix("MB")) + rows * KEYS // 1_000_000
        connection.execute(f"set memory_limit = '{size}MB'")


class NoRoom(RegtuiError):
    """The disk is full, or the memory that a replica may use; it says nothing of the data."""


class _Engine:
    """A DuckDB to which one file is attached while somebody uses it."""

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:", config=configuration())
        # One that Ctrl-C made nobody's own is none.
        self.users: weakref.WeakSet[Connection] = weakref.WeakSet()
        self.is_broken = False

    def attach(self, path: str, *, read_only: bool) -> None:
        """Attach a file; the first connection to it is still to be opened."""
        limit = configuration(read_only=read_only)["memory_limit"]
        self._database.execute(f"set memory_limit = {quoted(limit)}")
        # What does not fit the memory goes beside the file, not into the present folder.
        self._database.execute(f"set temp_directory = {quoted(_spilled(path))}")
        mode = "read_only" if read_only else "read_write"
        self._database.execute(f"attach {quoted(path)} as {_ATTACHED} (type duckdb, {mode})")

    def open(self) -> Connection:
        """Return a connection to the file."""
        connection = another(self._database)
        self.users.add(connection)
        return connection

    def close(self, connection: "Connection | None") -> None:
        """Close a connection, and the file where it was the last one; again does no harm."""
        try:
            if connection is not None:
                self.users.discard(connection)
                connection.close()
            if not self.users and not self.is_broken:
                self._database.execute(f"detach {_ATTACHED}")
        except BaseException as error:
            self.is_broken = True  # nobody knows whether the file is attached still
            # What was committed is in the log even if merging it into the file fails here.
            if not isinstance(error, duckdb.Error):
                raise

    def end(self) -> None:
        """Let go of everything."""
        with contextlib.suppress(duckdb.Error):
            self._database.close()


_used: dict[tuple[str, bool], _Engine] = {}
"""Engines that are used, by file and whether it is only read."""

_idle: list[_Engine] = []

_turn = threading.Lock()
"""Is held while an engine is looked up, opened or closed."""


@contextlib.contextmanager
def connected(path: Path, *, read_only: bool) -> Iterator[Connection]:
    """Open a database file for the duration of the context.

    Raises:
        Damaged: The file is no database, or its contents are damaged.
        Busy: Another program, none of ours, has it open.
        NoRoom: The disk is full, or more memory is needed than it may use.
        RegtuiError: The disk fails, or the file can't be opened.
    """
    used = os.path.abspath(path), read_only  # noqa: PTH100 -- a link is not followed here
    connection = None
    try:
        with translated(path):
            with _turn:
                connection = _opened(used)
            yield connection
    except BaseException as error:
        # An error of ours left everything as it was; after another one nobody knows.
        if not isinstance(error, RegtuiError) or error.__context__ is not None:
            _distrust(used, connection)
        raise
    finally:
        try:
            _let_go(path, used, connection)
        except KeyboardInterrupt:
            # It would hold the file for as long as this program lives.
            _let_go(path, used, connection)
            raise


def _opened(used: tuple[str, bool]) -> Connection:
    """Return a connection to a file."""
    path, read_only = used
    engine = _used.get(used)
    if engine is not None and not engine.users:  # Ctrl-C came between two lines
        engine.is_broken = True
        _put_back(used, engine)
        engine = None
    if engine is None:
        try:
            engine = _attached(path, read_only=read_only)
        except duckdb.ParserException:
            raise BadInput(
                f"REGTUI_MEMORY={configuration()['memory_limit']!r} is no amount", "such as 500MB"
            ) from None
        _used[used] = engine
    return engine.open()  # sound or not: a file can't be attached to two


def _attached(path: str, *, read_only: bool) -> _Engine:
    """Attach a file to an engine that was kept, else to a new one."""
    while True:
        is_new = not _idle
        engine = _Engine() if is_new else _idle.pop()
        try:
            engine.attach(path, read_only=read_only)
        except BaseException as error:
            engine.end()
            # It has put something on the disk, and can put it nowhere else.
            if is_new or not isinstance(error, duckdb.NotImplementedException):
                raise
        else:
            return engine


def _distrust(used: tuple[str, bool], connection: "Connection | None") -> None:
    engine = _used.get(used)
    if engine is not None and connection in engine.users:
        engine.is_broken = True


def _let_go(path: Path, used: tuple[str, bool], connection: "Connection | None") -> None:
    """Close a connection; keep the engine for the next file where nobody uses it any more."""
    with _turn, translated(path):
        engine = _used.get(used)
        if engine is None:
            return
        try:
            engine.close(connection)
        finally:
            if not engine.users:
                _put_back(used, engine)


def _put_back(used: tuple[str, bool], engine: _Engine) -> None:
    """Keep an engine for the next file, where it is sound."""
    # What went to the disk is removed with the engine, and it can have no other place before.
    is_good = not engine.is_broken and not os.path.exists(_spilled(used[0]))  # noqa: PTH110
    if not is_good or len(_idle) >= IDLE:
        engine.end()
    del _used[used]
    if is_good and len(_idle) < IDLE:
        _idle.append(engine)


def _spilled(path: str) -> str:
    return f"{path}.tmp"


def quoted(text: object) -> str:
    """Return a text or path as SQL writes one, for statements that take no parameters."""
    return "'" + str(text).replace("'", "''") + "'"


def another(connection: Connection) -> Connection:
    """Return one more connection to what is attached beside a connection; it ends with that one."""
    cursor = connection.cursor()
    cursor.execute(f"use {_ATTACHED}")
    return cursor


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about the file into ours; mistakes in SQL pass through."""
    try:
        yield
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise
    except duckdb.Error as error:
        raise _ours(path, error) from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from None
        raise


def _ours(path: Path, error: Exception) -> RegtuiError:  # noqa: PLR0911 -- one a cause
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "cannot encode str" in text:
        return BadInput("a name or value is not valid UTF-8", "write it in UTF-8")
    if "Could not set lock" in text or "Conflicting lock" in text:
        found = re.search(r"in (.+?) \(PID (\d+)\)", text)
        who = f"{found[1]} (pid {found[2]})" if found else "another program"
        return Busy(f"{who} has {path} open", "close it and try again")
    if "database file with version number" in text or "storage version" in text:
        return RegtuiError(f"{path} was written by a newer DuckDB", "upgrade regtui")
    if os.strerror(errno.ENOSPC) in text or "Out of disk space" in text or "File too large" in text:
        return NoRoom(
            f"the disk of {path.parent} is full", "free some space; what was saved is safe"
        )
    if isinstance(error, duckdb.OutOfMemoryException) or re.search(_NO_MEMORY, text):
        return NoRoom(
            "this needs more memory than the replica may use", "set REGTUI_MEMORY, such as 500MB"
        )
    if os.strerror(errno.EACCES) in text or "read-only mode" in text:
        return RegtuiError(f"no permission for the replica {path}", "check its owner and mode")
    if not isinstance(error, ABOUT_VALUES) and re.search(
        _NOT_A_DATABASE, text.replace(str(path), "")
    ):
        return Damaged(f"the replica {path} is damaged ({text[:120]})", REPAIR)
    return RegtuiError(f"the replica {path} failed: {text[:200]}")
