import pytest

from tests.cli.process import Regtui


def test_a_version_is_shown(ranker: Regtui) -> None:
    lines = ranker("show", "team/ranker@champion").out.splitlines()
    assert lines[0].startswith("version      team/ranker@1  :")
    assert "metric       ndcg = 0.71 at step 1000" in lines
    assert "param        lr = 0.0003" in lines
    assert "tag          env = prod" in lines
    assert "files        3, 717 B" in lines


def test_a_model_is_shown(ranker: Regtui) -> None:
    ranker("edit", "team/ranker", "--set", "primary_metric=ndcg", "-d", "ranks\nthings")
    lines = ranker("show", "Team/Ranker").out.splitlines()
    assert lines[:2] == ["model        team/ranker", "state        active"]
    assert "description  ranks" in lines
    assert "primary      ndcg (max)" in lines
    assert "alias        champion → 1" in lines


def test_files_are_shown(ranker: Regtui) -> None:
    found = ranker.json("show", "team/ranker@1", "--files")["files"]
    assert [(file["path"], file["size"], file["executable"]) for file in found] == [
        ("logs/train.txt", 7, False),
        ("model.bin", 700, False),
        ("serve.sh", 10, True),
    ]
    assert "serve.sh         10 B  x  " in ranker("show", "team/ranker@1", "--files").out


def test_the_card_is_shown(ranker: Regtui) -> None:
    ranker("edit", "team/ranker", "--set", "card=# Ranker")
    assert ranker("show", "team/ranker", "--card").out == "# Ranker\n"
    assert ranker.json("show", "team/ranker", "--card") == {"card": "# Ranker"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 3, "there is no model 'nobody'"),
        (["nobody@1"], 3, "there is no model 'nobody'"),
        (["team/ranker@2"], 3, "has no version 2"),
        (["team/ranker@99999999999999999999"], 3, "has no version"),
        (["team/ranker@none"], 3, "has no alias 'none'"),
        (["team/ranker@best"], 2, "has no primary metric"),
        (["team/ranker@"], 2, "1 to 200 characters"),
        (["@1"], 2, "1 to 200 characters"),
        ([""], 2, "1 to 200 characters"),
        (["a\nb"], 2, "contains"),
        ([":abc"], 2, "is no short id"),
        ([":abcdef0123"], 3, "there is no version"),
        (["team/ranker", "--files"], 2, "names a model, not a version"),
        (["team/ranker@9", "--card"], 3, "has no version 9"),
        ([], 2, "Missing argument 'REF'"),
        (["a", "b"], 2, "unexpected extra argument"),
    ],
)
def test_what_is_not_there_or_malformed_is_refused(
    ranker: Regtui, arguments: list[str], code: int, words: str
) -> None:
    answer = ranker("show", *arguments)
    assert answer.code == code
    assert words in answer.error
