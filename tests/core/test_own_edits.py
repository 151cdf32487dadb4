"""Who edits his own value again before anybody judged it has seen it."""

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.judgement import DOCUMENT_LIMIT
from regtui.core.judgement.merge import FIELDS_LIMIT
from regtui.core.judgement.seen import LINKS_LIMIT
from regtui.core.operations import Change, EditBody
from regtui.core.verdicts import Accepted, Conflicted, Rejected
from tests.core.registry_state import SECOND, Authority, Replica

CARD = "one\ntwo\nthree\nfour\nfive\n"
words = st.sampled_from(["x", "y", "z", None])
figures = st.builds(
    lambda value, step: {"value": value} | step,
    st.floats(0, 1),
    st.one_of(st.just({}), st.integers(0, 3).map(lambda step: {"step": step})),
)
texts = st.permutations(CARD.splitlines(keepends=True)).map("".join)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "description": words,
    "tags/k": words,
    "parents/5b8d2ac8-32ef-5b0c-9d6e-1f4f0a3f7a11": st.sampled_from([True, None]),
    "metrics/k": st.one_of(st.none(), figures),
    "card": st.one_of(st.none(), texts),
}


class Team:
    def __init__(self, path: str) -> None:
        authority = self.authority = Authority()
        self.ann, self.ben = authority.person("ann"), authority.person("ben")
        self.model = self.ann.create("m", {"card": CARD}).entity
        self.version = self.ann.capture(self.model, "content").entity
        self.entity = self.model if path == "card" else self.version
        self.ann.sync()
        self.ben.pull()


@pytest.mark.parametrize("path", VALUES)
@given(data=st.data())
def test_edits_of_ones_own_value_all_apply_when_nobody_else_edits(
    path: str, data: st.DataObject
) -> None:
    team = Team(path)
    edits = data.draw(st.lists(VALUES[path], min_size=1, max_size=5))
    for value in edits:
        team.ann.edit(team.entity, {path: value})
    expected = team.ann.value(team.entity, path)
    verdicts = team.ann.sync()
    assert {type(verdict) for verdict in verdicts} == {Accepted}
    assert all(not v.paths for v in verdicts if isinstance(v, Accepted))
    assert team.ann.value(team.entity, path) == expected


@pytest.mark.parametrize("path", VALUES)
@given(data=st.data())
def test_a_chain_of_edits_leaves_one_candidate_at_most_whatever_others_did(
    path: str, data: st.DataObject
) -> None:
    team = Team(path)
    for value in data.draw(st.lists(VALUES[path], max_size=3)):
        team.ben.edit(team.entity, {path: value})
    team.ben.sync()
    for value in data.draw(st.lists(VALUES[path], min_size=2, max_size=5)):
        team.ann.edit(team.entity, {path: value})
    verdicts = team.ann.sync()
    conflicts = team.authority.state.of_kind("conflict")
    assert all(isinstance(verdict, Accepted) for verdict in verdicts)
    assert len(conflicts) <= 1
    assert all(len(conflict.entries("candidates")) == 1 for conflict in conflicts)


def conflict_values(team: Team) -> list[Any]:
    return [
        candidate["value"]
        for conflict in team.authority.state.of_kind("conflict")
        for candidate in conflict.entries("candidates").values()
    ]


def both_edit(who: Replica, team: Team, path: str, *values: Any) -> list[Any]:
    for value in values:
        who.edit(team.entity, {path: value})
    return list(who.sync())


def test_the_last_of_a_chain_replaces_the_candidate_of_the_first() -> None:
    team = Team("description")
    both_edit(team.ben, team, "description", "ben's")
    verdicts = both_edit(team.ann, team, "description", "first", "second", "third")
    assert {type(verdict) for verdict in verdicts} == {Conflicted}
    assert conflict_values(team) == ["third"]


def test_a_candidate_remembers_the_first_operation_of_its_chain() -> None:
    team = Team("description")
    both_edit(team.ben, team, "description", "ben's")
    first, *_ = both_edit(team.ann, team, "description", "first", "second", "third")
    (conflict,) = team.authority.state.of_kind("conflict")
    (candidate,) = conflict.entries("candidates").values()
    assert candidate["first"] == first.op


def test_a_chain_that_began_with_an_equal_value_goes_on_from_it() -> None:
    team = Team("description")
    both_edit(team.ben, team, "description", "same")
    verdicts = both_edit(team.ann, team, "description", "same", "more")
    assert {type(verdict) for verdict in verdicts} == {Accepted}
    assert team.ann.value(team.version, "description") == "more"


def test_a_chain_that_began_with_an_equal_value_still_meets_what_came_after_that() -> None:
    team = Team("description")
    both_edit(team.ben, team, "description", "same", "ben's second")
    verdicts = both_edit(team.ann, team, "description", "same", "ann's")
    assert {type(verdict) for verdict in verdicts} == {Conflicted}
    assert conflict_values(team) == ["ann's"]


def test_a_chain_whose_first_value_lost_may_win_later() -> None:
    team = Team("tags/k")
    team.ben.clock = team.ann.clock + SECOND // 2
    both_edit(team.ben, team, "tags/k", "ben's")
    first, _, third = both_edit(team.ann, team, "tags/k", "a", "b", "c")
    assert first.paths["tags/k"].result == "lost"
    assert third.paths == {}
    assert team.ann.value(team.version, "tags/k") == "c"


def test_a_chain_whose_first_text_was_merged_goes_on_merging() -> None:
    team = Team("card")
    both_edit(team.ben, team, "card", CARD.replace("one", "ONE"))
    verdicts = both_edit(
        team.ann, team, "card", CARD.replace("five", "FIVE"), CARD.replace("five", "5")
    )
    assert [verdict.paths["card"].result for verdict in verdicts] == ["merged", "merged"]
    assert team.ann.text(team.model, "card") == "ONE\ntwo\nthree\nfour\n5\n"


def test_a_chain_whose_first_text_conflicted_replaces_its_candidate() -> None:
    team = Team("card")
    both_edit(team.ben, team, "card", CARD.replace("two", "2"))
    both_edit(team.ann, team, "card", CARD.replace("two", "II"), CARD.replace("two", "Two"))
    (digest,) = conflict_values(team)
    assert team.authority.state.text(digest) == CARD.replace("two", "Two")


def test_nobody_folds_into_the_candidate_of_another() -> None:
    team = Team("description")
    cara = team.authority.person("cara")
    cara.pull()
    both_edit(team.ben, team, "description", "ben's")
    (verdict,) = both_edit(team.ann, team, "description", "ann's")
    pretending = cara.edit(team.version, {"description": "cara's"})
    pretending.body.set["description"] = Change("cara's", saw=verdict.op)
    cara.sync()
    assert sorted(conflict_values(team)) == ["ann's", "cara's"]


@pytest.mark.parametrize("path", ["description", "card"])
def test_a_value_of_the_same_replica_counts_as_seen_whatever_stamp_is_named(path: str) -> None:
    team = Team(path)
    team.ann.edit(team.entity, {path: "first"})
    forgotten = team.ann.pending
    team.ann.pending = []
    team.ann.pull()
    team.ann.edit(team.entity, {path: "second"})
    team.ann.pending = forgotten + team.ann.pending
    assert {type(verdict) for verdict in team.ann.sync()} == {Accepted}
    assert "second" in {team.ann.value(team.entity, path), team.ann.text(team.entity, path)}


def test_what_builds_on_a_rejected_value_is_rejected_with_its_cause() -> None:
    team = Team("description")
    team.ann.edit(team.version, {"description": "one"})
    team.ann.edit(team.version, {"description": "two"})
    team.ben.delete(team.model)
    team.ben.sync()
    first, second = team.ann.pending
    rejected = team.authority.judge(first, team.ann.actor).verdict
    team.ben.restore(team.model)
    team.ben.sync()
    dependent = team.authority.judge(second, team.ann.actor).verdict
    assert getattr(rejected, "code", "") == "deleted"
    assert getattr(dependent, "code", "") == "depends_on_rejected"
    assert getattr(dependent, "cause", "") == first.id


def test_a_map_value_that_builds_on_a_rejected_one_is_judged_on_its_own() -> None:
    team = Team("tags/k")
    team.ann.edit(team.version, {"tags/k": "one"})
    team.ann.edit(team.version, {"tags/k": "two"})
    team.ben.delete(team.model)
    team.ben.sync()
    first, second = team.ann.pending
    team.authority.judge(first, team.ann.actor)
    team.ben.restore(team.model)
    team.ben.sync()
    team.authority.judge(second, team.ann.actor)
    assert team.authority.state.documents[team.version].value("tags/k") == "two"


def test_a_long_way_back_over_refused_edits_has_an_end() -> None:
    """Each of them has to be looked up, so whoever sends many would keep everybody waiting."""
    team = Team("tags/k")
    authority, ben = team.authority, team.ben
    model, version, asked = team.model, team.version, 0

    def edit(saw: str | None, **more: Change) -> Any:
        body = EditBody({"tags/k": Change("x", saw=saw), **more})
        ben.pending.append(ben.draft("version.edit", model, version, body))
        return ben.pending[-1]

    wrong = {"tags/" + "k" * 600: Change("x")}  # which no key may be as long as
    last = None
    for _ in range(3 * LINKS_LIMIT):
        last = edit(last, **wrong).id
    edit(last)
    *refused, verdict = ben.sync()
    assert {type(one) for one in refused} == {Rejected}
    looked_up = authority.state.past

    def past(operation: str) -> Any:
        nonlocal asked
        asked += 1
        return looked_up(operation)

    assert isinstance(verdict, Accepted)
    with patch.object(authority.state, "past", past):
        ben.pull()
        edit(last)
        ben.sync()
    assert LINKS_LIMIT <= asked < 2.5 * LINKS_LIMIT  # two values are looked for


def test_an_entity_has_so_many_values() -> None:
    team = Team("tags/k")
    ann, step = team.ann, 5_000
    for start in range(0, FIELDS_LIMIT, step):
        ann.edit(team.version, {f"tags/{n:06}": "x" for n in range(start, start + step - 10)})
    assert {type(one) for one in ann.sync()} == {Accepted}
    ann.edit(team.version, {f"tags/m{n}": "x" for n in range(60)})
    (verdict,) = ann.sync()
    assert isinstance(verdict, Rejected)
    assert verdict.code == "too_many"
    ann.pull()
    ann.edit(team.version, {"tags/000000": None, "tags/last": "x"})
    assert type(ann.sync()[0]) is Accepted


def test_an_entity_has_so_many_bytes() -> None:
    team = Team("tags/k")
    ann, long = team.ann, "x" * 60_000
    for number in range(DOCUMENT_LIMIT // 60_000):
        ann.edit(team.version, {f"tags/{number}": long})
    assert {type(one) for one in ann.sync()} == {Accepted}
    ann.edit(team.version, {"tags/one": long})
    (verdict,) = ann.sync()
    assert isinstance(verdict, Rejected)
    assert verdict.code == "too_many"
    ann.pull()
    ann.edit(team.version, {"tags/0": None})
    assert type(ann.sync()[0]) is Accepted
