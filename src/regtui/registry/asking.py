"""Asking the server: for what it alone knows, such as people, grants and tokens.

Who may do what is decided and kept on the server, and no replica has a copy of it: each question
goes over the network, and without it there is no answer.
"""

import urllib.parse
from typing import Any

from regtui.core.errors import NotFound
from regtui.registry.context import Context
from regtui.registry.remote import address_of, token_of, who_am_i
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
    from regtui.sync.transport import HttpTransport

    url = address_of(context)
    with HttpTransport(url, token_of(context, url)) as transport:
        registry = _registry(context) or who_am_i(transport).registry
        return transport.ask(method, f"/v1/registries/{registry}/{path}", body, **query)


def _registry(context: Context) -> str | None:
    """Return the id of the registry that was joined; None for one that is not published yet."""
    with context.reading() as connection:
        if read_remote(connection) is None:
            return None
        row = connection.execute("select registry::varchar from base.replica").fetchone()
    return None if row is None else str(row[0])


def segment(name: str, kind: str) -> str:
    """Return a name as a part of a path.

    Args:
        name: As somebody typed it.
        kind: Of what; for the error.

    Raises:
        NotFound: Nothing can be called so.
    """
    if name in {"", ".", ".."} or "/" in name:
        raise NotFound(f"there is no {kind} {name!r}", f"`regtui {kind} ls` lists them")
    try:
        return urllib.parse.quote(name, safe="")
    except UnicodeEncodeError:
        raise NotFound(f"there is no {kind} {name!r}", f"`regtui {kind} ls` lists them") from None
