"""The history at the remote: older operations than a first sync carries, fetched when asked for."""

from collections.abc import Callable

from regtui.core.errors import RegtuiError
from regtui.registry.capture import Progress
from regtui.registry.context import Context
from regtui.registry.syncing import signed_in
from regtui.replica.accepting import Accepting
from regtui.replica.database import Connection
from regtui.replica.remote import read_remote, write_remote
from regtui.sync.lock import syncing_alone
from regtui.wire.history import history_decoder


def fetch_history(
    context: Context,
    on_progress: Progress | None = None,
    *,
    is_enough: Callable[[Connection], bool] = lambda _: False,
) -> int:
    """Read the operations that are not here from the remote; return how many came.

    Each page is kept when it came, so that doing it again goes on.

    Args:
        context: The registry.
        on_progress: Is told how many more operations came.
        is_enough: Tells whether the older ones may stay there.

    Raises:
        NotFound: There is no remote, or nobody is signed in.
        Unreachable: The server does not answer.
        Busy: Another process syncs this registry.
    """
    came = 0
    with (
        signed_in(context) as transport,
        syncing_alone(context.replica),
    ):
        with context.reading() as connection:
            before = missing_before(connection)
            ends = is_enough(connection)
        while before > 1 and not ends:
            body = transport.read(f"/v1/registries/{transport.registry}/log", before=before)
            page = history_decoder.decode(body)
            before = page.reached or 1
            with context.replica.changing() as connection:
                Accepting(connection).take_history(page.entries, page.names)
                remote = read_remote(connection)
                if remote is None:
                    raise RegtuiError("the remote is gone")
                remote.history = before
                write_remote(connection, remote)
                ends = is_enough(connection)
            came += len(page.entries)
            if on_progress is not None:
                on_progress(len(page.entries))
    return came


def has_what_it_told(connection: Connection) -> bool:
    """Tell whether all is here that this replica has receipts for.

    Where everything was read anew, as after a restore of the server, only the newest history came
    with it. Should the server lose the rest once more, nobody else may have it.
    """
    missing = connection.execute(
        "select 1 from base.receipted r "
        "where not exists (from base.operation o where o.id = r.operation) "
        "and not exists (from base.outbox w where w.id = r.operation) limit 1"
    ).fetchone()
    return missing is None


def missing_before(connection: Connection) -> int:
    """Return the operation before which history is missing here; 1 where none is."""
    remote = read_remote(connection)
    if remote is None:
        return 1
    return remote.history or int(remote.cursor.get("logs", 0)) + 1
