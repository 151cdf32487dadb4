"""Refreshing: every layout is that of the present readers, for all names that a file has by now.

Layouts that are missing or out of date are made when somebody asks for one. Who does not want to
wait then, or wants `sql` to see all of them, has them made before: `regtui doctor --repair`.

What is stale is told from the tables alone, in ranges of digests; a suffix is all of a name that
counts. Files are read outside of any unit of work, and their layouts kept a few at a time, so a
kill costs the last few only. Files that need not be there are left as they are.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from regtui.artifacts.copying import Progress, silent
from regtui.formats.detect import READER
from regtui.registry.context import Context
from regtui.registry.layouts import all_names, covers, read_files
from regtui.registry.needed import Unneeding, unexpected
from regtui.registry.stored import Range, count_files, digest_ranges
from regtui.replica.database import Connection
from regtui.replica.layouts import write_layouts

PAGE = 200
"""Layouts made and kept at a time."""

_KEPT = """
with unneeding as ({unneeding}),
named as (
     select f.digest, any_value(f.size) as size,
            list(distinct regexp_extract(
                case when f.path <> '' then f.path else coalesce(nullif(v.source, ''), 'model') end,
                '[^/]([.][^./]*)$', 1)) as suffixes
       from base.file f
       join base.version v on v.key = f.version
      where v.key not in (select key from unneeding)
        and f.digest between unhex($first) and unhex($last)
      group by f.digest
),
kept as (
     select digest, reader, facts -> '$.suffixes' as suffixes
       from base.layout
      where digest between unhex($first) and unhex($last)
)
select lower(hex(n.digest)), n.size, n.suffixes, coalesce(k.reader, -1),
       coalesce(k.suffixes::varchar, '[]')
  from named n
  left join kept k on k.digest = n.digest
 order by n.digest
"""

_suffixes = msgspec.json.Decoder(tuple[str, ...])


class Refreshed(Struct, frozen=True, kw_only=True):
    """What `refresh` did.

    Attributes:
        files: How many distinct files versions name that need them.
        made: How many layouts were missing or out of date, and are there now.
        unreadable: Of how many the bytes are missing or damaged.
    """

    files: int
    made: int
    unreadable: int


class Stale(Struct, frozen=True):
    """A range of digests: how many files it has, and the sizes of those without a right layout."""

    files: int
    sizes: dict[str, int]


def count_stale(context: Context) -> tuple[int, int]:
    """Return how many files versions name, and of how many the layout is missing or out of date."""
    files = count = 0
    for found in _stale(context):
        files, count = files + found.files, count + len(found.sizes)
    return files, count


def refresh(context: Context, on_progress: Progress | None = None) -> Refreshed:
    """Make all layouts that are missing or out of date, in pages.

    Args:
        context: The registry.
        on_progress: Is told how many more bytes were read.

    Raises:
        RegtuiError: The replica can't be written.
    """
    files = made = unreadable = 0
    for found in _stale(context):
        files += found.files
        digests = list(found.sizes)
        for start in range(0, len(digests), PAGE):
            page = digests[start : start + PAGE]
            done = _refresh(context, page)
            (on_progress or silent)(sum(found.sizes[digest] for digest in page))
            made, unreadable = made + done, unreadable + len(page) - done
    return Refreshed(files=files, made=made, unreadable=unreadable)


def _refresh(context: Context, digests: list[str]) -> int:
    """Make and keep layouts, and return how many could be made."""
    with context.reading() as connection:
        names = all_names(connection, dict.fromkeys(digests, ()))
    done, _ = read_files(context, names)
    if done:
        with context.writing() as authority:
            write_layouts(authority.connection, done, READER)
    return len(done)


def _stale(context: Context) -> Iterator[Stale]:
    """Yield all ranges of digests, each read in a unit of work of its own."""
    unneeding = unexpected(context)
    with context.reading() as connection:
        rows = count_files(connection)
    for digests in digest_ranges(rows):
        with context.reading() as connection:
            found = _stale_in(connection, digests, unneeding)
        yield found


def _stale_in(connection: Connection, digests: Range, unneeding: Unneeding) -> Stale:
    statement = _KEPT.format(unneeding=unneeding.sql)
    named = unneeding.named(first=digests[0], last=digests[1])
    rows = connection.execute(statement, named).fetchall()
    return Stale(
        len(rows),
        {
            digest: size
            for digest, size, suffixes, reader, kept in rows
            if reader < READER
            or not covers(_suffixes.decode(kept), (f"model{suffix}" for suffix in suffixes))
        },
    )
