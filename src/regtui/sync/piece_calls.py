"""What is asked of a server about files, one method a request.

Answers that may be other ones soon come as `Again`: a network that failed, a server that is busy or
not there. Everything else that is no success is an error for people.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import httpx
import msgspec
from msgspec import Struct

from regtui.core.errors import Denied, NotFound, RegtuiError
from regtui.sync.retrying import Again
from regtui.sync.transport import TOO_LARGE, SignedOut, strange
from regtui.wire.pieces import (
    UPLOAD_OFFSET,
    MissingAnswer,
    MissingRequest,
    UploadState,
)

_SOON = {408, 409, 425, 429, 500, 502, 503, 504}
_CONNECT = 10.0
_SILENCE = 60.0
_STORED_A_SECOND = 20 << 20  # what a server is trusted to check and store, in bytes

_Answer = TypeVar("_Answer")


class Api(Protocol):
    """A connection to a server.

    Attributes:
        client: With the server's address and the token.
        registry: Id of the registry there.
    """

    @property
    def client(self) -> httpx.Client: ...  # noqa: D102

    @property
    def registry(self) -> str: ...  # noqa: D102


class WrongBytes(Exception):
    """The server found that the bytes have another digest."""


class _Problem(Struct):
    code: str = ""
    message: str = ""


class _Refusal(Struct):
    error: _Problem


class PieceCalls:
    """Requests about the files of one stream.

    Args:
        api: The connection.
        stream: Id of the stream.
    """

    def __init__(self, api: Api, stream: str) -> None:
        self._client = api.client
        self._path = f"/v1/registries/{api.registry}/streams/{stream}/pieces"

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return those that the stream lacks on the server.

        Raises:
            Again: It may succeed soon.
            RegtuiError: The server refuses.
        """
        body = msgspec.json.encode(MissingRequest(list(digests)))
        answer = self._request("POST", "/missing", content=body)
        return _decoded(answer, MissingAnswer).missing

    def state(self, digest: str) -> UploadState:
        """Return how the upload of a file stands.

        Raises:
            Again: It may succeed soon.
            RegtuiError: The server refuses.
        """
        return _decoded(self._request("GET", f"/{digest}/upload"), UploadState)

    def put(self, digest: str, offset: int, size: int, blocks: Iterator[bytes]) -> None:
        """Send a file from a byte on.

        Args:
            digest: Of the whole file.
            offset: The first byte that is sent.
            size: Bytes of the whole file.
            blocks: Its bytes from there on.

        Raises:
            WrongBytes: The server found another digest.
            Again: It may succeed soon.
            RegtuiError: The server refuses.
        """
        headers = {UPLOAD_OFFSET: str(offset), "Content-Length": str(size - offset)}
        timeout = _timeout(_SILENCE + size / _STORED_A_SECOND)
        self._request("PUT", f"/{digest}", content=blocks, headers=headers, timeout=timeout)

    @contextmanager
    def get(self, digest: str, offset: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Ask for a file from a byte on; yield the size of the whole, and its bytes from there on.

        Raises:
            NotFound: The stream has no such file on the server.
            Again: It may succeed soon; also while the bytes are read.
            RegtuiError: The server refuses.
        """
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        with _network():
            request = self._client.build_request(
                "GET", f"{self._path}/{digest}", headers=headers, timeout=_timeout(_SILENCE)
            )
            response = self._client.send(request, stream=True, follow_redirects=True)
        try:
            with _network():
                if not response.is_success:
                    response.read()
                    _refuse(response)
            yield _size(response, offset), _bytes(response)
        finally:
            response.close()

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        more.setdefault("timeout", _timeout(_SILENCE))
        with _network():
            answer = self._client.request(method, self._path + path, **more)
        if not answer.is_success:
            _refuse(answer)
        return answer


@contextmanager
def _network() -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, httpx.StreamError) as error:
        raise Again(str(error) or type(error).__name__) from error


def _timeout(silence: float) -> httpx.Timeout:
    return httpx.Timeout(_SILENCE, connect=_CONNECT, read=silence)


def _bytes(response: httpx.Response) -> Iterator[bytes]:
    with _network():
        yield from response.iter_raw()


def _size(response: httpx.Response, offset: int) -> int:
    """Return the size of the whole file whose bytes a response carries from an offset on."""
    try:
        length = int(response.headers["content-length"])
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            span, _, size = response.headers["content-range"].removeprefix("bytes ").partition("/")
            if span == f"{offset}-{int(size) - 1}" and length == int(size) - offset:
                return int(size)
        elif offset == 0:
            return length
    except (KeyError, ValueError):
        pass
    raise Again("the server answered with another part of the file")


def _decoded(answer: httpx.Response, kind: type[_Answer]) -> _Answer:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RegtuiError(f"this is no answer of a regtui server: {error}") from error


def _refuse(answer: httpx.Response) -> None:
    status, problem = answer.status_code, _problem(answer)
    if status == httpx.codes.UNPROCESSABLE_ENTITY and problem.code == "wrong_digest":
        raise WrongBytes
    if status in _SOON and problem.code != "damaged":
        text = answer.headers.get("retry-after", "")
        raise Again(problem.message, min(float(text), _SILENCE) if text.isdigit() else 0.0)
    if not problem.code and status != httpx.codes.UNAUTHORIZED:
        if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise RegtuiError("what stands before the server takes no file as large", TOO_LARGE)
        # It says nothing of rights, nor of what is there.
        raise strange(f"{answer.url.scheme}://{answer.url.netloc.decode()}", status)
    if status == httpx.codes.NOT_FOUND:
        raise NotFound(f"the server says: {problem.message}")
    if status == httpx.codes.UNAUTHORIZED:
        raise SignedOut(
            "the server does not accept this token",
            "`regtui login` signs you in; your work is kept here",
        )
    if status == httpx.codes.FORBIDDEN:
        raise Denied(f"the server says: {problem.message}")
    raise RegtuiError(f"the server says: {problem.message}")


def _problem(answer: httpx.Response) -> _Problem:
    try:
        return msgspec.json.decode(answer.content, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Problem(message=f"status {answer.status_code}")
