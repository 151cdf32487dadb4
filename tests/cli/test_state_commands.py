"""`model create | archive | delete | restore` and `version archive | delete | restore`."""

from pathlib import Path

import pytest

from tests.cli.process import Regtui


def test_a_model_is_made(regtui: Regtui) -> None:
    answer = regtui.json(
        "model", "create", "Team/Ranker", "-d", "ranks", "--primary-metric", "ndcg",
        "--direction", "max", "--tag", "task=ranking",
    )  # fmt: skip
    model = answer["model"]
    assert answer["changed"] is True
    assert (model["model"], model["display_name"]) == ("team/ranker", "Team/Ranker")
    assert (model["primary_metric"], model["direction"]) == ("ndcg", "max")
    assert (model["description"], model["tags"]) == ("ranks", {"task": "ranking"})


def test_a_model_that_is_there_gets_the_values(ranker: Regtui) -> None:
    assert ranker("model", "create", "team/ranker").out == "team/ranker is so already\n"
    answer = ranker.json("model", "create", "team/ranker", "-d", "ranks")
    assert (answer["changed"], answer["model"]["versions"]) == (True, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a b"], "contains ' '"),
        (["x", "--direction", "up"], "direction"),
        (["x", "--tag", "nope"], "is no pair"),
        ([], "Missing argument"),
    ],
)
def test_a_malformed_model_is_refused(regtui: Regtui, arguments: list[str], words: str) -> None:
    answer = regtui("model", "create", *arguments)
    assert answer.code == 2
    assert words in answer.error
    assert regtui.json("models", "--state", "any") == {"models": []}


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_a_model_goes_and_comes_back(ranker: Regtui, verb: str) -> None:
    assert ranker.json("model", verb, "team/ranker") == {"model": "team/ranker", "changed": True}
    assert ranker.json("models")["models"] == []
    assert ranker("model", "restore", "team/ranker").out == "team/ranker is active again\n"
    assert ranker.json("show", "team/ranker@champion")["version"]["number"] == 1


def test_a_deleted_model_is_not_found(ranker: Regtui) -> None:
    ranker("model", "delete", "team/ranker")
    for arguments in (
        ["show", "team/ranker"], ["show", "team/ranker@1"], ["model", "delete", "team/ranker"],
        ["edit", "team/ranker", "-d", "x"],
    ):  # fmt: skip
        answer = ranker(*arguments)
        assert answer.code == 3
        assert "is deleted; `regtui model restore team/ranker` undoes it" in answer.error


@pytest.mark.parametrize("kind", ["model", "version"])
@pytest.mark.parametrize("verb", ["archive", "delete", "restore"])
def test_what_is_not_there_has_no_state(ranker: Regtui, kind: str, verb: str) -> None:
    answer = ranker(kind, verb, "nobody" + ("@1" if kind == "version" else ""))
    assert answer.code == 3
    assert "there is no model 'nobody'" in answer.error


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_a_version_goes_and_comes_back(ranker: Regtui, run: Path, verb: str) -> None:
    ranker("capture", run, "--model", "team/ranker", "--new")
    answer = ranker.json("version", verb, "team/ranker@2")
    assert answer["changed"] is True
    assert answer["version"]["state"] == f"{verb}d"
    assert ranker.json("ls", "--count") == {"count": 1}
    assert ranker("version", "restore", "team/ranker@2").out == "team/ranker@2 is captured\n"
    again = ranker("version", "restore", "team/ranker@2")
    assert again.out == "team/ranker@2 is captured already\n"


def test_a_version_under_an_alias_is_not_deleted(ranker: Regtui) -> None:
    for verb in ("archive", "delete"):
        answer = ranker("version", verb, "team/ranker@1")
        assert answer.code == 2
        assert "the alias champion points to it; move or remove the alias first" in answer.error


def test_a_deleted_version_is_not_archived(ranker: Regtui) -> None:
    ranker("alias", "rm", "team/ranker@champion")
    ranker("version", "delete", "team/ranker@1")
    answer = ranker("version", "archive", "team/ranker@1")
    assert answer.code == 3
    assert "restore it first" in answer.error
