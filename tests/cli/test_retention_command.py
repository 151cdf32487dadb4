"""`retention`: rules, what a run tells and does, and what the other commands say afterwards."""

from pathlib import Path

import pytest

from tests.cli.process import NOBODY, Regtui
from tests.cli.schemas import check
from tests.registry.keeping import DAY, age, later


@pytest.fixture
def grown(ranker: Regtui, tmp_path: Path) -> Regtui:
    """Return a registry with `team/ranker@1`, its champion, and three more versions."""
    for text in ("two", "three", "four"):
        (tmp_path / "weights").write_text(text, encoding="utf-8")
        assert ranker("capture", tmp_path / "weights", "--model", "team/ranker").code == 0
    assert ranker("retention", "put", "team/*", "--keep", "last 1").code == 0
    age(ranker.home, 30 * DAY)
    return ranker


@pytest.fixture
def collected(grown: Regtui) -> Regtui:
    """Return the same after a run, and a collection long after it."""
    import regtui

    assert grown("retention", "run").code == 0
    later(regtui.open(grown.home), 30 * DAY).gc()
    return grown


def test_rules_are_kept_listed_and_removed(regtui: Regtui) -> None:
    assert "no rules yet" in regtui("retention", "ls").err
    kept = regtui.json(
        "retention", "put", "Team/Ranker", "--keep", "best 3, last 2", "--after", "30d"
    )
    check(kept, "retention-put")
    assert kept["rule"] == {"model": "team/ranker", "keep": "best 3, last 2", "after": "30d"}
    assert regtui("retention", "put", "*", "--keep", "last 9").out == "* keeps last 9\n"
    listed = regtui.json("retention", "ls")
    check(listed, "retention-ls")
    assert [one["model"] for one in listed["rules"]] == ["team/ranker", "*"]
    assert "team/ranker  best 3, last 2  30d" in regtui("retention", "ls").out
    gone = regtui.json("retention", "rm", "team/ranker")
    check(gone, "retention-put")
    assert regtui("retention", "rm", "team/ranker").code == 3
    assert regtui("retention", "rm", "*").out == "no rule for * any more\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a", "--keep", "most"], "'most' is no rule"),
        (["a", "--keep", "last 1", "--after", "soon"], "'soon' is no age"),
        (["a b", "--keep", "last 1"], "contains ' '"),
        (["a*", "--keep", "last 1"], "contains '*'"),
        (["a@1", "--keep", "last 1"], "contains '@'"),
    ],
)
def test_what_means_nothing_is_refused(regtui: Regtui, arguments: list[str], told: str) -> None:
    answer = regtui("retention", "put", *arguments)
    assert answer.code == 2
    assert told in answer.error
    assert not regtui.home.exists()


def test_a_dry_run_tells_each_version_and_why(grown: Regtui) -> None:
    answer = grown.json("retention", "run", "--dry-run")
    check(answer, "retention-run")
    [model] = answer["models"]
    assert (model["stay"], model["go"], model["bytes"]) == (2, 2, 8)
    out = grown("retention", "run", "--dry-run").out
    assert "team/ranker@1  stays  717 B  the alias champion points to it" in out
    assert "team/ranker@2  goes     3 B  not kept by last 1" in out
    assert "team/ranker@4  stays    4 B  last 1" in out
    assert out.endswith("would archive 2 versions, 8 B\n")
    assert len(grown.json("ls")["versions"]) == 4


def test_a_run_archives_and_one_undo_takes_it_back(grown: Regtui) -> None:
    done = grown("retention", "run")
    assert done.out.endswith(
        "archived 2 versions, 8 B; `regtui gc` frees it after its grace period\n"
    )
    assert [one["number"] for one in grown.json("ls")["versions"]] == [4, 1]
    answer = grown.json("gc", "--dry-run")
    check(answer, "gc")
    assert answer["kept"]["archived"] == {"files": 2, "bytes": 8}
    check(grown.json("du"), "du")

    assert grown("undo").code == 0

    assert len(grown.json("ls")["versions"]) == 4
    check(grown.json("retention", "run", "team/ranker"), "retention-run")


def test_a_run_without_rules_says_so(ranker: Regtui) -> None:
    answer = ranker("retention", "run")
    assert answer.code == 0
    assert "no rule matches" in answer.err
    assert ranker("retention", "run", "team/ranker").code == 3
    assert ranker("retention", "run", "nobody").code == 3


def test_released_versions_say_so_in_one_line(collected: Regtui, tmp_path: Path) -> None:
    for arguments in (
        ["checkout", "team/ranker@2", str(tmp_path / "out")],
        ["path", "team/ranker@2"],
        ["verify", "team/ranker@2"],
        ["export", "team/ranker@2", str(tmp_path / "v.tar")],
    ):
        answer = collected(*arguments)
        assert answer.code == 3
        assert answer.error == (
            "the files of team/ranker@2 were released by retention; "
            "capture the same content again to bring them back"
        )
    assert collected("verify").code == 0
    assert collected("doctor").code == 0
    assert collected("backup", "create", tmp_path / "b.tar").code == 0


def test_a_restore_of_a_released_version_warns(collected: Regtui, tmp_path: Path) -> None:
    answer = collected("version", "restore", "team/ranker@2")
    assert answer.code == 0
    assert "its files are gone; capture the same content again" in answer.err
    assert collected("verify").code == 0

    (tmp_path / "weights").write_text("two", encoding="utf-8")
    assert collected("capture", tmp_path / "weights", "--model", "team/ranker").code == 0

    assert collected("checkout", "team/ranker@2", tmp_path / "out").code == 0
    assert collected("version", "restore", "team/ranker@2").err == ""


def test_malformed_rules_name_their_file(ranker: Regtui) -> None:
    (ranker.home / "retention.toml").write_text("[[retention", encoding="utf-8")
    for arguments in (["retention", "ls"], ["retention", "run"], ["gc"], ["verify"], ["du"]):
        answer = ranker(*arguments)
        assert answer.code == 2
        assert "retention.toml can't be read" in answer.error
    answer = ranker("doctor")
    assert answer.code == 8
    assert "retention.toml can't be read" in answer.out + answer.err


def test_a_home_that_may_not_be_written_is_refused(ranker: Regtui) -> None:
    for path in (ranker.home, *ranker.home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        for arguments in (["put", "*", "--keep", "last 1"],):
            answer = ranker.process("retention", *arguments, user=NOBODY)
            assert answer.code == 1
            assert "no permission for writing" in answer.error
        assert not (ranker.home / "retention.toml").exists()
    finally:
        for path in (ranker.home, *ranker.home.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_undo_after_a_collection_tells_that_files_are_gone_and_a_capture_that_they_are_back(
    collected: Regtui, tmp_path: Path
) -> None:
    told = collected.process("undo", "--dry-run", "--json")
    assert "team/ranker@2, team/ranker@3 were released by retention" in told.err
    answer = collected("undo")
    assert answer.code == 0
    assert "the files of team/ranker@2, team/ranker@3 were released by retention" in answer.err

    (tmp_path / "weights").write_text("two", encoding="utf-8")
    again = collected.json("capture", tmp_path / "weights", "--model", "team/ranker")
    check(again, "capture")
    assert (again["created"], again["restored"]) == (False, True)
    (tmp_path / "weights").write_text("three", encoding="utf-8")
    out = collected("capture", tmp_path / "weights", "--model", "team/ranker").out
    assert out.startswith("restored team/ranker@3 ")
    assert "its files are here again" in out
    out = collected("capture", tmp_path / "weights", "--model", "team/ranker").out
    assert out.startswith("unchanged team/ranker@3 ")
