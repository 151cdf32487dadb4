"""Comments and datasets on the command line."""

import io
import sys
from pathlib import Path

import pytest

from tests.cli.process import Regtui
from tests.cli.schemas import check


def test_a_comment_is_made_shown_changed_and_withdrawn(ranker: Regtui) -> None:
    made = ranker.json("comment", "team/ranker@champion", "looks good")
    check(made, "comment")
    name = made["comment"]["id"][-8:]
    listed = ranker.json("comments", "team/ranker")
    check(listed, "comments")
    assert [comment["text"] for comment in listed["comments"]] == ["looks good"]
    for reference in ("team/ranker", "team/ranker@1"):
        shown = ranker("show", reference).out
        assert "  looks good" in shown
        assert name in shown
        assert ranker.json("show", reference)["comments"] == listed["comments"]
    assert ranker("comment", "edit", name, "looks bad") == (0, f"changed {name}\n", "")
    assert ranker("comment", "edit", name, "looks bad").out == f"{name} is so already\n"
    assert "edited" in ranker("comments", "team/ranker@1").out
    assert ranker("comment", "rm", name) == (0, f"withdrew {name}\n", "")
    assert ranker("comments", "team/ranker").out == ""
    assert "looks" not in ranker("show", "team/ranker@1").out


def test_a_text_of_many_lines_fits_the_terminal_and_can_not_steer_it(ranker: Regtui) -> None:
    ranker("comment", "team/ranker", "\x1b[2J" + "a long line " * 30 + "\n\nsecond")
    out = ranker("comments", "team/ranker").out
    assert "\x1b" not in out
    assert all(len(line) <= 90 for line in out.splitlines())
    assert out.rstrip().endswith("\n  second")


def test_a_text_comes_through_a_pipe_or_an_editor(
    ranker: Regtui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe\n")))
    assert ranker.json("comment", "team/ranker", "-")["comment"]["text"] == "from a pipe"
    script = "import sys,pathlib; pathlib.Path(sys.argv[1]).write_text('written')"
    monkeypatch.setenv("EDITOR", f'{sys.executable} -c "{script}"')
    assert ranker.json("comment", "team/ranker@1")["comment"]["text"] == "written"


def test_only_the_newest_comments_are_shown_below_a_version(ranker: Regtui) -> None:
    for number in range(7):
        ranker("comment", "team/ranker@1", f"number {number}")
    answer = ranker("show", "team/ranker@1")
    assert "number 2" in answer.out
    assert "number 1\n" not in answer.out
    assert "2 earlier comments" in answer.err


def test_a_model_called_like_a_command_is_commented_by_add(ranker: Regtui) -> None:
    ranker("model", "create", "edit")
    assert ranker("comment", "add", "edit", "a model").code == 0
    assert "a model" in ranker("comments", "edit").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["team/ranker@9", "x"], 3),
        (["nothing", "x"], 3),
        (["team/ranker", " "], 2),
        (["team/ranker", "x" * 70_000], 2),
        (["team/ranker", "x", "y"], 2),
        (["edit", "00000000", "x"], 3),
        (["edit", "zz", "x"], 2),
        (["edit"], 2),
        (["rm", "00000000"], 3),
        (["rm", ""], 2),
    ],
)
def test_a_comment_that_makes_no_sense_is_refused_in_one_line(
    ranker: Regtui, words: list[str], code: int
) -> None:
    answer = ranker("comment", *words)
    assert answer.code == code
    assert answer.error
    assert ranker.json("comments", "team/ranker") == {"comments": []}


def test_a_dataset_is_put_listed_shown_and_removed(ranker: Regtui) -> None:
    words = ["--digest", "sha256:1", "--tag", "lang=en", "-d", "Reviews"]
    made = ranker.json("dataset", "put", "team/reviews", "s3://reviews", *words)
    check(made, "dataset-put")
    assert made["changed"]
    assert not ranker.json("dataset", "put", "team/reviews", "s3://reviews")["changed"]
    ranker("edit", "team/ranker@1", "--input", "team/reviews")
    listed = ranker.json("dataset", "ls", "team")
    check(listed, "datasets")
    assert listed["datasets"][0]["versions"] == 1
    assert "team/reviews  s3://reviews" in ranker("dataset", "ls").out
    shown = ranker.json("dataset", "show", "team/reviews")
    check(shown, "dataset")
    assert [one["number"] for one in shown["versions"]] == [1]
    assert "version      team/ranker@1\n" in ranker("dataset", "show", "team/reviews").out
    removed = ranker.json("dataset", "rm", "team/reviews")
    assert removed["dataset"]["state"] == "deleted"
    assert ranker.json("dataset", "ls") == {"datasets": []}
    assert ranker("dataset", "put", "team/reviews").code == 0
    assert ranker.json("dataset", "show", "team/reviews")["dataset"]["digest"] == "sha256:1"


def test_values_of_a_dataset_are_taken_away_by_empty_ones(ranker: Regtui) -> None:
    ranker("dataset", "put", "d", "x", "--digest", "1", "--tag", "a=b", "-d", "words")
    answer = ranker.json("dataset", "put", "d", "--digest", "", "--tag", "a=", "-d", "")
    dataset = answer["dataset"]
    assert (dataset["digest"], dataset["tags"], dataset["description"]) == (None, {}, None)


def test_an_address_can_not_steer_the_terminal(ranker: Regtui) -> None:
    ranker("dataset", "put", "d", "s3://x\x1b[2J")
    assert "\x1b" not in ranker("dataset", "ls").out + ranker("dataset", "show", "d").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["put", "d"], 2),
        (["put", "d", ""], 2),
        (["put", "a@b", "x"], 2),
        (["put", "", "x"], 2),
        (["put", "d", "x", "--tag", "nothing"], 2),
        (["show", "d"], 3),
        (["rm", "d"], 3),
        (["show"], 2),
    ],
)
def test_a_dataset_that_makes_no_sense_is_refused_in_one_line(
    ranker: Regtui, words: list[str], code: int
) -> None:
    answer = ranker("dataset", *words)
    assert answer.code == code
    assert answer.error
    assert ranker.json("dataset", "ls") == {"datasets": []}


def test_a_capture_names_a_known_dataset_or_an_address(ranker: Regtui, run: Path) -> None:
    ranker("dataset", "put", "reviews", "s3://reviews", "--digest", "1")
    captured = ranker.json(
        "capture", str(run / "model.bin"), "--model", "m", "--input", "reviews",
        "--input", "other=gs://a=b",
    )  # fmt: skip
    assert captured["version"]["inputs"] == {
        "reviews": {"uri": "s3://reviews", "digest": "1"},
        "other": {"uri": "gs://a=b", "digest": None},
    }
    for given, code in (("unknown", 3), ("=x", 2), ("", 2), ("name=", 2)):
        answer = ranker("capture", str(run / "model.bin"), "--model", "m2", "--input", given)
        assert (given, answer.code) == (given, code)


def test_inputs_and_parents_come_and_go_by_edit(ranker: Regtui, run: Path) -> None:
    ranker("dataset", "put", "a/b.c", "s3://reviews")
    ranker("capture", str(run / "model.bin"), "--model", "team/ranker")
    words = ["--input", "a/b.c", "--input", "x=y", "--parent", "team/ranker@champion"]
    version = ranker.json("edit", "team/ranker@2", *words)["version"]
    assert set(version["inputs"]) == {"a/b.c", "x"}
    assert version["parents"] == [ranker.json("show", "team/ranker@1")["version"]["id"]]
    words = ["--unset", "input.a/b.c", "--unset", "input.x", "--unset", "parent.team/ranker@1"]
    version = ranker.json("edit", "team/ranker@2", *words)["version"]
    assert (version["inputs"], version["parents"]) == ({}, [])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["team/ranker@1", "--parent", "team/ranker@1"], 2),
        (["team/ranker@1", "--parent", "team/ranker@9"], 3),
        (["team/ranker@1", "--parent", "team/ranker"], 2),
        (["team/ranker@1", "--input", "unknown"], 3),
        (["team/ranker@1", "--input", "=x"], 2),
        (["team/ranker", "--input", "x=y"], 2),
        (["team/ranker@1", "--unset", "parent.nothing@1"], 3),
    ],
)
def test_origins_that_make_no_sense_are_refused_in_one_line(
    ranker: Regtui, words: list[str], code: int
) -> None:
    answer = ranker("edit", *words)
    assert answer.code == code
    assert answer.error
    version = ranker.json("show", "team/ranker@1")["version"]
    assert (version["inputs"], version["parents"]) == ({}, [])
