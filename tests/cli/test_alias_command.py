from pathlib import Path

import pytest

from tests.cli.process import Regtui


def test_an_alias_is_set(ranker: Regtui) -> None:
    answer = ranker.json("alias", "set", "team/ranker@1", "Stable")
    assert answer["changed"] is True
    assert answer["version"]["aliases"] == ["champion", "stable"]


def test_an_alias_that_points_there_already_changes_nothing(ranker: Regtui) -> None:
    answer = ranker("alias", "set", "team/ranker@1", "champion")
    assert (answer.code, answer.out) == (0, "champion points to team/ranker@1 already\n")


def test_an_alias_is_taken_away(ranker: Regtui) -> None:
    assert ranker("alias", "rm", "team/ranker@champion").out == "removed team/ranker@champion\n"
    assert ranker("show", "team/ranker@champion").code == 3
    assert ranker.json("aliases") == {"aliases": []}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["set", "nobody@1", "a"], 3, "there is no model"),
        (["set", "team/ranker@2", "a"], 3, "has no version 2"),
        (["set", "team/ranker", "a"], 2, "names a model"),
        (["set", "team/ranker@1", "best"], 2, "reserved"),
        (["set", "team/ranker@1", "7"], 2, "reserved"),
        (["set", "team/ranker@1", "a b"], 2, "contains"),
        (["set", "team/ranker@1"], 2, "Missing argument"),
        (["rm", "team/ranker@nope"], 3, "has no alias"),
        (["rm", "team/ranker"], 2, "names no alias"),
        (["rm", "nobody@a"], 3, "there is no model"),
        (["rm", "team/ranker@latest"], 2, "reserved"),
        (["nope"], 2, "No such command"),
    ],
)
def test_what_is_not_there_or_malformed_is_refused(
    ranker: Regtui, arguments: list[str], code: int, words: str
) -> None:
    answer = ranker("alias", *arguments)
    assert answer.code == code
    assert words in answer.error


def test_an_alias_to_a_deleted_version_is_refused(ranker: Regtui, run: Path) -> None:
    ranker("capture", run, "--model", "team/ranker", "--new")
    ranker("version", "delete", "team/ranker@2")
    answer = ranker("alias", "set", "team/ranker@2", "next")
    assert answer.code == 3
    assert "is deleted" in answer.error
