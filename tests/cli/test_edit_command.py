import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.process import Regtui


def test_values_of_a_version_are_changed(ranker: Regtui) -> None:
    answer = ranker.json(
        "edit", "team/ranker@1", "--tag", "env=dev", "--metric", "ndcg=0.72@2000",
        "--set", "param.lr=0.1", "--set", "metric.auc=0.9", "-d", "better",
    )  # fmt: skip
    version = answer["version"]
    assert answer["changed"] is True
    assert version["tags"] == {"env": "dev"}
    assert version["metrics"] == {"ndcg": 0.72, "auc": 0.9}
    assert version["steps"] == {"ndcg": 2000}
    assert (version["params"], version["description"]) == ({"lr": 0.1}, "better")


def test_values_of_a_model_are_changed(ranker: Regtui) -> None:
    answer = ranker.json(
        "edit", "team/ranker", "--set", "primary_metric=loss", "--set", "owner.ann=1",
        "--set", "display_name=The Ranker", "--tag", "task=ranking",
    )  # fmt: skip
    model = answer["model"]
    assert (model["primary_metric"], model["direction"]) == ("loss", "min")
    assert (model["owners"], model["display_name"]) == (["ann"], "The Ranker")
    assert model["tags"] == {"task": "ranking"}


def test_values_are_taken_away(ranker: Regtui) -> None:
    given = ["--unset", "tag.env", "--unset", "metric.ndcg", "--unset", "param.lr", "-d", ""]
    version = ranker.json("edit", "team/ranker@1", *given)["version"]
    assert (version["tags"], version["metrics"], version["params"]) == ({}, {}, {})


def test_a_value_that_is_there_already_changes_nothing(ranker: Regtui) -> None:
    answer = ranker("edit", "team/ranker@1", "--tag", "env=prod")
    assert (answer.code, answer.out) == (0, "team/ranker@1 is so already\n")
    assert ranker.json("edit", "team/ranker@1", "--tag", "env=prod")["changed"] is False


@pytest.mark.parametrize(
    ("reference", "options", "code", "words"),
    [
        ("nobody", ["-d", "x"], 3, "there is no model"),
        ("team/ranker@2", ["-d", "x"], 3, "has no version 2"),
        ("team/ranker@1", [], 2, "nothing to change"),
        ("team/ranker@1", ["--set", "nope=1"], 2, "has no field 'nope'"),
        ("team/ranker@1", ["--set", "state=deleted"], 2, "has no field 'state'"),
        ("team/ranker@1", ["--set", "x"], 2, "is no pair"),
        ("team/ranker@1", ["--set", "parents=x"], 2, "is no path"),
        ("team/ranker@1", ["--set", "description/x=y"], 2, "is no path"),
        ("team/ranker@1", ["--unset", "nope"], 2, "has no field 'nope'"),
        ("team/ranker@1", ["--metric", "f1=high"], 2, "is no number"),
        ("team/ranker@1", ["--tag", "k=" + "x" * 70_000], 2, "more than 65536 bytes"),
        ("team/ranker@1", ["--tag", "k" * 600 + "=v"], 2, "is no path"),
        ("team/ranker", ["--set", "direction=up"], 2, "direction"),
        ("team/ranker", ["--set", "name=other"], 2, "has no field 'name'"),
        ("team/ranker", ["--metric", "f1=1"], 2, "has no field 'metrics'"),
        ("team/ranker", ["--set", "card=" + "x" * 1_100_000], 2, "bytes"),
    ],
)
def test_bad_edits_are_refused_and_change_nothing(
    ranker: Regtui, reference: str, options: list[str], code: int, words: str
) -> None:
    before = ranker.json("show", "team/ranker@1")
    answer = ranker("edit", reference, *options)
    assert answer.code == code
    assert words in answer.error
    assert ranker.json("show", "team/ranker@1") == before


def test_one_bad_value_stops_the_good_ones_with_it(ranker: Regtui) -> None:
    answer = ranker("edit", "team/ranker@1", "--tag", "good=1", "--set", "nope=1")
    assert answer.code == 2
    assert "good" not in ranker.json("show", "team/ranker@1")["version"]["tags"]


def test_a_deleted_version_is_not_edited(ranker: Regtui) -> None:
    ranker("alias", "rm", "team/ranker@champion")
    ranker("version", "delete", "team/ranker@1")
    answer = ranker("edit", "team/ranker@1", "-d", "x")
    assert answer.code == 3
    assert "is deleted" in answer.error


def editor(folder: Path, script: str) -> str:
    """Return an $EDITOR that runs a shell script on the file."""
    file = folder / "my editor"
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return f"'{file}'"


def test_the_editor_changes_the_card(
    ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, 'echo "ranks clicks" >> "$1"'))
    assert ranker("edit", "team/ranker").out == "changed team/ranker\n"
    assert ranker.json("show", "team/ranker", "--card")["card"] == "# team/ranker\nranks clicks\n"


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("exit 3", 1, "the editor ended with 3"),
        ("printf '\\377' > \"$1\"", 1, "is not UTF-8"),
        ('rm "$1"', 1, "can't read the edited text"),
        ("true", 0, "is so already"),
        (': > "$1"', 0, "is so already"),
    ],
)  # fmt: skip
def test_an_editor_that_saves_nothing_changes_nothing(  # noqa: PLR0913, PLR0917 -- a table
    ranker: Regtui,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    code: int,
    words: str,
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, script))
    answer = ranker("edit", "team/ranker")
    assert answer.code == code
    assert words in (answer.error if code else answer.out)
    assert ranker.json("show", "team/ranker", "--card") == {"card": ""}


@pytest.mark.parametrize("command", ["/nonesuch/editor", "'open", "/"])
def test_an_editor_that_does_not_start_is_named(
    ranker: Regtui, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("VISUAL", command)
    answer = ranker("edit", "team/ranker")
    assert answer.code == 1
    assert command in answer.error


def test_a_change_made_while_the_editor_was_open_is_kept(
    ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker("edit", "team/ranker", "--set", "card=one\ntwo\nthree\nfour\n")
    other = f"{sys.executable} -m regtui edit team/ranker --set 'card=ONE\ntwo\nthree\nfour\n' -q"
    mine = 'printf "one\\ntwo\\nthree\\nFOUR\\n" > "$1"'
    monkeypatch.setenv("VISUAL", editor(tmp_path, f"{other} && {mine}"))
    answer = ranker("edit", "team/ranker")
    assert answer.code == 0, answer
    assert ranker.json("show", "team/ranker", "--card")["card"] == "ONE\ntwo\nthree\nFOUR\n"


def test_a_text_that_can_not_be_saved_is_kept_in_a_file(
    ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other = f"{sys.executable} -m regtui edit team/ranker --set card=theirs -q"
    monkeypatch.setenv("VISUAL", editor(tmp_path, f'{other} && printf mine > "$1"'))
    answer = ranker("edit", "team/ranker")
    assert answer.code == 6
    assert "somebody else changed the card" in answer.error
    kept = Path(answer.error.rpartition("your text is in ")[2])
    assert kept.read_text(encoding="utf-8") == "mine"
    assert ranker.json("show", "team/ranker", "--card")["card"] == "theirs"
