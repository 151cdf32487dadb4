"""Own ids: the replicas that this home was.

A home that is copied, restored or forked takes a new key, and with it the id of another replica;
the keys that it had before stay in `base.enrolment`. Another home may go on with an id that this
one gave up, so that each counts only for what it made until its successor came.
"""

from msgspec import Struct

from regtui.core.operations import Operation
from regtui.replica.database import Connection


class OwnIds(Struct, frozen=True):
    """The replicas that a home was.

    Attributes:
        until: Microseconds at which each one's successor came, by id; None for the present one.
    """

    until: dict[str, int | None]

    def made(self, operation: Operation) -> bool:
        """Tell whether an operation was made at this home."""
        end = self.until.get(operation.replica, 0)
        return end is None or operation.at < end


def own_ids(connection: Connection) -> OwnIds:
    """Return the replicas that a home with a remote was."""
    rows = connection.execute(
        "select e.replica::varchar, lead(e.created) over (order by e.created) from base.enrolment e"
    ).fetchall()
    until = {one: None if after is None else int(after) * 1000 for one, after in rows}
    present = connection.execute("select id::varchar from base.replica").fetchall()
    return OwnIds({**until, **{row[0]: None for row in present}})
