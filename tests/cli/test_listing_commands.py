"""`models`, `aliases`, and their second names `model ls` and `alias ls`."""

from pathlib import Path

import pytest

from tests.cli.process import Regtui
from tests.cli.schemas import check


def test_models_are_listed(ranker: Regtui) -> None:
    heading, row = ranker("models").out.splitlines()
    assert heading.split() == [
        "MODEL", "VERSIONS", "LATEST", "ALIASES", "PRIMARY", "AUTHOR", "AGE"
    ]  # fmt: skip
    assert row.split()[:4] == ["team/ranker", "1", "1", "champion→1"]


def test_a_model_has_the_fields_that_scripts_rely_on(ranker: Regtui) -> None:
    (model,) = ranker.json("models")["models"]
    assert model["model"] == "team/ranker"
    assert model["aliases"] == {"champion": 1}
    assert (model["versions"], model["latest"], model["state"]) == (1, 1, "active")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("team", True), ("Team/Ranker", True), ("t*r", True), ("tea", False), ("*/x", False)],
)
def test_a_pattern_chooses_models(ranker: Regtui, pattern: str, *, found: bool) -> None:
    assert bool(ranker.json("models", pattern)["models"]) is found


def test_a_state_chooses_models(ranker: Regtui, run: Path) -> None:
    ranker("model", "archive", "team/ranker")
    assert ranker.json("models")["models"] == []
    assert ranker.json("models", "--state", "archived")["models"][0]["state"] == "archived"
    assert len(ranker.json("models", "--state", "any")["models"]) == 1
    answer = ranker("models", "--state", "gone")
    assert answer.code == 2
    assert "there is no state 'gone'" in answer.error


def test_no_models_is_no_failure(regtui: Regtui) -> None:
    assert regtui.json("models") == {"models": []}
    assert regtui("models").error == "no models yet; `regtui capture PATH` makes one"
    assert regtui("models", "x").error == "no model matches"


def test_aliases_are_listed(ranker: Regtui) -> None:
    heading, row = ranker("aliases").out.splitlines()
    assert heading.split() == ["ALIAS", "NUMBER", "ID", "MOVED"]
    assert row.split()[:2] == ["team/ranker@champion", "1"]
    again, listed = ranker("alias", "ls").out.splitlines()
    # All but the age, which counts seconds between the two calls.
    assert (again, listed.split()[:-1]) == (heading, row.split()[:-1])
    assert ranker.json("aliases", "team/ranker") == ranker.json("aliases")


def test_no_aliases_is_no_failure(regtui: Regtui) -> None:
    assert regtui.json("aliases") == {"aliases": []}
    assert "no aliases yet" in regtui("aliases").error


def test_aliases_of_a_model_that_is_not_there_are_not_found(ranker: Regtui) -> None:
    answer = ranker("aliases", "team/rankr")
    assert answer.code == 3
    assert answer.error == "there is no model 'team/rankr'; did you mean team/ranker?"


def test_aliases_of_a_deleted_model_are_not_listed(ranker: Regtui) -> None:
    ranker("model", "delete", "team/ranker")
    check(ranker.json("aliases"), "aliases")
    assert ranker.json("aliases") == {"aliases": []}
