"""DuckDB: the one import, the one configuration, the one translation of its errors.

`import duckdb` spends 0.2 s on Python layers that a registry never uses; the compiled module below
it is shipped with type stubs and starts in 0.03 s. It is not a public name, so `duckdb` stands
behind it and a test holds the pinned version to what is used here.

DuckDB refuses two configurations of one file within a process, so there is one for readers and one
for writers.
"""

import contextlib
import errno
import os
import re
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
    "configuration",
    "connected",
    "duckdb",
    "translated",
]

Connection: TypeAlias = "DuckDBPyConnection"
"""An open database."""

READING, WRITING = "48MB", "80MB"
"""Enough for a sort by a metric over a million versions, which stays within 120 MB in all (with
80 MB it takes 150 and is no faster), and for the rows of a batch. Readers and writers of one file
never meet in a process, because the locks keep them apart, so each may have its own configuration.
"""

REPAIR = "`regtui doctor --repair` gets back what it can; stored files are not affected"
"""What to do about a damaged database."""

_NOT_A_DATABASE = (
    r"(?i)not a valid DuckDB|corrupt|checksum|Could not read enough bytes|deserializ|\bWAL\b|magic"
    r"|duckdb_extension"
)

_NO_MEMORY = r"could not allocate block|failed to (pin block|allocate data)"
"""What a commit says, whose error is of another class."""


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


class NoRoom(RegtuiError):
    """The disk is full, or the memory that a replica may use; it says nothing of the data."""


@contextlib.contextmanager
def connected(path: Path, *, read_only: bool) -> Iterator[Connection]:
    """Open a database file for the duration of the context.

    Raises:
        Damaged: The file is no database, or its contents are damaged.
        Busy: Another program, none of ours, has it open.
        NoRoom: The disk is full, or more memory is needed than it may use.
        RegtuiError: The disk fails, or the file can't be opened.
    """
    try:
        with translated(path):
            connection = duckdb.connect(
                str(path), read_only=read_only, config=configuration(read_only=read_only)
            )
    except duckdb.ParserException:
        raise BadInput(
            f"REGTUI_MEMORY={configuration()['memory_limit']!r} is no amount", "such as 500MB"
        ) from None
    try:
        with translated(path):
            yield connection
    finally:
        # What was committed is in the log even if merging it into the file fails here.
        with contextlib.suppress(duckdb.Error):
            connection.close()


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
