"""The server's database: SQLite in one file, or Postgres; one face for both.

Writers of a registry go one after the other: SQLite lets one in at a time (`BEGIN IMMEDIATE`),
Postgres where the registry's row is taken with `FOR UPDATE`. A sequence number is taken only after
that, so that numbers become visible in their order; taking it earlier lets a reader pass over what
commits late. Readers see one moment throughout.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

Rows = Sequence[Mapping[str, Any]]

PARAMETERS = 900
"""Values of one statement: what every SQLite takes."""


class Database:
    """An open database.

    Args:
        url: Of SQLAlchemy, such as `sqlite:////data/registry.sqlite` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.is_sqlite else _postgres(url)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes; an error takes all of it back."""
        with (
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one moment."""
        if self.is_sqlite:
            with self.engine.connect() as connection, connection.begin():
                yield connection
            return
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection


def insert(connection: Connection, table: sa.Table, rows: Rows) -> None:
    """Write rows that are not there."""
    if rows:
        connection.execute(sa.insert(table), list(rows))


def upsert(connection: Connection, table: sa.Table, rows: Rows, *, replace: bool = True) -> None:
    """Write rows in the place of those with the same primary key, or leave these as they are."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    if replace:
        taken = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=taken)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, list(rows))


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield the values, each once, in lists that one statement takes."""
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), PARAMETERS):
        yield wanted[start : start + PARAMETERS]


def _sqlite(url: str) -> Engine:
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 30}}
    if url in {"sqlite://", "sqlite:///:memory:"}:
        options["poolclass"] = StaticPool
    else:
        Path(sa.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
        options |= {"pool_size": 16, "max_overflow": 48}
    engine = sa.create_engine(url, **options)

    @sa.event.listens_for(engine, "connect")
    def _prepare(raw: Any, _: Any) -> None:
        # Transactions are begun by hand: the driver would begin them late, and never to write.
        raw.isolation_level = None
        raw.execute("pragma journal_mode = wal")
        raw.execute("pragma synchronous = full")
        raw.execute("pragma cache_size = -65536")
        raw.execute("pragma mmap_size = 268435456")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _postgres(url: str) -> Engine:
    name = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return sa.create_engine(name, pool_size=16, max_overflow=16, pool_pre_ping=True)
