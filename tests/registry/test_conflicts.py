"""How conflicts are listed, named and settled; `tests/replica/test_receive.py` makes them."""

from collections.abc import Callable

import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import user_id
from regtui.core.operations import Change, EditBody, VersionEdit, encode_operation
from regtui.registry import Registry
from regtui.registry.answers_conflicts import ConflictAnswer, Side
from regtui.registry.conflict_text import is_settled, marked
from regtui.registry.conflicts import Choice


def disagree(registry: Registry, who: str, text: str, *, replica: str | None = None) -> None:
    """Let somebody elsewhere have described the first version, not knowing what stands here."""
    person = Actor(user_id(who), who, (Grant(Role.ADMIN, "*"),))
    with registry.context.reading() as connection:
        row = connection.execute(
            "select v.id::varchar, s.id from base.version v join base.document d on d.key = v.key "
            "join base.stream s on s.key = d.stream where v.number = 1"
        ).fetchone()
    assert row is not None
    version, stream = row
    place = replica or person.id  # which never saw what happened here
    operation = VersionEdit(
        id=f"01a20b10-0000-7000-8000-{place[-12:]}",
        replica=place,
        n=1,
        at=1,
        actor=person.id,
        stream=stream,
        entity=version,
        body=EditBody({"description": Change(text)}),
        via="cli",
        session="s",
    )
    with registry.context.writing() as authority:
        authority.receive(encode_operation(operation), person)


@pytest.fixture
def contested(ranker: Registry) -> Registry:
    """Return a registry in which ben disagrees about the description of the first version."""
    ranker.edit("ranker@1", {"description": "stands"})
    disagree(ranker, "ben", "ben's")
    return ranker


def the_conflict(registry: Registry) -> ConflictAnswer:
    (conflict,) = registry.conflicts()
    return conflict


def test_a_conflict_says_what_it_is_about_and_who_wants_what(contested: Registry) -> None:
    conflict = the_conflict(contested)
    assert (conflict.kind, conflict.model, conflict.number) == ("version", "ranker", 1)
    assert (conflict.field, conflict.state, conflict.about) == ("description", "open", "ranker@1")
    assert conflict.entity == contested.version("ranker@1").id
    assert (conflict.accepted.value, conflict.accepted.author) == (
        "stands",
        contested.context.actor.name,
    )
    assert [(side.value, side.author) for side in conflict.candidates] == [("ben's", "ben")]


def test_an_open_conflict_is_counted_until_it_is_settled(contested: Registry) -> None:
    assert contested.totals().conflicts == 1
    contested.resolve(the_conflict(contested).id, "accepted")
    assert contested.totals().conflicts == 0


def test_conflicts_are_listed_for_a_model_alone(contested: Registry) -> None:
    contested.create_model("other")
    assert contested.conflicts("ranker") == contested.conflicts()
    assert contested.conflicts("other") == []
    with pytest.raises(NotFound):
        contested.conflicts("nothing")


def test_a_conflict_is_named_by_the_beginning_of_its_id(contested: Registry) -> None:
    conflict = the_conflict(contested)
    for name in (conflict.id, conflict.id[:9], conflict.id.replace("-", "").upper()):
        assert contested.conflict(name) == conflict
    with pytest.raises(NotFound):
        contested.conflict("0" * 32)
    for malformed in ("", "zz", "../x"):
        with pytest.raises(BadInput):
            contested.conflict(malformed)


def test_a_beginning_of_several_ids_is_refused(contested: Registry) -> None:
    first: list[str] = []
    while len(set(first)) == len(first):  # at most seventeen times
        disagree(contested, f"cara{len(first)}", "another")
        contested.resolve(the_conflict(contested).id, "accepted")
        first = [conflict.id[0] for conflict in contested.conflicts(resolved=True)]
        disagree(contested, f"dan{len(first)}", "another")
    twice = next(digit for digit in first if first.count(digit) > 1)
    with pytest.raises(BadInput, match="several"):
        contested.conflict(twice)


def test_what_one_asked_for_oneself_is_taken_as_mine(ranker: Registry) -> None:
    disagree(ranker, "ben", "ben's")
    me = ranker.context.actor.name
    disagree(ranker, me, "mine")
    assert the_conflict(ranker).accepted.value == "ben's"
    assert ranker.resolve(the_conflict(ranker).id, "mine").accepted.value == "mine"


def test_mine_is_refused_where_what_stands_is_mine(contested: Registry) -> None:
    with pytest.raises(BadInput, match="what stands is yours"):
        contested.resolve(the_conflict(contested).id, "mine")


def test_mine_is_refused_where_nothing_is_mine_and_says_whose_there_is(ranker: Registry) -> None:
    disagree(ranker, "ben", "ben's")
    disagree(ranker, "cara", "cara's")
    with pytest.raises(BadInput, match="none of the candidates is yours; there is cara's"):
        ranker.resolve(the_conflict(ranker).id, "mine")


def test_mine_is_refused_where_several_are_and_names_them(ranker: Registry) -> None:
    me = ranker.context.actor.name
    disagree(ranker, "ben", "ben's")
    disagree(ranker, me, "from the desk")
    disagree(ranker, me, "from the train", replica=user_id("train"))
    conflict = the_conflict(ranker)
    with pytest.raises(BadInput) as raised:
        ranker.resolve(conflict.id, "mine")
    assert raised.value.message.startswith("2 of the values are yours")
    assert all(str(side.id)[-8:] in raised.value.message for side in conflict.candidates)


@pytest.mark.parametrize("part", [slice(None), slice(0, 20), slice(-8, None)])
def test_a_candidate_is_named_by_either_end_of_its_id(contested: Registry, part: slice) -> None:
    conflict = the_conflict(contested)
    name = str(conflict.candidates[0].id)[part]
    settled = contested.resolve(conflict.id, "candidate", candidate=name)
    assert settled.accepted.value == "ben's"


@pytest.mark.parametrize(("choice", "stands"), [("accepted", "stands"), ("candidate", "ben's")])
def test_what_is_settled_is_told_though_no_reader_gets_a_turn(
    contested: Registry, choice: Choice, stands: str, keep_readers_out: Callable[[], None]
) -> None:
    conflict = the_conflict(contested)
    keep_readers_out()
    settled = contested.resolve(conflict.id, choice, candidate=str(conflict.candidates[0].id))
    assert (settled.id, settled.state, settled.accepted.value) == (conflict.id, "resolved", stands)
    assert settled.resolution is not None
    assert settled.resolution.author == contested.context.actor.name


def test_a_candidate_that_is_none_is_refused(contested: Registry) -> None:
    conflict = the_conflict(contested)
    with pytest.raises(NotFound):
        contested.resolve(conflict.id, "candidate", candidate="00000000")
    with pytest.raises(NotFound):
        contested.resolve(conflict.id, "candidate", candidate="")


def test_a_settled_conflict_is_not_settled_again(contested: Registry) -> None:
    conflict = the_conflict(contested)
    settled = contested.resolve(conflict.id, "accepted")
    assert settled.state == "resolved"
    assert settled.resolution is not None
    assert settled.resolution.choice == "accepted"
    assert settled.resolution.author == contested.context.actor.name
    with pytest.raises(BadInput, match="resolved already"):
        contested.resolve(conflict.id, "accepted")
    assert contested.conflicts() == []
    assert contested.conflicts(resolved=True) == [settled]


def test_a_value_of_the_wrong_type_settles_nothing(contested: Registry) -> None:
    with pytest.raises(BadInput):
        contested.resolve(the_conflict(contested).id, "value", value=7)
    assert the_conflict(contested).state == "open"


def test_a_conflict_of_a_deleted_model_is_listed_only_with_all(contested: Registry) -> None:
    contested.change_state("model", "ranker", "delete")
    assert contested.conflicts() == []
    assert len(contested.conflicts("ranker", resolved=True)) == 1


# Texts


def conflict_of(accepted: str | None, *others: str | None) -> ConflictAnswer:
    def side(value: str | None, author: str) -> Side:
        return Side(id=author, value=value, version=None, author=author, at=None)

    return ConflictAnswer(
        id="c", entity="e", kind="model", model="m", number=None, alias=None, dataset=None,
        field="card", state="open", base=None, accepted=side(accepted, "ann"),
        candidates=[side(v, who) for v, who in zip(others, ("ben", "cara"), strict=False)],
        resolution=None,
    )  # fmt: skip


def test_only_the_lines_that_differ_are_told_apart() -> None:
    text = marked(conflict_of("one\ntwo\nthree\n", "one\nzwei\nthree"))
    assert text == (
        "one\n<<<<<<< what stands, by ann\ntwo\nthree\n======= by ben\nzwei\nthree\n>>>>>>>\n"
    )
    assert not is_settled(text)
    assert is_settled("one\nzwei\nthree\n")


def test_of_three_texts_each_is_shown_whole() -> None:
    text = marked(conflict_of("one\n", None, "three\n"))
    assert text == (
        "<<<<<<< what stands, by ann\none\n======= by ben\n======= by cara\nthree\n>>>>>>>\n"
    )


@pytest.mark.parametrize("mark", ["<<<<<<< what", "=======", ">>>>>>>", "======= by ben"])
def test_a_mark_that_is_left_is_noticed(mark: str) -> None:
    assert not is_settled(f"one\n{mark}\ntwo\n")
    assert is_settled(f"one\n {mark}\ntwo\n")
