from pathlib import Path

import pytest

from regtui.core.errors import NotFound
from regtui.registry import Registry
from regtui.registry.gc import Amount


@pytest.fixture
def sized(registry: Registry, tmp_path: Path) -> Registry:
    """Return models that share 1000 bytes; `a` has 10 and `b` 200 of their own, `b@2` all new."""
    shared, own = b"s" * 1000, {"a": b"a" * 10, "b": b"b" * 200}
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "base").write_bytes(shared)
        (folder / "twice").write_bytes(shared)
        (folder / "own").write_bytes(own[name])
        registry.capture(folder, model=name)
    (tmp_path / "alone").write_bytes(b"n" * 5)
    registry.capture(tmp_path / "alone", model="b")
    return registry


def test_models_are_told_with_what_only_they_need_and_what_they_share(sized: Registry) -> None:
    models = sized.du().models
    assert models is not None
    told = [
        (one.model, one.versions, one.files, one.total, one.unique, one.shared) for one in models
    ]
    assert told == [("b", 2, 4, 2205, 205, 1000), ("a", 1, 3, 2010, 10, 1000)]


def test_versions_of_a_model_are_told(sized: Registry) -> None:
    versions = sized.du("b").versions
    assert versions is not None
    told = [(one.number, one.files, one.total, one.unique, one.shared) for one in versions]
    assert told == [(1, 3, 2200, 200, 1000), (2, 1, 5, 5, 0)]
    assert sized.du("b@2").versions == versions[1:]


def test_deleting_a_version_frees_what_is_unique_to_it(sized: Registry) -> None:
    sized.change_state("version", "b@1", "delete")
    usage = sized.du()
    assert usage.models is not None
    assert usage.store is not None
    told = {one.model: (one.versions, one.unique, one.shared) for one in usage.models}
    assert told == {"a": (1, 1010, 0), "b": (1, 5, 0)}
    assert usage.store.deleted == Amount(1, 200)


def test_the_home_is_told_to_the_byte(sized: Registry) -> None:
    store = sized.du().store
    assert store is not None
    assert store.objects == store.needed == Amount(4, 1215)
    assert store.database.bytes >= (sized.home / "registry.duckdb").stat().st_size
    assert (store.orphaned, store.damaged, store.unfinished) == (Amount(),) * 3


def test_an_empty_registry_needs_nothing(registry: Registry) -> None:
    usage = registry.du()
    assert usage.models == []
    assert usage.store is not None
    assert usage.store.objects == Amount()


def test_a_model_without_versions_needs_nothing(registry: Registry) -> None:
    registry.create_model("empty")
    models = registry.du().models
    assert models is not None
    assert [(one.model, one.versions, one.total) for one in models] == [("empty", 0, 0)]
    assert registry.du("empty").versions == []


def test_what_is_not_there_is_not_told(sized: Registry) -> None:
    for reference in ("nobody", "a@9", ":0000000000"):
        with pytest.raises(NotFound):
            sized.du(reference)
