"""Versions that come as bundles: the same version here, once, with everything that was known."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import regtui
from regtui.core.errors import BadInput, NotFound
from regtui.core.operations import BYTES_LIMIT
from regtui.registry import Registry
from regtui.registry.answers_bundle import ImportedVersion
from regtui.registry.series import Series
from tests.registry.bundles import person
from tests.registry.keeping import objects
from tests.replica.ledger import check_replica


@pytest.fixture
def other(tmp_path: Path, registry: Registry) -> Registry:
    """Return another registry, of ben."""
    return person("ben", tmp_path / "other")


@pytest.fixture
def bundle(ranker: Registry, tmp_path: Path) -> Path:
    ranker.edit("ranker", {"card": "# Ranker\n", "description": "ranks", "tags/task": "rank"})
    ranker.export("ranker@1", tmp_path / "ranker.regtui")
    return tmp_path / "ranker.regtui"


@pytest.fixture
def there(bundle: Path, tmp_path: Path) -> Registry:
    return person("ben", tmp_path / "there")


def test_an_imported_version_is_the_exported_one(
    ranker: Registry, bundle: Path, there: Registry, tmp_path: Path
) -> None:
    found = there.import_bundle(bundle)
    assert isinstance(found, ImportedVersion)
    here, was = there.version("ranker@1"), ranker.version("ranker@1")
    assert found.created is True
    for field in ("id", "digest", "size", "files", "metrics", "steps", "params", "tags", "source"):
        assert getattr(here, field) == getattr(was, field), field
    assert there.model("ranker").description == "ranks"
    assert there.model("ranker").tags == {"task": "rank"}
    assert there.card("ranker") == "# Ranker\n"
    assert there.verify().damaged == []
    there.checkout("ranker@1", tmp_path / "out")
    ranker.checkout("ranker@1", tmp_path / "was")
    for path in (tmp_path / "was").rglob("*"):
        twin = tmp_path / "out" / path.relative_to(tmp_path / "was")
        assert twin.stat().st_mode == path.stat().st_mode
        assert path.is_dir() or twin.read_bytes() == path.read_bytes()
    check_replica(there.home)


def test_the_original_author_and_reference_are_a_place(
    ranker: Registry, bundle: Path, there: Registry
) -> None:
    there.import_bundle(bundle)
    first, origin = there.places("ranker@1")
    was = ranker.version("ranker@1")
    assert first.folder == ranker.places("ranker@1")[0].folder
    assert origin.name == "ranker@1"
    assert origin.context["imported"]["author"] == was.author
    assert origin.context["imported"]["version"] == was.id
    assert there.version("ranker@1").author == "ben"


def test_the_same_bundle_again_changes_nothing(bundle: Path, there: Registry) -> None:
    there.import_bundle(bundle)
    there.edit("ranker@1", {"tags/env": "test", "description": "mine"})
    before = there.sql("select count(*) from operations").rows
    again = there.import_bundle(bundle)
    assert (again.created, again.changed, again.objects) == (False, False, 0)  # type: ignore[union-attr]
    assert there.sql("select count(*) from operations").rows == before
    assert there.version("ranker@1").tags["env"] == "test"


def test_a_bundle_goes_home_without_a_trace_but_its_origin(ranker: Registry, bundle: Path) -> None:
    before = ranker.version("ranker@1")
    assert ranker.import_bundle(bundle).created is False  # type: ignore[union-attr]
    assert ranker.version("ranker@1") == before


def test_a_newer_bundle_adds_what_is_new(
    ranker: Registry, bundle: Path, there: Registry, tmp_path: Path
) -> None:
    there.import_bundle(bundle)
    ranker.edit("ranker@1", {"metrics/recall": 0.9, "tags/checked": "yes"})
    ranker.export("ranker@1", tmp_path / "newer")
    found = there.import_bundle(tmp_path / "newer")
    assert (found.created, found.changed) == (False, True)  # type: ignore[union-attr]
    assert there.version("ranker@1").metrics == {"f1": 0.5, "recall": 0.9}
    assert there.version("ranker@1").tags["checked"] == "yes"
    check_replica(there.home)


def test_an_import_is_one_intent(bundle: Path, there: Registry) -> None:
    there.import_bundle(bundle)
    groups = there.sql("select distinct bytes ->> '$.group' from operations").rows
    assert len(groups) == 1
    assert groups[0][0] is not None


def test_values_of_the_model_come_only_with_a_new_one(bundle: Path, there: Registry) -> None:
    there.create_model("ranker", {"description": "mine"})
    there.import_bundle(bundle)
    model = there.model("ranker")
    assert (model.description, model.tags, there.card("ranker")) == ("mine", {}, "")


def test_a_version_goes_into_another_model(bundle: Path, there: Registry) -> None:
    there.import_bundle(bundle, model="Team/Copy")
    assert there.version("team/copy@1").metrics == {"f1": 0.5}
    assert [model.model for model in there.models()] == ["team/copy"]
    assert there.model("team/copy").display_name == "Team/Copy"
    check_replica(there.home)


def test_a_malformed_model_is_refused(bundle: Path, there: Registry) -> None:
    with pytest.raises(BadInput):
        there.import_bundle(bundle, model="a@b")


def test_what_was_put_away_comes_back(bundle: Path, there: Registry) -> None:
    there.import_bundle(bundle)
    there.change_state("version", "ranker@1", "delete")
    there.change_state("model", "ranker", "archive")
    found = there.import_bundle(bundle)
    assert (found.created, found.changed) == (False, True)  # type: ignore[union-attr]
    assert there.version("ranker@1").state == "captured"
    assert there.model("ranker").state == "active"
    check_replica(there.home)


def test_a_dry_run_changes_nothing(bundle: Path, there: Registry) -> None:
    found = there.import_bundle(bundle, dry_run=True)
    assert found.created is True  # type: ignore[union-attr]
    assert there.models() == []
    assert objects(there.home) == set()
    check_replica(there.home)


def test_a_bundle_without_files_is_a_record_until_they_come(
    ranker: Registry, bundle: Path, there: Registry, tmp_path: Path
) -> None:
    ranker.export("ranker@1", tmp_path / "bare", artifacts=False)
    found = there.import_bundle(tmp_path / "bare")
    assert len(found.missing) == 3
    assert len(there.verify().damaged) == 3
    full = there.import_bundle(bundle)
    assert (full.changed, full.objects, full.missing) == (False, 3, [])  # type: ignore[union-attr]
    assert there.verify().damaged == []


def test_a_damaged_stored_file_is_healed(bundle: Path, there: Registry) -> None:
    there.import_bundle(bundle)
    path = there.path("ranker@1", "model.bin")
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    assert there.import_bundle(bundle).objects == 1
    assert there.verify().damaged == []


def test_a_bundle_is_read_from_a_stream(bundle: Path, there: Registry) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(bundle.read_bytes())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        there.import_bundle(stream)
    os.waitpid(child, 0)
    assert there.version("ranker@1").files == 3


def test_equal_content_told_apart_stays_apart(
    ranker: Registry, there: Registry, tmp_path: Path
) -> None:
    for number in (1, 2):
        ranker.export(f"ranker@{number}", tmp_path / f"{number}")
        there.import_bundle(tmp_path / f"{number}")
    ids = [there.version(f"ranker@{number}").id for number in (1, 2)]
    assert ids == [ranker.version(f"ranker@{number}").id for number in (1, 2)]


def test_series_and_parents_come_with_a_version(
    registry: Registry, other: Registry, run: Path, tmp_path: Path
) -> None:
    registry.capture(run / "model.bin", model="base")
    registry.capture(run, model="tuned", parents=["base@1"], inputs={"train": "s3://x"})
    registry.add_series("tuned@1", {"loss": Series(steps=(1, 2, 3), values=(0.3, 0.2, 0.1))})
    registry.export("tuned@1", tmp_path / "tuned")
    registry.export("base@1", tmp_path / "base")
    other.import_bundle(tmp_path / "tuned")
    assert other.plot(["tuned@1"], "loss") == registry.plot(["tuned@1"], "loss")
    other.import_bundle(tmp_path / "base")
    assert other.version("tuned@1").parents == [other.version("base@1").id]
    assert other.version("tuned@1").inputs == registry.version("tuned@1").inputs


def test_values_too_many_for_one_operation_come_whole(
    registry: Registry, other: Registry, run: Path, tmp_path: Path
) -> None:
    registry.capture(run, model="wide")
    text = "x" * 30_000
    for part in range(2):
        params = {f"params/p{part}-{index}": text for index in range(25)}
        registry.edit("wide@1", params)
    registry.edit("wide", {"card": "y" * 900_000})
    registry.edit("wide", {"description": "z" * 60_000, "tags/t": "z" * 60_000})
    registry.export("wide@1", tmp_path / "wide")
    other.import_bundle(tmp_path / "wide")
    assert sum(len(value) for value in other.version("wide@1").params.values()) > BYTES_LIMIT
    assert other.version("wide@1").params == registry.version("wide@1").params
    assert other.card("wide") == registry.card("wide")
    assert other.model("wide").tags == registry.model("wide").tags
    check_replica(other.home)


def test_nothing_to_import_is_said(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        registry.import_bundle(tmp_path / "none")
    with pytest.raises(BadInput, match="is a folder"):
        registry.import_bundle(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(BadInput, match="is empty"):
        registry.import_bundle(tmp_path / "empty")


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=9
)


@settings(max_examples=5)
@given(
    params=st.dictionaries(names, st.one_of(st.booleans(), st.integers(-9, 9), names), max_size=4),
    metrics=st.dictionaries(names, st.floats(), max_size=4),
    tags=st.dictionaries(names, st.text(st.characters(codec="utf-8")), max_size=4),
)
def test_any_values_arrive_as_they_were(
    params: dict[str, object], metrics: dict[str, float], tags: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        ann, ben = regtui.open(folder / "ann"), person("ben", folder / "ben")
        (folder / "m").touch()
        ann.capture(folder / "m", model="m", params=params, metrics=metrics, tags=tags)
        stream = io.BytesIO()
        ann.export("m@1", stream)
        stream.seek(0)
        ben.import_bundle(stream)
        here, was = ben.version("m@1"), ann.version("m@1")
    assert (here.params, here.metrics, here.tags) == (was.params, was.metrics, was.tags)
