from pathlib import Path

import pytest

from tests.cli.process import Regtui

FIELDS = {
    "model", "number", "id", "short_id", "aliases", "metrics", "params", "tags", "state", "pending",
    "digest", "size", "created", "author",
}  # fmt: skip


def test_versions_are_listed_as_a_table(ranker: Regtui) -> None:
    heading, row = ranker("ls").out.splitlines()
    words = ["VERSION", "ALIASES", "METRICS", "TAGS", "FILES", "SIZE", "AUTHOR", "AGE"]
    assert heading.split() == words
    assert row.startswith("team/ranker@1  champion  ndcg=0.71  env=prod      3  717 B  ")


def test_the_fields_that_scripts_rely_on_are_there(ranker: Regtui) -> None:
    answer = ranker.json("ls")
    (version,) = answer["versions"]
    assert answer["next"] is None
    assert version.keys() >= FIELDS
    assert version["model"] == "team/ranker"
    assert version["aliases"] == ["champion"]
    assert version["metrics"] == {"ndcg": 0.71}
    assert version["params"] == {"lr": 3e-4}
    assert version["tags"] == {"env": "prod"}


def test_a_query_chooses(ranker: Regtui) -> None:
    assert ranker.json("ls", "metric.ndcg>0.7", "tag:env=prod")["versions"]
    assert ranker.json("ls", "metric.ndcg>0.8")["versions"] == []


def test_columns_are_those_asked_for(ranker: Regtui) -> None:
    out = ranker("ls", "--columns", "version,metric.ndcg,param.lr,tag.env,metric.none,source").out
    heading, row = out.splitlines()
    assert heading.split() == ["VERSION", "ndcg", "lr", "env", "none", "SOURCE"]
    assert row.split()[:4] == ["team/ranker@1", "0.71", "0.0003", "prod"]


def test_pages_follow_one_another(ranker: Regtui, run: Path) -> None:
    for content in (b"2", b"3"):
        (run / "model.bin").write_bytes(content)
        ranker("capture", run, "--model", "team/ranker")
    first = ranker.json("ls", "--sort", "number", "--limit", "2")
    last = ranker.json("ls", "--sort", "number", "--limit", "2", "--after", first["next"])
    assert [version["number"] for version in first["versions"]] == [1, 2]
    assert [version["number"] for version in last["versions"]] == [3]
    assert last["next"] is None
    assert "there are more: --after " in ranker("ls", "--limit", "2").err


def test_versions_are_counted(ranker: Regtui) -> None:
    assert ranker("ls", "--count").out == "1\n"
    assert ranker.json("ls", "--count", "tag:env=none") == {"count": 0}


def test_an_empty_registry_says_how_to_fill_it(regtui: Regtui) -> None:
    answer = regtui("ls")
    assert answer.code == 0
    assert answer.error == "no versions yet; `regtui capture PATH` makes one"


def test_no_match_is_no_failure(ranker: Regtui) -> None:
    answer = ranker("ls", "nonesuch")
    assert answer.code == 0
    assert answer.error == "no version matches"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["metric.ndcg>>1"], "at character"),
        (["tag:"], "at character"),
        (['ranker "open'], "this quote is not closed at character 8"),
        (["--sort", "nope"], "there is no sort key nope"),
        (["--columns", "nope"], "there is no column 'nope'"),
        (["--columns", ","], "there is no column ''"),
        (["--limit", "0"], "--limit"),
        (["--limit", "many"], "--limit"),
        (["--after", "garbage"], "is no cursor"),
        (["--nope"], "No such option: --nope"),
    ],
)
def test_bad_queries_and_options_are_refused(
    ranker: Regtui, arguments: list[str], words: str
) -> None:
    answer = ranker("ls", *arguments)
    assert answer.code == 2
    assert words in answer.error


def test_a_cursor_of_another_query_is_refused(ranker: Regtui, run: Path) -> None:
    ranker("capture", run, "--model", "team/ranker", "--new")
    cursor = ranker.json("ls", "--limit", "1")["next"]
    answer = ranker("ls", "--after", cursor, "--sort", "size")
    assert answer.code == 2
    assert "cursor" in answer.error


def test_a_bad_query_knows_its_place(ranker: Regtui) -> None:
    answer = ranker("ls", "tag:env=prod colour:red", "--json")
    assert answer.code == 2
    assert answer.json["error"]["position"] == 13
