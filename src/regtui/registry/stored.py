"""What versions name in the store, read in ranges of digests so that memory is bounded."""

from collections.abc import Iterator

from regtui.artifacts.faults import disk_errors
from regtui.registry.context import Context
from regtui.replica.database import Connection

_FEW, _MANY = 50_000, 1_000_000
"""Rows up to which the digests are read at once, and in sixteen ranges."""

Named = tuple[str, int, bool]
"""Digest, size, and whether a captured or archived version needs it."""


def named_objects(connection: Connection) -> Iterator[Named]:
    """Yield every object that versions name, in the order of digests."""
    for prefix in prefixes(connection):
        yield from named_in(connection, prefix)


def prefixes(connection: Connection) -> list[str]:
    """Return the first digits of digests by which all objects are read in pages."""
    row = connection.execute("select count(*) from base.file").fetchone()
    rows = 0 if row is None else int(row[0])
    if rows < _FEW:
        return [""]
    digits = 1 if rows < _MANY else 2
    return [f"{part:0{digits}x}" for part in range(16**digits)]


def named_in(connection: Connection, prefix: str) -> list[Named]:
    """Return the objects whose digests begin so; a file whose version is lost is needed."""
    return connection.execute(
        "select lower(hex(f.digest)), any_value(f.size), "
        "bool_or(v.state is null or v.state <> 'deleted') "
        "from base.file f left join base.version v on v.key = f.version "
        "where f.digest between unhex(?) and unhex(?) group by f.digest order by f.digest",
        [prefix.ljust(64, "0"), prefix.ljust(64, "f")],
    ).fetchall()


def lost_objects(context: Context) -> list[str]:
    """Return the digests of needed objects that are missing or have another size.

    Each range of digests is a unit of work of its own; nothing is read but names and sizes.

    Raises:
        RegtuiError: The store can't be read.
    """
    with context.reading() as connection:
        parts = prefixes(connection)
    lost = []
    for prefix in parts:
        with context.reading() as connection:
            named = named_in(connection, prefix)
        with disk_errors(f"reading the store {context.home}"):
            lost += [
                digest
                for digest, size, needed in named
                if needed and not _has(context, digest, size)
            ]
    return lost


def _has(context: Context, digest: str, size: int) -> bool:
    """Tell whether an object is there with its size."""
    try:
        return context.store.path_of(digest).stat().st_size == size
    except FileNotFoundError:
        return False
