"""States of models and versions: what follows what, and what concurrent changes make of it."""

import pytest

from regtui.core.operations import Change, StateBody
from regtui.core.verdicts import Accepted, Conflicted, Rejected, Verdict
from tests.core.registry_state import Authority, Replica

LEGAL = "accepted"
TRANSITIONS = [
    ("live", "archive", LEGAL),
    ("live", "delete", LEGAL),
    ("live", "restore", "no_change"),
    ("archived", "archive", "no_change"),
    ("archived", "delete", LEGAL),
    ("archived", "restore", LEGAL),
    ("deleted", "archive", "deleted"),
    ("deleted", "delete", "no_change"),
    ("deleted", "restore", LEGAL),
]


def move(who: Replica, verb: str, entity: str) -> Verdict:
    {"archive": who.archive, "delete": who.delete, "restore": who.restore}[verb](entity)
    return who.sync()[-1]


def code(verdict: Verdict) -> str:
    return verdict.code if isinstance(verdict, Rejected) else type(verdict).__name__.lower()


def candidates(authority: Authority) -> list[object]:
    """Return what people can choose: the candidates of the conflicts that are open."""
    return [
        candidate["value"]
        for conflict in authority.state.of_kind("conflict")
        if conflict.value("resolution") is None
        for candidate in conflict.entries("candidates").values()
    ]


@pytest.fixture(params=["model", "version"])
def entity(request: pytest.FixtureRequest, model: str, version: str) -> str:
    return {"model": model, "version": version}[request.param]


@pytest.mark.parametrize(("state", "verb", "outcome"), TRANSITIONS)
def test_a_transition_is_legal_or_refused(
    ann: Replica, entity: str, state: str, verb: str, outcome: str
) -> None:
    if state != "live":
        move(ann, {"archived": "archive", "deleted": "delete"}[state], entity)
    assert code(move(ann, verb, entity)) == outcome


def test_an_equal_change_of_state_by_two_people_is_one(
    ann: Replica, ben: Replica, entity: str
) -> None:
    move(ann, "delete", entity)
    assert code(move(ben, "delete", entity)) == "accepted"


def test_after_an_equal_change_the_next_one_is_judged_by_what_stands(
    ann: Replica, ben: Replica, version: str
) -> None:
    ben.delete(version)
    move(ann, "delete", version)
    ben.archive(version)
    assert [code(verdict) for verdict in ben.sync()] == ["accepted", "deleted"]


def test_archiving_what_somebody_deleted_meanwhile_is_a_conflict(
    ann: Replica, ben: Replica, version: str
) -> None:
    move(ann, "delete", version)
    assert code(move(ben, "archive", version)) == "conflicted"


def test_a_delete_that_meets_an_edit_it_did_not_see_is_a_conflict(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    assert code(move(ben, "delete", version)) == "conflicted"
    assert authority.state.documents[version].value("state") == "captured"
    assert candidates(authority) == ["deleted"]


def test_an_edit_that_meets_a_delete_it_did_not_see_is_a_conflict(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ben.edit(version, {"tags/k": "x", "description": "new"})
    move(ann, "delete", version)
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    assert authority.state.documents[version].value("state") == "deleted"
    assert candidates(authority) == [{"edit": {"tags/k": "x", "description": "new"}}]


def test_a_card_edited_while_its_model_was_deleted_is_kept_by_digest(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ben.edit(model, {"card": "long text"})
    move(ann, "delete", model)
    ben.sync()
    (candidate,) = candidates(authority)
    assert isinstance(candidate, dict)
    assert authority.state.text(candidate["edit"]["card"]) == "long text"


def test_a_delete_that_saw_every_edit_is_none(ann: Replica, ben: Replica, version: str) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    ben.pull()
    assert code(move(ben, "delete", version)) == "accepted"


def test_ones_own_edits_are_no_reason_against_ones_delete(ann: Replica, version: str) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.delete(version)
    assert [code(verdict) for verdict in ann.sync()] == ["accepted", "accepted"]


def test_an_own_edit_between_does_not_hide_the_edit_of_another(
    ann: Replica, ben: Replica, version: str
) -> None:
    ben.edit(version, {"tags/mine": "x"})
    ben.delete(version)
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    assert [code(verdict) for verdict in ben.sync()] == ["accepted", "conflicted"]


def test_a_last_operation_that_nobody_knows_hides_nothing(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    stamp = ben.accepted.documents[version].stamp("state")
    body = StateBody(authority.new_id(), {"state": Change("deleted", saw=stamp)})
    stream = ben.accepted.documents[version].stream
    operation = ben.draft("version.delete", stream, version, body)
    assert code(authority.judge(operation, ben.actor).verdict) == "conflicted"


def test_taking_back_a_delete_that_became_a_candidate_ends_the_conflict(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    ben.delete(version)
    ben.restore(version)
    ben.sync()
    assert candidates(authority) == []
    (conflict,) = authority.state.of_kind("conflict")
    assert conflict.value("resolution")["choice"] == "accepted"


def test_deleting_again_what_became_a_candidate_does_not_double_it(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    for verb in (ben.delete, ben.restore, ben.delete):
        verb(version)
    ben.sync()
    assert candidates(authority) == ["deleted"]


def test_edits_of_one_value_on_a_deleted_version_are_one_candidate(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ben.edit(version, {"tags/k": "x", "description": "first"})
    ben.edit(version, {"description": "second"})
    move(ann, "delete", version)
    ben.sync()
    assert candidates(authority) == [{"edit": {"tags/k": "x", "description": "second"}}]


def test_after_a_restore_a_chain_that_met_the_delete_goes_on(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ben.edit(version, {"tags/k": "x", "description": "first"})
    ben.edit(version, {"description": "second"})
    move(ann, "delete", version)
    first, second = ben.pending
    authority.judge(first, ben.actor)
    move(ann, "restore", version)
    verdict = authority.judge(second, ben.actor).verdict
    assert type(verdict) is Accepted
    assert authority.state.documents[version].value("description") == "second"
    assert candidates(authority) == [{"edit": {"tags/k": "x", "description": "first"}}]


def test_a_version_that_an_alias_names_is_not_put_away(
    ann: Replica, model: str, version: str
) -> None:
    ann.point(model, "champion", version)
    ann.sync()
    assert code(move(ann, "archive", version)) == "in_use"
    assert code(move(ann, "delete", version)) == "in_use"


@pytest.mark.parametrize("verb", ["archive", "delete", "restore"])
def test_versions_of_a_deleted_model_stay_as_they_are(
    ann: Replica, model: str, version: str, verb: str
) -> None:
    move(ann, "delete", model)
    assert code(move(ann, verb, version)) == "deleted"


def test_a_deleted_model_does_not_come_back_under_a_name_that_was_given_anew(
    ann: Replica, model: str
) -> None:
    move(ann, "delete", model)
    ann.create("nlp/bert", generation=1)
    ann.sync()
    assert code(move(ann, "restore", model)) == "name_taken"


def test_history_tells_of_a_change_that_became_a_candidate(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    ann.edit(version, {"tags/k": "x"})
    ann.sync()
    judged = authority.judge(ben.delete(version), ben.actor)
    rows = [(row.path, row.before, row.after, row.result) for row in judged.log if row.path]
    assert rows == [("state", "captured", "deleted", "conflict")]
