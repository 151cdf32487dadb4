"""Garbage collection: stored files that no version needs any more are removed.

Captured and archived versions need their files for ever, deleted ones for the grace period after
their deletion; so do archived ones of models under a rule of retention, after they were archived
(`regtui.registry.needed`). These are marked before their files go, so that nobody takes it for
damage (`regtui.registry.released`). What no version names at all, left by captures that were
killed, goes a grace period after it was touched last. What the invariants are, and why no capture,
checkout or backup is ever broken, stands in `regtui.artifacts.garbage`.

The work goes in pages, one unit of work each, so that others get their turn. Removing asks the
database again under the exclusive lock, a thousand objects at a time: it keeps what a version needs
by now, and what belongs to a version that was changed since it was judged. That is told by sequence
numbers, so that no document is read while others wait.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.garbage import Stored, damaged_copies, remove, stored
from regtui.artifacts.leases import MINUTE, before_leases, sweep
from regtui.core.errors import Damaged
from regtui.registry.answers import iso
from regtui.registry.context import Context
from regtui.registry.needed import Unneeding, expendable
from regtui.registry.released import note_released
from regtui.registry.stored import version_ranges, wrong_lists
from regtui.replica.database import Connection

GRACE = 14 * 86_400
"""Seconds for which what is not needed is kept."""

_BATCH = 1_000
_NEVER = 2**62

_NEEDED = """
with unneeding as ({unneeding})
select lower(hex(f.digest)), bool_or(u.key is null)
  from base.file f
  left join unneeding u on u.key = f.version
 where f.digest between unhex($first) and unhex($last)
   and f.digest in (select unhex(unnest($digests::varchar[])))
 group by f.digest
"""
_USERS = """
select lower(hex(f.digest)), f.version, v.state = 'archived'
  from base.file f
  join base.version v on v.key = f.version
 where f.digest between unhex($first) and unhex($last)
   and f.digest in (select unhex(unnest($digests::varchar[])))
"""
_SINCE = """
select key, try_cast(body ->> '$.fields.state.at' as bigint)
  from base.document
 where key between ? and ? and key in (select unnest(?::bigint[]))
"""
_WANTED_SINCE = """
with unneeding as ({unneeding})
select lower(hex(f.digest))
  from base.file f
  left join unneeding u on u.key = f.version
  left join base.document d on d.key = f.version
 where f.digest between unhex($first) and unhex($last)
   and f.digest in (select unhex(unnest($digests::varchar[])))
 group by f.digest
having bool_or(u.key is null or d.seq is null or d.seq > $head)
"""


class Last(Struct, frozen=True):
    """Until when an object was needed.

    Attributes:
        until: Microseconds; far in the future where it still is.
        state: `archived` where a version under a rule of retention names it, else `deleted`.
    """

    until: int
    state: str = "deleted"

    @property
    def is_needed(self) -> bool:
        """Whether a version needs it."""
        return self.until == _NEVER


class Amount(Struct, frozen=True):
    """How many files, and their bytes."""

    files: int = 0
    bytes: int = 0

    def plus(self, size: int, files: int = 1) -> "Amount":
        """Return the amount with more files."""
        return Amount(self.files + files, self.bytes + size)


class Removed(Struct, frozen=True, kw_only=True):
    """What goes, by reason.

    Attributes:
        archived: Needed only by archived versions under a rule of retention, and deleted ones.
        deleted: Needed by deleted versions only.
        orphaned: Named by no version.
        damaged: Damaged copies that `verify` set aside.
        unfinished: Left in `tmp/` and `backups/` by what was killed.
    """

    archived: Amount = Amount()
    deleted: Amount = Amount()
    orphaned: Amount = Amount()
    damaged: Amount = Amount()
    unfinished: Amount = Amount()

    @property
    def total(self) -> Amount:
        """All of them together."""
        parts = (self.archived, self.deleted, self.orphaned, self.damaged, self.unfinished)
        return Amount(sum(part.files for part in parts), sum(part.bytes for part in parts))


class Kept(Struct, frozen=True, kw_only=True):
    """What stays, by reason.

    Attributes:
        needed: Needed by captured and archived versions.
        archived: Needed only by archived versions under a rule of retention, and deleted ones,
            within the grace period.
        deleted: Needed by deleted versions only, within the grace period.
        orphaned: Named by no version, touched within the grace period.
        damaged: Damaged copies within the grace period.
    """

    needed: Amount = Amount()
    archived: Amount = Amount()
    deleted: Amount = Amount()
    orphaned: Amount = Amount()
    damaged: Amount = Amount()


class Collected(Struct, frozen=True, kw_only=True):
    """What a collection did, or would do.

    Attributes:
        dry_run: Whether nothing was removed.
        grace: Seconds.
        limit: What was needed or touched since then is kept.
        held: Whether a running capture, checkout or backup moved the limit back.
        removed: What goes.
        kept: What stays.
    """

    dry_run: bool
    grace: int
    limit: str
    held: bool
    removed: Removed
    kept: Kept


def gc(context: Context, *, grace: int = GRACE, dry_run: bool = False) -> Collected:
    """Remove stored files that no version needs any more.

    Args:
        context: The registry.
        grace: Seconds for which what is not needed is kept.
        dry_run: Whether to tell only.

    Raises:
        BadInput: The rules of retention are malformed.
        Damaged: A version's list of files is damaged, so nobody knows what is needed.
        RegtuiError: The store may not be written.
    """
    with context.reading() as connection:
        refuse_damaged_lists(connection)
    unfinished = Amount(*sweep(context.home, dry_run=dry_run))
    limit, held = _limit(context, grace)
    collection = _Collection(context, limit, dry_run=dry_run)
    for page in stored(context.home):
        collection.judge(page)
    collection.judge_damaged()
    parts = _stale_parts(context.replica.home.backups, limit, dry_run=dry_run)
    return Collected(
        dry_run=dry_run,
        grace=grace,
        limit=iso(max(limit, 0) // 1000),
        held=held,
        removed=replace(
            collection.removed, unfinished=unfinished.plus(parts.bytes, files=parts.files)
        ),
        kept=collection.kept,
    )


def last_needed(
    connection: Connection, digests: Sequence[str], unneeding: Unneeding
) -> dict[str, Last]:
    """Return until when each object was needed.

    A file whose version is lost is needed. Only the range of these digests is looked at, and only
    the documents of versions that don't need their files, where no other does.

    Args:
        connection: Open.
        digests: In their order.
        unneeding: The versions that need nothing.
    """
    if not digests:
        return {}
    named = _named(digests)
    statement = _NEEDED.format(unneeding=unneeding.sql)
    rows = connection.execute(statement, unneeding.named(**named)).fetchall()
    found = {digest: Last(_NEVER if needed else 0) for digest, needed in rows}
    named["digests"] = [digest for digest, last in found.items() if not last.is_needed]
    if not named["digests"]:
        return found
    users = connection.execute(_USERS, named).fetchall()
    versions = sorted({version for _, version, _ in users})
    since = dict(connection.execute(_SINCE, [versions[0], versions[-1], versions]).fetchall())
    for digest, version, archived in users:
        moment = since.get(version)
        last = found[digest]
        found[digest] = Last(
            max(last.until, _NEVER if moment is None else moment),
            "archived" if archived else last.state,
        )
    return found


def _named(digests: Sequence[str]) -> dict[str, Any]:
    """Return the parameters of digests that stand in their order."""
    return {"first": digests[0], "last": digests[-1], "digests": list(digests)}


def refuse_damaged_lists(connection: Connection) -> None:
    """Refuse to judge what is needed where versions have lost rows of their lists of files.

    Raises:
        Damaged: One has.
    """
    wrong = sum(
        one.is_short for keys in version_ranges(connection) for one in wrong_lists(connection, keys)
    )
    if wrong:
        raise Damaged(
            f"{wrong} versions have lost their lists of files, so nothing can be removed safely",
            "`regtui doctor` says what to do",
        )


class _Collection:
    """What was found so far."""

    def __init__(self, context: Context, limit: int, *, dry_run: bool) -> None:
        self._context = context
        self._limit = limit
        self._dry_run = dry_run
        self.removed = Removed()
        self.kept = Kept()

    def judge(self, page: list[Stored]) -> None:
        """Remove from a page of objects what is not needed, and count."""
        unneeding = expendable(self._context)
        with self._context.reading() as connection:
            needed = last_needed(connection, [one.digest for one in page], unneeding)
            row = connection.execute("select seq from base.replica").fetchone()
        going = [one for one in page if self._may_go(one, needed)]
        gone = self._remove(going, row[0] if row else 0)
        for one in page:
            last = needed.get(one.digest)
            verb = "removed" if one.digest in gone else "kept"
            self._count(verb, _reason(last), one.size)

    def judge_damaged(self) -> None:
        """Remove damaged copies that are older than the limit."""
        for path, size, since in damaged_copies(self._context.home):
            going = since < self._limit
            if going and not self._dry_run:
                with disk_errors(f"removing {path}"):
                    path.unlink(missing_ok=True)
            self._count("removed" if going else "kept", "damaged", size)

    def _may_go(self, one: Stored, needed: dict[str, Last]) -> bool:
        last = needed.get(one.digest, Last(0))
        return not last.is_needed and max(one.touched, last.until * 1000) < self._limit

    def _remove(self, objects: list[Stored], head: int) -> set[str]:
        """Remove what nothing needs, unless something happened to what needed it since `head`."""
        if self._dry_run:
            return {one.digest for one in objects}
        gone: set[str] = set()
        for start in range(0, len(objects), _BATCH):
            batch = objects[start : start + _BATCH]
            named = _named([one.digest for one in batch])
            with self._context.writing() as authority:
                connection = authority.connection
                unneeding = expendable(self._context)  # the rules of now
                statement = _WANTED_SINCE.format(unneeding=unneeding.sql)
                rows = connection.execute(statement, unneeding.named(**named, head=head))
                wanted = {digest for (digest,) in rows.fetchall()}
                still = [one for one in batch if one.digest not in wanted]
                self._mark(connection, [one.digest for one in still])
                gone |= {one.digest for one in remove(self._context.home, still, self._limit)}
        return gone

    def _mark(self, connection: Connection, digests: list[str]) -> None:
        """Mark the versions of what is about to go; a kill right after must not make damage of it.

        Nothing else is in this transaction, so it may end and go on within the unit of work.
        """
        now = self._context.replica.clock() // 1000
        if digests and note_released(connection, digests, now):
            connection.execute("commit")
            connection.execute("begin")

    def _count(self, field: str, reason: str, size: int) -> None:
        amounts = getattr(self, field)
        setattr(self, field, replace(amounts, **{reason: getattr(amounts, reason).plus(size)}))


def _reason(last: Last | None) -> str:
    if last is None:
        return "orphaned"
    return "needed" if last.is_needed else last.state


def _limit(context: Context, grace: int) -> tuple[int, bool]:
    """Return the nanosecond since when everything is kept, and whether a lease moved it."""
    limit = context.replica.clock() * 1000 - max(grace * 10**9, MINUTE)
    moved = before_leases(context.home, limit)
    return moved, moved < limit


def _stale_parts(folder: Path, limit: int, *, dry_run: bool) -> Amount:
    """Remove copies of the database that were never finished."""
    found = Amount()
    with disk_errors(f"removing from {folder}"):
        for part in folder.glob("*.part"):
            status = part.stat()
            if max(status.st_mtime_ns, status.st_ctime_ns) < limit:
                found = found.plus(status.st_size)
                if not dry_run:
                    part.unlink(missing_ok=True)
    return found
