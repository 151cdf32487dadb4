import os
from pathlib import Path

import httpx
import pytest

from regtui.core.errors import BadInput
from sync_server.artifacts import (
    Absent,
    ArtifactStore,
    BucketStore,
    FolderStore,
    open_store,
)

KEY = "pieces/ab/abc.1"


def file_of(folder: Path, data: bytes) -> Path:
    path = folder / os.urandom(4).hex()
    path.write_bytes(data)
    return path


def read(store: ArtifactStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(bytes(block) for block in store.blocks(key, start, end))


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1, (17 << 20) + 5])
def test_what_is_adopted_is_read_back(store: ArtifactStore, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    store.adopt(file_of(tmp_path, data), KEY)
    assert read(store, KEY) == data
    assert store.size(KEY) == size


def test_any_range_can_be_read(store: ArtifactStore, tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    store.adopt(file_of(tmp_path, data), KEY)
    for start, end in ((0, 1), (5, 5), (1 << 20, (2 << 20) + 3), ((3 << 20) - 1, 3 << 20)):
        assert read(store, KEY, start, end) == data[start:end]
    assert read(store, KEY, 2 << 20) == data[2 << 20 :]


def test_an_absent_key_is_told_before_the_first_block(store: ArtifactStore) -> None:
    with pytest.raises(Absent):
        store.blocks(KEY)
    assert store.size(KEY) is None


def test_deleting_takes_away_and_may_be_done_twice(store: ArtifactStore, tmp_path: Path) -> None:
    store.adopt(file_of(tmp_path, b"x"), KEY)
    store.adopt(file_of(tmp_path, b"y"), KEY + "2")
    store.delete(KEY)
    store.delete(KEY)
    assert store.size(KEY) is None
    assert read(store, KEY + "2") == b"y"


def test_a_file_that_is_gone_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"\w"):
        store.adopt(tmp_path / "absent", KEY)
    assert store.size(KEY) is None


def test_a_folder_on_another_disk_gets_a_copy(tmp_path: Path) -> None:
    far = Path("/dev/shm")
    if not far.is_dir() or far.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second disk")
    path = file_of(far, b"from afar")
    try:
        store = FolderStore(tmp_path / "artifacts")
        store.adopt(path, KEY)
        assert read(store, KEY) == b"from afar"
        assert [one.name for one in (tmp_path / "artifacts/pieces/ab").iterdir()] == ["abc.1"]
    finally:
        path.unlink(missing_ok=True)


def test_only_a_bucket_gives_an_address_to_read_from(
    bucket: BucketStore, folder_store: FolderStore, tmp_path: Path
) -> None:
    bucket.adopt(file_of(tmp_path, b"0123456789"), KEY)
    address = bucket.link(KEY, 60)
    assert address is not None
    assert httpx.get(address, headers={"Range": "bytes=3-4"}).content == b"34"
    assert folder_store.link(KEY, 60) is None


def test_stores_are_opened_by_address(
    bucket_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{bucket_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    for url in ("s3://pieces/by/address", str(tmp_path / "a"), f"file://{tmp_path}/b"):
        store = open_store(url)
        store.adopt(file_of(tmp_path, b"x"), KEY)
        assert read(store, KEY) == b"x"
    with pytest.raises(BadInput):
        open_store("ftp://host/folder")
