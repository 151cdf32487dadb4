"""How conflicts end, and that nothing is lost on the way."""

from typing import Any

import msgspec
import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import Document
from regtui.core.identity import user_id
from regtui.core.judgement import judge
from regtui.core.judgement.merge import CANDIDATES_LIMIT
from regtui.core.operations import Change, EditBody, Operation, ResolveBody
from regtui.core.verdicts import Accepted, Conflicted, Rejected, Verdict, encode_verdict
from tests.core.registry_state import Authority, RegistryState, Replica

CARD = "one\ntwo\nthree\n"


def opened(state: RegistryState) -> list[Document]:
    return [c for c in state.of_kind("conflict") if c.value("resolution") is None]


def the_conflict(who: Replica) -> Document:
    (conflict,) = opened(who.state)
    return conflict


def the_candidate(conflict: Document) -> str:
    (candidate,) = conflict.entries("candidates")
    return candidate


def code(verdict: Verdict) -> str:
    assert isinstance(verdict, Rejected), verdict
    return verdict.code


def disagree(
    ann: Replica, ben: Replica, entity: str, path: str, values: tuple[Any, Any] = ("ann's", "ben's")
) -> None:
    """Let ann's value stand and ben's be the candidate, and everybody know it."""
    first, second = values
    ann.edit(entity, {path: first})
    ben.edit(entity, {path: second})
    ann.sync()
    ben.sync()
    ann.pull()


# What a choice does

VALUES = {
    "description": ("ann's", "ben's", "both"),
    "primary_metric": ("f1", "loss", "auc"),
    "direction": ("max", "min", "max"),
    "card": (CARD.replace("two", "2"), CARD.replace("two", "II"), CARD.replace("two", "zwei")),
}


def shown(who: Replica, entity: str, path: str) -> Any:
    return who.text(entity, path) if path == "card" else who.value(entity, path)


@pytest.mark.parametrize("path", VALUES)
@pytest.mark.parametrize("choice", ["accepted", "candidate", "value"])
def test_what_is_chosen_stands_and_the_conflict_is_over(
    ann: Replica, ben: Replica, model: str, path: str, choice: str
) -> None:
    ann.edit(model, {"card": CARD})
    ann.sync()
    ben.pull()
    theirs, mine, third = VALUES[path]
    disagree(ann, ben, model, path, (theirs, mine))
    conflict = the_conflict(ben)
    expected = {"accepted": theirs, "candidate": mine, "value": third}[choice]
    named = the_candidate(conflict) if choice == "candidate" else choice
    ben.resolve(conflict.id, named, third)
    (verdict,) = ben.sync()
    assert type(verdict) is Accepted
    assert shown(ben, model, path) == expected
    assert opened(ben.state) == []
    assert ben.value(conflict.id, "resolution")["choice"] == named


def test_an_alias_that_two_moved_is_settled_by_one_of_both_versions(
    ann: Replica, ben: Replica, model: str
) -> None:
    first, second = (ann.capture(model, content).entity for content in ("one", "two"))
    ann.sync()
    ben.pull()
    ann.point(model, "champion", first)
    ben.point(model, "champion", second)
    ann.sync()
    ben.sync()
    conflict = the_conflict(ben)
    assert ben.value(conflict.facts["of"], "version") == first
    ben.resolve(conflict.id, the_candidate(conflict))
    ben.sync()
    assert ben.value(conflict.facts["of"], "version") == second
    assert opened(ben.state) == []


def test_taking_an_edit_of_what_was_deleted_restores_it_with_the_edit(
    ann: Replica, ben: Replica, version: str
) -> None:
    ann.delete(version)
    ben.edit(version, {"description": "new", "metrics/f1": {"value": 0.9}, "tags/k": "x"})
    ann.sync()
    ben.sync()
    ben.resolve(the_conflict(ben).id, the_candidate(the_conflict(ben)))
    (verdict,) = ben.sync()
    assert type(verdict) is Accepted
    assert ben.value(version, "state") == "captured"
    assert (ben.value(version, "description"), ben.value(version, "tags/k")) == ("new", "x")
    assert ben.value(version, "metrics/f1")["value"] == 0.9


def test_taking_the_place_of_a_capture_that_met_a_delete_is_possible(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    place = {"host": "h", "folder": "/", "name": "n", "at": 1, "author": user_id("a")}
    capture = ben.capture(model, "weights", {"places/p": place})
    undo = ben.edit(version, {"places/p": None}, undoes=capture.id)
    ben.sync()
    ann.pull()
    ann.delete(version)
    ben.edit(version, {"places/p": place}, undoes=undo.id)
    ann.sync()
    ben.sync()
    ben.resolve(the_conflict(ben).id, the_candidate(the_conflict(ben)))
    assert type(ben.sync()[0]) is Accepted
    assert ben.value(version, "places/p") == place


@pytest.mark.parametrize("choice", ["accepted", "candidate"])
def test_a_delete_that_met_an_edit_happens_or_does_not(
    ann: Replica, ben: Replica, version: str, choice: str
) -> None:
    ann.edit(version, {"description": "better"})
    ben.delete(version)
    ann.sync()
    ben.sync()
    conflict = the_conflict(ben)
    ben.resolve(conflict.id, the_candidate(conflict) if choice == "candidate" else choice)
    ben.sync()
    assert ben.value(version, "state") == ("captured" if choice == "accepted" else "deleted")
    assert ben.value(version, "description") == "better"


def test_a_version_is_not_deleted_by_choice_while_an_alias_points_to_it(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    ann.edit(version, {"description": "better"})
    ben.delete(version)
    ann.sync()
    ben.sync()
    ann.pull()
    ann.point(model, "champion", version)
    ann.sync()
    ben.resolve(the_conflict(ben).id, the_candidate(the_conflict(ben)))
    (verdict,) = ben.sync()
    assert code(verdict) == "in_use"
    assert len(opened(ben.state)) == 1


def test_an_alias_is_not_moved_by_choice_to_a_version_that_was_put_away(
    ann: Replica, ben: Replica, model: str
) -> None:
    first, second = (ann.capture(model, content).entity for content in ("one", "two"))
    ann.sync()
    ben.pull()
    ann.point(model, "champion", first)
    ben.point(model, "champion", second)
    ann.sync()
    ben.sync()
    ann.pull()
    ann.archive(second)
    ann.sync()
    ben.resolve(the_conflict(ben).id, the_candidate(the_conflict(ben)))
    assert code(ben.sync()[0]) == "archived"
    ben.resolve(the_conflict(ben).id, "accepted")
    assert type(ben.sync()[0]) is Accepted


# What came meanwhile


def test_the_author_of_the_value_that_was_taken_edits_on_without_a_conflict(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    ben.edit(version, {"description": "ben's second"})
    forgotten, ben.pending = ben.pending, []
    later = Change("ben's second", saw=the_candidate(the_conflict(ben)))
    forgotten[0].body.set["description"] = later
    ann.resolve(the_conflict(ann).id, the_candidate(the_conflict(ann)))
    ann.sync()
    ben.pending = forgotten
    (verdict,) = ben.sync()
    assert type(verdict) is Accepted
    assert ben.value(version, "description") == "ben's second"
    assert opened(ben.state) == []


@pytest.mark.parametrize("choice", ["accepted", "value"])
def test_who_was_not_chosen_and_edits_on_disagrees_again(
    ann: Replica, ben: Replica, version: str, choice: str
) -> None:
    disagree(ann, ben, version, "description")
    operation = ben.edit(version, {"description": "ben's second"})
    operation.body.set["description"] = Change("ben's second", saw=the_candidate(the_conflict(ann)))
    ann.resolve(the_conflict(ann).id, choice, "both")
    ann.sync()
    assert isinstance(ben.sync()[0], Conflicted)
    assert len(ben.state.of_kind("conflict")) == 2
    assert len(opened(ben.state)) == 1


def test_a_candidate_that_came_meanwhile_refuses_the_resolution(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    cara = authority.person("cara")
    cara.edit(version, {"description": "cara's"})
    disagree(ann, ben, version, "description")
    ann.resolve(the_conflict(ann).id, "accepted")
    cara.sync()
    (verdict,) = ann.sync()
    assert code(verdict) == "changed_meanwhile"
    assert len(the_conflict(ann).entries("candidates")) == 2


@pytest.mark.parametrize("choice", ["candidate", "value"])
def test_a_choice_over_a_value_that_moved_meanwhile_is_one_more_candidate(
    ann: Replica, ben: Replica, version: str, choice: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    ben.resolve(conflict.id, the_candidate(conflict) if choice == "candidate" else choice, "both")
    ann.edit(version, {"description": "ann's second"})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    assert ben.value(version, "description") == "ann's second"
    values = [c["value"] for c in the_conflict(ben).entries("candidates").values()]
    assert sorted(values) == sorted(["ben's", "ben's" if choice == "candidate" else "both"])


def test_of_two_who_resolve_at_once_the_second_is_refused(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    ann.resolve(the_conflict(ann).id, "value", "ann's choice")
    ben.resolve(the_conflict(ben).id, "value", "ben's choice")
    assert type(ann.sync()[0]) is Accepted
    assert code(ben.sync()[0]) == "resolved"
    assert ben.value(version, "description") == "ann's choice"


def test_who_comes_to_the_accepted_value_by_himself_ends_the_conflict(
    ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"description": "same"})
    ben.edit(version, {"description": "other"})
    ben.edit(version, {"description": "same"})
    ann.sync()
    verdicts = ben.sync()
    assert [type(verdict) for verdict in verdicts] == [Conflicted, Accepted]
    assert opened(ben.state) == []


def test_who_gives_in_leaves_the_others_to_their_conflict(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    cara = authority.person("cara")
    cara.edit(version, {"description": "cara's"})
    ann.edit(version, {"description": "same"})
    ben.edit(version, {"description": "other"})
    ann.sync()
    cara.sync()
    ben.edit(version, {"description": "same"})
    ben.sync()
    values = [c["value"] for c in the_conflict(ben).entries("candidates").values()]
    assert values == ["cara's"]


# Opening again


@pytest.mark.parametrize("choice", ["accepted", "candidate", "value"])
def test_a_conflict_that_is_opened_again_is_what_it_was(
    ann: Replica, ben: Replica, version: str, choice: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    ben.resolve(conflict.id, the_candidate(conflict) if choice == "candidate" else choice, "both")
    ben.reopen(conflict.id)
    assert {type(verdict) for verdict in ben.sync()} == {Accepted}
    assert ben.value(version, "description") == "ann's"
    assert the_conflict(ben).entries("candidates") == conflict.entries("candidates")
    ben.resolve(conflict.id, the_candidate(conflict))
    ben.sync()
    assert ben.value(version, "description") == "ben's"


def test_a_conflict_stays_over_when_its_value_was_changed_since(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    ben.resolve(conflict.id, "value", "both")
    ben.sync()
    ann.pull()
    ben.reopen(conflict.id)
    ann.edit(version, {"description": "third"})
    ann.sync()
    assert code(ben.sync()[0]) == "changed_meanwhile"
    assert ben.value(version, "description") == "third"


def test_no_conflict_opens_again_beside_another_on_the_same_value(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    cara = authority.person("cara")
    cara.edit(version, {"description": "cara's"})
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    ben.resolve(conflict.id, "accepted")
    ben.sync()
    ben.reopen(conflict.id)
    cara.sync()
    assert code(ben.sync()[0]) == "changed_meanwhile"
    assert the_conflict(ben).id != conflict.id


def test_a_conflict_that_is_open_can_not_be_opened(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    body = ResolveBody(version, "version", None, [], {})
    ben.pending.append(ben.draft("conflict.resolve", conflict.stream, conflict.id, body))
    assert code(ben.sync()[0]) == "no_change"


# Two replicas without a server: mirrored conflicts


def test_the_value_of_a_resolution_made_elsewhere_takes_its_authors_place_here(
    ann: Replica, ben: Replica, version: str
) -> None:
    """On ben's own machine his value stood, and the conflict had another id."""
    disagree(ann, ben, version, "description")
    change = Change("both", saw=the_candidate(the_conflict(ben)))
    body = ResolveBody(version, "version", "value", [], {"description": change})
    elsewhere = ben.draft("conflict.resolve", ben.accepted.documents[version].stream, NOWHERE, body)
    ben.pending.append(elsewhere)
    assert isinstance(ben.sync()[0], Conflicted)
    assert [c["value"] for c in the_conflict(ben).entries("candidates").values()] == ["both"]


def test_giving_in_elsewhere_ends_the_conflict_here(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    change = Change("ann's", saw=the_candidate(the_conflict(ben)))
    body = ResolveBody(version, "version", "ann's operation", [], {"description": change})
    elsewhere = ben.draft("conflict.resolve", ben.accepted.documents[version].stream, NOWHERE, body)
    ben.pending.append(elsewhere)
    assert type(ben.sync()[0]) is Accepted
    assert opened(ben.state) == []


@pytest.mark.parametrize(
    ("choice", "changes"),
    [
        (None, {"description": Change("x")}),
        ("accepted", {}),
        ("value", {"state": Change("deleted")}),
    ],
)
def test_a_conflict_that_is_not_here_can_be_neither_opened_nor_left_nor_delete_anything(
    ben: Replica, version: str, choice: str | None, changes: dict[str, Change]
) -> None:
    body = ResolveBody(version, "version", choice, [], changes)
    stream = ben.accepted.documents[version].stream
    ben.pending.append(ben.draft("conflict.resolve", stream, NOWHERE, body))
    assert code(ben.sync()[0]) == "not_found"


NOWHERE = "00000000-0000-5000-8000-000000000000"


# Forgeries


def forged(who: Replica, conflict: Document, **fields: Any) -> Operation:
    facts = conflict.facts
    seen = sorted(conflict.entries("candidates"))
    body = ResolveBody(facts["of"], facts["of_kind"], "accepted", seen, {})
    body = msgspec.structs.replace(body, **fields)
    return who.draft("conflict.resolve", conflict.stream, conflict.id, body)


def said(text: str) -> dict[str, Change]:
    return {"description": Change(text)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"set": said("x")}, "malformed"),
        ({"choice": "value"}, "malformed"),
        ({"choice": "value", "set": {"tags/k": Change("x")}}, "malformed"),
        ({"choice": "value", "set": {**said("x"), "tags/k": Change("x")}}, "malformed"),
        ({"choice": "candidate", "set": said("not ben's")}, "malformed"),
        ({"choice": "candidate", "set": {}}, "malformed"),
        ({"choice": "nobody's", "set": said("x")}, "not_found"),
        ({"choice": "value", "set": said("x"), "seen": []}, "changed_meanwhile"),
        ({"of": "model"}, "not_found"),
        ({"of_kind": "alias"}, "not_found"),
        ({"of_kind": "conflict"}, "malformed"),
        ({"of": "nothing"}, "malformed"),
    ],
)
def test_a_resolution_that_does_not_do_what_it_says_is_refused(  # noqa: PLR0913, PLR0917
    ann: Replica, ben: Replica, model: str, version: str, fields: dict[str, Any], expected: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    if fields.get("choice") == "candidate":
        fields = fields | {"choice": the_candidate(conflict)}
    if fields.get("of") == "model":
        fields = fields | {"of": model}
    ben.pending.append(forged(ben, conflict, **fields))
    assert code(ben.sync()[0]) == expected
    assert ben.value(version, "description") == "ann's"


def test_opening_again_sets_nothing_but_what_stood_before(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben)
    ben.resolve(conflict.id, "value", "both")
    ben.sync()
    seen = ben.accepted.documents[version].stamp("description")
    changes = {"description": Change("forged", saw=seen)}
    ben.pending.append(forged(ben, conflict, choice=None, set=changes))
    assert code(ben.sync()[0]) == "malformed"


def test_a_value_of_something_deleted_is_not_settled_before_it_is_restored(
    ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    ann.delete(version)
    ann.sync()
    ben.pull()
    ben.resolve(the_conflict(ben).id, "value", "both")
    assert code(ben.sync()[0]) == "deleted"


def test_nothing_in_a_deleted_model_is_settled(ann: Replica, ben: Replica, version: str) -> None:
    disagree(ann, ben, version, "description")
    ann.delete(the_conflict(ann).stream)
    ann.sync()
    ben.resolve(the_conflict(ben).id, "accepted")
    assert code(ben.sync()[0]) == "deleted"


def test_the_end_of_a_conflict_is_later_than_its_end_before(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    conflict = the_conflict(ben).id
    ben.resolve(conflict, "accepted")
    ben.sync()
    ann.pull()
    ann.clock = 0
    ann.reopen(conflict)
    ann.resolve(conflict, "accepted")
    before = authority.state.documents[conflict].fields["resolution"].at
    assert {type(verdict) for verdict in ann.sync()} == {Accepted}
    assert authority.state.documents[conflict].fields["resolution"].at == before + 2


# Access


def test_settling_a_state_needs_the_role_that_changing_it_needs(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"description": "better"})
    ben.delete(version)
    ann.sync()
    ben.sync()
    cara = authority.person("cara", (Role.CONTRIBUTOR, "*"))
    conflict = the_conflict(cara)
    cara.resolve(conflict.id, the_candidate(conflict))
    assert code(cara.sync()[0]) == "denied"
    cara.resolve(conflict.id, "accepted")
    assert type(cara.sync()[0]) is Accepted


def test_a_conflict_of_a_hidden_model_can_not_be_told_from_none_by_naming_a_dataset(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    disagree(ann, ben, version, "description")
    data = ann.put_dataset("open/imdb", {"uri": "s3://imdb"}).entity
    ann.sync()
    conflict = the_conflict(ann)
    operation = forged(ann, conflict, of=data, of_kind="dataset")
    eve = Actor(operation.actor, "eve", (Grant(Role.MAINTAINER, "open/*"),))
    there = judge(operation, authority.state, eve, authority.now).verdict
    authority.state.documents.pop(conflict.id)
    gone = judge(operation, authority.state, eve, authority.now).verdict
    assert code(there) == "not_found"
    assert encode_verdict(there) == encode_verdict(gone)


def test_a_conflict_has_so_many_candidates(ann: Replica, ben: Replica, model: str) -> None:
    ann.edit(model, {"description": "ann's"})
    ann.sync()
    for number in range(CANDIDATES_LIMIT + 1):
        made = ben.edit(model, {"description": f"{number}"})
        # Each built on what was there first, as nobody's program does.
        body = EditBody({"description": Change(f"{number}", saw=made.id)})
        ben.pending[-1] = msgspec.structs.replace(made, body=body)
    *taken, last = ben.sync()
    assert {type(one) for one in taken} == {Conflicted}
    assert code(last) == "too_many"
    assert len(the_conflict(ben).entries("candidates")) == CANDIDATES_LIMIT
