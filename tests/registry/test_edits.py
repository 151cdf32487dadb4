from typing import Any

import pytest

from regtui.core.errors import BadInput, ConflictOpen, NotFound
from regtui.registry import Registry
from tests.replica.ledger import check_replica


def test_values_are_set_and_taken_away(ranker: Registry) -> None:
    assert ranker.edit("ranker@1", {"tags/a": "1", "params/lr": 0.1, "description": "d"}) is True
    assert ranker.edit("ranker@1", {"tags/env": None, "description": None}) is True
    version = ranker.version("ranker@1")
    assert (version.tags, version.params, version.description) == ({"a": "1"}, {"lr": 0.1}, None)
    check_replica(ranker.home)


def test_values_that_are_there_change_nothing(ranker: Registry) -> None:
    assert ranker.edit("ranker@1", {"tags/env": "prod", "tags/none": None}) is False
    assert ranker.sql("select count(*) from operations").rows == [(4,)]


def test_an_edit_without_a_step_keeps_the_step(ranker: Registry) -> None:
    ranker.edit("ranker@1", {"metrics/f1": {"value": 0.6, "step": None}})
    version = ranker.version("ranker@1")
    assert (version.metrics, version.steps) == ({"f1": 0.6}, {"f1": 10})


def test_an_edit_is_all_or_nothing(ranker: Registry) -> None:
    before = ranker.version("ranker@1")
    with pytest.raises(BadInput):
        ranker.edit("ranker@1", {"tags/good": "1", "params/bad": [1]})
    assert ranker.version("ranker@1") == before


MALFORMED: list[dict[str, Any]] = [
    {"state": "deleted"}, {"name": "x"}, {"places/x": {}}, {"nope": 1}, {"": 1}, {"tags": "x"},
    {"tags/": "x"}, {"description/x": "y"}, {"tags/x": 5}, {"metrics/x": {}},
    {"metrics/x": {"value": "high"}}, {"params/x": {}}, {"parents/x": "y"}, {"tags/a\nb": "x"},
    {"inputs/x": {"uri": "u", "more": 1}}, {"params/x": object()},
]  # fmt: skip


def test_malformed_edits_are_refused(ranker: Registry) -> None:
    before = ranker.version("ranker@1")
    for wanted in MALFORMED:
        with pytest.raises(BadInput):
            ranker.edit("ranker@1", wanted)
    assert ranker.version("ranker@1") == before
    check_replica(ranker.home)


def test_a_card_is_kept_and_replaced(ranker: Registry) -> None:
    assert ranker.card("ranker") == ""
    for text in ("# Ranker\n\0 🚀\r\n", "", "# Ranker"):
        assert ranker.edit("ranker", {"card": text}) is True
        assert ranker.card("ranker") == text
    check_replica(ranker.home)


def test_a_card_changed_meanwhile_is_merged(ranker: Registry) -> None:
    ranker.edit("ranker", {"card": "a\nb\nc\nd\n"})

    def editor(card: str) -> str:
        ranker.edit("ranker", {"card": "A\nb\nc\nd\n"})
        return card.replace("d", "D")

    assert ranker.edit_card("ranker", editor) is True
    assert ranker.card("ranker") == "A\nb\nc\nD\n"


def test_a_card_saved_as_it_was_changes_nothing(ranker: Registry) -> None:
    ranker.edit("ranker", {"card": "x"})
    assert ranker.edit_card("ranker", lambda card: card) is False
    assert ranker.edit_card("ranker", lambda _: "") is False


def test_a_card_is_written_over_the_one_that_was_seen(ranker: Registry) -> None:
    ranker.edit("ranker", {"card": "a\nb\nc\nd\n"})
    assert ranker.write_card("ranker", "a\nb\nc\nD\n", seen="a\nb\nc\nd\n") is True
    assert ranker.write_card("ranker", "A\nb\nc\nd\n", seen="a\nb\nc\nd\n") is True
    assert ranker.card("ranker") == "A\nb\nc\nD\n"
    with pytest.raises(ConflictOpen):
        ranker.write_card("ranker", "a\nb\nc\nd!\n", seen="a\nb\nc\nd\n")
    assert ranker.card("ranker") == "A\nb\nc\nD\n"


def test_an_empty_card_is_none(ranker: Registry) -> None:
    ranker.edit("ranker", {"card": "a\n"})
    assert ranker.write_card("ranker", "", seen="a\n") is True
    assert ranker.write_card("ranker", "", seen="") is False
    assert ranker.card("ranker") == ""


def test_a_value_that_somebody_else_changed_meanwhile_stays(ranker: Registry) -> None:
    seen = {"tags/env": "prod", "description": None, "metrics/f1": {"value": 0.5, "step": 10}}
    ranker.edit("ranker@1", {"tags/env": "theirs"})
    with pytest.raises(ConflictOpen, match=r"tags\.env of ranker@1"):
        ranker.edit("ranker@1", {"tags/env": "mine", "description": "mine"}, seen=seen)
    version = ranker.version("ranker@1")
    assert (version.tags, version.description) == ({"env": "theirs"}, None)


def test_values_that_are_as_they_were_seen_are_changed(ranker: Registry) -> None:
    seen = {"tags/env": "prod", "metrics/f1": {"value": 0.5, "step": 10}}
    ranker.edit("ranker@1", {"tags/other": "theirs"})
    wanted = {"tags/env": "mine", "tags/new": "", "metrics/f1": {"value": 0.6, "step": 11}}
    assert ranker.edit("ranker@1", wanted, seen=seen) is True
    version = ranker.version("ranker@1")
    assert version.tags == {"env": "mine", "new": "", "other": "theirs"}
    assert (version.metrics, version.steps) == ({"f1": 0.6}, {"f1": 11})


def test_two_who_want_the_same_do_not_disagree(ranker: Registry) -> None:
    ranker.edit("ranker@1", {"tags/env": "dev"})
    assert ranker.edit("ranker@1", {"tags/env": "dev"}, seen={"tags/env": "prod"}) is False


def test_a_deleted_model_or_version_is_not_edited(ranker: Registry) -> None:
    ranker.change_state("version", "ranker@2", "delete")
    with pytest.raises(NotFound, match="deleted"):
        ranker.edit("ranker@2", {"description": "x"})
    ranker.change_state("model", "ranker", "delete")
    with pytest.raises(NotFound, match="deleted"):
        ranker.edit("ranker", {"description": "x"})
    with pytest.raises(NotFound, match="deleted"):
        ranker.card("ranker")


def test_creating_a_model_that_is_there_edits_it(ranker: Registry) -> None:
    assert ranker.create_model("Ranker") is False
    assert ranker.create_model("Ranker", {"description": "x"}) is True
    assert ranker.model("ranker").description == "x"
    assert ranker.create_model("other", {"tags/task": "nlp", "card": "# Other"}) is True
    assert ranker.card("other") == "# Other"
    check_replica(ranker.home)


def test_a_model_is_not_created_with_values_that_it_has_not(registry: Registry) -> None:
    for wanted in ({"metrics/f1": 1}, {"state": "deleted"}, {"nope": 1}, {"name": "y"}):
        with pytest.raises(BadInput):
            registry.create_model("x", wanted)
    assert registry.models(state="any") == []
