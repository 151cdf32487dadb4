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
}


@pytest.mark.parametrize("schema", ANSWERS)
def test_an_answer_is_as_its_schema_says(ranker: Regtui, schema: str) -> None:
    check(ranker.json(*ANSWERS[schema]), schema)


@pytest.mark.parametrize("schema", ANSWERS)
def test_a_schema_refuses_another_answer(schema: str) -> None:
    with pytest.raises(ValidationError):
        check({"unlike": "any"}, schema)


def test_figures_that_json_has_no_number_for_are_as_the_schema_says(ranker: Regtui) -> None:
    for figure in ("nan", "inf", "-inf"):
        ranker("edit", "team/ranker@1", "--metric", f"loss={figure}")
        answer = ranker.json("show", "team/ranker@1")
        check(answer, "show-version")
        assert answer["version"]["metrics"]["loss"] in {"NaN", "Infinity", "-Infinity"}


def test_every_schema_is_a_schema() -> None:
    for path in SCHEMAS.glob("*.json"):
        Draft202012Validator.check_schema(_resources.contents(path.name))
