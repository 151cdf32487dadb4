"""What waits for the server, shown on top of what was accepted."""

from collections.abc import Mapping, Sequence

from regtui.core.operations import CaptureBody, Operation, subject
from regtui.core.verdicts import encode_verdict
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.hidden_captures import note_hidden
from regtui.replica.remote import Remote
from regtui.replica.unit import Replica
from regtui.sync.outgoing import ACKNOWLEDGED, PENDING, SENT, waiting


def show_waiting(
    replica: Replica,
    session: str,
    connection: Connection,
    remote: Remote,
    keys: Mapping[str, int],
) -> None:
    """Judge what waits again, on top of what was accepted.

    What it makes has the key that it had before, for its files hang on that.

    Args:
        replica: The replica.
        session: Which invocation this is.
        connection: Inside a transaction; it holds what was accepted, and nothing else.
        remote: Of the replica.
        keys: The local keys of what is here and was here, by id.
    """
    still = waiting(connection, [PENDING, SENT, ACKNOWLEDGED])
    if still:
        _judge_again(replica, session, connection, remote, keys, still)
    captures = (one.entity for _, one, _ in still if isinstance(one.body, CaptureBody))
    note_hidden(connection, captures, keys)


def _judge_again(  # noqa: PLR0913, PLR0917 -- of whom, where, and what
    replica: Replica,
    session: str,
    connection: Connection,
    remote: Remote,
    keys: Mapping[str, int],
    still: Sequence[tuple[int, Operation, bytes]],
) -> None:
    authority = SoloAuthority(
        connection, remote.actor, "api", session, replica.clock(), replica.home.path
    )
    authority.kept = keys
    authority.view.load(
        entity
        for _, operation, _ in still
        for entity in (operation.entity, operation.stream, subject(operation))
    )
    previews = [
        encode_verdict(authority.show_again(position, operation, data)).decode()
        for position, operation, data in still
    ]
    connection.execute(
        "update base.outbox set verdict = s.verdict from ("
        "select unnest(?::bigint[]) as position, unnest(?::varchar[]) as verdict) s "
        "where outbox.position = s.position",
        [[position for position, _, _ in still], previews],
    )
    authority.flush()
