"""Who asks over HTTP: the dependency by which every handler learns the caller of a request."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

from fastapi import Header, Request

from sync_server.administration import authenticated
from sync_server.authority import Refused
from sync_server.server import Server
from sync_server.sync import Caller

if TYPE_CHECKING:
    from sync_server.rate_limits import RateLimiter

Signed = tuple[int, Caller, str]
"""The number of the token's registry, the caller, and the token's id."""


def signed_in(server: Server) -> Callable[..., Signed]:
    """Return the dependency: it gives who signed in, or refuses."""

    def caller(request: Request, authorization: Annotated[str | None, Header()] = None) -> Signed:
        secret = bearer(authorization)
        limiter: RateLimiter | None = getattr(request.app.state, "limiter", None)
        with guarded(request), server.database.reading() as connection:
            key, user, token, roles = authenticated(connection, secret, server.clock())
            who = Caller(user, roles)
            server.service.rights_of(connection, key, who)  # refuses who is disabled
        # For the log and the limits, which know nothing of tokens.
        request.state.user, request.state.token = user, token
        server.uses.note(token)
        if limiter is not None:
            limiter.take(token)
        return key, who, token

    return caller


@contextlib.contextmanager
def guarded(request: Request) -> Iterator[None]:
    """Count a refused sign-in for the address that it comes from.

    Raises:
        TooMany: There were too many.
    """
    guesses: RateLimiter | None = getattr(request.app.state, "guesses", None)
    address = "" if request.client is None else request.client.host
    try:
        yield
    except Refused:
        if guesses is not None:
            guesses.take(address)
        raise


def bearer(authorization: str | None) -> str:
    """Return the secret of an Authorization header.

    Raises:
        Refused: There is none.
    """
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Refused(401, "unauthenticated", "a token is needed")
    return secret


def own_registry(server: Server, registry: str, asking: Signed) -> None:
    """Refuse a registry that the token is not for, as one that is not there.

    Raises:
        Refused: It is not.
    """
    if server.registry_id(asking[0]) != registry:
        raise Refused(404, "not_found", "there is no such registry")
