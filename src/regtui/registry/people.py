"""People: what the server alone knows of users, teams, grants and tokens; asked of it each time."""

from typing import Any

from regtui.core.errors import NotFound
from regtui.registry.context import Context
from regtui.replica.remote import read_remote


def ask(context: Context, method: str, path: str, body: Any = None, **query: Any) -> Any:
    """Ask the server and return the JSON of its answer.

    Args:
        context: The registry; it has a remote.
        method: Such as `GET`.
        path: Below the registry's address.
        body: JSON.
        query: Parameters; None leaves one out.

    Raises:
        NotFound: There is no remote, nobody is signed in, or there is no such thing.
        Denied: It is not this person's to ask.
        Unreachable: The server does not answer.
    """
    from regtui.sync.credentials import token_for
    from regtui.sync.transport import HttpTransport

    with context.reading() as connection:
        remote = read_remote(connection)
        row = connection.execute("select registry::varchar from base.replica").fetchone()
    token = None if remote is None else token_for(remote.url, context.home)
    if remote is None or token is None or row is None:
        raise NotFound("nobody is signed in to a server", "`regtui remote add URL`, `regtui login`")
    with HttpTransport(remote.url, token) as transport:
        return transport.ask(method, f"/v1/registries/{row[0]}/{path}", body, **query)
