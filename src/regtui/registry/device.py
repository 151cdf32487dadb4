"""Signing in by a code: a machine shows it, and somebody who is signed in elsewhere lets it in.

The machine that waits gets a token of whoever approves it, never wider than the one that he
approved it with; no secret passes through anybody's hands.
"""

import platform

from msgspec import Struct

from regtui.core.errors import NotFound
from regtui.registry.answers_access import WaitingDevice
from regtui.registry.asking import ask
from regtui.registry.context import Context
from regtui.registry.remote import RemoteAnswer, address_of, ask_first, sign_in
from regtui.sync.transport import understood


class _Waiting(Struct, frozen=True):
    """What the server tells a machine that begins to wait."""

    device_code: str
    user_code: str
    interval: float
    expires_in: float


class _SignedIn(Struct, frozen=True):
    """What the server tells a machine that was let in."""

    token: str


def begin_device(context: Context) -> WaitingDevice:
    """Let this machine wait for somebody who signs it in.

    Raises:
        NotFound: There is no remote.
        Unreachable: The server does not answer, or too many wait.
    """
    from regtui.sync.transport import HttpTransport

    with HttpTransport(address_of(context), None) as transport:
        told = ask_first(transport, "/v1/device", {"name": platform.node()[:200] or "device"})
    waiting = understood(told, _Waiting)
    return WaitingDevice(
        code=waiting.user_code,
        secret=waiting.device_code,
        interval=waiting.interval,
        expires_in=waiting.expires_in,
    )


def ask_device(context: Context, waiting: WaitingDevice) -> RemoteAnswer | None:
    """Ask whether this machine was signed in, and if so join the registry; None for not yet.

    Args:
        context: The registry.
        waiting: What `begin_device` returned.

    Raises:
        Denied: Whoever was asked refused it, or the code is not good any more.
        BadInput: The registry here is another remote's, or somebody else's.
        Unreachable: The server does not answer; asking again is safe.
    """
    from regtui.sync.transport import HttpTransport, StillWaiting

    url = address_of(context)
    with HttpTransport(url, None) as transport:
        try:
            told = transport.ask("POST", "/v1/device/token", {"device_code": waiting.secret})
        except StillWaiting:
            return None
    return sign_in(context, url, understood(told, _SignedIn).token)


def settle_device(context: Context, code: str, *, approves: bool) -> str:
    """Sign a machine that waits in for oneself, or refuse it; return what it calls itself.

    Args:
        context: The registry.
        code: What it shows; case and dashes do not matter.
        approves: Whether it shall act for this person.

    Raises:
        NotFound: Nobody is signed in here, or no machine waits with this code.
    """
    letters = "".join(one for one in code if one.isascii() and one.isalnum())
    if not letters:
        raise NotFound(f"no machine waits with the code {code!r}", "it shows letters and digits")
    verb = "approve" if approves else "deny"
    return understood(ask(context, "POST", f"device/{letters}/{verb}"), str, "device")
