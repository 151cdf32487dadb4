import os
import threading
import time
from pathlib import Path

import pytest
from blake3 import blake3

from regtui.core.access import Role
from regtui.core.identity import user_id
from regtui.core.manifest import FileEntry
from sync_server.artifact_gc import Collected, Damage, collect, verify
from sync_server.artifacts import ArtifactStore, FolderStore
from sync_server.authority import Refused
from sync_server.http_artifacts import Limits
from sync_server.sync import Caller
from tests.pieces.site import Site

DAY = 86_400_000_000


class Depot:
    """The pieces of one stream, reached without HTTP."""

    def __init__(self, site: Site, folder: Path, name: str = "nlp/iris") -> None:
        self.site = site
        self.folder = folder
        self.stream = site.model(name)
        self.pieces = site.artifacts.pieces
        ann = Caller(user_id("ann"))
        self.place = self.pieces.place(site.registry, self.stream, ann, Role.CONTRIBUTOR)

    def upload(self, data: bytes) -> str:
        digest = str(blake3(data).hexdigest())
        path = self.folder / os.urandom(8).hex()
        path.write_bytes(data)
        self.pieces.accept(self.place, digest, path)
        return digest

    def register(self, *digests: str) -> str:
        entries = [FileEntry(one, 5, executable=False, digest=one) for one in digests]
        return self.site.version(self.stream, entries)

    def has(self, digest: str) -> bool:
        found = self.pieces.find(self.place, digest)
        return found is not None and self.site.store.size(found.key) == found.size

    def collect(self, delay: int = 0) -> Collected:
        artifacts = self.site.artifacts
        return collect(
            self.site.database, self.site.store, artifacts.uploads, self.site.clock, delay=delay
        )

    def wait(self, days: float) -> None:
        self.site.offset += int(days * DAY)


@pytest.fixture
def unserved(tmp_path: Path, store: ArtifactStore) -> Site:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    return Site(folder, store, Limits(spare=0))


@pytest.fixture
def local(tmp_path: Path, folder_store: FolderStore) -> Site:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    return Site(folder, folder_store, Limits(spare=0))


def test_an_upload_that_no_version_names_goes_after_its_lease(
    unserved: Site, tmp_path: Path
) -> None:
    depot = Depot(unserved, tmp_path)
    digest = depot.upload(b"12345")
    depot.wait(6.9)
    assert depot.collect() == Collected()
    assert depot.has(digest)
    depot.wait(0.2)
    assert depot.collect() == Collected(released=1, condemned=1, deleted=1, size=5)
    assert not depot.has(digest)
    assert depot.pieces.missing(depot.place, [digest]) == [digest]


def test_asking_keeps_a_file_for_another_week(local: Site, tmp_path: Path) -> None:
    depot = Depot(local, tmp_path)
    digest = depot.upload(b"12345")
    depot.wait(6)
    assert depot.pieces.missing(depot.place, [digest]) == []
    depot.wait(6)
    assert depot.collect() == Collected()
    assert depot.has(digest)


def test_what_a_version_names_stays_until_it_is_deleted_and_the_grace_is_over(
    local: Site, tmp_path: Path
) -> None:
    depot = Depot(local, tmp_path)
    shared, own = depot.upload(b"shared"), depot.upload(b"own")
    first, _ = depot.register(shared, own), depot.register(shared)
    depot.wait(400)
    assert depot.collect() == Collected()
    local.delete(depot.stream, first)
    depot.wait(13)
    assert depot.collect() == Collected()
    depot.wait(2)
    assert depot.collect().released == 1
    assert depot.has(shared)
    assert not depot.has(own)


def test_where_a_list_of_files_is_not_here_nothing_is_let_go_of(
    local: Site, tmp_path: Path
) -> None:
    depot = Depot(local, tmp_path)
    digest = depot.upload(b"12345")
    depot.register(digest)
    from sync_server import schema

    with local.database.writing() as connection:
        connection.execute(schema.text.delete())
    depot.wait(400)
    assert depot.collect() == Collected()
    assert depot.has(digest)


def test_bytes_stay_while_another_stream_has_them(local: Site, tmp_path: Path) -> None:
    here, there = Depot(local, tmp_path), Depot(local, tmp_path, "nlp/other")
    digest = here.upload(b"12345")
    assert there.pieces.copy(here.place, there.place, digest) == 5
    there.register(digest)
    here.wait(30)
    assert here.collect() == Collected(released=1)
    assert there.has(digest)
    assert not here.has(digest)


def test_a_deletion_never_meets_a_new_upload(unserved: Site, tmp_path: Path) -> None:
    depot = Depot(unserved, tmp_path)
    digest = depot.upload(b"12345")
    depot.wait(8)
    assert depot.collect(delay=DAY).condemned == 1
    assert depot.pieces.missing(depot.place, [digest]) == [digest]
    depot.upload(b"12345")
    depot.wait(2)
    assert depot.collect().deleted == 1
    assert depot.has(digest)


def test_collections_beside_uploads_leave_no_promise_unkept(local: Site, tmp_path: Path) -> None:
    depot = Depot(local, tmp_path)
    until = time.monotonic() + 2
    errors: list[BaseException] = []
    passes = {"collected": 0, "uploaded": 0}

    def guarded(work: object) -> None:
        try:
            while time.monotonic() < until:
                work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 -- told below
            errors.append(error)

    def collecting() -> None:
        depot.wait(8)
        passes["collected"] += depot.collect().deleted

    def uploading() -> None:
        try:
            digest = depot.upload(b"always the same")
        except Refused:  # days went by while it was stored
            return
        passes["uploaded"] += 1
        found = depot.pieces.find(depot.place, digest)
        if found is not None and local.store.size(found.key) is None:
            assert depot.pieces.find(depot.place, digest) != found

    threads = [
        threading.Thread(target=guarded, args=(work,))
        for work in (collecting, collecting, uploading, uploading)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert passes["collected"] > 1 < passes["uploaded"]
    assert depot.has(depot.upload(b"always the same"))
    depot.wait(8)
    depot.collect()
    assert not [path for path in (tmp_path / "data/artifacts").rglob("*") if path.is_file()]


def test_an_upload_that_died_while_it_was_stored_leaves_nothing(
    local: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    depot = Depot(local, tmp_path)

    def die(path: Path, key: str) -> None:
        FolderStore(tmp_path / "data" / "artifacts").adopt(path, key)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(local.store, "adopt", die)
        with pytest.raises(SystemExit):
            depot.upload(b"12345")
    digest = str(blake3(b"12345").hexdigest())
    assert depot.pieces.missing(depot.place, [digest]) == [digest]
    depot.wait(2)
    assert depot.collect() == Collected(condemned=1, deleted=1, size=5)
    assert not [path for path in (tmp_path / "data/artifacts").rglob("*") if path.is_file()]
    assert depot.has(depot.upload(b"12345"))


def test_damaged_and_missing_files_are_told_and_come_back_with_the_next_upload(
    local: Site, tmp_path: Path
) -> None:
    depot = Depot(local, tmp_path)
    good, rotten, gone = (depot.upload(one) for one in (b"good", b"rotten", b"gone"))
    depot.register(good, rotten, gone)
    for digest, how in ((rotten, b"ROTTEN"), (gone, None)):
        stored = depot.pieces.find(depot.place, digest)
        assert stored is not None
        path = tmp_path / "data" / "artifacts" / stored.key
        path.write_bytes(how) if how else path.unlink()
    expected = {Damage(rotten, "damaged"), Damage(gone, "missing")}

    def found(*, mend: bool) -> set[Damage]:
        return set(verify(local.database, local.store, local.clock, mend=mend))

    assert found(mend=False) == expected
    assert depot.pieces.missing(depot.place, [good, rotten, gone]) == []
    assert found(mend=True) == expected
    assert depot.pieces.missing(depot.place, [good, rotten, gone]) == [rotten, gone]
    depot.upload(b"rotten")
    depot.upload(b"gone")
    depot.collect()
    assert found(mend=False) == set()
    assert all(map(depot.has, (good, rotten, gone)))


def test_uploads_that_nobody_goes_on_with_are_swept(local: Site, tmp_path: Path) -> None:
    depot = Depot(local, tmp_path)
    folder = local.artifacts.uploads.folder
    folder.mkdir()
    for name, age in (("old", 8 * 86_400), ("young", 6 * 86_400)):
        (folder / name).write_bytes(b"12345")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert depot.collect() == Collected(uploads=1, upload_size=5)
    assert [path.name for path in folder.iterdir()] == ["young"]
