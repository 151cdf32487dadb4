"""Sync: send what waits and read what is newer; the files that others need go along."""

from regtui.core.errors import NotFound, RegtuiError, Unreachable
from regtui.registry.context import Context
from regtui.replica.remote import read_remote, write_remote
from regtui.sync.client import SyncClient, Synced


def sync(context: Context) -> Synced:
    """Sync with the remote.

    Raises:
        NotFound: There is no remote, or nobody is signed in.
        Unreachable: The server does not answer; local work is safe.
        Denied: The token is not good any more; local work goes on.
        Busy: Another process syncs this registry.
    """
    from regtui.sync.credentials import token_for
    from regtui.sync.transport import HttpTransport, SignedOut

    with context.reading() as connection:
        remote = read_remote(connection)
    if remote is None:
        raise NotFound("there is no remote", "`regtui remote add URL` and `regtui login`")
    token = token_for(remote.url, context.home)
    if token is None:
        raise NotFound(f"nobody is signed in to {remote.url}", "`regtui login`")
    with HttpTransport(remote.url, token) as transport:
        try:
            return SyncClient(context.replica, transport, context.session).sync()
        except SignedOut:
            _note(context, "signed out")
            raise
        except Unreachable:
            _note(context, "offline")
            raise


def _note(context: Context, state: str) -> None:
    """Note how the server was found, for whoever looks at it later."""
    try:
        with context.replica.changing() as connection:
            remote = read_remote(connection)
            if remote is not None and remote.state != state:
                remote.state = state
                write_remote(connection, remote)
    except RegtuiError:
        return  # what made the sync fail is what people have to hear
