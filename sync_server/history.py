"""History on demand: operations that a first sync did not carry, and what vouches for a stream.

What may be read is decided as for a sync: whole streams, and of the registry's own stream what is
about something readable.
"""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.chain import FIRST_LINK
from regtui.core.operations import decode_operation
from regtui.wire.history import HistoryPage, PushSignature, ReplicaKey, StreamHead, StreamPage
from sync_server import schema
from sync_server.authority import RegistryRow
from sync_server.pull import Puller
from sync_server.rights import REGISTRY, Rights

LIMIT = 1_000
"""Operations of one answer."""

_o = schema.operation.c


class History(Struct, frozen=True):
    """Reads history for one user at one moment.

    Attributes:
        connection: Inside a transaction that sees one moment.
        row: The registry then.
        puller: Of the same moment and user.
        rights: The user's.
    """

    connection: Connection
    row: RegistryRow
    puller: Puller
    rights: Rights

    def before(self, seq: int) -> HistoryPage:
        """Return the newest operations before a sequence number of everything readable."""
        streams = None if self.rights.sees_all else list(self.puller.readable())
        rows = self.puller.operations_before(streams, seq, LIMIT)
        entries = self.puller.entries(rows)
        shown = {entry.seq for entry in entries}
        names = self.puller.names({row.actor for row in rows if row.seq in shown})
        reached = rows[-1].seq if len(rows) == LIMIT else 0
        return HistoryPage(entries=entries, reached=reached, names=names)

    def of_stream(self, stream: str, place: int) -> StreamPage | None:
        """Return the operations of a stream after a place, with what vouches for them.

        Args:
            stream: Its id.
            place: Operations of it that are known.

        Returns:
            None where the stream may not be read as a whole, as if it were not there.
        """
        readable = self.puller.readable()
        if stream not in readable or (stream == REGISTRY and not self.rights.sees_all):
            return None
        rows = list(
            self.connection.execute(
                sa.select(*Puller.COLUMNS)
                .where(_o.registry == self.row.key, _o.stream == stream, _o.place > place)
                .order_by(_o.place)
                .limit(LIMIT)
            )
        )
        operations = [decode_operation(bytes(row.bytes)) for row in rows]
        replicas = sorted({operation.replica for operation in operations})
        r, s, h = schema.replica.c, schema.push_signature.c, schema.stream.c
        keys = self.connection.execute(
            sa.select(r.id, r.user, r.public_key).where(
                r.registry == self.row.key, r.id.in_(replicas)
            )
        )
        places = sorted({operation.n for operation in operations})
        signatures = self.connection.execute(
            sa.select(s.replica, s.n, s.epoch, s.known, s.link, s.signature).where(
                s.registry == self.row.key,
                s.replica.in_(replicas),
                s.n.in_(places),
            )
        )
        head = self.connection.execute(
            sa.select(h.place, h.link).where(h.registry == self.row.key, h.id == stream)
        ).first()
        return StreamPage(
            entries=self.puller.entries(rows),
            head=StreamHead(0, FIRST_LINK.hex())
            if head is None
            else StreamHead(head.place, bytes(head.link).hex()),
            replicas={one.id: ReplicaKey(one.user, bytes(one.public_key).hex()) for one in keys},
            signatures=[
                PushSignature(
                    one.replica,
                    one.n,
                    one.epoch,
                    one.known,
                    one.link,
                    bytes(one.signature).hex(),
                )
                for one in signatures
            ],
            more=len(rows) == LIMIT,
        )
