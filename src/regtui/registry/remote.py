"""The remote: which server decides, and who acts there."""

import urllib.parse
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from regtui.core.errors import BadInput, Denied, NotFound, RegtuiError, Unreachable
from regtui.registry.context import Context
from regtui.replica.database import Connection
from regtui.replica.remote import ONLINE, REVOKED, Remote, read_remote, write_remote

if TYPE_CHECKING:
    from regtui.sync.transport import HttpTransport

SOLO = "not published"
"""The state of a registry with a history of its own."""

ADDRESS = "remote.url"
"""The file that holds the address between `remote add` and `login`."""


class RemoteAnswer(Struct, frozen=True, kw_only=True):
    """A remote.

    Attributes:
        url: Its address.
        registry: Name of the registry there; None before signing in.
        user: Who acts there.
        roles: What he may do, as `[role, scope]`.
        state: `online`, `offline`, `healing` or `signed out`, as the last sync found it; without a
            token here, `signed out`; `not published` where the registry has a history that the
            remote does not know.
        synced: Milliseconds of the last sync, None before the first; one that brought nothing is
            noted once a minute.
        pending: Operations that wait.
        refused: Operations that were refused, in the outbox.
        clock_ahead: Seconds by which this machine's clock is ahead of the server's.
    """

    url: str
    registry: str | None
    user: str | None
    roles: list[tuple[str, str]]
    state: str
    synced: int | None
    pending: int
    refused: int
    clock_ahead: int

    @property
    def is_solo(self) -> bool:
        """Whether the registry has a history that the remote does not know."""
        return self.state == SOLO

    @property
    def is_signed_in(self) -> bool:
        """Whether the registry can be synced, as far as is known."""
        return self.state not in {REVOKED, SOLO}


class Me(Struct, frozen=True):
    """What the server says of who signed in.

    Attributes:
        registry: Id of the registry.
        registry_name: Its name there.
        user: His id.
        name: His name.
        roles: What he may do, as `[role, scope]`.
        server_key: The public key by which the server signs, hex digits.
    """

    registry: str
    registry_name: str
    user: str
    name: str
    roles: list[tuple[str, str]]
    server_key: str


def add_remote(context: Context, url: str) -> RemoteAnswer:
    """Note the address of the server that shall decide; `login` joins it.

    Raises:
        BadInput: It is no address, or there is a remote already.
    """
    address = checked_address(url)
    context.replica.make()
    with context.reading() as connection:
        remote = read_remote(connection)
    if remote is not None and remote.url != address:
        raise BadInput(
            f"there is a remote already: {remote.url}",
            "`regtui remote move URL` follows it to another address",
        )
    (context.home / ADDRESS).write_text(address + "\n", encoding="utf-8")
    return remote_of(context)


def move_remote(context: Context, url: str) -> RemoteAnswer:
    """Follow the server to another address, with the token of the one that it had.

    Raises:
        NotFound: There is no remote, or nobody is signed in to it.
        BadInput: It is no address, or another server answers there.
        Unreachable: Nothing answers there.
    """
    from regtui.sync.credentials import forget_token, keep_token
    from regtui.sync.transport import HttpTransport

    address, before = checked_address(url), address_of(context)
    with context.reading() as connection:
        remote = read_remote(connection)
    if remote is None:
        (context.home / ADDRESS).write_text(address + "\n", encoding="utf-8")
        return remote_of(context)
    token = token_of(context, before)
    with HttpTransport(address, token) as transport:
        me = who_am_i(transport)
    if bytes.fromhex(me.server_key) != remote.server_key:
        raise BadInput(f"another server answers at {address}", "ask its operator for the address")
    with context.reading() as connection:
        check_membership(connection, me)
    keep_token(address, context.home, token)
    with context.replica.changing() as connection:
        remote = read_remote(connection)
        if remote is not None:
            remote.url = address
            write_remote(connection, remote)
    if address != before:
        forget_token(before, context.home)
    return remote_of(context)


def remote_of(context: Context) -> RemoteAnswer:
    """Return the remote.

    Raises:
        NotFound: There is none.
    """
    with context.reading() as connection:
        remote = read_remote(connection)
        if remote is not None:
            return _answer(connection, remote, is_signed_in=has_token(context, remote.url))
        state = SOLO if is_solo(connection) else REVOKED
    return RemoteAnswer(
        url=address_of(context), registry=None, user=None, roles=[], state=state,
        synced=None, pending=0, refused=0, clock_ahead=0,
    )  # fmt: skip


def remove_remote(context: Context) -> str:
    """Leave the remote: the replica decides for itself again; return the address it had.

    Raises:
        NotFound: There is none.
        BadInput: Something waits for it.
    """
    from regtui.sync.credentials import forget_token

    with context.replica.changing() as connection:
        remote = read_remote(connection)
        if remote is not None:
            answer = _answer(connection, remote, is_signed_in=True)
            if answer.pending:
                waits = (
                    "a change waits" if answer.pending == 1 else f"{answer.pending} changes wait"
                )
                raise BadInput(
                    f"{waits} for {remote.url}",
                    "`regtui sync` first, or `regtui outbox discard --all`",
                )
            raise BadInput(
                "a replica that a server decided for can't decide alone",
                "`regtui logout` signs out; `regtui --home DIR` begins another registry",
            )
    url = address_of(context)
    forget_token(url, context.home)
    (context.home / ADDRESS).unlink(missing_ok=True)
    return url


def login(context: Context, token: str) -> RemoteAnswer:
    """Sign in to the remote with a token, and join its registry.

    Raises:
        NotFound: There is no remote.
        Denied: The token is not good.
        BadInput: The registry here is another remote's, or somebody else's.
        Unreachable: The server does not answer.
    """
    from regtui.sync.transport import HttpTransport, SignedOut, understood

    url = address_of(context)
    with HttpTransport(url, None) as transport:
        try:
            told = ask_first(transport, "/v1/login", {"token": token})
        except SignedOut as error:
            raise Denied(error.message, "ask an admin for another token") from None
    return sign_in(context, url, understood(told, str, "token"))


def ask_first(transport: "HttpTransport", path: str, body: dict[str, str]) -> Any:
    """Ask a server for what each of them has, and return the JSON of the answer.

    Raises:
        NotFound: There is no regtui server at this address.
        Unreachable: Nothing answers there.
        RegtuiError: It refused, or what answers is something else.
    """
    try:
        return transport.ask("POST", path, body)
    except NotFound:
        raise NotFound(
            f"there is no regtui server at {transport.url}",
            "`regtui remote add URL` names another address",
        ) from None


def sign_in(context: Context, url: str, token: str) -> RemoteAnswer:
    """Keep a lasting token, and join the registry that it is for.

    Args:
        context: The registry.
        url: The server's address.
        token: Of whoever acts here from now on.

    Raises:
        Denied: The token is not good.
        BadInput: The registry here is another remote's, or somebody else's.
        Unreachable: The server does not answer.
    """
    from regtui.sync.credentials import keep_token
    from regtui.sync.transport import AT_THE_DOOR, HttpTransport

    with HttpTransport(url, token, AT_THE_DOOR) as transport:
        me = who_am_i(transport)
    # Whose replica it is keeps his token where somebody else tries.
    with context.reading() as connection:
        check_membership(connection, me)
    # The token first: one that was good for one login is used by now.
    keep_token(url, context.home, token)
    with context.replica.changing() as connection:
        if is_solo(connection):
            # It goes on deciding for itself until it is published.
            return RemoteAnswer(
                url=url, registry=me.registry_name, user=me.name, roles=me.roles, state=SOLO,
                synced=None, pending=0, refused=0, clock_ahead=0,
            )  # fmt: skip
        join(connection, url, me)
    with context.reading() as connection:
        remote = read_remote(connection)
        if remote is None:
            raise RegtuiError("the remote is gone")
        return _answer(connection, remote, is_signed_in=True)


def who_am_i(transport: "HttpTransport") -> Me:
    """Ask the server who is signed in.

    Raises:
        Unreachable: It does not answer.
        Denied: The token is not good.
    """
    from regtui.sync.transport import understood

    return understood(transport.ask("GET", "/v1/me"), Me)


def token_of(context: Context, url: str) -> str:
    """Return the token by which somebody is signed in to a server here.

    Raises:
        NotFound: Nobody is.
    """
    from regtui.sync.credentials import token_for

    token = token_for(url, context.home)
    if token is None:
        raise NotFound(f"nobody is signed in to {url}", "`regtui login`")
    return token


def is_solo(connection: Connection) -> bool:
    """Tell whether a registry has a history that it decided itself."""
    row = connection.execute("select seq from base.replica").fetchone()
    return read_remote(connection) is None and row is not None and row[0] > 0


def logout(context: Context) -> str:
    """Sign out: the token is revoked and forgotten; what is here stays. Return the address.

    Raises:
        NotFound: Nobody is signed in.
        Unreachable: The token is forgotten here, and the server does not know of it.
    """
    from regtui.registry.syncing import note_state
    from regtui.sync.credentials import forget_token, token_for
    from regtui.sync.transport import AT_THE_DOOR, HttpTransport, SignedOut

    url = address_of(context)
    token = token_for(url, context.home)
    if token is None:
        raise NotFound("nobody is signed in here", "`regtui login`")
    failure: RegtuiError | None = None
    with HttpTransport(url, token, AT_THE_DOOR) as transport:
        try:
            transport.ask("POST", "/v1/logout")
        except SignedOut:
            pass  # it was good for nothing any more
        except RegtuiError as error:
            failure = error
    forget_token(url, context.home)
    note_state(context, REVOKED)  # for whoever has the registry open meanwhile
    if failure is not None:
        kind = Unreachable if isinstance(failure, Unreachable) else RegtuiError
        raise kind(
            f"you are signed out here, but the token stays good at the server: {failure.message}",
            "`regtui token revoke ID` ends it wherever you are signed in; `token ls` lists them",
        )
    return url


def address_of(context: Context) -> str:
    """Return the remote's address.

    Raises:
        NotFound: There is no remote.
    """
    with context.reading() as connection:
        remote = read_remote(connection)
    if remote is not None:
        return remote.url
    try:
        return (context.home / ADDRESS).read_text(encoding="utf-8").strip()
    except OSError:
        raise NotFound("there is no remote", "`regtui remote add URL` names one") from None


def checked_address(url: str) -> str:
    """Return the address of a server as it is kept.

    Raises:
        BadInput: It is none, or goes over the network in the clear.
    """
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"https://{url}")
        port = parts.port
    except ValueError:  # beyond 65535, or half of an IPv6 address
        raise BadInput(f"{url!r} is no address of a server", "https://HOST[:PORT]") from None
    known = parts.scheme in {"http", "https"} and parts.hostname and port != 0
    beyond = parts.username or parts.query or parts.fragment or not url.isprintable()
    if not known or beyond or any(map(str.isspace, url)):
        raise BadInput(f"{url!r} is no address of a server", "https://HOST[:PORT]")
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme == "http" and not is_here:
        raise BadInput(
            f"{url} would send your token in the clear", "use https, or a tunnel to localhost"
        )
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def check_membership(connection: Connection, me: Me) -> None:
    """Refuse who can't act on a replica.

    Args:
        connection: The replica's.
        me: What the server says of who signed in.

    Raises:
        BadInput: It belongs to another registry, or acts for somebody else.
    """
    remote = read_remote(connection)
    if remote is None:
        return
    row = connection.execute("select registry::varchar from base.replica").fetchone()
    if row is not None and row[0] != me.registry:
        raise BadInput(
            "this replica belongs to another registry", "sign in with --home DIR to begin a new one"
        )
    if remote.user_id != me.user:
        raise BadInput(
            f"this replica is {remote.user_name}'s", "sign in as him, or with --home DIR"
        )


def join(connection: Connection, url: str, me: Me) -> None:
    """Let a replica belong to the registry of a server.

    Args:
        connection: Inside a transaction; it has no history of its own.
        url: The server's address.
        me: What the server says of who signed in.

    Raises:
        BadInput: It belongs to another registry, or acts for somebody else.
    """
    check_membership(connection, me)
    remote = read_remote(connection)
    key = bytes.fromhex(me.server_key)
    if remote is None:
        remote = Remote(
            url=url,
            registry_name=me.registry_name,
            user_id=me.user,
            user_name=me.name,
            roles=me.roles,
            server_key=key,
        )
        connection.execute("update base.replica set registry = ?", [me.registry])
    remote.roles, remote.server_key, remote.state = me.roles, key, ONLINE
    write_remote(connection, remote)


def has_token(context: Context, url: str) -> bool:
    """Tell whether there is a token here; whether it is any good the server alone knows."""
    from regtui.sync.credentials import token_for

    return token_for(url, context.home) is not None


def _answer(connection: Connection, remote: Remote, *, is_signed_in: bool) -> RemoteAnswer:
    row = connection.execute(
        "select count(*) filter (state in ('pending', 'sent')), "
        "count(*) filter (state = 'refused') from base.outbox"
    ).fetchone()
    pending, refused = row or (0, 0)
    return RemoteAnswer(
        url=remote.url,
        registry=remote.registry_name,
        user=remote.user_name,
        roles=remote.roles,
        state=remote.state if is_signed_in else REVOKED,
        synced=remote.synced,
        pending=pending,
        refused=refused,
        clock_ahead=remote.skew_us // 1_000_000,
    )
