"""Datasets, and the versions that were made from them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from tests.registry.bundles import person


def test_a_dataset_is_made_known_and_changed(ranker: Registry) -> None:
    values = {"uri": "s3://reviews", "digest": "sha256:1", "tags/lang": "en"}
    made, changed = ranker.put_dataset("Team/Reviews", values)
    assert (made.dataset, made.uri, made.digest, changed) == (
        "Team/Reviews", "s3://reviews", "sha256:1", True,
    )  # fmt: skip
    assert (made.tags, made.versions, made.state) == ({"lang": "en"}, 0, "active")
    again, changed = ranker.put_dataset("team/reviews", {"uri": "s3://reviews"})
    assert (again, changed) == (made, False)
    other, changed = ranker.put_dataset("team/reviews", {"digest": "", "tags/lang": None})
    assert (other.digest, other.tags, changed) == (None, {}, True)
    assert ranker.dataset("TEAM/reviews") == other


def test_datasets_are_listed_by_name_beginning_or_glob(ranker: Registry) -> None:
    for name in ("team/reviews", "Team/films", "other"):
        ranker.put_dataset(name, {"uri": f"s3://{name}"})
    listed = {
        pattern: [one.dataset for one in ranker.datasets(pattern)]
        for pattern in (None, "team", "*films", "other", "nothing")
    }
    assert listed == {
        None: ["Team/films", "other", "team/reviews"],
        "team": ["Team/films", "team/reviews"],
        "*films": ["Team/films"],
        "other": ["other"],
        "nothing": [],
    }


def test_a_removed_dataset_is_gone_until_it_is_put_again(ranker: Registry) -> None:
    ranker.put_dataset("reviews", {"uri": "s3://reviews", "description": "d"})
    assert ranker.remove_dataset("reviews").state == "deleted"
    assert ranker.datasets() == []
    for verb in (ranker.dataset, ranker.made_from, ranker.remove_dataset):
        with pytest.raises(NotFound, match="removed"):
            verb("reviews")
    back, changed = ranker.put_dataset("reviews", {})
    assert (back.uri, back.description, changed) == ("s3://reviews", "d", True)


def test_what_is_done_to_a_dataset_is_told_though_no_reader_gets_a_turn(
    ranker: Registry, keep_readers_out: Callable[[], None]
) -> None:
    ranker.edit("ranker@1", {"inputs/reviews": {"uri": "s3://reviews", "digest": None}})
    keep_readers_out()
    made, changed = ranker.put_dataset("reviews", {"uri": "s3://reviews", "tags/lang": "en"})
    assert (made.uri, made.tags, made.versions, changed) == (
        "s3://reviews", {"lang": "en"}, 1, True,
    )  # fmt: skip
    assert made.author == ranker.context.actor.name
    assert ranker.put_dataset("reviews", {}) == (made, False)
    assert ranker.remove_dataset("reviews").state == "deleted"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("", {"uri": "x"}),
        ("a@b", {"uri": "x"}),
        ("reviews", {}),
        ("reviews", {"uri": ""}),
        ("reviews", {"uri": " "}),
        ("reviews", {"uri": "x", "tags/\x1b": "x"}),
        ("reviews", {"uri": "x" * 70_000}),
    ],
)
def test_such_a_dataset_is_refused(ranker: Registry, name: str, values: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        ranker.put_dataset(name, values)
    assert ranker.datasets() == []


def test_near_names_are_offered(ranker: Registry) -> None:
    ranker.put_dataset("reviews", {"uri": "x"})
    with pytest.raises(NotFound) as raised:
        ranker.dataset("review")
    assert "reviews" in raised.value.hint


def test_a_capture_takes_over_what_is_known_of_a_dataset(registry: Registry, run: Path) -> None:
    registry.put_dataset("reviews", {"uri": "s3://reviews", "digest": "sha256:1"})
    captured = registry.capture(run, model="m", inputs={"reviews": None, "other": "gs://other"})
    assert captured.version.inputs == {
        "reviews": {"uri": "s3://reviews", "digest": "sha256:1"},
        "other": {"uri": "gs://other", "digest": None},
    }
    (made,) = registry.made_from("reviews")
    assert (made.reference, made.input, made.current) == ("m@1", "reviews", True)
    assert registry.dataset("reviews").versions == 1


def test_a_capture_from_an_unknown_dataset_stores_nothing(registry: Registry, run: Path) -> None:
    with pytest.raises(NotFound):
        registry.capture(run, model="m", inputs={"reviews": None})
    with pytest.raises(BadInput):
        registry.capture(run, model="m", inputs={"reviews": " "})
    assert registry.models() == []
    assert not any((registry.home / "objects").rglob("*.*"))


def test_versions_are_found_by_name_and_by_address(ranker: Registry) -> None:
    ranker.put_dataset("reviews", {"uri": "s3://reviews", "digest": "sha256:1"})
    by_name = ranker.origins("ranker@1", inputs={"Reviews": "s3://elsewhere"})
    by_address = ranker.origins("ranker@2", inputs={"data": "s3://reviews"})
    ranker.edit("ranker@1", by_name)
    ranker.edit("ranker@2", by_address)
    found = [(one.reference, one.input, one.current) for one in ranker.made_from("reviews")]
    assert found == [("ranker@1", "Reviews", False), ("ranker@2", "data", True)]
    assert ranker.dataset("reviews").versions == 2
    ranker.change_state("version", "ranker@2", "delete")
    assert ranker.dataset("reviews").versions == 1


def test_parents_come_and_go_by_edit(ranker: Registry) -> None:
    wanted = ranker.origins("ranker@2", parents=["ranker@champion"])
    assert ranker.edit("ranker@2", wanted)
    assert ranker.version("ranker@2").parents == [ranker.version("ranker@1").id]
    assert ranker.edit("ranker@2", ranker.origins("ranker@2", without=["ranker@1"]))
    assert ranker.version("ranker@2").parents == []


def test_a_version_is_not_its_own_parent_and_a_model_has_none(ranker: Registry) -> None:
    with pytest.raises(BadInput, match="itself"):
        ranker.origins("ranker@1", parents=["ranker@champion"])
    with pytest.raises(BadInput, match="only versions"):
        ranker.origins("ranker", inputs={"reviews": "s3://reviews"})
    with pytest.raises(NotFound):
        ranker.origins("ranker@1", inputs={"reviews": None})
    with pytest.raises(NotFound):
        ranker.origins("ranker@1", parents=["ranker@9"])


def test_the_log_says_what_an_operation_that_met_another_one_did(
    registry: Registry, tmp_path: Path
) -> None:
    ben = person("ben", tmp_path / "ben")
    registry.put_dataset("reviews", {"uri": "s3://a"})
    registry.export(None, tmp_path / "a")
    ben.import_bundle(tmp_path / "a")
    registry.put_dataset("reviews", {"uri": "s3://ann"})
    ben.put_dataset("reviews", {"uri": "s3://ben"})
    ben.export(None, tmp_path / "b")
    registry.import_bundle(tmp_path / "b")

    assert len(registry.conflicts()) == 1
    assert registry.log(limit=1).operations[0].summary == (
        "set uri of the dataset reviews (in conflict)"
    )
