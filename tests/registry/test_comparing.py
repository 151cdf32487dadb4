"""Diff and the places behind it, through the registry."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from regtui.core import encoding
from regtui.core.errors import BadInput, Damaged, NotFound
from regtui.core.operations import CaptureBody
from regtui.registry import Registry
from regtui.registry.changes import changes
from regtui.registry.surroundings import flat


def safetensors(path: Path, tensors: dict[str, bytes]) -> None:
    """Write one-dimensional tensors of float32."""
    header: dict[str, Any] = {}
    data = b""
    for name, values in tensors.items():
        end = len(data) + len(values)
        offsets = [len(data), end]
        header[name] = {"dtype": "F32", "shape": [len(values) // 4], "data_offsets": offsets}
        data += values
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


def put_place(registry: Registry, reference: str, context: dict[str, Any], **facts: Any) -> None:
    """Add a place with a context to a version, as a watcher does."""
    found = registry.version(reference)
    place = {"host": "gpu1", "folder": "/runs", "name": "7", "at": 1, "context": context}
    with registry.context.writing() as authority:
        version = authority.view.document(found.id)
        assert version is not None
        place |= {"author": authority.actor.id} | facts
        key = encoding.digest(encoding.encode(place))[:16]
        body = CaptureBody(
            digest=version.facts["digest"], nonce=version.facts.get("nonce", ""),
            size=found.size, files=found.files,
            set=changes({f"places/{key}": place}, "version", version),
        )  # fmt: skip
        authority.submit("version.capture", version.stream, version.id, body)


@pytest.fixture
def two(registry: Registry, tmp_path: Path) -> Registry:
    """Return a registry with two versions of `ranker` that differ in everything."""
    first = folder(tmp_path / "a", {"x": "x", "old": "moved", "gone": "1", "conf": "a"})
    second = folder(tmp_path / "b", {"x": "x", "new": "moved", "made": "2", "conf": "bb"})
    registry.capture(
        first, model="ranker", tags={"env": "dev"}, inputs={"train": "s3://a"},
        metrics={"f1": 0.5, "loss": (2.0, 10), "same": 1.0, "old": 1.0, "zero": 0.0},
        params={"lr": 0.1, "n": 1, "flag": True},
    )  # fmt: skip
    registry.capture(
        second, model="ranker", tags={"env": "prod"}, inputs={"train": "s3://b"},
        metrics={"f1": 0.6, "loss": (1.0, 20), "same": 1.0, "new": 1.0, "zero": 1.0},
        params={"lr": 0.2, "n": 1, "flag": 1},
    )  # fmt: skip
    return registry


def test_metrics_differ_with_direction_and_share(two: Registry) -> None:
    metrics = two.diff("ranker@1", "ranker@2").metrics
    assert metrics.changed["loss"] == {
        "before": 2.0, "after": 1.0, "delta": -1.0, "percent": -50.0, "direction": "min",
        "better": True, "steps": [10, 20],
    }  # fmt: skip
    assert metrics.changed["f1"]["better"] is True
    assert metrics.changed["zero"]["percent"] is None
    assert (metrics.added, metrics.removed, metrics.same) == ({"new": 1.0}, {"old": 1.0}, 1)


def test_the_model_chooses_the_direction_of_its_primary_metric(two: Registry) -> None:
    two.edit("ranker", {"primary_metric": "f1", "direction": "min"})
    change = two.diff("ranker@1", "ranker@2").metrics.changed["f1"]
    assert (change["direction"], change["better"]) == ("min", False)


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_figures_that_are_no_numbers_have_no_difference(two: Registry, figure: float) -> None:
    two.edit("ranker@2", {"metrics/f1": figure})
    change = two.diff("ranker@1", "ranker@2").metrics.changed["f1"]
    assert (change["delta"], change["percent"]) == (None, None)
    assert change["better"] is (None if figure != figure else True)  # noqa: PLR0124 -- NaN


def test_values_are_compared_by_their_spelling(two: Registry) -> None:
    found = two.diff("ranker@1", "ranker@2")
    assert found.params.changed["flag"] == {"before": True, "after": 1}
    assert found.params.same == 1
    assert found.tags.changed == {"env": {"before": "dev", "after": "prod"}}
    assert found.inputs.changed["train"]["after"]["uri"] == "s3://b"


def test_files_are_matched_by_path_and_then_by_digest(two: Registry) -> None:
    files = two.diff("ranker@1", "ranker@2").files
    assert set(files.changed) == {"conf"}
    assert files.changed["conf"]["before"]["size"] == 1
    assert (set(files.added), set(files.removed), files.same) == ({"made"}, {"gone"}, 1)
    assert {name: one["before"] for name, one in files.moved.items()} == {"new": "old"}


def test_both_directions_say_the_same(two: Registry) -> None:
    there, back = two.diff("ranker@1", "ranker@2"), two.diff("ranker@2", "ranker@1")
    for name in ("metrics", "params", "tags", "inputs", "files", "tensors"):
        one, other = getattr(there, name), getattr(back, name)
        assert (one.added, one.removed, one.same) == (other.removed, other.added, other.same)
        assert set(one.changed) == set(other.changed)


def test_a_version_does_not_differ_from_itself(two: Registry) -> None:
    found = two.diff("ranker@1", "ranker@latest")
    assert found.equal is False
    same = two.diff("ranker@1", "ranker@1")
    assert same.equal is True
    assert same.files.same == 4


def test_a_file_alone_is_the_same_file_whatever_its_name(
    registry: Registry, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
        registry.capture(tmp_path / name, model="notes")
    files = registry.diff("notes@1", "notes@2").files
    assert (list(files.changed), files.added, files.removed) == (["a.txt"], {}, {})


def test_tensors_are_matched_by_name_over_all_files(registry: Registry, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    ones, others, more = b"\1" * 16, b"\2" * 16, b"\3" * 32
    safetensors(one / "1.safetensors", {"a": ones, "b": others})
    safetensors(one / "2.safetensors", {"c": ones, "gone": ones, "grown": ones})
    safetensors(two / "1.safetensors", {"a": ones, "c": others})
    safetensors(two / "2.safetensors", {"b": others, "new": ones, "grown": more})
    for path in (one, two):
        registry.capture(path, model="net")
    tensors = registry.diff("net@1", "net@2").tensors
    assert set(tensors.changed) == {"c", "grown"}
    assert tensors.changed["grown"]["before"]["shape"] == [4]
    assert tensors.changed["grown"]["after"]["shape"] == [8]
    assert (set(tensors.added), set(tensors.removed), tensors.same) == ({"new"}, {"gone"}, 2)
    assert (tensors.unknown, tensors.partial) == ({}, False)


def test_a_name_in_two_files_stands_with_its_file(registry: Registry, tmp_path: Path) -> None:
    for version, values in (("one", b"\1" * 4), ("two", b"\2" * 4)):
        path = tmp_path / version
        path.mkdir()
        safetensors(path / "base.safetensors", {"w": b"\0" * 4, "own": values})
        safetensors(path / "lora.safetensors", {"w": values})
        registry.capture(path, model="net")
    tensors = registry.diff("net@1", "net@2").tensors
    assert set(tensors.changed) == {"own", "lora.safetensors: w"}
    assert tensors.same == 1


def test_tensors_in_files_of_both_versions_count_as_the_same(
    registry: Registry, tmp_path: Path
) -> None:
    safetensors(tmp_path / "w.safetensors", {"a": b"\1" * 4, "b": b"\2" * 4})
    for version in ("one", "two"):
        path = folder(tmp_path / version, {"note": version})
        (path / "w.safetensors").write_bytes((tmp_path / "w.safetensors").read_bytes())
        registry.capture(path, model="net")
    tensors = registry.diff("net@1", "net@2").tensors
    assert (tensors.none, tensors.same) == (True, 2)


def test_context_and_packages_differ(two: Registry) -> None:
    put_place(
        two, "ranker@1",
        {"git": {"commit": "aa", "dirty": False}, "packages": {"numpy": "2.0", "six": "1"}},
    )  # fmt: skip
    digest = kept_text(two, "numpy==2.1\ntorch == 2.13\n")
    put_place(two, "ranker@2", {"git": {"commit": "bb", "dirty": False}, "packages": digest})
    found = two.diff("ranker@1", "ranker@2")
    assert found.context.changed == {"git.commit": {"before": "aa", "after": "bb"}}
    assert found.packages.changed == {"numpy": {"before": "2.0", "after": "2.1"}}
    assert (found.packages.added, found.packages.removed) == ({"torch": "2.13"}, {"six": "1"})


def kept_text(registry: Registry, text: str) -> str:
    digest = encoding.digest(text.encode())
    with registry.context.writing() as authority:
        authority.connection.execute("insert into base.text values (?, ?)", [digest, text])
    return digest


def test_packages_that_are_not_here_are_compared_by_digest(two: Registry) -> None:
    put_place(two, "ranker@1", {"packages": "a" * 64})
    put_place(two, "ranker@2", {"packages": "b" * 64})
    found = two.diff("ranker@1", "ranker@2")
    assert set(found.context.changed) == {"packages"}
    assert found.packages.none


def test_the_first_place_counts_and_later_ones_fill_in(two: Registry) -> None:
    put_place(two, "ranker@1", {"seed": 1}, at=1)
    put_place(two, "ranker@1", {"seed": 2, "gpu": "A"}, at=2, host="gpu2", run="r")
    places = two.places("ranker@1")
    assert [place.host for place in places][:2] == ["gpu1", "gpu2"]
    assert places[0].at == "1970-01-01T00:00:00.000Z"
    removed = two.diff("ranker@1", "ranker@2").context.removed
    assert removed == {"seed": 1, "gpu": "A", "run": "r"}


def test_flat_keeps_lists_whole_and_drops_nothing_but_none() -> None:
    values = {"a": {"b": {"c": [1, {"d": 2}]}}, "e": None, "f": False, "g": 0}
    assert flat(values) == {"a.b.c": [1, {"d": 2}], "f": False, "g": 0}


def test_deleted_versions_can_be_compared(two: Registry) -> None:
    two.change_state("version", "ranker@1", "delete")
    found = two.diff("ranker@1", "ranker@2")
    assert found.before.state == "deleted"
    assert found.metrics.changed


def test_what_is_no_version_is_refused(two: Registry) -> None:
    with pytest.raises(BadInput, match="names a model"):
        two.diff("ranker", "ranker@1")
    with pytest.raises(NotFound):
        two.diff("ranker@1", "ranker@9")


def test_a_damaged_list_of_files_is_no_difference(two: Registry) -> None:
    with two.context.writing() as authority:
        authority.connection.execute("update base.file set size = 77 where path = 'gone'")
    with pytest.raises(Damaged):
        two.diff("ranker@1", "ranker@2")
