"""History: the operations of a replica, read backwards.

Operations are never changed and stand in the order of their sequence numbers, so that a page of
them costs the same in any registry: it is found in windows that go back from its start and widen,
each by the zone maps of `seq`. What an operation did to values is in `base.log`, what took it back
in `base.undo`.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from regtui.core.verdicts import LogRow
from regtui.core.view import Past
from regtui.replica.database import Connection
from regtui.replica.decoded import known_past, stored_value
from regtui.replica.remote import PENDING

FIRST_WINDOW = 512
"""Operations that are looked through first; each window after it is four times as wide."""

GROUP_SPAN = 10_000
"""Milliseconds within which all operations of a group are made: room for ten million of them, since
each has its own microsecond (`SoloAuthority.submit`)."""

_REST = 80
"""Bits of a UUIDv7 below its milliseconds."""

_LATEST = (1 << 128 - _REST) - 1


class Wanted(Struct, frozen=True, kw_only=True):
    """Which operations to look for; what is None or empty does not matter.

    Attributes:
        stream: Id of the stream.
        entities: Local keys of entities that it changed.
        actor: Local key of who did it.
        via: What it came through.
        kind: Such as `version.edit`.
        since: Milliseconds.
        replicas: Ids of the replicas that made it; what waits for the remote was made here.
        version: Id of a version: what names it, or moved something away from it, counts as if it
            had changed one of the entities.
    """

    stream: str | None = None
    entities: Sequence[int] = ()
    actor: int | None = None
    via: Sequence[str] = ()
    kind: str | None = None
    since: int | None = None
    replicas: Sequence[str] = ()
    version: str | None = None


def newest(connection: Connection) -> int:
    """Return the sequence number of the last operation, waiting ones too; 0 where there is none."""
    row = connection.execute(
        "select greatest((select seq from base.replica), (select max(seq) from base.operation))"
    ).fetchone()
    return 0 if row is None else int(row[0])


def accepted(connection: Connection) -> int:
    """Return the sequence number of the last operation that was decided; 0 where there is none."""
    row = connection.execute("select seq from base.replica").fetchone()
    return 0 if row is None else int(row[0])


def waiting_ids(connection: Connection) -> dict[str, int]:
    """Return the operations that wait for the remote: sequence number by id."""
    return dict(
        connection.execute(
            "select id::varchar, seq from base.operation where seq >= ?", [PENDING]
        ).fetchall()
    )


def matching(connection: Connection, wanted: Wanted, below: int) -> Iterator[int]:
    """Yield the sequence numbers of the operations that are wanted, newest first.

    Args:
        connection: The open replica.
        wanted: Which.
        below: Only those before this sequence number.
    """
    condition, parameters = _condition(wanted)
    first, high, width = first_wanted(connection, wanted), below, FIRST_WINDOW
    while high > first:
        low = max(first, high - width)
        rows = connection.execute(
            "select o.seq from base.operation o "  # noqa: S608 -- conditions are constants below
            f"where o.seq >= $low and o.seq < $high {condition} order by o.seq desc",
            {"low": low, "high": high, **parameters},
        ).fetchall()
        yield from (row[0] for row in rows)
        high, width = low, width * 4


def between(connection: Connection, wanted: Wanted, after: int, until: int) -> list[int]:
    """Return the operations that are wanted after one sequence number and up to another."""
    condition, parameters = _condition(wanted)
    rows = connection.execute(
        "select o.seq from base.operation o "  # noqa: S608 -- conditions are constants below
        f"where o.seq >= $low and o.seq < $high {condition} order by o.seq",
        {"low": after + 1, "high": until + 1, **parameters},
    ).fetchall()
    return [row[0] for row in rows]


def operations(connection: Connection, seqs: Sequence[int]) -> list[Past]:
    """Return the operations with these sequence numbers, in their order."""
    if not seqs:
        return []
    rows = connection.execute(
        "select seq, bytes, verdict from base.operation "
        "where seq between ? and ? and seq in (select unnest(?::bigint[])) order by seq",
        [min(seqs), max(seqs), list(seqs)],
    ).fetchall()
    found = {past.seq: past for row in rows if (past := known_past(*row)) is not None}
    return [found[seq] for seq in seqs if seq in found]


def operations_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Past]:
    """Return the operations with these ids that are here."""
    wanted = sorted(set(ids) - {""})
    if not wanted:
        return {}
    rows = connection.execute(
        "select seq, bytes, verdict from base.operation "
        "where id between ? and ? and id in (select unnest(?::uuid[]))",
        [wanted[0], wanted[-1], wanted],
    ).fetchall()
    found = (known_past(*row) for row in rows)
    return {past.operation.id: past for past in found if past is not None}


def named(connection: Connection, low: str, high: str) -> list[int]:
    """Return the sequence numbers of the operations whose ids lie between two, both included."""
    rows = connection.execute(
        "select seq from base.operation where id between ? and ? order by seq", [low, high]
    ).fetchall()
    return [row[0] for row in rows]


def members(connection: Connection, groups: Iterable[str]) -> dict[str, list[Past]]:
    """Return the operations of groups in their order, by group; of unknown ones there are none.

    They need not stand beside one another: what one registry did at once, another may have refused
    in part and accepted later. All were made within moments of the group's id, and operations
    stand nearly in the order of their ids, so that only their neighbourhoods are read.
    """
    found: dict[str, list[Past]] = {group: [] for group in groups}
    windows = _windows(found)
    if not windows:
        return found
    rows = connection.execute(
        "select seq, bytes, verdict from base.operation "  # noqa: S608 -- placeholders only
        f"where ({' or '.join(['id between ? and ?'] * len(windows))}) "
        "and bytes ->> '$.group' in (select unnest(?::varchar[])) order by seq",
        [*itertools.chain.from_iterable(windows), list(found)],
    ).fetchall()
    for row in rows:
        past = known_past(*row)
        if past is not None:
            found[past.operation.group or ""].append(past)
    return found


def undoers(connection: Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """Return what took operations back, oldest first, by operation; theirs included, and so on."""
    rows = connection.execute(
        "with recursive above(undoes, operation, seq) as ("
        "select undoes, operation, seq from base.undo where undoes in (select unnest(?::uuid[])) "
        "union "
        "select u.undoes, u.operation, u.seq "
        "from base.undo u join above a on u.undoes = a.operation) "
        "select undoes::varchar, operation::varchar from above order by seq",
        [sorted(set(ids))],
    ).fetchall()
    found: dict[str, list[str]] = {}
    for undone, operation in rows:
        found.setdefault(undone, []).append(operation)
    return found


def undone_under(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Return what operations took back, by operation; theirs included, and so on down."""
    rows = connection.execute(
        "with recursive below(operation, undoes) as ("
        "select operation, undoes from base.undo where operation in (select unnest(?::uuid[])) "
        "union "
        "select u.operation, u.undoes from base.undo u join below b on u.operation = b.undoes) "
        "select operation::varchar, undoes::varchar from below",
        [sorted(set(ids))],
    ).fetchall()
    return dict(rows)


def rows_of(connection: Connection, seqs: Sequence[int]) -> dict[int, list[LogRow]]:
    """Return the history rows of operations by sequence number, in the order of judging."""
    if not seqs:
        return {}
    rows = connection.execute(
        "select l.seq, d.id::varchar, l.kind, l.path, l.before, l.after, l.result "
        "from base.log l join base.document d on d.key = l.entity "
        "where l.seq between ? and ? and l.seq in (select unnest(?::bigint[])) "
        "order by l.seq, l.rowid",
        [min(seqs), max(seqs), list(seqs)],
    ).fetchall()
    found: dict[int, list[LogRow]] = {}
    for seq, entity, kind, path, before, after, result in rows:
        was, to = stored_value(before, seq), stored_value(after, seq)
        row = LogRow(entity, kind, path, was, to, result)
        found.setdefault(seq, []).append(row)
    return found


def _windows(groups: Iterable[str]) -> list[tuple[str, str]]:
    """Return the first and last ids that members of groups can have; what overlaps is one."""
    found: list[tuple[int, int]] = []
    for first in sorted(itertools.chain.from_iterable(map(_milliseconds, groups))):
        last = min(first + GROUP_SPAN, _LATEST)
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    end = (1 << _REST) - 1
    return [
        (str(UUID(int=low << _REST)), str(UUID(int=high << _REST | end))) for low, high in found
    ]


def _milliseconds(identity: str) -> list[int]:
    """Return when a UUIDv7 was made; nothing for what is none."""
    try:
        made = UUID(identity)
    except ValueError:
        return []
    return [made.int >> _REST] if made.version == 7 else []  # noqa: PLR2004 -- UUIDv7


def _condition(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    parts: list[str] = []
    parameters: dict[str, Any] = {}
    if wanted.stream is not None:
        parts.append("o.stream = (select key from base.stream where id = $stream)")
        parameters["stream"] = wanted.stream
    rows: list[str] = []
    if wanted.version is not None:
        parts.append(
            "(contains(o.bytes, $version) or o.seq in (select l.seq from base.log l "
            "where l.seq >= $low and l.seq < $high "
            "and (l.before = $was or l.entity in (select unnest($entities::bigint[])))))"
        )
        parameters |= {
            "version": wanted.version,
            "was": f'"{wanted.version}"',
            "entities": list(wanted.entities),
        }
    elif wanted.entities:
        rows.append("l.entity in (select unnest($entities::bigint[]))")
        parameters["entities"] = list(wanted.entities)
    if wanted.actor is not None:
        rows.append("l.actor = $actor")
        parameters["actor"] = wanted.actor
    if wanted.via:
        rows.append("l.via in (select unnest($via::varchar[]))")
        parameters["via"] = list(wanted.via)
    if rows:
        parts.append(
            "o.seq in (select l.seq from base.log l "  # noqa: S608 -- constants above
            f"where l.seq >= $low and l.seq < $high and {' and '.join(rows)})"
        )
    if wanted.kind is not None:  # the cheap look first
        parts.append("contains(o.bytes, $spelled) and o.bytes ->> '$.kind' = $kind")
        parameters |= {"spelled": f'"kind":"{wanted.kind}"', "kind": wanted.kind}
    if wanted.replicas:
        parts.append(f"(o.seq >= {PENDING} or list_has_any($made, [o.bytes ->> '$.replica']))")
        parameters["made"] = list(wanted.replicas)
    return "".join(f" and {part}" for part in parts), parameters


def first_wanted(connection: Connection, wanted: Wanted) -> int:
    """Return the sequence number of the first operation that is young enough."""
    if wanted.since is None:
        return 1
    row = connection.execute(
        "select coalesce(min(seq), 9223372036854775807) from base.log where time >= ?",
        [wanted.since],
    ).fetchone()
    return 1 if row is None else int(row[0])
