"""Bodies of requests and answers that zstd may have packed."""

from collections.abc import Callable

import zstandard
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from sync_server.authority import Refused

BODY_LIMIT = 64 << 20
"""Bytes of a request, also of what it unpacks to."""

PACKED = 1024
"""Bytes from which on answers are packed."""


async def read_body(request: Request) -> bytes:
    """Return a request's body, unpacked, or refuse it as too large before it is."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            raise Refused(413, "too_large", f"a request has at most {BODY_LIMIT >> 20} MiB")
        parts.append(part)
    body = b"".join(parts)
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    if encoding != "zstd":
        raise Refused(415, "malformed", "bodies are plain or packed by zstd")
    return await run_in_threadpool(_unpacked, body)


def _unpacked(body: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body)
    try:
        unpacked = reader.read(BODY_LIMIT + 1)
    except zstandard.ZstdError as error:
        raise Refused(400, "malformed", f"the body can't be unpacked: {error}") from None
    if len(unpacked) > BODY_LIMIT:
        raise Refused(413, "too_large", f"a request has at most {BODY_LIMIT >> 20} MiB")
    return unpacked


async def packed(request: Request, answer: Callable[[], bytes]) -> Response:
    """Return an answer, packed where the client takes that; it is made in a thread."""
    wants = "zstd" in request.headers.get("accept-encoding", "")

    def make() -> tuple[bytes, dict[str, str]]:
        body = answer()
        if not wants or len(body) < PACKED:
            return body, {}
        return zstandard.ZstdCompressor(level=1).compress(body), {"Content-Encoding": "zstd"}

    body, headers = await run_in_threadpool(make)
    return Response(body, headers=headers, media_type="application/json")
