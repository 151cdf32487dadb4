"""A run in MLflow's SQLite store, which is only read.

The database is opened read-only and in place (its journal belongs to its name), never waits for its
writer, and gives up after a bounded number of steps of SQLite's machine. One that keeps a
write-ahead log which nobody has open is read as it lies, so that no file is made beside it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from regtui.capture.readers.mlflow_run import Run
from regtui.capture.readers.numbers_in import step
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed, TooMuch

_MAGIC: Final = b"SQLite format 3\0"
_WRITE_AHEAD: Final = 2
_STEPS: Final = 100
"""Times that `_PER_CALL` steps of SQLite's machine may be taken: some seconds."""

_PER_CALL: Final = 1_000_000
_ROWS: Final = 1_000_000
_LONGEST: Final = 16 << 20
_TABLES: Final = ("runs", "metrics", "params", "tags")


def read_database(files: RunFiles, path: str, wanted: Run) -> Run:
    """Return the run as the store tells it.

    Args:
        files: The files of the unit and beside it.
        path: Of the database.
        wanted: Whose `run_id` and `model_id` are looked for.

    Raises:
        Malformed: It is no such database, or is in use just now.
        OSError: It can't be opened.
    """
    place = files.path_of(path)
    with files.open(path) as source:
        head = source.read(0, 20)
    if place is None or not head.startswith(_MAGIC):
        raise Malformed("it is no SQLite database")
    run = Run(wanted.run_id, wanted.model_id)
    try:
        with closing(_connect(place, write_ahead=_WRITE_AHEAD in head[18:20])) as connection:
            _read(connection, run)
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            raise TooMuch("it takes longer than it may be read") from None
        raise Malformed(f"the database can't be read: {error}") from None
    return run


def _connect(place: Path, *, write_ahead: bool) -> sqlite3.Connection:
    log = Path(f"{place}-wal")
    unused = write_ahead and not log.exists()
    address = f"file:{quote(str(place.absolute()))}?mode=ro{'&immutable=1' if unused else ''}"
    connection = sqlite3.connect(address, uri=True, timeout=0.2)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    left = iter(range(_STEPS))
    connection.set_progress_handler(lambda: int(next(left, None) is None), _PER_CALL)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for pragma in ("query_only=on", "trusted_schema=off", "cell_size_check=on"):
        connection.execute(f"pragma {pragma}")
    return connection


def _read(connection: sqlite3.Connection, run: Run) -> None:
    """Fill in what the tables of MLflow say; a table of newer or older ones may be missing."""
    tables = {
        name
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
    }
    if not tables.issuperset(_TABLES):
        raise Malformed("it is no store of MLflow")
    for name, experiment in _rows(
        connection, "select name, experiment_id from runs where run_uuid = ?", run.run_id
    ):
        run.name = _text(name)
        for (told,) in _rows(
            connection, "select name from experiments where experiment_id = ?", experiment
        ):
            run.experiment = _text(told)
    for key, value in _rows(
        connection, "select key, value from params where run_uuid = ?", run.run_id
    ):
        run.add_param(_text(key), _text(value))
    for key, value in _rows(
        connection, "select key, value from tags where run_uuid = ?", run.run_id
    ):
        run.tags[_text(key)] = _text(value)
    _read_metrics(connection, run)
    if "logged_models" in tables:
        statement = "select name from logged_models where model_id = ?"
        for (told,) in _rows(connection, statement, run.model_id):
            run.model_name = _text(told)
    if tables.issuperset(("inputs", "datasets")):
        _read_datasets(connection, run)


def _read_metrics(connection: sqlite3.Connection, run: Run) -> None:
    columns = {name for _, name, *_ in connection.execute("pragma table_info(metrics)")}
    not_a_number = "is_nan" if "is_nan" in columns else "0"
    statement = (
        f"select key, value, timestamp, step, {not_a_number} from metrics "  # noqa: S608 - one of two words
        "where run_uuid = ? order by timestamp"
    )
    for key, value, told, counted, is_nan in _rows(connection, statement, run.run_id):
        at, moment = step(counted), step(told)
        if isinstance(value, int | float) and at is not None:
            amount = float("nan") if is_nan else _infinite(float(value))
            run.points.add(_text(key), at, amount, None if moment is None else moment * 1000)


def _read_datasets(connection: sqlite3.Connection, run: Run) -> None:
    statement = (
        "select d.name, d.digest, d.dataset_source from inputs i "
        "join datasets d on d.dataset_uuid = i.source_id "
        "where i.destination_id = ? and i.source_type = 'DATASET'"
    )
    for name, digest, source in _rows(connection, statement, run.run_id):
        run.add_input(_text(name), _text(digest), _text(source))
    columns = {name for _, name, *_ in connection.execute("pragma table_info(inputs)")}
    if run.model_id and "step" in columns:
        statement = "select step from inputs where source_id = ? and destination_id = ?"
        for (counted,) in connection.execute(statement, (run.run_id, run.model_id)):
            run.step = step(counted) or None


def _rows(connection: sqlite3.Connection, statement: str, value: Any) -> Iterator[tuple[Any, ...]]:
    for count, row in enumerate(connection.execute(statement, (value,))):
        if count >= _ROWS:
            raise TooMuch(f"it has more than {_ROWS:,} rows of one kind")
        yield row


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _infinite(value: float) -> float:
    """Return an infinity where MLflow wrote the largest number for it."""
    largest = 1.7976931348623157e308
    return float("inf") if value >= largest else float("-inf") if value <= -largest else value
