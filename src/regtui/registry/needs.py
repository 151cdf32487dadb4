"""What models or versions need of the store, in bytes, added up range by range.

Whether a stored file is needed by one owner alone can be told from the rows of its digest, so each
range of digests is summed by one statement in a unit of work of its own, and the sums are added
here. What is captured or deleted between two ranges may count in part.

A range holds a known share of the rows, unless one file belongs to very many owners, such as a
configuration that a million versions share. Then the range is worked through by parts of the
owners.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from regtui.registry.context import Context
from regtui.registry.needed import Unneeding, unexpected
from regtui.registry.stored import Range, count_files, digest_ranges
from regtui.replica.database import Connection

ROWS = 150_000
"""Rows that are grouped at a time: they fit the memory of a reader several times over."""

_ALL = (0, 2**62)
_EVERY: Range = ("0" * 64, "f" * 64)

_ROWS_OF = """
  from base.file f
  join base.version v on v.key = f.version
 where v.key not in (select key from unneeding) and f.digest between unhex($first) and unhex($last)
"""
_NEED = """
with unneeding as ({unneeding}),
need as (
     select v.{owner} as owner, f.digest, any_value(f.size) as size, sum(f.size) as total,
            count(*) as files
     {rows} and v.{owner} between $low and $high {asked}
      group by all
),
users as ({users})
select owner, sum(files)::bigint, sum(total)::bigint,
       coalesce(sum(size) filter (where owners = 1), 0)::bigint, sum(size)::bigint
  from need
  join users using (digest)
 group by owner
"""
_USERS_HERE = "select digest, count(*) as owners from need group by digest"
_USERS = """
     select f.digest, case when min(v.{owner}) = max(v.{owner}) then 1 else 2 end as owners
     {rows} and f.digest in (select digest from need)
      group by f.digest
"""
_ASKED = "and (v.model = $model or v.key = $version)"


class Need(Struct):
    """What one owner needs.

    Attributes:
        files: Files that it names.
        total: Bytes of these.
        unique: Stored bytes that no other owner needs.
        stored: Stored bytes; a file that it names twice counts once.
    """

    files: int = 0
    total: int = 0
    unique: int = 0
    stored: int = 0


def needs_of_models(context: Context, keys: Sequence[int]) -> dict[int, Need]:
    """Return what models need that need anything, by local key.

    Args:
        context: The registry.
        keys: Of all models.
    """
    needs = _Needs("model", {}, unexpected(context))
    with context.reading() as connection:
        rows = count_files(connection)
    for digests in digest_ranges(rows, ROWS):
        with context.reading() as connection:
            # Rows of one file and one model are one group, so few models never are too many.
            shared = needs.count(connection, digests) if len(keys) > ROWS else 0
            for owners in _parts(keys, shared):
                needs.add(connection, digests, owners)
    return needs.found


def needs_of_versions(
    context: Context, keys: Sequence[int], model: int, version: int
) -> dict[int, Need]:
    """Return what versions need that need anything, by local key.

    Args:
        context: The registry.
        keys: Of those that are asked for.
        model: Local key of the model of which they are all, or -1.
        version: Local key of the one that is asked for, or -1.
    """
    needs = _Needs("key", {"model": model, "version": version}, unexpected(context))
    with context.reading() as connection:
        rows = needs.count(connection, _EVERY)
    for digests in digest_ranges(rows, ROWS):
        with context.reading() as connection:
            for owners in _parts(keys, needs.count(connection, digests)):
                needs.add(connection, digests, owners)
    return needs.found


class _Needs:
    """The sums so far.

    Args:
        owner: Column of `base.version` that names the owner.
        asked: Model and version whose rows are wanted; empty for all.
        unneeding: The versions that need nothing.
    """

    def __init__(self, owner: str, asked: dict[str, int], unneeding: Unneeding) -> None:
        self.found: dict[int, Need] = {}
        self._unneeding = unneeding
        self._owner = owner
        self._asked = asked

    def count(self, connection: Connection, digests: Range) -> int:
        """Return the rows of a range of digests."""
        rows = _ROWS_OF + (_ASKED if self._asked else "")
        row = connection.execute(
            f"with unneeding as ({self._unneeding.sql}) select count(*) {rows}",
            self._unneeding.named(first=digests[0], last=digests[1], **self._asked),
        ).fetchone()
        return row[0] if row else 0

    def add(self, connection: Connection, digests: Range, owners: tuple[int, int]) -> None:
        """Add what owners need of a range of digests."""
        is_part = self._asked or owners != _ALL
        statement = _NEED.format(
            owner=self._owner,
            unneeding=self._unneeding.sql,
            rows=_ROWS_OF,
            asked=_ASKED if self._asked else "",
            users=_USERS.format(owner=self._owner, rows=_ROWS_OF) if is_part else _USERS_HERE,
        )
        values = self._unneeding.named(
            first=digests[0], last=digests[1], low=owners[0], high=owners[1], **self._asked
        )
        for key, files, total, unique, stored in connection.execute(statement, values).fetchall():
            need = self.found.setdefault(key, Need())
            need.files += files
            need.total += total
            need.unique += unique
            need.stored += stored


def _parts(keys: Sequence[int], rows: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of owners, both ends included, so that the rows of each can be grouped."""
    parts = min(-(-rows // (2 * ROWS)), len(keys))
    if parts < 2:  # noqa: PLR2004
        yield _ALL
        return
    ordered = sorted(keys)
    starts = [ordered[number * len(keys) // parts] for number in range(parts)]
    yield from ((low, following - 1) for low, following in pairwise([*starts, _ALL[1]]))
