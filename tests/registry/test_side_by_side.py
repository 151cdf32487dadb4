"""Several versions side by side, and the version before one."""

from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.side_by_side import side_by_side, version_before


@pytest.fixture
def three(registry: Registry, tmp_path: Path) -> Registry:
    """Return a registry with three versions of `ranker`, whose primary metric is to be low."""
    registry.create_model("ranker", {"primary_metric": "score", "direction": "min"})
    for number in (1, 2, 3):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(bytes([number]))
        registry.capture(
            file, model="ranker", metrics={"score": number / 10, "val_loss": 1.0, "f1": 0.5}
        )
    return registry


def test_versions_stand_in_the_order_asked_for(three: Registry) -> None:
    found = side_by_side(three.context, ["ranker@3", "ranker@1"])

    assert [side.version.number for side in found.sides] == [3, 1]
    assert [side.version.metrics["score"] for side in found.sides] == [0.3, 0.1]
    assert all("host" in side.context for side in found.sides)


def test_the_models_choice_decides_a_direction_and_names_decide_the_others(
    three: Registry,
) -> None:
    found = side_by_side(three.context, ["ranker@1", "ranker@2"])

    assert found.directions == {"f1": "max", "score": "min", "val_loss": "min"}


def test_deleted_versions_can_be_compared(three: Registry) -> None:
    three.change_state("version", "ranker@2", "delete")

    found = side_by_side(three.context, ["ranker@1", "ranker@2"])

    assert found.sides[1].version.state == "deleted"


@pytest.mark.parametrize("count", [0, 9])
def test_no_versions_and_more_than_eight_are_refused(three: Registry, count: int) -> None:
    with pytest.raises(BadInput, match="can't be compared"):
        side_by_side(three.context, ["ranker@1"] * count)


def test_the_version_before_is_the_last_one_that_is_not_deleted(three: Registry) -> None:
    three.change_state("version", "ranker@2", "delete")

    before = version_before(three.context, "ranker@3")

    assert before is not None
    assert before.number == 1


def test_nothing_is_before_the_first_version(three: Registry) -> None:
    assert version_before(three.context, "ranker@1") is None
    with pytest.raises(NotFound):
        version_before(three.context, "ranker@4")


def test_the_version_before_is_one_of_the_same_model(three: Registry, tmp_path: Path) -> None:
    three.capture(tmp_path / "1.bin", model="ranker/small")

    assert version_before(three.context, "ranker/small@1") is None
