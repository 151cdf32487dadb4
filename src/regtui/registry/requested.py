"""What was asked for here and shows nothing before the server has decided.

Until it is sent it can be taken back, and then nobody ever hears of it: it has no effects that an
inverse could reverse.
"""

from collections.abc import Sequence
from typing import Any

from regtui.core.errors import BadInput
from regtui.core.operations import Operation, decode_operation
from regtui.core.verdicts import Accepted
from regtui.core.view import Past
from regtui.replica.database import Connection
from regtui.replica.decoded import known_past
from regtui.replica.remote import PENDING

REQUESTS = (
    "alias.set", "alias.remove", "promotion.apply", "deployment.record", "deployment.transition",
    "conflict.resolve", "environment.put", "policy.put", "policy.remove",
)  # fmt: skip
"""The kinds of operation that policies, or the server alone, may govern."""


def requested_operations(connection: Connection) -> dict[str, list[Any]]:
    """Return what was asked for here and the server has still to decide, by entity.

    Moves of aliases stand under the alias, those of requests under the request. What the server
    would refuse, as far as can be told here, is left out.
    """
    rows = connection.execute(
        "select o.bytes from base.outbox o join base.operation p on p.id = o.id "
        "where o.state in ('pending', 'sent') "
        "and (o.bytes ->> '$.kind') in (select unnest(?::varchar[])) "
        "and coalesce(p.verdict ->> '$.documents', '{}') = '{}' order by o.position",
        [list(REQUESTS)],
    ).fetchall()
    found: dict[str, list[Operation]] = {}
    for row in rows:
        operation = decode_operation(row[0].encode())
        found.setdefault(operation.entity, []).append(operation)
    return found


def is_requested(past: Past) -> bool:
    """Tell whether an operation waits for the server and shows nothing here."""
    return (
        past.seq >= PENDING
        and past.operation.kind in REQUESTS
        and isinstance(past.verdict, Accepted)
        and not past.verdict.documents
    )


def requested_by(connection: Connection, actor: str, via: Sequence[str]) -> list[int]:
    """Return the sequence numbers of what somebody requested through some ways, newest first.

    It has no rows in the log, by which other operations are found.
    """
    rows = connection.execute(
        "select seq, bytes, verdict from base.operation where seq >= ? "
        "and (bytes ->> '$.kind') in (select unnest(?::varchar[])) order by seq desc",
        [PENDING, list(REQUESTS)],
    ).fetchall()
    pasts = (past for row in rows if (past := known_past(*row)) is not None)
    return [
        past.seq
        for past in pasts
        if is_requested(past) and past.operation.actor == actor and past.operation.via in via
    ]


def check_unsent(connection: Connection, past: Past) -> None:
    """Make sure that something requested can still be taken back.

    Raises:
        BadInput: It was sent.
    """
    row = connection.execute(
        "select state from base.outbox where id = ?", [past.operation.id]
    ).fetchone()
    if row is None or row[0] != "pending":
        raise BadInput("it was sent, and the server decides", "`regtui sync` tells what it said")


def let_go(connection: Connection, operations: Sequence[str]) -> None:
    """Forget operations that wait and show nothing, or were refused, by their ids."""
    ids = list(operations)
    connection.execute("delete from base.outbox where id in (select unnest(?::uuid[]))", [ids])
    for table, column in (("operation", "id"), ("undo", "operation")):
        connection.execute(
            f"delete from base.{table} "  # noqa: S608 -- constants
            f"where {column} in (select unnest(?::uuid[])) and seq >= ?",
            [ids, PENDING],
        )
