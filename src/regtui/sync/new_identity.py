"""Another id and key for a replica whose chain goes on elsewhere, or is forgotten."""

from regtui.replica.database import Connection
from regtui.replica.keys import Key, make_key
from regtui.replica.remote import Remote
from regtui.replica.tables import insert
from regtui.replica.unit import Replica


def begin_anew(replica: Replica, connection: Connection, remote: Remote) -> None:
    """Take a new key and id; what was sent and not answered is sent again with these.

    Args:
        replica: The replica.
        connection: Inside a transaction.
        remote: Of the replica; it is changed, and the caller writes it.
    """
    key = make_key(replica.home.path)
    connection.execute("update base.outbox set state = 'pending' where state = 'sent'")
    connection.execute("update base.replica set id = ?, n = 0, tip = ?", [key.replica, "0" * 32])
    _note_key(connection, key, replica.clock() // 1000)
    remote.enrolled, remote.acked_n = None, 0


def _note_key(connection: Connection, key: Key, now: int) -> None:
    known = connection.execute(
        "select 1 from base.enrolment where replica = ?", [key.replica]
    ).fetchone()
    if known is None:
        insert(connection, "enrolment", [(key.replica, key.public.hex(), now)])
