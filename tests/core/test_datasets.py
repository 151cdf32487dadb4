"""What is known of the data that models are made from."""

import pytest

from regtui.core.access import Role
from regtui.core.identity import dataset_id
from regtui.core.operations import Change, DatasetBody
from regtui.core.verdicts import Accepted, Conflicted, Rejected, Verdict
from tests.core.registry_state import Authority, Replica


def code(verdict: Verdict) -> str:
    assert isinstance(verdict, Rejected), verdict
    return verdict.code


def test_two_who_make_the_same_dataset_offline_have_made_the_same(
    ann: Replica, ben: Replica
) -> None:
    first = ann.put_dataset("nlp/imdb", {"uri": "s3://imdb", "tags/a": "x"})
    second = ben.put_dataset("NLP/IMDB", {"uri": "s3://imdb", "tags/b": "y"})
    assert first.entity == second.entity
    verdicts = [*ann.sync(), *ben.sync()]
    assert {type(verdict) for verdict in verdicts} == {Accepted}
    document = ben.state.documents[first.entity]
    assert document.facts["name"] == "nlp/imdb"
    assert document.entries("tags") == {"a": "x", "b": "y"}


def test_two_addresses_are_a_conflict_that_can_be_settled(ann: Replica, ben: Replica) -> None:
    dataset = ann.put_dataset("imdb", {"uri": "s3://imdb"}).entity
    ben.put_dataset("imdb", {"uri": "gs://imdb"})
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    (candidate,) = ben.state.documents[verdict.conflicts[0]].entries("candidates")
    ben.resolve(verdict.conflicts[0], candidate)
    assert type(ben.sync()[0]) is Accepted
    assert ben.value(dataset, "uri") == "gs://imdb"


def test_who_made_what_was_there_already_takes_it_away_without_a_conflict(
    ann: Replica, ben: Replica
) -> None:
    dataset = ann.put_dataset("imdb", {"uri": "s3://imdb"}).entity
    ben.put_dataset("imdb", {"uri": "s3://imdb"})
    ben.put_dataset("imdb", {"state": "deleted"})
    ann.sync()
    assert {type(verdict) for verdict in ben.sync()} == {Accepted}
    assert ben.value(dataset, "state") == "deleted"


def test_what_was_taken_away_comes_back_when_it_is_put_again(ann: Replica) -> None:
    dataset = ann.put_dataset("imdb", {"uri": "s3://imdb"}).entity
    ann.put_dataset("imdb", {"state": "deleted"})
    ann.put_dataset("imdb", {"description": "films"})
    ann.sync()
    assert ann.value(dataset, "state") == "active"
    assert ann.value(dataset, "description") == "films"


def test_a_state_that_a_new_dataset_is_put_in_is_kept(ann: Replica) -> None:
    dataset = ann.put_dataset("imdb", {"uri": "s3://imdb", "state": "deleted"}).entity
    ann.sync()
    assert ann.value(dataset, "state") == "deleted"


def test_who_may_put_datasets_may_settle_whether_one_is_there(
    authority: Authority, ann: Replica, ben: Replica
) -> None:
    dataset = ann.put_dataset("imdb", {"uri": "s3://imdb"}).entity
    ann.sync()
    ben.pull()
    ann.put_dataset("imdb", {"state": "deleted"})
    ben.put_dataset("imdb", {"state": "active"})
    ann.sync()
    assert isinstance(ben.sync()[0], Conflicted)
    cara = authority.person("cara", (Role.CONTRIBUTOR, "*"))
    (conflict,) = cara.state.of_kind("conflict")
    (candidate,) = conflict.entries("candidates")
    cara.resolve(conflict.id, candidate)
    assert type(cara.sync()[0]) is Accepted
    assert cara.value(dataset, "state") == "active"


def test_a_dataset_needs_an_address(ann: Replica) -> None:
    ann.put_dataset("imdb", {"description": "films"})
    assert code(ann.sync()[0]) == "malformed"


def test_an_address_can_not_be_taken_away(ann: Replica) -> None:
    ann.put_dataset("imdb", {"uri": "s3://imdb"})
    ann.put_dataset("imdb", {"uri": None})
    assert code(ann.sync()[1]) == "malformed"


@pytest.mark.parametrize(
    ("stream", "entity", "name"),
    [
        ("elsewhere", dataset_id("imdb"), "imdb"),
        ("registry", dataset_id("other"), "imdb"),
        ("registry", dataset_id(""), ""),
        ("registry", dataset_id("a@b"), "a@b"),
    ],
)
def test_such_a_dataset_is_malformed(ann: Replica, stream: str, entity: str, name: str) -> None:
    body = DatasetBody(name, {"uri": Change("s3://imdb")})
    ann.pending.append(ann.draft("dataset.put", stream, entity, body))
    assert code(ann.sync()[0]) == "malformed"
