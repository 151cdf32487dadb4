"""The way out where the server does not take an operation, and all others wait behind it."""

from collections.abc import Sequence

from regtui.core.errors import RegtuiError
from regtui.core.operations import CaptureBody, decode_operation
from regtui.replica.accepting import Accepting
from regtui.replica.remote import read_remote, write_remote
from regtui.replica.unit import Replica
from regtui.sync.lock import syncing_alone
from regtui.sync.new_identity import begin_anew
from regtui.sync.optimistic import show_waiting
from regtui.sync.outgoing import SENT


def let_go(replica: Replica, session: str, operations: Sequence[str]) -> None:
    """Forget operations that wait, whatever the server may have made of them.

    Where one of them was sent, the replica takes another key: its chain may be in the server's
    hands with what is forgotten here.

    Args:
        replica: It has a remote.
        session: Which invocation this is.
        operations: Their ids.

    Raises:
        Busy: Another process syncs this replica.
        RegtuiError: There is no remote.
    """
    with syncing_alone(replica), replica.changing() as connection:
        remote = read_remote(connection)
        if remote is None:
            raise RegtuiError("there is no remote", "`regtui remote add URL` and `regtui login`")
        gone = connection.execute(
            "delete from base.outbox where id in (select unnest(?::uuid[])) returning state, bytes",
            [list(operations)],
        ).fetchall()
        if any(state == SENT for state, _ in gone):
            begin_anew(replica, connection, remote)
            write_remote(connection, remote)
        accepting = Accepting(connection)
        accepting.leave_accepted()
        show_waiting(replica, session, connection, remote, accepting.keys)
        made = [decode_operation(data.encode()) for _, data in gone]
        captured = [one.entity for one in made if isinstance(one.body, CaptureBody)]
        keys = [accepting.keys[one] for one in captured if one in accepting.keys]
        # Their files may go, where nothing else has the version.
        connection.execute(
            "delete from base.file where version in (select unnest(?::bigint[])) "
            "and version not in (select key from base.document) "
            "and version not in (select key from base.hidden)",
            [keys],
        )
