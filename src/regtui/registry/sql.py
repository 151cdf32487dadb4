"""SQL: read-only questions over the documented views."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from regtui.core.errors import BadInput, RegtuiError
from regtui.registry.context import Context
from regtui.replica.database import Connection, configuration, duckdb, quoted, translated


class Table(Struct, frozen=True):
    """The answer to a question in SQL."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def sql(context: Context, statement: str) -> Table:
    """Run one SELECT statement over the views and return its rows.

    The connection is read-only, and files and network are out of its reach.

    Raises:
        BadInput: It is no single SELECT statement, or it is malformed.
    """
    with _asking(context) as connection:
        _check(connection, statement)
        _confine(connection)
        try:
            result = connection.execute(statement)
            columns = [column[0] for column in result.description or ()]
            return Table(_told_apart(columns), result.fetchall())
        except duckdb.Error as error:
            raise _translated(error) from None


def write_parquet(context: Context, statement: str, target: Path) -> int:
    """Write the rows of one SELECT statement into a Parquet file; return how many.

    Raises:
        BadInput: It is no single SELECT statement, or it is malformed.
        RegtuiError: The file can't be written.
    """
    _check_text(str(target))
    target = Path(os.path.realpath(target))  # a link stays a link
    if target.exists() and not target.is_file():
        raise BadInput(f"{target} is a folder or device", "name a file")
    target = target.resolve()
    if target.exists() and not target.is_file():
        raise BadInput(f"{target} is no regular file", "give a new file or one to replace")
    beside = target.absolute().with_name(f".{target.name}.part")
    try:
        with _asking(context) as connection:
            _check(connection, statement)
            connection.execute(f"set allowed_paths = [{quoted(beside)}]")
            _confine(connection)
            question = statement.strip().rstrip(";")
            try:
                row = connection.execute(
                    f"copy (\n{question}\n) to {quoted(beside)} (format parquet)"
                ).fetchone()
            except duckdb.IOException as error:
                if beside.name not in str(error):
                    raise
                raise RegtuiError(f"can't write {target}", str(error).splitlines()[0]) from None
            except duckdb.Error as error:
                raise _translated(error) from None
        beside.replace(target)
    except OSError as error:
        raise RegtuiError(f"can't write {target}: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
    return 0 if row is None else int(row[0])


@contextlib.contextmanager
def _asking(context: Context) -> Iterator[Connection]:
    """Open the replica inside a database of its own.

    What is forbidden to a question is forbidden to a whole database of DuckDB, which other threads
    of this process may have open too.
    """
    database = context.replica.home.database
    with context.reading(), translated(database):
        connection = duckdb.connect(":memory:", config=configuration())
        try:
            # What does not fit the memory goes where the registry is, not into the present folder.
            connection.execute(f"set temp_directory = {quoted(context.home / 'tmp' / 'sql')}")
            connection.execute(f"attach {quoted(database)} as registry (read_only)")
            connection.execute("use registry")
            yield connection
        finally:
            connection.close()


def _check(connection: Connection, statement: str) -> None:
    _check_text(statement)
    try:
        found = connection.extract_statements(statement)
    except duckdb.Error as error:
        raise _translated(error) from None
    kinds = {str(one.type).rpartition(".")[2] for one in found}
    if len(found) != 1 or not kinds <= {"SELECT", "EXPLAIN", "RELATION"}:
        raise BadInput(
            "only one SELECT statement can be run", "changes are made by the other commands"
        )


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput("the statement or file name is not valid UTF-8") from None


def _told_apart(columns: list[str]) -> list[str]:
    """Number the columns whose name another one has already: `a`, `a_1`."""
    told: list[str] = []
    for column in columns:
        count = itertools.count(1)
        name = column
        while name in told:
            name = f"{column}_{next(count)}"
        told.append(name)
    return told


def _confine(connection: Connection) -> None:
    if "REGTUI_MEMORY" not in os.environ:  # questions of one's own may be heavier than our pages
        connection.execute("set memory_limit = '1GB'")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _translated(error: Exception) -> Exception:
    lines = [line for line in str(error).splitlines() if line.strip()]
    line = lines[0] if lines else "the statement failed"
    if isinstance(error, duckdb.OutOfMemoryException):
        return RegtuiError(
            "the statement needs more memory than it may use", "set REGTUI_MEMORY, such as 500MB"
        )
    if isinstance(error, duckdb.IOException | duckdb.InternalException | duckdb.FatalException):
        return error  # it is the replica that failed
    if "pytz" in line:
        return BadInput("a column is a time with a time zone", "cast it, such as now()::timestamp")
    return BadInput(line, "`regtui sql --help` lists the views")
