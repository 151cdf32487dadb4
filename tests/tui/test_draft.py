"""Drafts: what typing does to values, before anything is saved."""

from regtui.registry import Registry
from regtui.tui.draft import Draft, draft, model_draft, version_draft

VALUES = {
    "description": "first",
    "metrics/f1": {"value": 0.5, "step": 10},
    "params/lr": 0.1,
    "params/name": "adam",
    "tags/env": "prod",
}
FIELDS = ("description", "metrics", "params", "tags")


def made() -> Draft:
    return draft("version", FIELDS, VALUES)


def test_a_draft_that_nobody_touched_wants_nothing() -> None:
    assert (made().changed, made().wanted, made().problems()) == ([], {}, {})


def test_what_is_typed_is_wanted_and_what_stood_there_was_seen() -> None:
    typed = made().typed("metrics/f1", "0.6@20").typed("params/lr", "3e-4").typed("tags/env", "")
    assert typed.wanted == {
        "metrics/f1": {"value": 0.6, "step": 20},
        "params/lr": 3e-4,
        "tags/env": "",
    }
    assert typed.seen == {path: VALUES[path] for path in ("metrics/f1", "params/lr", "tags/env")}


def test_a_value_typed_as_it_was_is_no_change() -> None:
    typed = made().typed("params/lr", "0.2").typed("params/lr", "0.1")
    assert typed.changed == []


def test_a_value_is_taken_away_and_put_back() -> None:
    gone = made().typed("tags/env", None).typed("description", "")
    assert gone.wanted == {"tags/env": None, "description": None}
    assert gone.restored("tags/env").restored("description").changed == []


def test_a_line_adds_a_value_to_its_field() -> None:
    added, key = made().added("params", "epochs=3")
    assert (added.wanted, added.seen) == ({"params/epochs": 3}, {"params/epochs": None})
    assert [entry.field for entry in added.entries].index("tags") == 5
    assert added.typed(key, None).changed == []


def test_a_line_with_a_name_that_is_there_types_that_value_anew() -> None:
    added, key = made().added("tags", "env=dev=1")
    assert (key, added.wanted) == ("tags/env", {"tags/env": "dev=1"})


def test_a_name_can_be_given_again_to_what_was_taken_away() -> None:
    again, _ = made().typed("tags/env", None).added("tags", "env=dev")
    assert again.wanted == {"tags/env": "dev"}


def test_what_can_not_be_saved_has_a_problem() -> None:
    wrong = made().typed("metrics/f1", "high").typed("params/lr", "high")
    assert list(wrong.problems()) == ["metrics/f1"]
    assert "is no number" in wrong.problems()["metrics/f1"]


def test_a_line_that_adds_nothing_has_a_problem() -> None:
    for field, line in [
        ("tags", "env"), ("tags", "=x"), ("metrics", "f1"), ("metrics", "f1=high"),
        ("params", " =1"), ("tags", "a\x1bb=1"),
    ]:  # fmt: skip
        assert made().line_problem(field, line), line
    for field, line in [("tags", "env="), ("metrics", "f1=nan@3")]:
        assert made().line_problem(field, line) is None, line


def test_an_owner_is_a_name_alone() -> None:
    team = draft("model", ("owners",), {"owners/ann": True})
    assert team.line_problem("owners", " ")
    assert team.line_problem("owners", "ben") is None
    assert team.added("owners", "ben")[0].typed("owners/ann", None).wanted == {
        "owners/ben": True,
        "owners/ann": None,
    }


def test_changes_go_upon_what_somebody_else_wrote_meanwhile() -> None:
    typed, _ = made().typed("tags/env", "mine").typed("params/lr", None).added("tags", "new=1")
    there = VALUES | {"tags/env": "theirs", "tags/new": "2", "description": "theirs"}
    now = typed.rebased({path: there[path] for path in there if path != "params/lr"})
    assert now.wanted == {"tags/env": "mine", "tags/new": "1"}
    assert now.seen == {"tags/env": "theirs", "tags/new": "2"}


def test_the_draft_of_a_version_is_what_the_registry_holds(sample: Registry) -> None:
    found = version_draft(sample.version("nlp/sentiment@6"))
    assert sample.edit("nlp/sentiment@6", {e.path: e.wanted for e in found.entries}) is False
    seen = {entry.path: entry.before for entry in found.entries}
    assert sample.edit("nlp/sentiment@6", {"tags/env": "x"}, seen=seen) is True


def test_the_draft_of_a_model_does_not_take_a_guess_for_a_value(sample: Registry) -> None:
    found = model_draft(sample.model("vision/digits"))
    typed = found.typed("primary_metric", "accuracy").typed("direction", "max")
    assert sample.edit("vision/digits", typed.wanted, seen=typed.seen) is True
    wrong = found.typed("direction", "up")
    assert "max or min" in wrong.problems()["direction"]
