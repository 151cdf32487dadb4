"""Files over HTTP: which are missing, uploads that can be resumed, downloads of any range.

Rights are decided anew for each request. Whoever may not know of a stream gets the same answer as
for one that is not there. Bodies are refused before they are read wherever that can be told.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from msgspec import Struct
from starlette.requests import ClientDisconnect

from regtui.core.access import Role
from regtui.wire.pieces import (
    DIGESTS_LIMIT,
    UPLOAD_OFFSET,
    CopyRequest,
    MissingAnswer,
    MissingRequest,
    UploadState,
    is_digest,
)
from sync_server.artifacts import Absent, ArtifactStore
from sync_server.authority import Refused
from sync_server.pieces import Pieces, Place, Stored, absent
from sync_server.server import Server
from sync_server.sync import Caller
from sync_server.uploads import Upload, Uploads

Asked = tuple[int, Caller, str]
"""Who asks: the number of his token's registry, himself, and the token's id."""

_Wanted = TypeVar("_Wanted")

_BODY_LIMIT = 1 << 20
_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_OFFSET = re.compile(r"\d{1,19}")


class Limits(Struct, frozen=True):
    """What uploads and downloads may take.

    Attributes:
        piece: Bytes of one file.
        spare: Bytes of the data folder's disk that uploads leave alone.
        idle: Seconds for which an upload may bring nothing.
        link: Seconds for which an address of the bucket is good that a download is sent to; None
            to hand all bytes out from here.
    """

    piece: int = 1 << 40
    spare: int = 512 << 20
    idle: float = 60.0
    link: int | None = None


class Artifacts:
    """What the routes work with.

    Args:
        server: The server.
        store: Where the bytes of pieces lie.
        data: The data folder: uploads under way lie in it.
        limits: What uploads may take.
    """

    def __init__(
        self, server: Server, store: ArtifactStore, data: Path, limits: Limits | None = None
    ) -> None:
        self.server = server
        self.pieces = Pieces(server.database, server.service, store, server.clock, server.seed)
        self.uploads = Uploads(data / "uploads")
        self.limits = limits or Limits()


def artifact_routes(artifacts: Artifacts, caller: Callable[..., Asked]) -> APIRouter:
    """Return the routes of files.

    Args:
        artifacts: What they work with.
        caller: Finds out who asks.
    """
    router = APIRouter(prefix="/v1/registries/{registry}/streams/{stream}/pieces", tags=["files"])
    routes = _Routes(artifacts)
    Asking = Annotated[Asked, Depends(caller)]  # noqa: N806 -- a type

    @router.post("/missing", openapi_extra=_described(MissingRequest))
    async def missing(registry: str, stream: str, request: Request, asking: Asking) -> Response:
        """Tell which of the files a stream lacks; it keeps the others for seven days."""
        return await routes.missing(registry, stream, request, asking)

    @router.get("/{digest}/upload")
    def upload_state(registry: str, stream: str, digest: str, asking: Asking) -> Response:
        """Tell how much of an upload is there."""
        return routes.upload_state(registry, stream, digest, asking)

    @router.put("/{digest}", openapi_extra=_BYTES)
    async def upload(
        registry: str, stream: str, digest: str, request: Request, asking: Asking
    ) -> Response:
        """Take a file in, from the byte that `Upload-Offset` names on."""
        return await routes.upload(registry, stream, digest, request, asking)

    @router.post("/{digest}/copy", openapi_extra=_described(CopyRequest))
    async def copy(
        registry: str, stream: str, digest: str, request: Request, asking: Asking
    ) -> Response:
        """Take a file over from another stream."""
        return await routes.copy(registry, stream, digest, request, asking)

    @router.head("/{digest}", include_in_schema=False)
    @router.get("/{digest}")
    def download(  # noqa: PLR0913, PLR0917 -- a request has that many parts
        registry: str,
        stream: str,
        digest: str,
        request: Request,
        asking: Asking,
        range: Annotated[str | None, Header()] = None,  # noqa: A002 -- the header's name
    ) -> Response:
        """Hand a file out, or a range of it."""
        return routes.download(registry, stream, digest, asking, request.method, range)

    return router


class _Routes:
    """What the routes do."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._server = artifacts.server
        self._pieces = artifacts.pieces
        self._uploads = artifacts.uploads
        self._limits = artifacts.limits

    async def missing(
        self, registry: str, stream: str, request: Request, asking: Asked
    ) -> Response:
        wanted = await _json(request, MissingRequest)
        if len(wanted.digests) > DIGESTS_LIMIT:
            raise Refused(413, "too_large", f"at most {DIGESTS_LIMIT} files at once")
        if not all(map(is_digest, wanted.digests)):
            raise Refused(400, "malformed", "a digest has 64 hex digits")

        def answer() -> list[str]:
            place = self._place(registry, stream, asking, Role.CONTRIBUTOR)
            return self._pieces.missing(place, wanted.digests)

        return _answer(MissingAnswer(await run_in_threadpool(answer)))

    def upload_state(self, registry: str, stream: str, digest: str, asking: Asked) -> Response:
        place = self._place(registry, stream, asking, Role.CONTRIBUTOR, digest)
        path = self._uploads.path(place, asking[1].user, digest)
        found = self._pieces.find(place, digest)
        offset = self._uploads.size(path) if found is None else found.size
        return _answer(UploadState(offset, found is not None))

    async def upload(
        self, registry: str, stream: str, digest: str, request: Request, asking: Asked
    ) -> Response:
        offset = _offset(request.headers.get(UPLOAD_OFFSET))
        length = _offset(request.headers.get("content-length"))
        if offset + length > self._limits.piece:
            raise self._too_large()
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, "malformed", "files are sent as they are")

        def prepare() -> Place:
            place = self._place(registry, stream, asking, Role.CONTRIBUTOR, digest)
            self._check_disk(length)
            return place

        place = await run_in_threadpool(prepare)
        path = self._uploads.path(place, asking[1].user, digest)
        async with self._uploads.writing(path) as upload:
            if not offset:
                upload.restart()
            elif upload.size != offset:
                headers = {UPLOAD_OFFSET: str(upload.size)}
                return _problem(409, "offset", f"byte {upload.size} is waited for", headers)
            await self._uploads.receive(upload, self._receive(request, upload))
            await run_in_threadpool(self._accept, place, digest, upload)
        return _answer(UploadState(upload.size, present=True), 201)

    async def copy(
        self, registry: str, stream: str, digest: str, request: Request, asking: Asked
    ) -> Response:
        wanted = await _json(request, CopyRequest)

        def answer() -> int | None:
            place = self._place(registry, stream, asking, Role.CONTRIBUTOR, digest)
            source = self._place(registry, wanted.source, asking, Role.VIEWER)
            return self._pieces.copy(source, place, digest)

        size = await run_in_threadpool(answer)
        if size is None:
            raise absent()
        return _answer(UploadState(size, present=True), 201)

    def download(  # noqa: PLR0913, PLR0917 -- a request has that many parts
        self,
        registry: str,
        stream: str,
        digest: str,
        asking: Asked,
        method: str,
        wanted: str | None,
    ) -> Response:
        place = self._place(registry, stream, asking, Role.VIEWER, digest)
        found = self._pieces.find(place, digest)
        if found is None:
            raise absent()
        if self._limits.link is not None and method == "GET":
            address = self._pieces.store.link(found.key, self._limits.link)
            if address is not None:
                return Response(status_code=307, headers={"Location": address})
        return self._sent(digest, found, method, wanted)

    def _sent(self, digest: str, found: Stored, method: str, wanted: str | None) -> Response:
        headers = {"Accept-Ranges": "bytes", "ETag": f'"{digest}"'}
        start, end = _span(wanted, found.size)
        if start >= end and wanted is not None and (start, end) != (0, found.size):
            headers["Content-Range"] = f"bytes */{found.size}"
            return _problem(416, "range", f"the file has {found.size} bytes", headers)
        is_part = (start, end) != (0, found.size)
        if is_part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
        headers["Content-Length"] = str(end - start)
        status = 206 if is_part else 200
        if method == "HEAD":
            return Response(None, status, headers, media_type="application/octet-stream")
        try:
            blocks = self._pieces.store.blocks(found.key, start, end)
        except Absent:
            message = "the server has lost this file; its operator has to look after it"
            raise Refused(500, "damaged", message) from None
        return StreamingResponse(blocks, status, headers, media_type="application/octet-stream")

    def _place(
        self, registry: str, stream: str, asking: Asked, role: Role, digest: str | None = None
    ) -> Place:
        number, who, _ = asking
        if self._server.registry_id(number) != registry:
            raise absent()
        if digest is not None and not is_digest(digest):
            raise absent()
        return self._pieces.place(registry, stream, who, role)

    async def _receive(self, request: Request, upload: Upload) -> None:
        """Write a body as it comes: one block is written while the next one arrives."""
        blocks: list[bytes] = []
        size, checked = 0, upload.size
        writing: asyncio.Task[None] | None = None
        stream = request.stream()
        try:
            async with asyncio.timeout(self._limits.idle) as idle:
                async for block in stream:
                    idle.reschedule(asyncio.get_running_loop().time() + self._limits.idle)
                    blocks.append(block)
                    size += len(block)
                    if size < _BLOCK:
                        continue
                    writing = await _after(writing, self._write(upload, blocks))
                    blocks, size = [], 0
                    if upload.size - checked > self._limits.spare // 8:
                        checked = upload.size
                        self._check_disk(0)
            writing = await _after(writing, self._write(upload, blocks))
        except ClientDisconnect:
            # Every byte that came is one that need not be sent again.
            writing = await _after(writing, self._write(upload, blocks))
            raise Refused(400, "cut", "the body was cut") from None
        except TimeoutError:
            raise Refused(408, "idle", "nothing came for too long") from None
        finally:
            if writing is not None:
                await asyncio.wait([writing])
                writing.exception()  # told below, or of no interest beside the error under way
        await writing

    async def _write(self, upload: Upload, blocks: list[bytes]) -> None:
        if upload.size + sum(map(len, blocks)) > self._limits.piece:
            upload.drop()
            raise self._too_large()
        try:
            await run_in_threadpool(upload.write, blocks)
        except OSError:
            raise _full() from None

    def _accept(self, place: Place, digest: str, upload: Upload) -> None:
        try:
            found = upload.digest()
            if found != digest:
                upload.drop()
                raise Refused(422, "wrong_digest", f"these bytes have the digest {found}")
            self._pieces.accept(place, digest, upload.path)
        except OSError:
            raise _full() from None
        upload.drop()

    def _check_disk(self, length: int) -> None:
        if self._uploads.free() - length < self._limits.spare:
            raise _full()

    def _too_large(self) -> Refused:
        return Refused(413, "too_large", f"a file has at most {self._limits.piece} bytes here")


async def _after(
    before: "asyncio.Task[None] | None", work: Coroutine[Any, Any, None]
) -> "asyncio.Task[None]":
    """Begin work when what was begun before is done."""
    if before is not None:
        try:
            await before
        except BaseException:
            work.close()
            raise
    return asyncio.create_task(work)


async def _json(request: Request, kind: type[_Wanted]) -> _Wanted:
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > _BODY_LIMIT:
            raise Refused(413, "too_large", f"this request has at most {_BODY_LIMIT >> 20} MiB")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "malformed", f"not what is asked for here: {error}") from None


def _offset(text: str | None) -> int:
    if text is None:
        return 0
    if not _OFFSET.fullmatch(text):
        raise Refused(400, "malformed", "an offset is a number of bytes")
    return int(text)


def _span(wanted: str | None, size: int) -> tuple[int, int]:
    """Return the range of bytes that is asked for; all where it is none that is served here."""
    match = _RANGE.fullmatch((wanted or "").strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else (size, size)
    if last and int(last) < int(first):
        return 0, size
    return min(int(first), size), min(int(last) + 1, size) if last else size


def _answer(value: Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _problem(status: int, code: str, message: str, headers: dict[str, str]) -> Response:
    body = msgspec.json.encode({"error": {"code": code, "message": message, "hint": ""}})
    return Response(body, status, headers, media_type="application/json")


def _full() -> Refused:
    return Refused(507, "full", "the server's disk is full")


def _described(kind: type[Struct]) -> dict[str, Any]:
    schema = msgspec.json.schema(kind)
    found = schema["$defs"][kind.__name__]
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": found}}}}


_BYTES: dict[str, Any] = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}
