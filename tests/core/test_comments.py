"""What people say about models and versions."""

import pytest

from regtui.core.identity import alias_id
from regtui.core.operations import Change, CommentBody
from regtui.core.verdicts import Accepted, Conflicted, Rejected, Verdict
from tests.core.registry_state import Authority, Replica


def code(verdict: Verdict) -> str:
    assert isinstance(verdict, Rejected), verdict
    return verdict.code


@pytest.mark.parametrize("about", ["model", "version"])
def test_a_comment_is_about_a_model_or_version(
    ann: Replica, model: str, version: str, about: str
) -> None:
    entity = {"model": model, "version": version}[about]
    comment = ann.comment(entity, "looks good").entity
    ann.sync()
    document = ann.state.documents[comment]
    assert (document.value("text"), document.value("state")) == ("looks good", "posted")
    assert (document.facts["of"], document.facts["of_kind"]) == (entity, about)
    assert document.facts["author"] == ann.actor.id


def test_its_author_changes_and_withdraws_it(ann: Replica, version: str) -> None:
    comment = ann.comment(version, "looks good").entity
    ann.edit(comment, {"text": "looks bad"})
    ann.withdraw(comment)
    assert {type(verdict) for verdict in ann.sync()} == {Accepted}
    assert ann.value(comment, "text") == "looks bad"
    assert ann.value(comment, "state") == "withdrawn"


def test_nobody_else_changes_it(ann: Replica, ben: Replica, version: str) -> None:
    comment = ann.comment(version, "looks good").entity
    ann.sync()
    ben.pull()
    ben.edit(comment, {"text": "forged"})
    ben.withdraw(comment)
    assert [code(verdict) for verdict in ben.sync()] == ["denied", "denied"]


def test_nobody_else_settles_a_conflict_of_its_author_with_himself(
    authority: Authority, ann: Replica, ben: Replica, version: str
) -> None:
    comment = ann.comment(version, "looks good").entity
    ann.sync()
    elsewhere = authority.person("ann")
    elsewhere.id = "5b8d2ac8-32ef-5b0c-9d6e-1f4f0a3f7a11"
    ann.edit(comment, {"text": "from the desk"})
    elsewhere.edit(comment, {"text": "from the train"})
    ann.sync()
    assert isinstance(elsewhere.sync()[0], Conflicted)
    ben.pull()
    (conflict,) = ben.state.of_kind("conflict")
    ben.resolve(conflict.id, "value", "forged")
    assert code(ben.sync()[0]) == "denied"
    ann.pull()
    ann.resolve(conflict.id, "value", "from both")
    assert type(ann.sync()[0]) is Accepted
    assert ann.value(comment, "text") == "from both"


def test_a_text_can_not_be_taken_away(ann: Replica, version: str) -> None:
    comment = ann.comment(version, "looks good").entity
    ann.sync()
    ann.edit(comment, {"text": None})
    assert code(ann.sync()[0]) == "malformed"


def test_there_is_no_comment_on_what_is_not_there(ann: Replica, model: str, version: str) -> None:
    comment = ann.comment(version, "looks good").entity
    ann.sync()
    for of, kind in ((model, "version"), (version, "model"), (comment, "version")):
        body = CommentBody(of, kind, {"text": Change("x")})
        minted = "00000000-0000-7000-8000-000000000001"
        ann.pending.append(ann.draft("comment.add", model, minted, body))
    assert [code(verdict) for verdict in ann.sync()] == ["not_found"] * 3


def test_there_is_no_comment_in_a_deleted_model(ann: Replica, model: str, version: str) -> None:
    ann.delete(model)
    ann.comment(version, "too late")
    assert code(ann.sync()[1]) == "deleted"


def test_a_comment_that_is_there_is_not_made_again(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    comment = ann.comment(version, "looks good").entity
    ann.sync()
    body = CommentBody(version, "version", {"text": Change("forged")})
    ben.pending.append(ben.draft("comment.add", model, comment, body))
    assert code(ben.sync()[0]) == "no_change"


def test_a_comment_can_not_take_the_id_that_follows_from_a_name(
    ann: Replica, model: str, version: str
) -> None:
    body = CommentBody(version, "version", {"text": Change("x")})
    ann.pending.append(ann.draft("comment.add", model, alias_id(model, "champion"), body))
    assert code(ann.sync()[0]) == "malformed"


@pytest.mark.parametrize(
    "changes",
    [{}, {"text": Change("x"), "state": Change("withdrawn")}, {"state": Change("posted")}],
)
def test_a_comment_that_sets_anything_but_its_text_is_malformed(
    ann: Replica, model: str, version: str, changes: dict[str, Change]
) -> None:
    body = CommentBody(version, "version", changes)
    minted = "00000000-0000-7000-8000-000000000001"
    ann.pending.append(ann.draft("comment.add", model, minted, body))
    assert code(ann.sync()[0]) == "malformed"
