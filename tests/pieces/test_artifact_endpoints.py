import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from blake3 import blake3

from regtui.core.errors import NotFound
from regtui.core.manifest import FileEntry
from sync_server.artifacts import BucketStore, FolderStore
from sync_server.complete import missing_of_version
from sync_server.http_artifacts import Limits
from tests.pieces.site import Api, Site, serving

NOT_FOUND = {
    "error": {"code": "not_found", "message": "there is no such stream or file", "hint": ""}
}


def digest_of(data: bytes) -> str:
    return str(blake3(data).hexdigest())


class Stream:
    """A stream as somebody reaches it."""

    def __init__(self, api: Api, stream: str) -> None:
        self.client = api.client
        self.path = f"/v1/registries/{api.registry}/streams/{stream}/pieces"

    def missing(self, *digests: str) -> httpx.Response:
        return self.client.post(f"{self.path}/missing", json={"digests": digests})

    def put(self, data: bytes, digest: str = "", offset: int = 0) -> httpx.Response:
        headers = {"Upload-Offset": str(offset)}
        address = f"{self.path}/{digest or digest_of(data)}"
        return self.client.put(address, content=data[offset:], headers=headers)

    def get(self, digest: str, **headers: str) -> httpx.Response:
        return self.client.get(f"{self.path}/{digest}", headers=headers)

    def state(self, digest: str) -> httpx.Response:
        return self.client.get(f"{self.path}/{digest}/upload")

    def copy(self, digest: str, source: str) -> httpx.Response:
        return self.client.post(f"{self.path}/{digest}/copy", json={"from": source})

    def cut(self, data: bytes, count: int, offset: int = 0) -> None:
        """Send the head of an upload and the first bytes of its body, then nothing more."""
        address = httpx.URL(str(self.client.base_url))
        with socket.create_connection((address.host, address.port or 80)) as raw:
            head = (
                f"PUT {self.path}/{digest_of(data)} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: {self.client.headers['Authorization']}\r\n"
                f"Upload-Offset: {offset}\r\nContent-Length: {len(data) - offset}\r\n\r\n"
            )
            raw.sendall(head.encode() + data[offset : offset + count])
            raw.shutdown(socket.SHUT_WR)
            raw.settimeout(5)
            while raw.recv(4096):
                pass


@pytest.fixture
def nlp(site: Site) -> str:
    return site.model("nlp/iris")


@pytest.fixture
def cv(site: Site) -> str:
    return site.model("cv/cats")


@pytest.fixture
def ben(site: Site) -> Iterator[Api]:
    """He contributes to `nlp/*`, and may not know of anything else."""
    made = site.api(site.person("ben", **{"nlp/*": "contributor"}))
    with made.client:
        yield made


@pytest.fixture
def eve(site: Site) -> Iterator[Api]:
    """She contributes to `cv/*`, and may not know of anything else."""
    made = site.api(site.person("eve", **{"cv/*": "contributor"}))
    with made.client:
        yield made


@pytest.fixture
def vic(site: Site) -> Iterator[Api]:
    """He looks at `nlp/*`."""
    made = site.api(site.person("vic", **{"nlp/*": "viewer"}))
    with made.client:
        yield made


def test_what_is_uploaded_is_there_for_readers(site: Site, nlp: str, ben: Api, vic: Api) -> None:
    data, stream = os.urandom(3 << 20), Stream(ben, nlp)
    digest = digest_of(data)
    assert stream.missing(digest).json() == {"missing": [digest]}
    assert stream.put(data).status_code == 201
    assert stream.missing(digest).json() == {"missing": []}
    found = Stream(vic, nlp).get(digest)
    assert (found.status_code, found.content) == (200, data)
    assert found.headers["etag"] == f'"{digest}"'


@pytest.mark.parametrize("data", [b"", b"x"])
def test_small_and_empty_files_are_files(site: Site, nlp: str, ben: Api, data: bytes) -> None:
    stream = Stream(ben, nlp)
    assert stream.put(data).status_code == 201
    assert stream.get(digest_of(data)).content == data
    assert stream.put(data).status_code == 201


def test_a_body_of_unknown_length_is_taken(site: Site, nlp: str, ben: Api) -> None:
    stream, data = Stream(ben, nlp), os.urandom(2 << 20)
    blocks = (data[at : at + 50_000] for at in range(0, len(data), 50_000))
    answer = ben.client.put(f"{stream.path}/{digest_of(data)}", content=blocks)
    assert answer.status_code == 201
    assert stream.get(digest_of(data)).content == data


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [
        ("bytes=0-9", 206, (0, 10)),
        ("bytes=5-", 206, (5, 1000)),
        ("bytes=-10", 206, (990, 1000)),
        ("bytes=-5000", 200, (0, 1000)),
        ("bytes=990-5000", 206, (990, 1000)),
        ("bytes=0-", 200, (0, 1000)),
        ("bytes=9-3", 200, (0, 1000)),
        ("bytes=0-1,5-6", 200, (0, 1000)),
        ("lines=1-2", 200, (0, 1000)),
        ("bytes=1000-", 416, (0, 0)),
        ("bytes=-0", 416, (0, 0)),
    ],
)
def test_ranges(nlp: str, ben: Api, asked: str, status: int, span: tuple[int, int]) -> None:
    start, end = span
    data, stream = os.urandom(1000), Stream(ben, nlp)
    stream.put(data)
    found = stream.get(digest_of(data), Range=asked)
    assert found.status_code == status
    if status != 416:
        assert found.content == data[start:end]
    if status == 206:
        assert found.headers["content-range"] == f"bytes {start}-{end - 1}/1000"
    head = ben.client.head(f"{stream.path}/{digest_of(data)}", headers={"Range": asked})
    assert head.status_code == status
    assert head.headers["content-length"] == found.headers["content-length"]


def test_a_digest_alone_gives_nothing(site: Site, nlp: str, cv: str, ben: Api, eve: Api) -> None:
    data = os.urandom(5000)
    digest = digest_of(data)
    Stream(ben, nlp).put(data)
    stolen = Stream(eve, cv)
    assert stolen.missing(digest).json() == {"missing": [digest]}
    assert stolen.get(digest).json() == NOT_FOUND
    assert stolen.copy(digest, nlp).json() == NOT_FOUND
    assert stolen.put(b"", digest).status_code == 422
    assert stolen.get(digest).status_code == 404
    site.version(cv, [FileEntry("model.bin", 5000, executable=False, digest=digest)])
    assert stolen.missing(digest).json() == {"missing": [digest]}
    assert stolen.get(digest).status_code == 404


def test_hidden_and_absent_streams_are_refused_alike(
    site: Site, nlp: str, cv: str, ben: Api, eve: Api
) -> None:
    data = os.urandom(100)
    digest = digest_of(data)
    Stream(ben, nlp).put(data)
    absent = "00000000-0000-0000-0000-000000000000"
    for stream in (nlp, absent, "access", "registry"):
        asked = Stream(eve, stream)
        answers = [
            asked.missing(digest),
            asked.get(digest),
            asked.put(data),
            asked.state(digest),
            asked.copy(digest, cv),
            Stream(eve, cv).copy(digest, stream),
        ]
        assert [(one.status_code, one.json()) for one in answers] == [(404, NOT_FOUND)] * 6


def test_readers_may_not_upload(site: Site, nlp: str, ben: Api, vic: Api) -> None:
    data = os.urandom(100)
    stream = Stream(vic, nlp)
    for answer in (stream.put(data), stream.missing(digest_of(data)), stream.state("0" * 64)):
        assert answer.status_code == 403
    assert Stream(ben, nlp).missing(digest_of(data)).json()["missing"]


def test_what_is_taken_away_holds_at_once(site: Site, nlp: str, ben: Api, vic: Api) -> None:
    data = os.urandom(100)
    Stream(ben, nlp).put(data)
    site.revoke("vic", "nlp/*")
    assert Stream(vic, nlp).get(digest_of(data)).status_code == 404


def test_without_a_good_token_nothing_is_told(site: Site, nlp: str) -> None:
    api = site.api("regtui_made_up")
    with api.client:
        assert Stream(api, nlp).get("0" * 64).status_code == 401
        assert Stream(api, nlp).put(b"x").status_code == 401


def test_a_copy_needs_sight_of_the_one_and_contribution_to_the_other(
    site: Site, nlp: str, cv: str, ben: Api, eve: Api
) -> None:
    data = os.urandom(100)
    digest = digest_of(data)
    Stream(ben, nlp).put(data)
    zoe = site.api(site.person("zoe", **{"nlp/*": "viewer", "cv/*": "contributor"}))
    with zoe.client:
        assert Stream(zoe, nlp).copy(digest, cv).status_code == 403
        assert Stream(zoe, cv).copy(digest, nlp).status_code == 201
        assert Stream(zoe, cv).copy("0" * 64, nlp).json() == NOT_FOUND
    assert Stream(eve, cv).get(digest).content == data


@pytest.mark.parametrize(
    "digest",
    [
        "x" * 64,
        "0" * 63,
        "0" * 65,
        "A" * 64,
        "../../registry.sqlite",
        "..%2f..%2fx",
        "0" * 62 + "%00",
    ],
)
def test_tricks_in_digests_reach_nothing(site: Site, nlp: str, ben: Api, digest: str) -> None:
    stream = Stream(ben, nlp)
    address = f"{stream.path}/{quote(digest, safe='%')}"
    assert ben.client.get(address).status_code in {404, 405}
    assert ben.client.put(address, content=b"x").status_code in {404, 405}
    assert stream.missing(digest).status_code == 400


@pytest.mark.parametrize("stream", ["../..", "%2e%2e", "x%00", "'or 1=1", "é" * 300])
def test_tricks_in_streams_reach_nothing(site: Site, ben: Api, stream: str) -> None:
    asked = Stream(ben, quote(stream, safe="%"))
    assert asked.get("0" * 64).status_code == 404
    assert asked.put(b"x").status_code == 404


def test_bytes_with_another_digest_leave_nothing(site: Site, nlp: str, ben: Api) -> None:
    data, stream = os.urandom(100_000), Stream(ben, nlp)
    digest = digest_of(data)
    assert stream.put(data[:-1] + b"!", digest).json()["error"]["code"] == "wrong_digest"
    assert stream.missing(digest).json()["missing"] == [digest]
    assert stream.state(digest).json() == {"offset": 0, "present": False}
    assert not any((site.artifacts.uploads.folder).iterdir())


def test_a_body_that_was_cut_is_gone_on_with(site: Site, nlp: str, ben: Api) -> None:
    data, stream = os.urandom(4 << 20), Stream(ben, nlp)
    digest = digest_of(data)
    stream.cut(data, 1_500_000)
    offset = settled(stream, digest)
    assert 0 < offset <= 1_500_000
    assert stream.missing(digest).json()["missing"] == [digest]
    wrong = stream.put(data, offset=offset + 1)
    assert (wrong.status_code, wrong.headers["Upload-Offset"]) == (409, str(offset))
    assert stream.put(data, offset=offset).status_code == 201
    assert stream.get(digest).content == data


def test_a_wrong_beginning_is_found_out_when_it_is_gone_on_with(
    site: Site, nlp: str, ben: Api
) -> None:
    data, stream = os.urandom(1 << 20), Stream(ben, nlp)
    digest = digest_of(data)
    wrong = bytes(1 << 19) + data[1 << 19 :]
    path = f"{stream.path}/{digest}"
    with pytest.raises(httpx.HTTPError):
        ben.client.put(path, content=breaking(wrong[: 1 << 19]))
    offset = settled(stream, digest)
    assert stream.put(data, digest, offset).status_code == 422
    assert stream.put(data, digest).status_code == 201


def test_what_came_of_a_cut_body_may_be_begun_anew(site: Site, nlp: str, ben: Api) -> None:
    data, stream = os.urandom(2 << 20), Stream(ben, nlp)
    stream.cut(data, 1_500_000)
    settled(stream, digest_of(data))
    assert stream.put(data).status_code == 201
    assert stream.get(digest_of(data)).content == data


def test_a_newer_request_takes_over_from_one_that_hangs(site: Site, nlp: str, ben: Api) -> None:
    data, stream = os.urandom(2 << 20), Stream(ben, nlp)
    digest = digest_of(data)
    address = httpx.URL(str(ben.client.base_url))
    with socket.create_connection((address.host, address.port or 80)) as hanging:
        head = (
            f"PUT {stream.path}/{digest} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {ben.client.headers['Authorization']}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        hanging.sendall(head.encode() + data[: 1 << 20])
        offset = settled(stream, digest)
        assert stream.put(data, offset=offset).status_code == 201
        hanging.settimeout(5)
        assert b"taken_over" in hanging.recv(4096)
    assert stream.get(digest).content == data


def test_an_upload_that_brings_nothing_is_ended(tmp_path: Path, folder_store: FolderStore) -> None:
    with serving(Site(tmp_path, folder_store, Limits(spare=0, idle=0.2))) as site:
        stream = site.model("nlp/iris")
        api = site.api(site.person("ben", **{"*": "contributor"}))

        def slow() -> Iterator[bytes]:
            yield b"x"
            time.sleep(1)
            yield b"y"

        with api.client:
            path = f"{Stream(api, stream).path}/{digest_of(b'xy')}"
            headers = {"Content-Length": "2"}
            answer = api.client.put(path, content=slow(), headers=headers)
            assert answer.json()["error"]["code"] == "idle"


@pytest.mark.parametrize("is_told", [True, False])
def test_bodies_that_are_too_large_are_refused(
    tmp_path: Path, site: Site, nlp: str, ben: Api, is_told: bool
) -> None:
    data, stream = bytes((64 << 20) + 1), Stream(ben, nlp)
    body = data if is_told else (data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20))
    try:
        answer = ben.client.put(f"{stream.path}/{digest_of(data)}", content=body)
        assert answer.json()["error"]["code"] == "too_large"
    except httpx.HTTPError:  # the answer came while it was still sending
        pass
    assert stream.state(digest_of(data)).json() == {"offset": 0, "present": False}


def test_uploads_leave_the_disk_some_room(tmp_path: Path, site: Site, ben: Api, nlp: str) -> None:
    site.app.router.routes.clear()  # the same server with other limits
    from sync_server.http import make_app
    from sync_server.http_artifacts import Artifacts

    scarce = Artifacts(site.server, site.store, tmp_path / "scarce", Limits(spare=1 << 60))
    site.app.router.routes.extend(make_app(site.server, artifacts=scarce).router.routes)
    assert Stream(ben, nlp).put(b"x").status_code == 507


def test_requests_that_make_no_sense_are_refused(site: Site, nlp: str, ben: Api) -> None:
    stream = Stream(ben, nlp)
    digest = "0" * 64
    for headers, status in (
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "9" * 30}, 400),
        ({"Content-Encoding": "zstd"}, 415),
    ):
        path = f"{stream.path}/{digest}"
        assert ben.client.put(path, content=b"x", headers=headers).status_code == status
    assert stream.missing(*[digest] * 10_001).status_code == 413
    path = f"{stream.path}/missing"
    for body in (b"", b"[]", b'{"digests": 1}', b"\xff", b"[" * 5000):
        assert ben.client.post(path, content=body).status_code == 400
    assert ben.client.post(path, content=bytes(2 << 20)).status_code == 413


def test_a_bucket_hands_out_its_files_by_itself(tmp_path: Path, bucket: BucketStore) -> None:
    data = os.urandom(100_000)
    with serving(Site(tmp_path, bucket, Limits(spare=0, link=60))) as site:
        stream = site.model("nlp/iris")
        api = site.api(site.person("ben", **{"*": "contributor"}))
        with api.client:
            asked = Stream(api, stream)
            assert asked.put(data).status_code == 201
            answer = asked.get(digest_of(data))
            assert answer.status_code == 307
            assert httpx.get(answer.headers["location"]).content == data


def test_it_is_told_which_files_of_a_version_are_missing(
    site: Site, nlp: str, cv: str, ben: Api
) -> None:
    here, there = os.urandom(10), os.urandom(20)
    Stream(ben, nlp).put(here)
    site.person("ben", **{"cv/*": "contributor"})
    Stream(ben, cv).put(there)
    entries = [
        FileEntry("a", 10, executable=False, digest=digest_of(here)),
        FileEntry("b", 20, executable=False, digest=digest_of(there)),
        FileEntry("c", 20, executable=True, digest=digest_of(there)),
    ]
    document = site.document(site.version(nlp, entries))
    row = site.server.registry().key
    with site.database.reading() as connection:
        assert missing_of_version(connection, row, document) == [digest_of(there)]
    Stream(ben, nlp).put(there)
    with site.database.reading() as connection:
        assert missing_of_version(connection, row, document) == []
        document.facts["digest"] = "0" * 64
        with pytest.raises(NotFound):
            missing_of_version(connection, row, document)


def settled(stream: Stream, digest: str) -> int:
    """Return where an upload stands when it does not move any more."""
    known = -1
    while (offset := int(stream.state(digest).json()["offset"])) != known or not offset:
        known = offset
        time.sleep(0.05)
    return offset


def breaking(data: bytes) -> Iterator[bytes]:
    yield data
    time.sleep(0.2)
    raise httpx.WriteError("cut")
