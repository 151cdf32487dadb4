import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
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
ASKED = str(blake3(b"asked for").hexdigest())


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


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def shared(request: pytest.FixtureRequest, tmp_path: Path, folder_store: FolderStore) -> Site:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = Site(folder, folder_store, Limits(spare=0), url)
    request.addfinalizer(made.server.close)  # noqa: PT021 -- before the database ends
    return made


class Users:
    """Several who upload and ask while others collect, and days go by.

    They go on for some seconds, and until both happened twice.
    """

    def __init__(self, depot: Depot, seconds: float) -> None:
        self.depot = depot
        self.until = time.monotonic() + seconds
        self.errors: list[BaseException] = []
        self.collected = self.uploaded = 0

    def work(self) -> None:
        ways = [self.collect, self.upload, self.ask] * 2
        threads = [threading.Thread(target=self.repeat, args=(way,)) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def repeat(self, way: Callable[[], None]) -> None:
        try:
            while time.monotonic() < self.until or min(self.collected, self.uploaded) < 2:
                with suppress(Refused):  # days went by while something was stored
                    way()
        except BaseException as error:  # noqa: BLE001 -- told by the test
            self.errors.append(error)

    def collect(self) -> None:
        self.depot.wait(8)
        self.collected += self.depot.collect().deleted

    def upload(self) -> None:
        before = self.depot.site.offset
        digest = self.depot.upload(b"always the same")
        self.uploaded += 1
        assert self.depot.has(digest) or self.depot.site.offset != before

    def ask(self) -> None:
        before = self.depot.site.offset
        if self.depot.pieces.missing(self.depot.place, [ASKED]):
            self.depot.upload(b"asked for")
        # What is said to be there stays for a week.
        assert self.depot.has(ASKED) or self.depot.site.offset != before


def test_collections_beside_uploads_leave_no_promise_unkept(shared: Site, tmp_path: Path) -> None:
    users = Users(depot := Depot(shared, tmp_path), float(os.environ.get("REGTUI_SECONDS", "2")))
    users.work()
    assert not users.errors
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
