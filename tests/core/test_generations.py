"""Models by name: the same name is the same model, until it was deleted."""

import pytest

from regtui.core.identity import model_id
from regtui.core.operations import ModelBody
from regtui.core.verdicts import Accepted, Conflicted, Rejected
from tests.core.registry_state import Authority, Replica


def test_two_people_who_create_one_name_have_created_one_model(
    authority: Authority, ann: Replica, ben: Replica
) -> None:
    first = ann.create("nlp/bert", {"owners/ann": True, "tags/a": "1"})
    second = ben.create("NLP/Bert", {"owners/ben": True, "tags/b": "2"})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Accepted)
    assert (first.entity, verdict.merged_into) == (second.entity, None)
    assert authority.state.documents[first.entity].entries("owners") == {"ann": True, "ben": True}


def test_the_spelling_of_the_first_stays_and_that_of_the_second_is_in_the_history(
    authority: Authority, ann: Replica, ben: Replica
) -> None:
    ann.create("nlp/bert")
    ann.sync()
    judged = authority.judge(ben.create("NLP/BERT"), ben.actor)
    assert [(row.path, row.after, row.result) for row in judged.log] == [
        ("display_name", "NLP/BERT", "lost")
    ]


def test_different_descriptions_of_one_new_model_are_a_conflict(ann: Replica, ben: Replica) -> None:
    ann.create("nlp/bert", {"description": "ann's"})
    ben.create("nlp/bert", {"description": "ben's"})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)


def test_what_the_second_author_builds_on_his_creation_merges(
    authority: Authority, ann: Replica, ben: Replica
) -> None:
    ann.create("nlp/bert")
    model = ben.create("nlp/bert").entity
    ben.archive(model)
    ann.sync()
    assert {type(verdict) for verdict in ben.sync()} == {Accepted}
    assert authority.state.documents[model].value("state") == "archived"


def test_a_name_whose_model_was_deleted_is_a_new_generation(
    authority: Authority, ann: Replica, model: str
) -> None:
    ann.delete(model)
    operation = ann.create("nlp/bert", generation=1)
    ann.sync()
    assert operation.entity == model_id("nlp/bert", 1)
    assert authority.state.documents[operation.entity].value("state") == "active"
    assert authority.state.documents[model].value("state") == "deleted"


def test_a_stale_generation_goes_into_the_model_that_holds_the_name(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.delete(model)
    newer = ann.create("nlp/bert", generation=1).entity
    ann.sync()
    cara = authority.person("cara")
    cara.accepted.documents.clear()
    cara.state.documents.clear()
    cara.create("nlp/bert", {"tags/c": "x"})
    (verdict,) = cara.sync()
    assert isinstance(verdict, Accepted)
    assert verdict.merged_into == newer
    assert authority.state.documents[newer].value("tags/c") == "x"


def test_a_stale_generation_of_a_name_that_nobody_holds_becomes_the_next_one(
    authority: Authority, ann: Replica, model: str
) -> None:
    ann.delete(model)
    ann.sync()
    cara = authority.person("cara")
    cara.accepted.documents.clear()
    cara.state.documents.clear()
    cara.create("nlp/bert")
    (verdict,) = cara.sync()
    newer = model_id("nlp/bert", 1)
    assert isinstance(verdict, Accepted)
    assert verdict.merged_into == newer
    assert authority.state.documents[newer].stream == newer


def test_what_came_from_a_stale_generation_can_be_edited_and_captured_into(
    authority: Authority, ann: Replica, model: str
) -> None:
    ann.delete(model)
    ann.create("nlp/bert")
    ann.sync()
    newer = model_id("nlp/bert", 1)
    ann.edit(newer, {"description": "second life"})
    ann.capture(newer, "weights")
    assert {type(verdict) for verdict in ann.sync()} == {Accepted}


def test_a_conflict_over_a_stale_creation_belongs_to_the_model_that_holds_the_name(
    authority: Authority, ann: Replica, model: str
) -> None:
    ann.delete(model)
    newer = ann.create("nlp/bert", {"description": "newer"}, generation=1).entity
    ann.sync()
    cara = authority.person("cara")
    cara.accepted.documents.clear()
    cara.state.documents.clear()
    cara.create("nlp/bert", {"description": "cara's"})
    cara.sync()
    (conflict,) = authority.state.of_kind("conflict")
    assert conflict.stream == newer


@pytest.mark.parametrize("generation", [1, 5])
def test_a_generation_that_is_yet_to_come_is_malformed(ann: Replica, generation: int) -> None:
    ann.create("nlp/new", generation=generation)
    (verdict,) = ann.sync()
    assert isinstance(verdict, Rejected)
    assert verdict.code == "malformed"


def test_generations_count_from_zero(authority: Authority, ann: Replica) -> None:
    entity = model_id("nlp/new", -1)
    operation = ann.draft("model.create", entity, entity, ModelBody("nlp/new", -1, {}))
    verdict = authority.judge(operation, ann.actor).verdict
    assert isinstance(verdict, Rejected)
    assert verdict.code == "malformed"
