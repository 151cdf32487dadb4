"""Healing: what a replica brings back to a server that lost it.

What the server accepted and signed is in the replica's history, with receipts. When the server's
history turns out to be another one, it is put into the outbox as *offered* before that history
goes, and stays there until the server has it again.
"""

import msgspec
from msgspec import Raw

from regtui.core.operations import decode_operation
from regtui.replica.database import Connection
from regtui.replica.texts import keep
from regtui.replica.unsent import note_all_unsent
from regtui.sync.outgoing import texts_of_operations
from regtui.wire.messages import Claim, Evidence, Offer

OFFERS_LIMIT = 500
CLAIMS_LIMIT = 20_000


def begin_healing(connection: Connection) -> None:
    """Put everything for which there are receipts into the outbox, as offered."""
    connection.execute(
        "insert into base.outbox "
        "select (select coalesce(max(position), 0) from base.outbox) + row_number() over "
        "(order by o.seq), o.id, 'offered', o.bytes, o.verdict, 0 "
        "from base.operation o join base.receipted r on r.operation = o.id "
        "where o.id not in (select id from base.outbox)"
    )
    captured = connection.execute(
        "select bytes from base.outbox where state in ('offered', 'acknowledged') "
        "and bytes ->> '$.kind' = 'version.capture'"
    ).fetchall()
    lost = texts_of_operations(connection, [decode_operation(row[0].encode()) for row in captured])
    keep(connection, {one: text for texts in lost.values() for one, text in texts.items()}.items())
    # What was acknowledged and not read back yet is offered, too.
    connection.execute("update base.outbox set state = 'offered' where state = 'acknowledged'")
    note_all_unsent(connection)


def offers(connection: Connection) -> tuple[list[Offer], list[Evidence], dict[str, str]]:
    """Return operations to bring back, the receipts that prove them, and the texts they name."""
    rows = connection.execute(
        "select o.bytes, o.verdict, coalesce(r.receipt, -1) from base.outbox o "
        "left join base.receipted r on r.operation = o.id "
        "where o.state = 'offered' order by o.position limit ?",
        [OFFERS_LIMIT],
    ).fetchall()
    if not rows:
        return [], [], {}
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
        for data, verdict, receipt in rows
    ]
    named = texts_of_operations(connection, [decode_operation(row[0].encode()) for row in rows])
    texts = {one: text for found in named.values() for one, text in found.items()}
    return made, list(found.values()), texts


def claims(connection: Connection) -> list[Claim]:
    """Return the certified numbers of versions."""
    rows = connection.execute(
        "select s.id, d.id::varchar, (d.body ->> '$.facts.number')::bigint, c.certificate "
        "from base.certificate c join base.document d on d.id = c.version "
        "join base.stream s on s.key = d.stream limit ?",
        [CLAIMS_LIMIT],
    ).fetchall()
    return [Claim(*row) for row in rows if row[2] is not None]
