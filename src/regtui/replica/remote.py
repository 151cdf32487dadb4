"""What a replica knows of its remote: where it is, who acts there, and how far it was read."""

from typing import Any

import msgspec
from msgspec import Struct

from regtui.core.access import Actor, Grant, Role
from regtui.replica.database import Connection

PENDING = 1 << 52
"""Where the sequence numbers of waiting operations begin; they are of this replica alone."""

OFFLINE, ONLINE, REVOKED = "offline", "online", "signed out"


class Remote(Struct):
    """The one row of base.remote.

    Attributes:
        url: Of the server.
        registry_name: As the server calls it.
        user_id: Id of who acts.
        user_name: His name.
        roles: What he may do there, as `[role, scope]`.
        server_key: The key by which the server signs.
        enrolled: The replica that may act for him; None before.
        anchor: The newest history that is known, as the server gave it.
        cursor: How far everything was read.
        staged: How far the walk is that has not ended; None between walks.
        streams: Digest of the streams that are known to be readable.
        refetch: Streams that are read anew with the next walk.
        acked_n: The last operation of this replica of which there is a verdict.
        synced: Milliseconds of the last sync, None before the first.
        skew_us: Microseconds by which this machine's clock is ahead of the server's.
        state: `online`, `offline` or `signed out`, as the last sync found it.
        history: The operation from which on the history is whole here; None where that is as the
            cursor says.
    """

    url: str
    registry_name: str
    user_id: str
    user_name: str
    roles: list[tuple[str, str]]
    server_key: bytes
    enrolled: str | None = None
    anchor: dict[str, Any] | None = None
    cursor: dict[str, Any] = {}
    staged: dict[str, Any] | None = None
    streams: str = ""
    refetch: list[str] = []
    acked_n: int = 0
    synced: int | None = None
    skew_us: int = 0
    state: str = OFFLINE
    history: int | None = None

    @property
    def actor(self) -> Actor:
        """Who acts, with the grants that the server told of."""
        grants = tuple(Grant(Role[role.upper()], scope) for role, scope in self.roles)
        return Actor(self.user_id, self.user_name, grants)


_JSON = ("roles", "anchor", "cursor", "staged", "refetch")
_COLUMNS = (
    "url, registry_name, user_id::varchar, user_name, roles, server_key, enrolled::varchar, "
    "anchor, cursor, staged, streams, refetch, acked_n, synced, skew_us, state, history"
)


def read_remote(connection: Connection) -> Remote | None:
    """Return the remote of a replica; None where it decides for itself."""
    row = connection.execute(f"select {_COLUMNS} from base.remote").fetchone()  # noqa: S608
    if row is None:
        return None
    values = dict(zip(Remote.__struct_fields__, row, strict=True))
    for name in _JSON:
        values[name] = None if values[name] is None else msgspec.json.decode(values[name])
    values["roles"] = [(role, scope) for role, scope in values["roles"]]
    values["server_key"] = bytes(values["server_key"])
    return Remote(**values)


def write_remote(connection: Connection, remote: Remote) -> None:
    """Keep what is known of the remote."""
    values = {name: getattr(remote, name) for name in Remote.__struct_fields__}
    for name in _JSON:
        given = values[name]
        values[name] = None if given is None else msgspec.json.encode(given).decode()
    connection.execute("delete from base.remote")
    marks = ", ".join("?" * len(values))
    connection.execute(f"insert into base.remote values ({marks})", list(values.values()))  # noqa: S608
