"""Work over all files of a large registry stays within the memory that a replica may use.

The registry has 400,000 versions of which the typed rows were made by SQL; nearly all documents and
all bytes are not there. Every version has a file of its own and one that it shares with all others.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import regtui
from regtui.artifacts.store import ObjectStore
from regtui.artifacts.verify import Damage
from regtui.registry import Registry, content
from regtui.registry.gc import Amount
from regtui.registry.stored import ROWS
from regtui.replica import rebuild
from regtui.replica.database import connected
from tests.registry.keeping import DAY, age, objects

pytestmark = pytest.mark.slow

VERSIONS = 400_000
MODELS = 4
DELETED = 40
"""So many versions have one that is deleted, and that has a document."""
_KEY = 1_000

_ROWS = f"""
begin;
insert into base.version
select {_KEY} + i, m.key, i, uuid(), i, i, 'x', 11, 2,
       case when i % {DELETED} = 0 then 'deleted' else 'captured' end, 1, 0, null, null, 'x'
  from range({VERSIONS}) t(i) join base.model m on m.key = (
       select list(key order by name) from base.model)[1 + i % {MODELS}];
insert into base.file
select {_KEY} + i, 'model', 10, false, unhex(sha256('own ' || i)) from range({VERSIONS}) t(i);
insert into base.file
select {_KEY} + i, 'config', 1, false, unhex(sha256('shared')) from range({VERSIONS}) t(i);
insert into base.document
select {_KEY} + i, uuid(), 'version', 0, 0, '{{"fields":{{"state":{{"at":0}}}}}}'
  from range(0, {VERSIONS}, {DELETED}) t(i);
commit;
"""


@pytest.fixture(scope="module")
def large_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        patch.setenv("REGTUI_MEMORY", "1GB")
        registry = regtui.open(shutil.copytree(empty_home, folder / "home"))
        for number in range(MODELS):
            registry.create_model(f"m{number}")
        with connected(registry.home / "registry.duckdb", read_only=False) as connection:
            connection.execute(_ROWS)
    return registry.home


@pytest.fixture
def large(large_home: Path) -> Registry:
    """Return a registry that nobody changes."""
    return regtui.open(large_home)


def test_usage_of_models_is_added_up(large: Registry) -> None:
    models = large.du().models
    assert models is not None
    there = VERSIONS // MODELS
    kept = {"m0": there - VERSIONS // DELETED, "m1": there, "m2": there, "m3": there}
    told = {
        one.model: (one.versions, one.files, one.total, one.unique, one.shared) for one in models
    }
    assert told == {name: (n, 2 * n, 11 * n, 10 * n, 1) for name, n in kept.items()}


def test_usage_of_the_versions_of_a_model_is_added_up(large: Registry) -> None:
    versions = large.du("m1").versions
    assert versions is not None
    assert len(versions) == VERSIONS // MODELS
    assert {(one.files, one.total, one.unique, one.shared) for one in versions} == {(2, 11, 10, 1)}


def test_every_file_is_verified(large: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are at the limit here; the bytes are nowhere."""
    seen: list[int] = []

    def verified(_: ObjectStore, wanted: list[tuple[str, int]], **__: object) -> Iterator[Damage]:
        seen.append(len(wanted))
        yield Damage(wanted[0][0], "missing")

    monkeypatch.setattr(content, "verify_objects", verified)
    found = large.verify()
    named = VERSIONS - VERSIONS // DELETED + 1
    assert (found.versions, found.files, found.bytes) == (named - 1, named, (named - 1) * 10 + 1)
    assert sum(seen) == named
    assert max(seen) < 2 * ROWS
    assert len(found.damaged) == len(seen)
    assert all(len(damage.used_by) == 1 for damage in found.damaged)


def test_files_of_deleted_versions_are_collected(large_home: Path, tmp_path: Path) -> None:
    registry = regtui.open(shutil.copytree(large_home, tmp_path / "home"))
    stored = range(0, VERSIONS, 100)
    gone = len([number for number in stored if number % DELETED == 0])
    for number in stored:
        digest = hashlib.sha256(f"own {number}".encode()).hexdigest()
        path = registry.context.store.path_of(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    age(registry.home, 30 * DAY)
    found = registry.gc()
    assert found.removed.deleted == Amount(gone, gone)
    assert found.kept.needed.files == len(objects(registry.home)) == len(stored) - gone


def test_all_of_it_is_examined(large: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "RANGE", 20_000)  # ten times as much at once, for speed
    found = {one.check: one for one in large.doctor().checks}
    assert found["database"].status == "ok"
    there = VERSIONS - VERSIONS // DELETED  # documents that can't be read are told apart
    assert found["tables"].message.endswith(f"{there} in version")
    lost = there + 1
    assert found["stored files"].message.startswith(f"{lost} are missing")
    assert found["layouts"].message.startswith(f"{lost} of {lost} are missing")
