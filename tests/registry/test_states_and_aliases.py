from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from tests.replica.ledger import check_replica


def test_an_alias_moves(ranker: Registry) -> None:
    assert ranker.set_alias("ranker@2", "champion") is True
    assert ranker.set_alias("ranker@2", "Champion") is False
    (alias,) = ranker.aliases()
    assert (alias.alias, alias.number) == ("champion", 2)
    check_replica(ranker.home)


def test_a_version_under_an_alias_stays(ranker: Registry) -> None:
    for verb in ("archive", "delete"):
        with pytest.raises(BadInput, match="the alias champion points to it"):
            ranker.change_state("version", "ranker@1", verb)
    ranker.remove_alias("ranker@champion")
    assert ranker.change_state("version", "ranker@1", "delete") is True


def test_no_alias_points_to_a_deleted_version(ranker: Registry) -> None:
    ranker.change_state("version", "ranker@2", "delete")
    with pytest.raises(NotFound, match="is deleted"):
        ranker.set_alias("ranker@2", "next")
    with pytest.raises(NotFound, match="is deleted"):
        ranker.set_alias(ranker.version("ranker@2").short_id, "champion")
    assert ranker.version("ranker@champion").number == 1


def test_an_archived_version_gets_no_alias_as_one_with_an_alias_is_not_archived(
    ranker: Registry,
) -> None:
    ranker.change_state("version", "ranker@2", "archive")
    with pytest.raises(BadInput, match="is archived"):
        ranker.set_alias("ranker@2", "old")


def test_a_capture_brings_an_archived_model_back(ranker: Registry, tmp_path: Path) -> None:
    ranker.change_state("model", "ranker", "archive")
    (tmp_path / "weights").write_text("new", encoding="utf-8")
    ranker.capture(tmp_path / "weights", model="ranker")
    assert ranker.model("ranker").state == "active"


def test_a_deleted_model_does_not_come_back_under_a_name_that_is_taken(
    ranker: Registry, tmp_path: Path
) -> None:
    ranker.change_state("model", "ranker", "delete")
    (tmp_path / "weights").write_text("new", encoding="utf-8")
    ranker.capture(tmp_path / "weights", model="ranker")
    with pytest.raises(BadInput, match="another model is called 'ranker' by now"):
        ranker.change_state("model", "ranker", "restore")


def test_an_alias_can_not_reach_into_a_deleted_model(ranker: Registry) -> None:
    short = ranker.version("ranker@2").short_id
    ranker.change_state("model", "ranker", "delete")
    with pytest.raises(NotFound, match="the model is deleted"):
        ranker.set_alias(short, "next")


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (["archive"], "archived"),
        (["archive", "restore"], "captured"),
        (["delete"], "deleted"),
        (["delete", "restore"], "captured"),
        (["archive", "delete"], "deleted"),
        (["archive", "delete", "restore"], "captured"),
    ],
)
def test_states_follow_one_another(ranker: Registry, steps: list[str], state: str) -> None:
    for verb in steps:
        assert ranker.change_state("version", "ranker@2", verb) is True
        assert ranker.change_state("version", "ranker@2", verb) is False
    assert ranker.version("ranker@2").state == state
    check_replica(ranker.home)


def test_what_is_deleted_is_not_archived(ranker: Registry) -> None:
    ranker.change_state("version", "ranker@2", "delete")
    with pytest.raises(NotFound, match="restore it first"):
        ranker.change_state("version", "ranker@2", "archive")


def test_a_restored_model_is_as_it_was(ranker: Registry) -> None:
    before = ranker.versions("sort:number"), ranker.aliases()
    ranker.change_state("model", "ranker", "delete")
    assert ranker.versions().versions == []
    assert ranker.aliases() == []
    ranker.change_state("model", "ranker", "restore")
    assert (ranker.versions("sort:number"), ranker.aliases()) == before


def test_the_newest_of_two_deleted_generations_comes_back(ranker: Registry, run: Path) -> None:
    ranker.change_state("model", "ranker", "delete")
    ranker.capture(run, model="ranker", tags={"second": "yes"})
    ranker.change_state("model", "ranker", "delete")
    ranker.change_state("model", "ranker", "restore")
    assert ranker.version("ranker@1").tags == {"second": "yes"}
    check_replica(ranker.home)


def test_versions_of_a_deleted_model_are_not_changed(ranker: Registry) -> None:
    short = ranker.version("ranker@2").short_id
    ranker.change_state("model", "ranker", "delete")
    for verb in ("archive", "delete"):
        with pytest.raises((NotFound, BadInput), match="the model is deleted"):
            ranker.change_state("version", short, verb)
    with pytest.raises((NotFound, BadInput), match="the model is deleted"):
        ranker.edit(short, {"description": "x"})
