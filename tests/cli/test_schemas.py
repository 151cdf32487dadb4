"""The documented schemas hold for answers, and say something."""

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.cli.process import Regtui
from tests.cli.schemas import SCHEMAS, _resources, check

ANSWERS = {
    "ls": ["ls"],
    "models": ["models"],
    "aliases": ["aliases"],
    "show-version": ["show", "team/ranker@1"],
    "show-model": ["show", "team/ranker"],
    "files": ["show", "team/ranker@1", "--files"],
    "tensors": ["show", "team/ranker@1", "--tensors"],
    "verify": ["verify"],
    "whoami": ["whoami"],
    "outbox": ["outbox", "ls"],
}

ACCESS = [
    "user-ls", "user-show", "user-add", "team-ls", "team-show", "grant-ls", "grant-add", "grant-rm",
    "token-ls", "token-create", "token-revoke", "replica-ls", "replica-revoke", "remote-show",
    "remote-rm", "login-approve", "logout", "sync",
]  # fmt: skip
"""Answers about what a server has; its tests hold them to their schemas."""


@pytest.mark.parametrize("schema", ANSWERS)
def test_an_answer_is_as_its_schema_says(ranker: Regtui, schema: str) -> None:
    check(ranker.json(*ANSWERS[schema]), schema)


@pytest.mark.parametrize("schema", [*ANSWERS, *ACCESS])
def test_a_schema_refuses_another_answer(schema: str) -> None:
    with pytest.raises(ValidationError):
        check({"unlike": "any"}, schema)


def test_figures_that_json_has_no_number_for_are_as_the_schema_says(ranker: Regtui) -> None:
    for figure in ("nan", "inf", "-inf"):
        ranker("edit", "team/ranker@1", "--metric", f"loss={figure}")
        answer = ranker.json("show", "team/ranker@1")
        check(answer, "show-version")
        assert answer["version"]["metrics"]["loss"] in {"NaN", "Infinity", "-Infinity"}


def test_an_address_that_is_named_and_forgotten_is_as_its_schemas_say(regtui: Regtui) -> None:
    check(regtui.json("remote", "add", "https://models.example.org"), "remote-show")
    check(regtui.json("remote", "show"), "remote-show")
    check(regtui.json("remote", "rm"), "remote-rm")


def test_every_schema_is_a_schema() -> None:
    for path in SCHEMAS.glob("*.json"):
        Draft202012Validator.check_schema(_resources.contents(path.name))
