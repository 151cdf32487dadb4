"""What becomes of values that two people set without seeing each other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.judgement.merge import CLOCK_DRIFT
from regtui.core.operations import Change
from regtui.core.verdicts import Accepted, Conflicted
from tests.core.registry_state import SECOND, Authority, Replica

CARD = "# Title\n\nfirst\n\nsecond\n\nthird\n"


def stands(authority: Authority, entity: str, path: str) -> Any:
    return authority.state.documents[entity].value(path)


def test_a_conflict_keeps_the_accepted_value_and_the_newcomer(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"description": "ann's"})
    ben.edit(version, {"description": "ben's"})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    (candidate,) = authority.state.documents[verdict.conflicts[0]].entries("candidates").values()
    assert stands(authority, version, "description") == "ann's"
    assert (candidate["value"], candidate["author"]) == ("ben's", ben.actor.id)


def test_one_conflict_is_open_for_a_value_however_many_disagree(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    cara = authority.person("cara")
    for who in (ann, ben, cara):
        who.edit(version, {"description": who.actor.name})
    for who in (ann, ben, cara):
        who.sync()
    (conflict,) = authority.state.of_kind("conflict")
    assert len(conflict.entries("candidates")) == 2


def test_one_operation_opens_a_conflict_for_each_value_and_keeps_the_rest(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.edit(model, {"description": "a", "direction": "max", "card": "a\n"})
    ben.edit(model, {"description": "b", "direction": "min", "card": "b\n", "tags/k": "x"})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    paths = {authority.state.documents[c].facts["path"] for c in verdict.conflicts}
    assert paths == {"description", "direction", "card"}
    assert stands(authority, model, "tags/k") == "x"


def test_taking_away_a_value_that_another_changed_is_a_conflict(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.edit(model, {"description": "better"})
    ben.edit(model, {"description": None})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    assert stands(authority, model, "description") == "better"


def test_a_value_that_two_take_away_is_away(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.edit(model, {"description": None})
    ben.edit(model, {"description": None})
    verdicts = [*ann.sync(), *ben.sync()]
    assert {type(verdict) for verdict in verdicts} == {Accepted}
    assert stands(authority, model, "description") is None


@pytest.mark.parametrize("first", ["ann", "ben"])
def test_under_one_key_the_later_change_wins_whoever_comes_first(
    authority: Authority, ann: Replica, ben: Replica, version: str, first: str
) -> None:
    ben.clock = ann.clock + 5 * SECOND
    ann.edit(version, {"tags/k": "early"})
    ben.edit(version, {"tags/k": "late"})
    for who in (ann, ben) if first == "ann" else (ben, ann):
        who.sync()
    assert stands(authority, version, "tags/k") == "late"


def test_an_equal_value_that_loses_is_called_the_same(
    ann: Replica, ben: Replica, version: str
) -> None:
    ben.clock = ann.clock + 5 * SECOND
    ann.edit(version, {"tags/k": "x"})
    ben.edit(version, {"tags/k": "x"})
    (theirs,), (mine,) = ben.sync(), ann.sync()
    assert isinstance(mine, Accepted)
    assert (mine.paths["tags/k"].result, mine.paths["tags/k"].stamp) == ("same", theirs.op)


@pytest.mark.parametrize("first", ["ann", "ben"])
def test_a_set_beats_a_concurrent_remove(
    authority: Authority, ann: Replica, ben: Replica, version: str, first: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    ben.pull()
    ann.edit(version, {"tags/k": None})
    ben.edit(version, {"tags/k": "y"})
    for who in (ann, ben) if first == "ann" else (ben, ann):
        who.sync()
    assert stands(authority, version, "tags/k") == "y"


def test_a_tie_of_clocks_goes_to_the_greater_replica(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ben.clock = ann.clock
    for who in (ann, ben):
        who.edit(version, {"tags/k": who.id})
    for who in (ann, ben):
        who.sync()
    assert stands(authority, version, "tags/k") == max(ann.id, ben.id)


def test_a_tie_is_settled_even_where_the_history_is_gone(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ben.clock = ann.clock
    for who in (ann, ben):
        who.edit(version, {"tags/k": who.actor.name})
    (theirs,) = ann.sync()
    del authority.state.history[theirs.op]
    (mine,) = ben.sync()
    assert stands(authority, version, "tags/k") == ("ben" if mine.op > theirs.op else "ann")


@given(st.integers(0, 2**62))
def test_no_clock_counts_for_more_than_a_little_ahead_of_the_authority(clock: int) -> None:
    authority = Authority()
    ann = authority.person("ann")
    ann.clock = clock
    ann.create("m")
    (verdict,) = ann.sync()
    assert isinstance(verdict, Accepted)
    assert verdict.at_used == min(clock + SECOND, authority.now + CLOCK_DRIFT)


def test_a_clock_in_the_past_does_not_lose_to_what_its_owner_saw(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    ben.pull()
    ben.clock = 0
    ben.edit(version, {"tags/k": "y"})
    ann.clock -= SECOND
    ann.edit(version, {"tags/k": "z"})
    ben.sync()
    fields = authority.state.documents[version].fields
    assert fields["tags/k"].v == "y"
    assert fields["tags/k"].at > ann.clock


def test_a_stamp_from_elsewhere_makes_nothing_later(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    ann.clock += 60 * SECOND
    ann.edit(model, {"tags/k": "x"})
    (elsewhere,) = ann.sync()
    operation = ben.edit(version, {"tags/k": "x"})
    operation.body.set["tags/k"] = Change("x", saw=elsewhere.op)
    (verdict,) = ben.sync()
    assert isinstance(verdict, Accepted)
    assert verdict.at_used == operation.at


def test_the_larger_step_of_a_metric_wins_although_it_is_older(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"metrics/f1": {"value": 0.9, "step": 9}})
    ben.clock = ann.clock + 60 * SECOND
    ben.edit(version, {"metrics/f1": {"value": 0.7, "step": 7}})
    ann.sync()
    ben.sync()
    assert stands(authority, version, "metrics/f1") == {"value": 0.9, "step": 9}


@pytest.mark.parametrize("asked", [{"value": 0.9}, {"value": 0.9, "step": None}])
def test_a_metric_without_a_step_takes_the_step_that_was_seen(
    authority: Authority, ann: Replica, version: str, asked: dict[str, Any]
) -> None:
    ann.edit(version, {"metrics/f1": asked})
    ann.edit(version, {"metrics/f1": {"value": 0.95}})
    ann.sync()
    assert stands(authority, version, "metrics/f1") == {"value": 0.95, "step": 3}


def test_a_metric_without_a_step_competes_by_the_step_that_was_seen(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"metrics/f1": {"value": 0.1, "step": 2}})
    ben.edit(version, {"metrics/f1": {"value": 0.9}})
    ann.sync()
    ben.sync()
    assert stands(authority, version, "metrics/f1") == {"value": 0.9, "step": 3}


def test_fields_of_a_newer_program_in_a_metric_do_no_harm(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"metrics/f1": {"value": 0.1, "step": 2}})
    ann.sync()
    authority.state.documents[version].fields["metrics/f1"].v["unit"] = "%"
    ben.edit(version, {"metrics/f1": {"value": 0.9, "step": 4}})
    ben.sync()
    assert stands(authority, version, "metrics/f1") == {"value": 0.9, "step": 4}


def test_cards_changed_in_different_places_merge(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.edit(model, {"card": CARD})
    ann.sync()
    ben.pull()
    ann.edit(model, {"card": CARD.replace("first", "FIRST")})
    ben.edit(model, {"card": CARD.replace("third", "THIRD")})
    ann.sync()
    ben.sync()
    merged = CARD.replace("first", "FIRST").replace("third", "THIRD")
    assert ben.text(model, "card") == merged


def test_a_card_that_is_in_the_other_already_changes_nothing(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.edit(model, {"card": CARD})
    ann.sync()
    ben.pull()
    ann.edit(model, {"card": CARD.replace("first", "1").replace("third", "3")})
    ben.edit(model, {"card": CARD.replace("third", "3")})
    (theirs,), (mine,) = ann.sync(), ben.sync()
    assert isinstance(mine, Accepted)
    assert mine.paths["card"].result == "merged"
    assert authority.state.documents[model].stamp("card") == theirs.op


def test_a_card_whose_base_is_not_kept_any_more_is_a_conflict(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.edit(model, {"card": CARD})
    ann.sync()
    ben.pull()
    ann.edit(model, {"card": CARD.replace("first", "1")})
    ben.edit(model, {"card": CARD.replace("third", "3")})
    ann.sync()
    del authority.state.texts[ben.accepted.documents[model].value("card")]
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)


def test_a_stamp_from_another_model_opens_no_way_into_its_conflicts(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    other = ann.create("cv/resnet").entity
    ann.edit(model, {"description": "x"})
    ann.sync()
    ben.edit(model, {"description": "y"})
    (lost,) = ben.sync()
    operation = ben.edit(other, {"description": "z"})
    operation.body.set["description"] = Change("z", saw=lost.op)
    ben.sync()
    values = [
        (conflict.facts["of"], candidate["value"])
        for conflict in authority.state.of_kind("conflict")
        for candidate in conflict.entries("candidates").values()
    ]
    assert sorted(values) == sorted([(model, "y"), (other, "z")])
