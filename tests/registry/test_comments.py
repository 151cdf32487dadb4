"""What people say about models and versions."""

from collections.abc import Callable
from typing import Any

import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.errors import BadInput, Denied, NotFound
from regtui.core.identity import user_id
from regtui.registry import Registry
from regtui.registry.context import Context


class Personal(Context, frozen=True):
    person: str = ""

    @property
    def actor(self) -> Actor:
        return Actor(user_id(self.person), self.person, (Grant(Role.ADMIN, "*"),))


@pytest.fixture
def ben(ranker: Registry) -> Registry:
    return Registry(Personal(ranker.context.replica, "cli", "s", None, "ben"))


def test_a_comment_is_listed_with_its_version_and_its_model(ranker: Registry) -> None:
    first = ranker.add_comment("ranker@champion", "  looks good\n")
    second = ranker.add_comment("ranker", "what a model")
    assert (first.text, first.number, first.model) == ("looks good", 1, "ranker")
    assert first.version_id == ranker.version("ranker@1").id
    assert (second.number, second.version_id, second.edited) == (None, None, None)
    assert ranker.comments("ranker") == [first, second]
    assert ranker.comments("ranker@1") == [first]
    assert ranker.comments("ranker@2") == []


def test_a_comment_is_changed_by_its_author(ranker: Registry) -> None:
    made = ranker.add_comment("ranker@1", "looks good")
    comment, changed = ranker.edit_comment(made.id[-8:], "looks bad")
    assert (comment.text, changed, comment.created) == ("looks bad", True, made.created)
    assert comment.edited is not None
    assert ranker.edit_comment(made.id, "looks bad") == (comment, False)
    assert ranker.comment(made.id[:20]) == comment


def test_a_comment_that_is_withdrawn_shows_no_more(ranker: Registry) -> None:
    made = ranker.add_comment("ranker@1", "looks good")
    comment, changed = ranker.withdraw_comment(made.id)
    assert (comment.state, changed) == ("withdrawn", True)
    assert ranker.withdraw_comment(made.id)[1] is False
    assert ranker.comments("ranker") == []
    with pytest.raises(NotFound, match="withdrawn"):
        ranker.edit_comment(made.id, "again")
    assert ranker.sql("select text from comments").rows == []


def test_what_was_said_is_answered_though_no_reader_gets_a_turn(
    ranker: Registry, keep_readers_out: Callable[[], None]
) -> None:
    keep_readers_out()
    made = ranker.add_comment("ranker@1", "looks good")
    assert (made.model, made.number, made.text) == ("ranker", 1, "looks good")
    assert made.author == ranker.context.actor.name
    assert ranker.edit_comment(made.id, "looks good") == (made, False)
    edited, changed = ranker.edit_comment(made.id, "looks bad")
    assert (edited.text, edited.id, changed) == ("looks bad", made.id, True)
    withdrawn, changed = ranker.withdraw_comment(made.id)
    assert (withdrawn.state, changed) == ("withdrawn", True)


def test_nobody_else_changes_or_withdraws_it(ranker: Registry, ben: Registry) -> None:
    made = ranker.add_comment("ranker@1", "looks good")
    with pytest.raises(Denied):
        ben.edit_comment(made.id, "forged")
    with pytest.raises(Denied):
        ben.withdraw_comment(made.id)
    assert [comment.text for comment in ben.comments("ranker")] == ["looks good"]
    assert ben.add_comment("ranker@1", "I disagree").author == "ben"


@pytest.mark.parametrize("text", ["", " \n ", "x" * 70_000, "\ud800"])
def test_such_a_text_is_refused(ranker: Registry, text: str) -> None:
    with pytest.raises(BadInput):
        ranker.add_comment("ranker@1", text)
    assert ranker.comments("ranker") == []


@pytest.mark.parametrize("reference", ["nothing", "ranker@9", "ranker@nothing", ":0123456789"])
def test_there_is_no_comment_on_what_is_not_there(ranker: Registry, reference: str) -> None:
    with pytest.raises(NotFound):
        ranker.add_comment(reference, "x")
    with pytest.raises(NotFound):
        ranker.comments(reference)


def test_a_name_of_no_or_several_comments_is_refused(ranker: Registry) -> None:
    for _ in range(2):
        ranker.add_comment("ranker@1", "x")
    with pytest.raises(BadInput, match="several"):
        ranker.withdraw_comment(ranker.comments("ranker")[0].id[:4])
    with pytest.raises(NotFound):
        ranker.withdraw_comment("f" * 32)
    for malformed in ("", "zz"):
        with pytest.raises(BadInput):
            ranker.withdraw_comment(malformed)


def test_comments_of_a_deleted_model_rest(ranker: Registry) -> None:
    made = ranker.add_comment("ranker@1", "x")
    ranker.change_state("model", "ranker", "delete")
    actions: list[Any] = [
        lambda: ranker.edit_comment(made.id, "y"),
        lambda: ranker.withdraw_comment(made.id),
        lambda: ranker.add_comment("ranker", "y"),
    ]
    for action in actions:
        with pytest.raises(NotFound, match="deleted"):
            action()
