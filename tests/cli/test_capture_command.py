from pathlib import Path

import pytest

from tests.cli.process import Regtui
from tests.cli.schemas import check


def test_a_folder_becomes_a_version(regtui: Regtui, run: Path) -> None:
    answer = regtui("capture", run, "--model", "team/ranker")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("captured team/ranker@1  :")
    assert answer.out.endswith("  3 files, 717 B\n")


def test_the_same_content_again_is_the_version_that_it_is(ranker: Regtui, run: Path) -> None:
    again = ranker.json("capture", run, "--model", "team/ranker")
    check(again, "capture")
    assert (again["created"], again["version"]["number"]) == (False, 1)


def test_new_makes_a_version_of_content_that_is_there(ranker: Regtui, run: Path) -> None:
    again = ranker.json("capture", run, "--model", "team/ranker", "--new")
    assert (again["created"], again["version"]["number"]) == (True, 2)


def test_everything_given_is_in_the_answer(ranker: Regtui, run: Path, tmp_path: Path) -> None:
    (run / "model.bin").write_bytes(b"better")
    version = ranker.json(
        "capture", run, "--model", "team/ranker", "--metric", "ndcg=0.74", "--param", "deep=true",
        "--param", "layers=4", "--tag", "a=b=c", "--parent", "team/ranker@champion",
        "--input", "clicks=s3://b/clicks", "--alias", "Next", "-d", "with clicks",
    )["version"]  # fmt: skip
    parent = ranker.json("show", "team/ranker@1")["version"]["id"]
    assert version["metrics"] == {"ndcg": 0.74}
    assert version["params"] == {"deep": True, "layers": 4}
    assert version["tags"] == {"a": "b=c"}
    assert version["parents"] == [parent]
    assert version["inputs"] == {"clicks": {"uri": "s3://b/clicks", "digest": None}}
    assert (version["aliases"], version["description"]) == (["next"], "with clicks")
    assert version["source"] == str(run)


def test_a_model_is_named_after_the_path_where_none_is_given(regtui: Regtui, run: Path) -> None:
    assert regtui.json("capture", run / "model.bin")["version"]["model"] == "model"
    assert regtui.json("capture", run)["version"]["model"] == "7"


def test_an_alias_moves_to_what_is_captured(ranker: Regtui, run: Path) -> None:
    (run / "model.bin").write_bytes(b"better")
    ranker("capture", run, "--model", "team/ranker", "--alias", "champion")
    assert ranker.json("show", "team/ranker@champion")["version"]["number"] == 2


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--metric", "ndcg"], 2, "is no pair"),
        (["--metric", "ndcg=high"], 2, "is no number"),
        (["--metric", "=1"], 2, "is no pair"),
        (["--metric", "ndcg=1@99999999999999999999"], 2, "is no number"),
        (["--tag", "env"], 2, "is no pair"),
        (["--tag", "k\nx=v"], 2, "control character"),
        (["--model", "a b"], 2, "contains ' '"),
        (["--model", "../x"], 2, "malformed"),
        (["--model", ""], 2, "1 to 200 characters"),
        (["--model", "x" * 201], 2, "1 to 200 characters"),
        (["--alias", "latest"], 2, "reserved"),
        (["--alias", "v7"], 2, "reserved"),
        (["--alias", "a/b"], 2, "contains '/'"),
        (["--parent", "nobody@1"], 3, "there is no model"),
        (["--parent", "team/ranker@9"], 3, "has no version 9"),
        (["--parent", "team/ranker"], 2, "names a model"),
        (["--description", "x" * 70_000], 2, "more than 65536 bytes"),
        (["--tag", "k=" + "x" * 70_000], 2, "more than 65536 bytes"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_captured(
    ranker: Regtui, run: Path, options: list[str], code: int, words: str
) -> None:
    (run / "model.bin").write_bytes(b"other")
    answer = ranker("capture", run, "--model", "team/ranker", *options)
    assert answer.code == code
    assert words in answer.error
    assert ranker.json("ls", "--count") == {"count": 1}


def test_no_path_is_not_the_current_folder(ranker: Regtui) -> None:
    answer = ranker("capture", "", "--model", "x")
    assert answer.code == 2
    assert answer.error == "there is no path to capture; name a file or folder"


def test_too_many_values_are_refused(ranker: Regtui, run: Path) -> None:
    many = [f"--tag=k{number}={'x' * 60_000}" for number in range(20)]
    answer = ranker("capture", run, "--model", "team/ranker", *many)
    assert answer.code == 2
    assert "bytes" in answer.error


def test_the_registry_is_not_captured_into_itself(ranker: Regtui) -> None:
    stored = ranker.json("path", "team/ranker@1", "model.bin")["path"]
    for path in (ranker.home, ranker.home / "objects", Path(stored)):
        answer = ranker("capture", path, "--model", "x")
        assert answer.code == 2
        assert "belongs to the registry itself" in answer.error


def test_a_folder_around_the_registry_is_captured_without_it(
    ranker: Regtui, run: Path, tmp_path: Path
) -> None:
    ranker.json("capture", tmp_path, "--model", "all")
    files = ranker.json("show", "all@1", "--files")["files"]
    assert {file["path"].split("/")[0] for file in files} == {"runs"}


@pytest.mark.parametrize("name", ["模型", "مرحبا", "Étude/İ🚀"])
def test_names_in_any_script_come_back(regtui: Regtui, run: Path, name: str) -> None:
    alias = name.partition("/")[0]
    version = regtui.json("capture", run, "--model", name, "--alias", alias)["version"]
    assert regtui.json("show", f"{name}@{alias}")["version"]["id"] == version["id"]
    assert version["model"] in regtui("ls").out


VALUES = (
    "", " ", "a\nb", "tab\there", "nul\0inside", "\0", "🚀👩\u200d🚀", "مرحبا \u202e abc",
    "\x1b[31mred", "'; drop table base.version; --", '{"a": 1}', "null", "\\u0000", "x" * 60_000,
)  # fmt: skip


def test_values_come_back_as_they_were_given(ranker: Regtui) -> None:
    tags = {f"t{number}": value for number, value in enumerate(VALUES)}
    given = [f"--tag={name}={value}" for name, value in tags.items()]
    given += [f"--set=param.{name}={value}" for name, value in tags.items()]
    version = ranker.json("edit", "team/ranker@1", *given)["version"]
    assert version["tags"] == {"env": "prod", **tags}
    assert version["params"] == {"lr": 3e-4, **tags}
    stored = ranker.json("sql", "select tag, value from tags")
    assert {row["tag"]: row["value"] for row in stored} == version["tags"]
    for shown in (ranker("show", "team/ranker@1").out, ranker("ls").out):
        assert not {"\x1b", "\0", "\u202e"} & set(shown)


@pytest.mark.parametrize("value", ["a\nb", "\0", "👩\u200d🚀 \u202e abc"])
def test_descriptions_come_back_as_they_were_given(ranker: Regtui, value: str) -> None:
    ranker("edit", "team/ranker@1", "-d", value)
    assert ranker.json("show", "team/ranker@1")["version"]["description"] == value
    assert "\u202e" not in ranker("show", "team/ranker@1").out


def test_curves_come_with_a_version(regtui: Regtui, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("weights", encoding="utf-8")
    (tmp_path / "log.csv").write_text("step,loss\n0,0.9\n10,0.5\n20,0.4\n", encoding="utf-8")
    regtui("capture", tmp_path / "m", "--model", "ranker", "--series", tmp_path / "log.csv")
    (line,) = regtui.json("plot", "ranker@1", "--metric", "loss")["lines"]
    assert (line["x"], line["y"]) == ([0, 10, 20], [0.9, 0.5, 0.4])


def test_curves_that_can_not_be_read_capture_nothing(regtui: Regtui, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("weights", encoding="utf-8")
    (tmp_path / "words.csv").write_text("a,b\nx,y\n", encoding="utf-8")
    for name in (tmp_path / "nowhere.csv", tmp_path / "words.csv", "/dev/zero"):
        answer = regtui("capture", tmp_path / "m", "--series", name)
        assert answer.code == 2
    assert regtui.json("ls")["versions"] == []
