"""One request to a webhook.

Its body is signed: `X-Regtui-Signature` is `v1=` and the HMAC-SHA256, by the webhook's secret, of
the seconds in `X-Regtui-Timestamp`, a dot, and the body. Who receives it refuses what is not signed
so, and what is older than a few minutes.

Addresses that are not public are refused, for whoever may set up a webhook would reach by it what
only the server's network may. The name is resolved here, every address that it has is looked at,
and the connection is made to an address that was looked at: what the name stands for a moment later
does not matter. Redirects are not followed. The whole exchange has `SECONDS`, whatever the other
side does.
"""

import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from urllib.parse import urlsplit

from msgspec import Struct

SECONDS = 10.0

_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10")))
"""What `ipaddress` calls global and is not: protocols (a cloud's metadata), relays, old sites."""

_SIX_TO_FOUR_BITS = ipaddress.ip_network("64:ff9b::/96")
"""Addresses of version 6 that stand for ones of version 4 behind a translator."""

NOT_PUBLIC = "an address that is not public"

_TOLD = 200


class Call(Struct, frozen=True):
    """What is sent.

    Attributes:
        url: Where to.
        secret: What it is signed with.
        allow_private: Whether that may be an address that is not public.
        id: Of the delivery; the same when it is sent again.
        event: What happened.
        body: JSON.
        at: Seconds since 1970.
    """

    url: str
    secret: str
    allow_private: bool
    id: str
    event: str
    body: bytes
    at: int


class Answer(Struct, frozen=True):
    """What came back: the status, if there was one, and why it counts as a failure."""

    taken: bool
    status: int | None
    told: str | None


class Refused(Exception):
    """The address may not be asked."""


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the signature of a body at a time."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"v1={made.hexdigest()}"


def send(call: Call) -> Answer:
    """Send an event; whatever goes wrong is an answer."""
    try:
        status = _exchange(call)
    except Refused as error:
        return Answer(False, None, str(error))
    except Exception as error:  # noqa: BLE001 -- the other side may do anything
        told = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Answer(False, None, f"it could not be reached: {told}"[:_TOLD])
    if 200 <= status < 300:  # noqa: PLR2004 -- what stands for success
        return Answer(True, status, None)
    if 300 <= status < 400:  # noqa: PLR2004 -- what stands for elsewhere
        return Answer(False, status, "it answered with a redirect, which is not followed")
    return Answer(False, status, f"it answered {status}")


def _exchange(call: Call) -> int:
    parts = urlsplit(call.url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
    connection = kind(host, parts.port)
    connection.sock = _connected(host, connection.port, call.allow_private)
    watch = threading.Timer(SECONDS, _hang_up, [connection])
    watch.daemon = True
    watch.start()
    try:
        if is_tls:
            _begin_tls(connection, host)
        connection.request("POST", _target(parts.path, parts.query), call.body, _headers(call))
        return connection.getresponse().status
    finally:
        watch.cancel()
        connection.close()


def _headers(call: Call) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "regtui-server",
        "Connection": "close",
        "X-Regtui-Event": call.event,
        "X-Regtui-Delivery": call.id,
        "X-Regtui-Timestamp": str(call.at),
        "X-Regtui-Signature": signature(call.secret, call.at, call.body),
    }


def _target(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _connected(host: str, port: int, allow_private: bool) -> socket.socket:
    """Return a connection to an address of a host that may be asked.

    Raises:
        Refused: One of its addresses may not be.
        OSError: None of them answers.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not allow_private:
        for *_, place in found:
            if not is_public(str(place[0])):
                raise Refused(f"{host} is {NOT_PUBLIC}; --allow-private allows it")
    failed: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in found[:4]:
        raw = socket.socket(family, kind, protocol)
        raw.settimeout(SECONDS / 2)
        try:
            raw.connect(place)
        except OSError as error:
            raw.close()
            failed = error
        else:
            return raw
    raise failed


def _begin_tls(connection: http.client.HTTPConnection, host: str) -> None:
    context = ssl.create_default_context()
    plain = connection.sock
    # The handshake comes afterwards, so that it can be hung up on.
    connection.sock = context.wrap_socket(
        plain, server_hostname=host, do_handshake_on_connect=False
    )
    connection.sock.do_handshake()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):  # it may be over just now
        connection.sock.shutdown(socket.SHUT_RDWR)


def is_private(host: str) -> bool:
    """Tell whether a host is, by what is written, no public address; names are not looked up.

    Numbers count in every form that they are connected by, such as `2130706433` and `0x7f.1`.
    """
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return True
    plain = host.partition("%")[0]  # a zone that is not here would make no number of it
    try:
        found = socket.getaddrinfo(
            plain, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except (OSError, UnicodeError):
        return False  # a name
    return not all(is_public(str(place[0])) for *_, place in found)


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public network, whatever form it has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _SIX_TO_FOUR_BITS:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if found.teredo is not None or (inner is not None and not is_public(str(inner))):
            return False
        if found in _SIX_TO_FOUR_BITS:
            return True
        if found.ipv4_mapped is not None:
            return True
    if any(found in one for one in _NOT_PUBLIC if one.version == found.version):
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_loopback or found.is_link_local
    )
