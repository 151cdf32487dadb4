"""What versions name in the store, read in ranges of digests so that memory is bounded.

Digests are spread evenly, so a range of them holds a known share of the rows, whatever the rows
belong to. Who works through all ranges in units of work of their own lets others have their turn.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.layout import objects_folder
from regtui.registry.context import Context
from regtui.registry.needed import Unneeding, unexpected
from regtui.replica.database import Connection

ROWS = 50_000
"""Rows of `base.file` in a range, more or less."""

KEYS = 100_000
"""Local keys of versions in a range."""

_PARTS = 1 << 16

Named = tuple[str, int, bool]
"""Digest, size, and whether it has to be there (`regtui.registry.needed`)."""

Range = tuple[str, str]
"""The first and the last digest, both included, as hex digits."""


class WrongList(Struct, frozen=True):
    """A version whose list of files has not the number of rows or bytes that it had.

    Attributes:
        version: Local key.
        is_short: Whether the number of rows differs, and not only that of bytes.
    """

    version: int
    is_short: bool


def named_objects(connection: Connection, unneeding: Unneeding) -> Iterator[Named]:
    """Yield every object that versions name, in the order of digests.

    Args:
        connection: Open.
        unneeding: The versions that need nothing.
    """
    for digests in digest_ranges(count_files(connection)):
        yield from named_in(connection, digests, unneeding)


def count_files(connection: Connection) -> int:
    """Return the number of rows of `base.file`."""
    row = connection.execute("select count(*) from base.file").fetchone()
    return 0 if row is None else int(row[0])


def digest_ranges(rows: int, most: int = ROWS) -> list[Range]:
    """Return ranges of all digests, in order, in which rows are at most so many, more or less."""
    parts = min(max(-(-rows // most), 1), _PARTS)
    starts = [number * _PARTS // parts for number in range(parts + 1)]
    return [
        (f"{start:04x}".ljust(64, "0"), f"{end - 1:04x}".ljust(64, "f"))
        for start, end in pairwise(starts)
    ]


def named_in(connection: Connection, digests: Range, unneeding: Unneeding) -> list[Named]:
    """Return the objects of a range of digests; a file whose version is lost is needed.

    Args:
        connection: Open.
        digests: The range.
        unneeding: The versions that need nothing.
    """
    return connection.execute(
        f"with unneeding as ({unneeding.sql}) "  # noqa: S608 -- constants of `needed`
        "select lower(hex(f.digest)), any_value(f.size), bool_or(u.key is null) "
        "from base.file f left join unneeding u on u.key = f.version "
        "where f.digest between unhex($first) and unhex($last) "
        "group by f.digest order by f.digest",
        unneeding.named(first=digests[0], last=digests[1]),
    ).fetchall()


def version_ranges(connection: Connection) -> list[tuple[int, int]]:
    """Return ranges of local keys that hold all versions: the first key, and one behind the last.

    What was captured together stands together, so DuckDB reads no more than a range of the files.
    """
    row = connection.execute("select min(key), max(key) from base.version").fetchone()
    if row is None or row[0] is None:
        return []
    return [(first, first + KEYS) for first in range(row[0], row[1] + 1, KEYS)]


def wrong_lists(connection: Connection, keys: tuple[int, int]) -> list[WrongList]:
    """Return the versions of a range of keys that have lost rows of their lists of files.

    Only numbers and bytes are compared; `regtui.replica.examine` recomputes the digests of lists.
    """
    rows = connection.execute(
        "select v.key, f.files is distinct from v.files from base.version v left join "
        "(select version, count(*) as files, sum(size) as size from base.file "
        " where version >= ? and version < ? group by version) f on f.version = v.key "
        "where v.key >= ? and v.key < ? and (f.files is distinct from v.files or f.size <> v.size)",
        [*keys, *keys],
    ).fetchall()
    return [WrongList(version, is_short) for version, is_short in rows]


def lost_objects(context: Context) -> list[str]:
    """Return the digests of needed objects that are missing or have another size.

    Each range of digests is a unit of work of its own; nothing is read but names and sizes.

    Raises:
        BadInput: The rules of retention are malformed.
        RegtuiError: The store can't be read.
    """
    unneeding = unexpected(context)
    with context.reading() as connection:
        ranges: Sequence[Range] = digest_ranges(count_files(connection))
    objects = os.fspath(objects_folder(context.home))
    lost = []
    for digests in ranges:
        with context.reading() as connection:
            named = named_in(connection, digests, unneeding)
        with disk_errors(f"reading the store {context.home}"):
            lost += [
                digest
                for digest, size, needed in named
                if needed and not _has(objects, digest, size)
            ]
    return lost


def _has(objects: str, digest: str, size: int) -> bool:
    """Tell whether an object is there with its size; there may be millions to ask for."""
    try:
        return os.stat(f"{objects}/{digest[:2]}/{digest[2:]}").st_size == size  # noqa: PTH116
    except FileNotFoundError:
        return False
