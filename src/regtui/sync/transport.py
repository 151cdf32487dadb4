"""The transport over HTTP: requests, and what answers mean as errors.

Bodies travel packed by zstd. A request that found no connection is repeated a few times, for every
one of them may be sent twice; so is one that the server wants to have later, where that is soon.
Nothing else is sent again by itself after an answer came.
"""

import functools
import math
import platform
import ssl
import time
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from regtui.core.errors import (
    BadInput,
    Busy,
    Denied,
    NotFound,
    RegtuiError,
    StrangeAnswer,
    Unreachable,
)
from regtui.replica.keys import Key
from regtui.sync.client import UPGRADE, NotEnrolled, NotTaken, UpgradeNeeded
from regtui.wire.messages import Answer, Push, answer_decoder, encoder
from regtui.wire.statements import enrolment_statement

_Answer = TypeVar("_Answer")

TIMEOUT = httpx.Timeout(60, connect=10)
AT_THE_DOOR = httpx.Timeout(10)
"""For who signs in: he waits for it, and nothing that it asks takes long."""
ATTEMPTS = 3
PACKED = 1024

PATIENCE = 10.0
"""Seconds that are waited for a server that wants to be asked later; beyond, people are told."""

TOO_LARGE = "its operator raises the limit, such as `client_max_body_size` of nginx"

_LATER = frozenset({429, 502, 503, 504})


class SignedOut(Denied):
    """The server does not take the token (any more); local work goes on."""

    code = "signed_out"


class AskLater(Unreachable):
    """The server is there and has no time.

    Args:
        message: What it says.
        after: Seconds after which it wants to be asked again; None where it does not say.
    """

    def __init__(self, message: str, after: float | None) -> None:
        soon = "a moment" if after is None else f"{math.ceil(after)} s"
        super().__init__(message, f"try again in {soon}; your work is kept here")
        self.after = after


class StillWaiting(RegtuiError):
    """Nobody has signed this machine in yet."""

    code = "authorization_pending"


class CodeExpired(Denied):
    """The code that a machine waits with is not good any more."""

    code = "expired"


_ERRORS: dict[str, type[RegtuiError]] = {
    "not_found": NotFound,
    "denied": Denied,
    "bad_input": BadInput,
    "not_enrolled": NotEnrolled,
    "busy": Busy,
    "authorization_pending": StillWaiting,
    "expired": CodeExpired,
    "upgrade": UpgradeNeeded,
}


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return whom to trust, read once: that takes longer than a request on the local network."""
    return httpx.create_ssl_context()


class HttpTransport:
    """Talks to one server.

    Args:
        url: Its address.
        token: Who asks; None before signing in.
        timeout: How long to wait for it.

    Raises:
        Denied: The token has characters that no token has.
    """

    def __init__(self, url: str, token: str | None, timeout: httpx.Timeout | None = None) -> None:
        # It would be told as a fault of the connection, with all of it in the message.
        if token is not None and not (token.isascii() and token.isprintable()):
            raise Denied(
                "the token has characters that no token has", "copy it once more, in one line"
            )
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        timeout = timeout or (TIMEOUT if token else AT_THE_DOOR)
        self.client = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout, verify=_trust()
        )
        self.registry = ""
        self.url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def sync(self, registry: str, push: Push) -> Answer:
        """Send a push and return the answer.

        Raises:
            Unreachable: The server does not answer.
            NotTaken: It does not take what is in the push.
            RegtuiError: It refused.
        """
        body, headers = encoder.encode(push), {"Content-Type": "application/json"}
        if len(body) > PACKED:
            import zstandard

            body = zstandard.ZstdCompressor(level=1).compress(body)
            headers["Content-Encoding"] = "zstd"
        response = self._send(
            "POST",
            f"/v1/registries/{registry}/sync",
            not_taken=True,
            content=body,
            headers=headers,
        )
        try:
            return answer_decoder.decode(response.content)
        except msgspec.MsgspecError as error:
            raise RegtuiError(
                f"the server's answer can't be read: {error}", "upgrade regtui or the server"
            ) from None

    def enrol(self, registry: str, user: str, key: Key) -> None:
        """Let a replica act for its user.

        Raises:
            Unreachable: The server does not answer.
            RegtuiError: It refused.
        """
        public = key.public.hex()
        statement = enrolment_statement(registry, user, public)
        body = {
            "public_key": public,
            "host": platform.node(),
            "signature": key.sign(statement).hex(),
        }
        self._send("POST", f"/v1/registries/{registry}/replicas", json=body)

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Ask for something else and return the JSON of the answer.

        Raises:
            Unreachable: The server does not answer.
            RegtuiError: It refused.
        """
        given = {name: value for name, value in query.items() if value is not None}
        response = self._send(method, path, json=body, params=given)
        try:
            return msgspec.json.decode(response.content) if response.content else None
        except msgspec.DecodeError:
            raise strange(self.url, response.status_code) from None

    def read(self, path: str, **query: Any) -> bytes:
        """Ask for something large and return the body of the answer.

        Raises:
            Unreachable: The server does not answer.
            RegtuiError: It refused.
        """
        return self._send("GET", path, params=query).content

    def _send(
        self, method: str, path: str, *, not_taken: bool = False, **options: Any
    ) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            try:
                response = self.client.request(method, path, **options)
            except httpx.UnsupportedProtocol:
                raise BadInput(f"{self.url!r} is no address", "https://HOST[:PORT]") from None
            except httpx.TransportError as error:
                if attempt + 1 < ATTEMPTS and isinstance(
                    error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError
                ):
                    time.sleep(0.1 * 3**attempt)
                    continue
                raise Unreachable(
                    f"{self.url} does not answer ({_reason(error)})",
                    "your work is kept here; try again when the server is there",
                ) from None
            if response.is_success:
                return response
            after = _retry_after(response)
            if attempt + 1 < ATTEMPTS and after is not None and after <= PATIENCE:
                time.sleep(after)
                continue
            refused = _error(self.url, response)
            if not_taken and _is_of_content(response.status_code, refused):
                raise NotTaken(refused.message, refused.hint)
            raise refused
        raise Unreachable(f"{self.url} does not answer")  # pragma: no cover -- the loop returns


def understood(told: Any, kind: type[_Answer], field: str | None = None) -> _Answer:
    """Return an answer as what it should be.

    Args:
        told: The JSON of an answer.
        kind: What it should be.
        field: What is wanted of it; None for all.

    Raises:
        RegtuiError: It is something else.
    """
    try:
        if field is not None:
            told = msgspec.convert(told, dict[str, Any]).get(field)
        return msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        raise RegtuiError(
            f"the server's answer can't be read: {error}", "upgrade regtui or the server"
        ) from None


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ReadTimeout):
        waited = error.request.extensions.get("timeout", {}).get("read")
        return f"it is there, and said nothing for {waited:g} s" if waited else "it says nothing"
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection came about"
    return str(error) or type(error).__name__


_OF_CONTENT = frozenset({400, 409, 413, 422})


def _is_of_content(status: int, error: RegtuiError) -> bool:
    """Tell whether an answer may be about what was sent, and not about who sent it or when."""
    others = NotEnrolled | UpgradeNeeded | Busy | StrangeAnswer
    return status in _OF_CONTENT and not isinstance(error, others)


def strange(url: str, status: int) -> StrangeAnswer:
    """Return what is told of an answer that is no regtui server's."""
    return StrangeAnswer(
        f"what {url} answers ({status}) is not what a regtui server does",
        "`regtui remote show` tells the address, `regtui remote add URL` names another",
    )


def _error(url: str, response: httpx.Response) -> RegtuiError:
    """Return what a refusal means here."""
    try:
        told = msgspec.json.decode(response.content)["error"]
        code, message, hint = told["code"], told["message"], told.get("hint", "")
    except (msgspec.MsgspecError, KeyError, TypeError):
        told = strange(url, response.status_code)
        code, message, hint = "", told.message, told.hint
    if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE and not code:
        return RegtuiError(f"what stands before {url} takes no request as large", TOO_LARGE)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return SignedOut(message, "`regtui login` signs you in; your work is kept here")
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return AskLater("the server was asked too often", _retry_after(response))
    if response.status_code in _LATER:
        busy = message if code else f"{url} answered {response.status_code}"
        return AskLater(f"the server is busy: {busy}", _retry_after(response))
    if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        return BadInput(f"the server does not understand that: {message}", hint)
    if code == UpgradeNeeded.code:
        hint = UPGRADE
    return _ERRORS.get(code, RegtuiError if code else StrangeAnswer)(message, hint)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds after which the server wants to be asked again, if it says so."""
    text = response.headers.get("retry-after", "").strip()
    if response.status_code not in _LATER or not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    from email.utils import parsedate_to_datetime  # proxies may name a moment

    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
