"""`diff`, `lineage`, `plot`, and the parts of `show`."""

import math
from pathlib import Path

import pytest

import regtui as library
from regtui.registry.series import Series
from tests.cli.process import Regtui
from tests.cli.schemas import check
from tests.cli.test_terminal import columns, on_a_terminal


@pytest.fixture
def compared(ranker: Regtui, tmp_path: Path) -> Regtui:
    """Return a registry whose `team/ranker@2` was made from `team/ranker@1`."""
    (tmp_path / "model.bin").write_bytes(b"other")
    answer = ranker(
        "capture", tmp_path / "model.bin", "--model", "team/ranker", "--metric", "ndcg=0.8@2000",
        "--param", "lr=1e-4", "--parent", "team/ranker@1", "--input", "train=s3://train",
    )  # fmt: skip
    assert answer.code == 0
    return ranker


def test_a_diff_tells_what_is_better(compared: Regtui) -> None:
    out = compared("diff", "team/ranker@1", "team/ranker@2").out
    assert out.startswith("team/ranker@1 → team/ranker@2\n")
    assert "~ ndcg" in out
    assert "better" in out
    assert "- logs/train.txt" in out
    assert "\x1b" not in out


def test_a_version_does_not_differ_from_itself(compared: Regtui) -> None:
    out = compared("diff", "team/ranker@1", "team/ranker@champion").out
    assert out.splitlines()[1:] == ["no difference"]
    assert compared.json("diff", "team/ranker@1", "team/ranker@1")["equal"] is True


def test_long_groups_are_cut_unless_all_is_wanted(compared: Regtui) -> None:
    tags = [word for number in range(30) for word in ("--tag", f"k{number}=v")]
    compared("edit", "team/ranker@2", *tags)
    out = compared("diff", "team/ranker@1", "team/ranker@2").out
    assert "… and 11 more; --all lists them" in out
    everything = compared("diff", "team/ranker@1", "team/ranker@2", "--all").out
    assert "more" not in everything
    assert "+ k29" in everything


@pytest.mark.parametrize("width", [80, 120])
def test_a_diff_fits_its_terminal(compared: Regtui, width: int) -> None:
    compared("edit", "team/ranker@2", "--tag", f"{'k' * 90}={'v' * 90}", "--tag", "模型=模型")
    lines = on_a_terminal(compared, width, "diff", "team/ranker@1", "team/ranker@2", "--no-color")
    assert max(columns(line) for line in lines) <= width


def test_colours_are_for_terminals_alone(compared: Regtui, monkeypatch: pytest.MonkeyPatch) -> None:
    compared.environment["TERM"] = "xterm"
    there = "\n".join(on_a_terminal(compared, 80, "diff", "team/ranker@1", "team/ranker@2"))
    assert "\x1b[32m~ ndcg" in there
    compared.environment["NO_COLOR"] = "1"
    assert "\x1b" not in "".join(
        on_a_terminal(compared, 80, "diff", "team/ranker@1", "team/ranker@2")
    )


def test_a_value_can_not_steer_the_terminal(compared: Regtui) -> None:
    compared("edit", "team/ranker@2", "--tag", "x=\x1b[2J\nb")
    assert "\x1b" not in compared("diff", "team/ranker@1", "team/ranker@2").out


def test_a_lineage_is_a_tree(compared: Regtui) -> None:
    assert compared("lineage", "team/ranker@2").out.splitlines() == [
        "team/ranker@2", "  input train = s3://train", "", "parents", "  team/ranker@1",
    ]  # fmt: skip
    assert "children\n  team/ranker@2" in compared("lineage", "team/ranker@1").out
    assert "team/ranker@1" not in compared("lineage", "team/ranker@2", "--down").out
    assert "a larger --depth" in compared("lineage", "team/ranker@2", "--depth", "0").out


def test_a_cycle_is_drawn_once(compared: Regtui) -> None:
    first = compared.json("show", "team/ranker@1")["version"]["id"]
    second = compared.json("show", "team/ranker@2")["version"]["id"]
    library.open(compared.home).edit("team/ranker@1", {f"parents/{second}": True})
    out = compared("lineage", "team/ranker@1").out
    assert out.count("(the version itself)") == 2
    assert compared.json("lineage", "team/ranker@1")["edges"] == [
        {"parent": second, "child": first}, {"parent": first, "child": second}
    ]  # fmt: skip


def test_parts_of_a_version_are_shown_together(compared: Regtui) -> None:
    compared("edit", "team/ranker", "--set", "card=# Ranker")
    options = ["--card", "--context", "--lineage", "--files"]
    found = compared.json("show", "team/ranker@2", *options)
    assert set(found) == {"card", "places", "lineage", "files"}
    assert found["card"] == "# Ranker"
    check({"places": found["places"]}, "places")
    check(found["lineage"], "lineage")
    out = compared("show", "team/ranker@2", *options).out
    assert out.startswith("# Ranker\n\n")
    for words in ("host   ", "parents\n", "DIGEST"):
        assert words in out


def test_a_card_that_is_not_there_is_said(compared: Regtui) -> None:
    answer = compared("show", "team/ranker@1", "--card")
    assert (answer.code, answer.out) == (0, "")
    assert "has no card yet" in answer.err
    assert compared.json("show", "team/ranker@1", "--card") == {"card": ""}


def test_a_metric_is_drawn(compared: Regtui, tmp_path: Path) -> None:
    out = compared("plot", "team/ranker", "--metric", "ndcg", "--width", "60").out
    assert max(map(len, out.splitlines())) <= 60
    assert "team/ranker" in out
    picture = tmp_path / "x.svg"
    assert compared("plot", "team/ranker", "--metric", "ndcg", "--output", picture).code == 0
    assert picture.read_text(encoding="utf-8").startswith("<?xml")


def test_lines_differ_without_colours_and_without_unicode(compared: Regtui) -> None:
    registry = library.open(compared.home)
    for number in (1, 2):
        registry.add_series(f"team/ranker@{number}", {"loss": Series((1, 2), (1.0, float(number)))})
    arguments = ("plot", "team/ranker@1", "team/ranker@2", "--metric", "loss")
    out = compared(*arguments).out
    assert "* team/ranker@1\n+ team/ranker@2\n" in out
    plain = compared.process(*arguments, environment={"PYTHONIOENCODING": "ascii"})
    assert plain.code == 0
    assert plain.out.isascii()


def test_a_metric_without_numbers_is_no_plot(compared: Regtui) -> None:
    registry = library.open(compared.home)
    registry.add_series("team/ranker@1", {"loss": Series((1,), (math.nan,))})
    answer = compared("plot", "team/ranker@1", "--metric", "loss")
    assert (answer.code, answer.out) == (0, "")
    assert "no value of 'loss' is a number" in answer.err


@pytest.mark.parametrize(
    ("arguments", "schema"),
    [
        (["diff", "team/ranker@1", "team/ranker@2"], "diff"),
        (["lineage", "team/ranker@1"], "lineage"),
        (["plot", "team/ranker", "--metric", "ndcg"], "plot"),
        (["show", "team/ranker@1", "--context"], "places"),
    ],
)
def test_answers_are_as_their_schemas_say(
    compared: Regtui, arguments: list[str], schema: str
) -> None:
    check(compared.json(*arguments), schema)
    with pytest.raises(Exception, match="required"):
        check({}, schema)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["diff", "team/ranker", "team/ranker@1"], 2, "names a model, not a version"),
        (["diff", "team/ranker@1"], 2, "Missing argument 'B'"),
        (["diff", "team/ranker@1", "nobody@1"], 3, "there is no model"),
        (["lineage", "team/ranker"], 2, "names a model"),
        (["lineage", "team/ranker@1", "--depth", "-1"], 2, "--depth"),
        (["plot", "team/ranker", "--metric", "ndgc"], 3, "did you mean ndcg?"),
        (["plot", "team/ranker"], 2, "no primary metric"),
        (["plot"], 2, "Missing argument 'REF...'"),
        (["plot", "team/ranker", "team/ranker@1", "--metric", "ndcg"], 2, "together"),
        (["plot", "team/ranker", "--metric", "ndcg", "--width", "1"], 2, "out of range"),
        (["plot", "team/ranker", "--metric", "ndcg", "--output", ""], 2, "names no file"),
        (["plot", "team/ranker", "--metric", "ndcg", "--output", "x.pdf"], 2, "neither .svg"),
        (["plot", "team/ranker", "--metric", "ndcg", "--output", "/nowhere/x.svg"], 1, "can't"),
        (["show", "team/ranker", "--context"], 2, "names a model"),
        (["show", "team/ranker", "--lineage"], 2, "names a model"),
    ],
)
def test_what_makes_no_sense_is_refused(
    compared: Regtui, arguments: list[str], code: int, words: str
) -> None:
    answer = compared(*arguments)
    assert answer.code == code
    assert words in answer.error
