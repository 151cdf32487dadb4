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


def other_sessions(database: Database) -> int:
    """Return how many others work on a Postgres database; 0 on SQLite, where locks tell."""
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        counted = connection.exec_driver_sql(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and backend_type = 'client backend' and pid <> pg_backend_pid()"
        ).scalar()
    return int(counted or 0)


def insert(connection: Connection, table: sa.Table, rows: Rows) -> None:
    """Write rows that are not there; all of them name the same columns."""
    _write(connection, table, rows, "")


def upsert(connection: Connection, table: sa.Table, rows: Rows, *, replace: bool = True) -> None:
    """Write rows in the place of those with the same primary key, or leave these as they are."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    if not replace:
        _write(connection, table, rows, "on conflict do nothing")
        return
    taken = ", ".join(f'"{name}" = excluded."{name}"' for name in rows[0] if name not in keys)
    target = ", ".join(f'"{key}"' for key in keys)
    # One statement can't write a row twice: the last one counts.
    last = {tuple(row[key] for key in keys): row for row in rows}
    _write(connection, table, [*last.values()], f"on conflict ({target}) do update set {taken}")


def upsert_greatest(
    connection: Connection, table: sa.Table, rows: Rows, names: Iterable[str]
) -> None:
    """Write rows; of some columns of those that are there already, the greater value stays.

    Args:
        connection: It writes.
        table: Where to.
        rows: Each primary key once.
        names: The columns; the others stay as they are.
    """
    greater = "greatest" if connection.dialect.name == "postgresql" else "max"
    taken = ", ".join(
        f'"{one}" = {greater}("{table.name}"."{one}", excluded."{one}")' for one in names
    )
    target = ", ".join(f'"{column.name}"' for column in table.primary_key)
    _write(connection, table, rows, f"on conflict ({target}) do update set {taken}")


def _write(connection: Connection, table: sa.Table, rows: Rows, conflict: str) -> None:
    """Write rows by one statement of the driver's, which a layer above would only slow down."""
    if not rows:
        return
    names = [*rows[0]]
    listed = ", ".join(f'"{name}"' for name in names)
    if connection.dialect.name == "postgresql":
        # One statement, for one a row costs a message to the server each. Texts have no length: to
        # name one would cut them silently, where the table refuses what is too long.
        kinds = {name: _kind(table.c[name].type, connection.dialect) for name in names}
        arrays = ", ".join(f"%({name})s::{kind}[]" for name, kind in kinds.items())
        values: Any = {name: [row[name] for row in rows] for name in names}
        source = f"select * from unnest({arrays})"  # noqa: S608 -- names are the schema's
    else:
        values = list(rows)
        source = f"values ({', '.join(f':{name}' for name in names)})"
    statement = f'insert into "{table.name}" ({listed}) {source} {conflict}'
    connection.exec_driver_sql(statement, values)


def _kind(column: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    return "text" if isinstance(column, sa.String) else column.compile(dialect)


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
