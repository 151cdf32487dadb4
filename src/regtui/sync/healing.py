"""Healing: what a replica brings back to a server that lost it.

What the server accepted and signed is in the replica's history, with receipts. When the server's
history turns out to be another one, it is put into the outbox as *offered* before that history
goes, and stays there until the server has it again.
"""

import msgspec
from msgspec import Raw, Struct

from regtui.core.operations import decode_operation
from regtui.replica.database import Connection
from regtui.replica.texts import keep
from regtui.replica.unsent import note_all_unsent
from regtui.sync.outgoing import texts_of_operations
from regtui.wire.messages import BODY_LIMIT, Claim, Evidence, Offer

OFFERS_LIMIT = 500
CLAIMS_LIMIT = 20_000


class Window(Struct, frozen=True):
    """What one request offers.

    Attributes:
        offers: Operations to bring back, the oldest first.
        evidence: The receipts that prove them.
        texts: The texts that they name.
        last: Where the window ends in the outbox.
        more: Whether there are others behind it.
    """

    offers: list[Offer] = []
    evidence: list[Evidence] = []
    texts: dict[str, str] = {}
    last: int = 0
    more: bool = False


class Offering:
    """How far a sync has offered what the server lost: window after window, all of it once.

    What an operation refers to may come back behind it, so all that still waits is offered again as
    long as the server took anything. What is left then waits for other replicas, and for the next
    sync.
    """

    def __init__(self) -> None:
        self.limit = OFFERS_LIMIT
        """Operations of one window; fewer where a request with so many was not taken."""
        self.after = 0
        self.is_over = False
        self._taken = self._waits = False

    def window(self, connection: Connection) -> Window:
        """Return what is offered next."""
        return Window() if self.is_over else _window(connection, self.after, self.limit)

    def note(self, window: Window, parked: int) -> None:
        """Go on behind a window that was answered; `parked` operations of it wait."""
        self._taken = self._taken or parked < len(window.offers)
        self._waits = self._waits or parked > 0
        self.after = window.last
        if not window.more:
            self.is_over = not (self._taken and self._waits)
            self.after, self._taken, self._waits = 0, False, False


def begin_healing(connection: Connection, base: int) -> None:
    """Put what the server lost, and receipts prove, into the outbox, as offered.

    Args:
        connection: Inside a transaction.
        base: The number up to which the server has what is here.
    """
    connection.execute(
        "insert into base.outbox "
        "select (select coalesce(max(position), 0) from base.outbox) + row_number() over "
        "(order by o.seq), o.id, 'offered', o.bytes, o.verdict, 0 "
        "from base.operation o join base.receipted r on r.operation = o.id "
        "where o.seq > ? and o.id not in (select id from base.outbox)",
        [base],
    )
    # What was acknowledged and not read back yet is offered, too, behind what it may build on.
    connection.execute(
        "update base.outbox set state = 'offered', position = s.position from ("
        "select id, (select max(position) from base.outbox) + row_number() over "
        "(order by position) as position from base.outbox where state = 'acknowledged') s "
        "where outbox.id = s.id"
    )
    captured = connection.execute(
        "select bytes from base.outbox where state = 'offered' "
        "and bytes ->> '$.kind' = 'version.capture'"
    ).fetchall()
    lost = texts_of_operations(connection, [decode_operation(row[0].encode()) for row in captured])
    keep(connection, {one: text for texts in lost.values() for one, text in texts.items()}.items())
    note_all_unsent(connection)


def _window(connection: Connection, after: int, limit: int) -> Window:
    """Return operations to bring back that stand behind a place in the outbox."""
    rows = connection.execute(
        "select o.bytes, o.verdict, coalesce(r.receipt, -1), o.position from base.outbox o "
        "left join base.receipted r on r.operation = o.id "
        "where o.state = 'offered' and o.position > ? order by o.position limit ?",
        [after, limit + 1],
    ).fetchall()
    operations = [decode_operation(row[0].encode()) for row in rows]
    named = texts_of_operations(connection, operations)
    texts: dict[str, str] = {}
    size = taken = 0
    for row, operation in zip(rows[:limit], operations, strict=False):
        own = named[operation.id]
        size += len(row[0]) + sum(map(len, own.values()))
        if taken and size > BODY_LIMIT:
            break
        texts |= own
        taken += 1
    if not taken:
        return Window()
    more, rows = taken < len(rows), rows[:taken]
    wanted = sorted({row[2] for row in rows})
    found = {
        number: Evidence(epoch, msgspec.json.decode(digests), signature)
        for number, epoch, digests, signature in connection.execute(
            "select rowid, epoch, verdicts, signature from base.receipt "
            "where rowid in (select unnest(?::bigint[]))",
            [wanted],
        ).fetchall()
    }
    place = {number: index for index, number in enumerate(found)}
    made = [
        Offer(Raw(data.encode()), Raw(verdict.encode()), 0, place.get(receipt, len(place)))
        for data, verdict, receipt, _ in rows
    ]
    return Window(made, list(found.values()), texts, rows[-1][3], more)


def claims(connection: Connection) -> list[Claim]:
    """Return the certified numbers of versions."""
    rows = connection.execute(
        "select s.id, d.id::varchar, (d.body ->> '$.facts.number')::bigint, c.certificate "
        "from base.certificate c join base.document d on d.id = c.version "
        "join base.stream s on s.key = d.stream limit ?",
        [CLAIMS_LIMIT],
    ).fetchall()
    return [Claim(*row) for row in rows if row[2] is not None]
