"""Captured content: one version, many places; numbers once and for ever."""

import pytest

from regtui.core.documents import source_of
from regtui.core.identity import user_id
from regtui.core.verdicts import Accepted, Rejected
from tests.core.registry_state import Authority, Replica


def place(host: str) -> dict[str, object]:
    return {"host": host, "folder": "/runs", "name": "last.ckpt", "at": 1, "author": user_id(host)}


def test_content_captured_on_two_machines_is_one_version_with_two_places(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    first = ann.capture(model, "weights", {"places/a": place("ann")})
    second = ben.capture(model, "weights", {"places/b": place("ben")})
    (one,), (two,) = ann.sync(), ben.sync()
    assert first.entity == second.entity
    assert isinstance(one, Accepted)
    assert isinstance(two, Accepted)
    assert one.number == two.number == 1
    assert set(authority.state.documents[first.entity].entries("places")) == {"a", "b"}


def test_what_the_second_captures_and_puts_away_is_put_away(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    ann.capture(model, "weights")
    version = ben.capture(model, "weights").entity
    ben.archive(version)
    ann.sync()
    assert {type(verdict) for verdict in ben.sync()} == {Accepted}
    assert authority.state.documents[version].value("state") == "archived"


def test_a_nonce_makes_another_version_of_the_same_content(ann: Replica, model: str) -> None:
    first = ann.capture(model, "weights")
    second = ann.capture(model, "weights", nonce="again")
    numbers = [v.number for v in ann.sync() if isinstance(v, Accepted)]
    assert first.entity != second.entity
    assert numbers == [1, 2]


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_capturing_content_that_was_put_away_restores_it(
    ann: Replica, ben: Replica, version: str, model: str, verb: str
) -> None:
    getattr(ben, verb)(version)
    ben.sync()
    ann.capture(model, "weights")
    (verdict,) = ann.sync()
    assert isinstance(verdict, Accepted)
    assert verdict.number == 1
    assert ann.value(version, "state") == "captured"


def test_the_number_of_a_deleted_version_is_not_given_again(
    ann: Replica, model: str, version: str
) -> None:
    ann.delete(version)
    ann.capture(model, "other")
    *_, verdict = ann.sync()
    assert isinstance(verdict, Accepted)
    assert verdict.number == 2


def test_a_replica_gives_no_numbers(ann: Replica, model: str) -> None:
    version = ann.capture(model, "weights").entity
    assert ann.state.documents[version].facts["number"] is None


def test_nothing_is_captured_into_a_deleted_model(ann: Replica, ben: Replica, model: str) -> None:
    ben.delete(model)
    ben.sync()
    ann.capture(model, "weights")
    (verdict,) = ann.sync()
    assert isinstance(verdict, Rejected)
    assert verdict.code == "deleted"


def test_keys_of_places_may_be_odd(authority: Authority, ann: Replica, model: str) -> None:
    keys = {"a/b//c", "/", "ü ", "places/x", "*"}
    version = ann.capture(model, "x", {f"places/{key}": place("h") for key in keys}).entity
    ann.sync()
    assert set(authority.state.documents[version].entries("places")) == keys


def test_nobody_tells_anew_where_somebody_else_captured(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    mine = {**place("h"), "author": ann.actor.id}
    capture = ann.capture(model, "x", {"places/a": mine})
    version = capture.entity
    ann.sync()
    ben.pull()
    ben.capture(model, "x", {"places/a": {**mine, "host": "b"}, "places/b": place("b")})
    first = ben.edit(version, {"places/a": None}, undoes=capture.id)
    second = ben.edit(version, {"places/a": None}, undoes=authority.new_id())
    merged, *refused = ben.sync()
    assert isinstance(merged, Accepted)
    assert merged.paths["places/a"].result == "lost"
    assert [(one.op, one.code) for one in refused if isinstance(one, Rejected)] == [
        (first.id, "denied"),
        (second.id, "denied"),
    ]
    places = authority.state.documents[version].entries("places")
    assert (places["a"], set(places)) == (mine, {"a", "b"})
    # Who told of it takes it back, and tells of it again.
    undo = ann.edit(version, {"places/a": None}, undoes=capture.id)
    ann.edit(version, {"places/a": mine}, undoes=undo.id)
    assert {type(one) for one in ann.sync()} == {Accepted}
    assert authority.state.documents[version].entries("places")["a"] == mine


def test_no_later_place_is_the_first(
    authority: Authority, ann: Replica, ben: Replica, model: str
) -> None:
    """A file that was captured alone is called as where it was found first."""
    version = ann.capture(model, "x", {"places/a": place("a") | {"at": 1_000}}).entity
    ann.sync()
    ben.pull()
    ben.capture(model, "x", {"places/b": place("b") | {"at": 0, "name": "evil.pkl"}})
    ben.sync()
    document = authority.state.documents[version]
    assert source_of(document) == "/runs/last.ckpt"
    assert document.entries("places")["b"]["name"] == "evil.pkl"


def test_nobody_calls_a_file_otherwise_after_it_was_looked_at(
    authority: Authority, ann: Replica, model: str
) -> None:
    capture = ann.capture(model, "x", {"places/a": place("a")})
    ann.capture(model, "x", {"places/a": place("a") | {"name": "evil.pkl"}})
    ann.capture(model, "x", {"places/b": place("b") | {"name": "other.pkl"}})
    ann.edit(capture.entity, {"places/a": None}, undoes=capture.id)
    ann.sync()
    source = source_of(authority.state.documents[capture.entity])
    assert source is not None
    assert source.endswith("/last.ckpt")
