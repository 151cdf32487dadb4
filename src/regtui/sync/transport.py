"""The transport over HTTP: requests, and what answers mean as errors.

Bodies travel packed by zstd. Nothing is sent again by itself after an answer came; a request that
found no connection is repeated a few times, for every one of them may be sent twice.
"""

import platform
import time
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from regtui.core.errors import (
    BadInput,
    Busy,
    Denied,
    NotFound,
    RegtuiError,
    Unreachable,
)
from regtui.replica.keys import Key
from regtui.sync.client import NotEnrolled
from regtui.wire.messages import Answer, Push, answer_decoder, encoder
from regtui.wire.statements import enrolment_statement

TIMEOUT = httpx.Timeout(60, connect=10)
ATTEMPTS = 3
PACKED = 1024


class SignedOut(Denied):
    """The server does not take the token (any more); local work goes on."""

    code = "signed_out"


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
}


class HttpTransport:
    """Talks to one server.

    Args:
        url: Its address.
        token: Who asks; None before signing in.
    """

    def __init__(self, url: str, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT)
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
            RegtuiError: It refused.
        """
        body, headers = encoder.encode(push), {"Content-Type": "application/json"}
        if len(body) > PACKED:
            import zstandard

            body = zstandard.ZstdCompressor(level=1).compress(body)
            headers["Content-Encoding"] = "zstd"
        response = self._send(
            "POST", f"/v1/registries/{registry}/sync", content=body, headers=headers
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
            raise RegtuiError(
                f"what {self.url} answers is not what a regtui server does",
                "`regtui remote show` tells the address",
            ) from None

    def read(self, path: str, **query: Any) -> bytes:
        """Ask for something large and return the body of the answer.

        Raises:
            Unreachable: The server does not answer.
            RegtuiError: It refused.
        """
        return self._send("GET", path, params=query).content

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
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
            raise _error(response)
        raise Unreachable(f"{self.url} does not answer")  # pragma: no cover -- the loop returns


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


def _error(response: httpx.Response) -> RegtuiError:
    """Return what a refusal means here."""
    try:
        told = msgspec.json.decode(response.content)["error"]
        code, message, hint = told["code"], told["message"], told.get("hint", "")
    except (msgspec.MsgspecError, KeyError, TypeError):
        code, message, hint = "", f"the server answered {response.status_code}", ""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return SignedOut(message, "`regtui login` signs you in; your work is kept here")
    if response.status_code in {502, 503, 504, 429}:
        return Unreachable(f"the server is busy: {message}", "try again in a moment")
    return _ERRORS.get(code, RegtuiError)(message, hint)
