"""Aliases point to versions of their model that are there."""

import pytest

from regtui.core.identity import alias_id
from regtui.core.verdicts import Accepted, Conflicted, Rejected, Verdict
from tests.core.registry_state import Authority, Replica


def code(verdict: Verdict) -> str:
    return verdict.code if isinstance(verdict, Rejected) else type(verdict).__name__.lower()


@pytest.fixture
def other(ann: Replica, ben: Replica, model: str, version: str) -> str:
    entity = ann.capture(model, "other").entity
    ann.sync()
    ben.pull()
    return entity


def test_an_alias_names_one_version(
    authority: Authority, ann: Replica, model: str, version: str
) -> None:
    ann.point(model, "Champion", version)
    ann.sync()
    assert authority.state.documents[alias_id(model, "champion")].value("version") == version


def test_an_alias_moved_on_two_machines_is_a_conflict(
    ann: Replica, ben: Replica, model: str, version: str, other: str
) -> None:
    ann.point(model, "champion", version)
    ben.point(model, "champion", other)
    ann.sync()
    (verdict,) = ben.sync()
    assert isinstance(verdict, Conflicted)
    assert ann.authority.state.documents[alias_id(model, "champion")].value("version") == version


def test_an_alias_moved_to_one_version_on_two_machines_is_none(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    ann.point(model, "champion", version)
    ben.point(model, "champion", version)
    ann.sync()
    assert [code(verdict) for verdict in ben.sync()] == ["accepted"]


def test_an_alias_does_not_move_to_a_deleted_version(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    ben.delete(version)
    ben.sync()
    ann.point(model, "champion", version)
    assert [code(verdict) for verdict in ann.sync()] == ["deleted"]


def test_an_alias_does_not_move_to_a_version_of_another_model(
    ann: Replica, model: str, version: str
) -> None:
    elsewhere = ann.create("cv/resnet").entity
    ann.point(elsewhere, "champion", version)
    assert code(ann.sync()[-1]) == "not_found"


def test_an_alias_is_taken_away_once(ann: Replica, model: str, version: str) -> None:
    ann.point(model, "champion", version)
    ann.unpoint(model, "champion")
    ann.unpoint(model, "champion")
    assert [code(verdict) for verdict in ann.sync()] == ["accepted", "accepted", "not_found"]


def test_an_alias_that_two_people_take_away_is_away(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    ann.point(model, "champion", version)
    ann.sync()
    ben.pull()
    ann.unpoint(model, "champion")
    ben.unpoint(model, "champion")
    assert [code(v) for v in (*ann.sync(), *ben.sync())] == ["accepted", "accepted"]


def test_there_is_no_alias_to_take_away(ann: Replica, model: str) -> None:
    ann.unpoint(model, "champion")
    assert [code(verdict) for verdict in ann.sync()] == ["not_found"]


def test_an_alias_that_was_taken_away_can_be_set_again(
    authority: Authority, ann: Replica, model: str, version: str
) -> None:
    ann.point(model, "champion", version)
    ann.unpoint(model, "champion")
    ann.point(model, "champion", version)
    assert {type(verdict) for verdict in ann.sync()} == {Accepted}
    assert authority.state.documents[alias_id(model, "champion")].value("version") == version


@pytest.mark.parametrize("verb", ["point", "unpoint"])
def test_aliases_of_a_deleted_model_stay_as_they_are(
    ann: Replica, model: str, version: str, verb: str
) -> None:
    ann.point(model, "champion", version)
    ann.delete(model)
    ann.sync()
    ann.point(model, "champion", version) if verb == "point" else ann.unpoint(model, "champion")
    assert [code(verdict) for verdict in ann.sync()] == ["deleted"]
