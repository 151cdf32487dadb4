"""What goes up: operations that wait, sealed into the replica's chain, with the texts they name."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw, Struct

from regtui.core import chain, encoding
from regtui.core.documents import named_texts
from regtui.core.judgement.shape import entity_kind
from regtui.core.operations import (
    GROUP_LIMIT,
    CaptureBody,
    Operation,
    decode_operation,
)
from regtui.replica.database import Connection
from regtui.replica.file_lists import file_lists
from regtui.replica.keys import Key
from regtui.wire.messages import BODY_LIMIT, OPERATIONS_LIMIT

PENDING, SENT, ACKNOWLEDGED, REFUSED, OFFERED = (
    "pending", "sent", "acknowledged", "refused", "offered",
)  # fmt: skip
"""What an operation in the outbox is: not sent yet; sent, without an answer; accepted, and not read
back yet; refused; accepted before, and lost by the server."""


class Batch(Struct):
    """Operations to send, with the texts that they name.

    Attributes:
        n: Place of the last one in the replica's chain.
        tip: The chain's tip after it.
        last: Its place in the outbox.
        more: Whether more wait behind it.
    """

    ops: list[Raw]
    texts: dict[str, str]
    n: int
    tip: str
    last: int = 0
    more: bool = False


class _Kept(Struct):
    """An operation in the outbox."""

    position: int
    state: str
    data: bytes
    operation: Operation


def seal_batch(
    connection: Connection,
    key: Key,
    *,
    sends: bool = True,
    limit: int = OPERATIONS_LIMIT,
    after: int = 0,
) -> Batch:
    """Give the next waiting operations their place in the chain and return them.

    What was sent before and not answered is sent again as it was.

    Args:
        connection: Inside a transaction.
        key: The replica's.
        sends: Whether anything is to be sent; if not, the batch tells only where the chain is.
        limit: Operations that it may have, unless one group has more.
        after: Place in the outbox behind which it begins: what is up to there is under way.
    """
    row = connection.execute("select id::varchar, n, tip from base.replica").fetchone()
    # A copy of a replica is a new one, and what waits begins its chain.
    n, tip = (0, chain.GENESIS) if row is None or row[0] != key.replica else (row[1], row[2])
    batch = Batch([], {}, n, tip, last=after)
    size, sealed = 0, []
    groups = _next_groups(connection, limit, after) if sends else []
    known = texts_of_operations(connection, [one.operation for group in groups for one in group])
    for group in groups:
        ops: list[bytes] = []
        texts: dict[str, str] = {}
        made: list[tuple[int, str]] = []
        place, end = n, tip
        first: int | None = None
        for one in group:
            data, operation = one.data, one.operation
            if one.state == PENDING or operation.replica != key.replica:
                moved = msgspec.structs.replace(operation, replica=key.replica)
                operation, data, end = chain.seal(moved, n=place + 1, prev=end)
                place += 1
                made.append((one.position, data.decode()))
            ops.append(data)
            first = operation.n if first is None else first
            texts |= known.get(operation.id, {})
        size += sum(map(len, ops)) + sum(map(len, texts.values()))
        if batch.ops and (size > BODY_LIMIT or len(batch.ops) + len(ops) > limit):
            break
        if batch.ops and first != batch.n + 1:
            break  # one that was ahead is answered, and the one before it was not kept
        batch.ops += map(Raw, ops)
        batch.texts |= texts
        sealed += made
        n, tip = place, end
        batch.n, batch.tip, batch.last = operation.n, chain.tip(data), group[-1].position
    if sealed:
        connection.execute(
            "update base.outbox set state = 'sent', bytes = s.bytes "
            "from (select unnest(?::bigint[]) as position, unnest(?::varchar[]) as bytes) s "
            "where outbox.position = s.position",
            [[position for position, _ in sealed], [data for _, data in sealed]],
        )
    if row is None or (key.replica, n, tip) != tuple(row):
        connection.execute("update base.replica set id = ?, n = ?, tip = ?", [key.replica, n, tip])
    left = connection.execute(
        "select count(*) from base.outbox where state in ('pending', 'sent') and position > ?",
        [after],
    ).fetchone()
    batch.more = sends and left is not None and left[0] > len(batch.ops)
    return batch


def waiting(connection: Connection, states: Sequence[str]) -> list[tuple[int, Operation, bytes]]:
    """Return the operations in the outbox that are in one of these states, in their order."""
    rows = connection.execute(
        "select position, bytes from base.outbox where state in (select unnest(?::varchar[])) "
        "order by position",
        [list(states)],
    ).fetchall()
    return [(position, decode_operation(data.encode()), data.encode()) for position, data in rows]


def _next_groups(connection: Connection, limit: int, after: int) -> list[list[_Kept]]:
    """Return what one request takes of what waits, what belongs to one intent together."""
    found: list[list[_Kept]] = []
    for count, one in enumerate(_next_operations(connection, limit, after)):
        group = one.operation.group
        if found and group is not None and group == found[-1][0].operation.group:
            found[-1].append(one)
        elif count >= limit:
            break
        else:
            found.append([one])
    return found


def _next_operations(connection: Connection, limit: int, after: int) -> Iterator[_Kept]:
    """Yield what waits, in its order, as much of it as one group may have."""
    taken = 0
    while taken < GROUP_LIMIT:
        rows = connection.execute(
            "select position, state, bytes from base.outbox "
            "where state in ('pending', 'sent') and position > ? order by position limit ?",
            [after, limit + 1],
        ).fetchall()
        if not rows:
            return
        for position, state, text in rows:
            data = text.encode()
            yield _Kept(position, state, data, decode_operation(data))
        after, taken = rows[-1][0], taken + len(rows)


def texts_of_operations(
    connection: Connection, operations: Sequence[Operation]
) -> dict[str, dict[str, str]]:
    """Return the texts that operations name by their digests, lists of files included.

    Returns:
        Text by digest, by operation.
    """
    named: dict[str, set[str]] = {}
    captures: dict[str, tuple[str, str]] = {}
    for operation in operations:
        changes = ((path, one.to) for path, one in operation.body.set.items())
        named[operation.id] = named_texts(entity_kind(operation), changes)
        if isinstance(operation.body, CaptureBody):
            captures[operation.id] = (operation.entity, operation.body.digest)
    files = file_lists(connection, {entity for entity, _ in captures.values()})
    listed = {version: encoding.encode(sorted(found)) for version, found in files.items()}
    lists = {version: (encoding.digest(data), data.decode()) for version, data in listed.items()}
    # A list that is no table's any more is kept for a server that lost it.
    wanted = set().union(*named.values()) | {
        digest for entity, digest in captures.values() if lists.get(entity, ("",))[0] != digest
    }
    kept: dict[str, str] = {}
    if wanted:
        kept = dict(
            connection.execute(
                "select digest, value from base.text where digest in (select unnest(?::varchar[]))",
                [sorted(wanted)],
            ).fetchall()
        )
    found = {
        identity: {digest: kept[digest] for digest in digests if digest in kept}
        for identity, digests in named.items()
    }
    for identity, (entity, digest) in captures.items():
        known, text = lists.get(entity, ("", ""))
        if known == digest:
            found[identity][digest] = text
        elif digest in kept:
            found[identity][digest] = kept[digest]
    return found
