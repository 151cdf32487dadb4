"""Standing: a version's metrics among those of its model, and what to compare it with."""

import math
import shutil
from pathlib import Path

import pytest

import regtui
from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.courses import course
from regtui.registry.series import Series
from regtui.registry.standing import Place, Standing, before, standing


@pytest.fixture(scope="session")
def scores_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scores")
    registry = regtui.open(shutil.copytree(empty_home, folder / "home"))
    registry.create_model("m", {"primary_metric": "f1"})
    for number, metrics in enumerate(
        [
            {"f1": 0.7, "loss": 0.9},
            {"f1": 0.8, "loss": 0.5, "loss_nan": math.nan},
            {"f1": 0.9, "loss": 0.7},
            {"f1": 0.8, "loss": 0.6},
        ],
        start=1,
    ):
        file = folder / f"{number}.bin"
        file.write_bytes(bytes([number]))
        registry.capture(file, model="m", metrics=metrics)
    return registry.home


@pytest.fixture
def scores(tmp_path: Path, scores_home: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a registry with four versions of `m`: f1 goes up, loss goes down, one has NaN."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return regtui.open(shutil.copytree(scores_home, tmp_path / "home"))


def places(found: Standing) -> dict[str, Place]:
    return {place.metric: place for place in found.places}


def stands(registry: Registry, reference: str) -> Standing:
    return standing(registry.context, reference)


def test_a_value_is_placed_by_the_direction_in_which_it_gets_better(scores: Registry) -> None:
    found = places(stands(scores, "m@3"))

    assert (found["f1"].place, found["f1"].best, found["f1"].of) == (1, 0.9, 4)
    assert (found["loss"].place, found["loss"].best, found["loss"].direction) == (3, 0.5, "min")


def test_equal_values_share_the_better_place(scores: Registry) -> None:
    assert places(stands(scores, "m@2"))["f1"].place == 2
    assert places(stands(scores, "m@4"))["f1"].place == 2


def test_nan_takes_no_place_and_is_no_best_value(scores: Registry) -> None:
    found = places(stands(scores, "m@2"))["loss_nan"]

    assert (found.place, found.best, found.of) == (None, None, 0)


def test_the_chosen_direction_of_the_primary_metric_counts(scores: Registry) -> None:
    scores.edit("m", {"direction": "min"})

    found = stands(scores, "m@1")

    assert found.places[0].metric == "f1"
    assert (found.places[0].place, found.places[0].best) == (1, 0.7)


def test_a_version_put_away_takes_no_place_among_the_others(scores: Registry) -> None:
    scores.change_state("version", "m@3", "archive")

    assert places(stands(scores, "m@3"))["f1"].place is None
    assert (places(stands(scores, "m@2"))["f1"].place, places(stands(scores, "m@2"))["f1"].of) == (
        1,
        3,
    )


def test_the_version_before_is_the_newest_earlier_one_that_is_not_deleted(
    scores: Registry,
) -> None:
    scores.change_state("version", "m@3", "delete")
    found = stands(scores, "m@4").before

    assert found is not None
    assert found.reference == "m@2"
    assert before(scores.context, "m@4") == found
    assert before(scores.context, "m@1") is None


def test_the_champion_leads_else_the_first_alias_by_name(scores: Registry) -> None:
    assert stands(scores, "m@1").holder is None

    scores.set_alias("m@2", "beta")
    scores.set_alias("m@4", "alpha")
    first = stands(scores, "m@1")
    scores.set_alias("m@3", "champion")
    leading = stands(scores, "m@1")

    assert (first.alias, first.holder and first.holder.number) == ("alpha", 4)
    assert (leading.alias, leading.holder and leading.holder.number) == ("champion", 3)


def test_metrics_with_a_series_are_named_even_without_a_value(scores: Registry) -> None:
    scores.add_series("m@1", {"eval/loss": Series((1, 2), (0.5, 0.25))})

    assert stands(scores, "m@1").curves == ["eval/loss"]


def test_what_is_no_version_has_no_standing(scores: Registry) -> None:
    with pytest.raises(NotFound):
        stands(scores, "m@9")
    with pytest.raises(BadInput):
        stands(scores, "m")


def test_a_course_reaches_as_far_to_both_sides_of_a_version(scores: Registry) -> None:
    version = scores.version("m@2")

    assert course(scores.context, version, "f1", 2) == [(1, 0.7), (2, 0.8), (3, 0.9)]
    assert course(scores.context, version, "nothing", 2) == []
