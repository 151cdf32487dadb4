"""Verbs on several versions: one intent, whole or not at all."""

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from tests.replica.ledger import check_replica


def tags(registry: Registry) -> list[dict[str, str]]:
    return [registry.version(f"ranker@{number}").tags for number in (1, 2)]


def states(registry: Registry) -> list[str]:
    return [registry.version(f"ranker@{number}").state for number in (1, 2)]


def test_the_same_values_are_set_on_all(ranker: Registry) -> None:
    assert ranker.edit_all(["ranker@1", "ranker@2"], {"tags/env": "prod"}) == 1
    assert tags(ranker) == [{"env": "prod"}, {"env": "prod"}]
    check_replica(ranker.home)


def test_one_undo_takes_all_of_it_back(ranker: Registry) -> None:
    ranker.edit_all(["ranker@1", "ranker@2"], {"tags/env": "dev"})
    assert len(ranker.undo().undone) == 2
    assert tags(ranker) == [{"env": "prod"}, {}]


def test_a_version_that_is_named_twice_is_changed_once(ranker: Registry) -> None:
    assert ranker.edit_all(["ranker@1", "ranker@champion"], {"tags/env": "dev"}) == 1


def test_nothing_is_edited_where_one_can_not_be(ranker: Registry) -> None:
    ranker.change_state("version", "ranker@2", "delete")
    with pytest.raises(NotFound, match="can't edit ranker@2: the version is deleted"):
        ranker.edit_all(["ranker@1", "ranker@2"], {"tags/env": "dev"})
    with pytest.raises(NotFound):
        ranker.edit_all(["ranker@1", "ranker@3"], {"tags/env": "dev"})
    assert tags(ranker)[0] == {"env": "prod"}


def test_states_change_together(ranker: Registry) -> None:
    ranker.remove_alias("ranker@champion")
    ranker.change_state("version", "ranker@2", "archive")
    assert ranker.change_states(["ranker@1", "ranker@2"], "archive") == 1
    assert ranker.change_states(["ranker@1", "ranker@2"], "restore") == 2
    assert ranker.change_states(["ranker@1", "ranker@2"], "delete") == 2
    assert states(ranker) == ["deleted", "deleted"]
    ranker.undo()
    assert states(ranker) == ["captured", "captured"]
    check_replica(ranker.home)


def test_no_state_changes_where_an_alias_points_to_one(ranker: Registry) -> None:
    with pytest.raises(BadInput, match="can't delete ranker@1: the alias champion points to it"):
        ranker.change_states(["ranker@2", "ranker@1"], "delete")
    assert states(ranker) == ["captured", "captured"]
