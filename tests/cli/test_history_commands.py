"""The command line's log, undo, redo, revert and audit."""

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from regtui.replica.database import connected
from tests.cli.process import Regtui
from tests.cli.schemas import check


@pytest.fixture
def moved(ranker: Regtui, tmp_path: Path) -> Regtui:
    """Return the command line on a registry whose champion moved from version 1 to 2."""
    (tmp_path / "new.bin").write_bytes(b"new weights")
    ranker("capture", tmp_path / "new.bin", "-m", "team/ranker", "--alias", "champion")
    return ranker


def champion(regtui: Regtui) -> int:
    return int(regtui.json("show", "team/ranker@champion")["version"]["number"])


def test_the_log_tells_who_did_what_newest_first(moved: Regtui) -> None:
    lines = moved("log").out.splitlines()

    assert lines[0].split() == ["SEQ", "WHO", "AGE", "WHAT"]
    assert [line.split()[0] for line in lines[1:]] == ["#5", "#4", "#3", "#2", "#1"]
    assert lines[1].endswith("moved champion from @1 to @2")
    assert lines[-1].endswith("created the model team/ranker")


def test_the_log_answers_as_documented(moved: Regtui) -> None:
    moved("undo")
    answer = moved.json("log")

    check(answer, "log")
    first = answer["operations"][-1]
    assert (first["seq"], first["kind"], first["via"]) == (1, "model.create", "cli")
    captured = answer["operations"][-2]
    assert (captured["model"], captured["number"]) == ("team/ranker", 1)
    values = {change["path"]: change["after"] for change in captured["changes"]}
    assert values["tags/env"] == "prod"
    assert captured["undone_by"] is None
    undone, undo = answer["operations"][-5], answer["operations"][0]
    assert undone["kind"] == "alias.set"
    assert answer["operations"][1]["undoes"] == undone["id"]
    assert undone["undone_by"] == answer["operations"][1]["id"]
    assert undo["group"] == answer["operations"][1]["group"]


def test_the_log_pages(moved: Regtui) -> None:
    seen, cursor = [], None
    while True:
        page = moved.json("log", "--limit", "2", *(["--after", cursor] if cursor else []))
        seen += [one["seq"] for one in page["operations"]]
        if (cursor := page["next"]) is None:
            break

    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["team/ranker"], [5, 4, 3, 2, 1]),
        (["team/ranker@2"], [4]),
        (["team/ranker@champion"], [5, 3]),
        (["--kind", "version.capture"], [4, 2]),
        (["--kind", "version.edit"], []),
        (["--since", "1h"], [5, 4, 3, 2, 1]),
        (["--since", "2999-01-01"], []),
    ],
)
def test_the_log_can_be_narrowed(moved: Regtui, arguments: list[str], expected: list[int]) -> None:
    assert [one["seq"] for one in moved.json("log", *arguments)["operations"]] == expected


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["log", "nobody"], 3, "no model 'nobody'"),
        (["log", "team/ranker@9"], 3, "no version 9"),
        (["log", "team/ranker@none"], 3, "never had an alias"),
        (["log", "dataset:x"], 3, "no dataset 'x'"),
        (["log", "--author", "zoe"], 3, "nobody called 'zoe'"),
        (["log", "--kind", "x"], 2, "no kind 'x'"),
        (["log", "--since", "soon"], 2, "is no time"),
        (["log", "--after", "x"], 2, "no cursor"),
        (["log", "--limit", "0"], 2, "1 to 10,000"),
        (["undo", "#99"], 3, "no operation #99"),
        (["undo", "x"], 2, "names no operation"),
        (["undo", "0" * 8], 3, "no operation"),
        (["undo", "1"], 2, "can't undo #3"),
        (["redo"], 3, "nothing to redo"),
        (["redo", "5"], 2, "in effect"),
        (["revert", "team/ranker"], 2, "names no alias"),
        (["revert", "team/ranker@latest"], 2, "names no alias"),
        (["revert", "team/ranker@none"], 3, "has no alias"),
        (["revert", "team/ranker@champion", "--to", "team/ranker@9"], 3, "no version 9"),
        (["aliases", "team/ranker@none"], 3, "has no alias"),
        (["audit", "verify", "--anchor", "x"], 2, "no anchor"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line_and_leaves_nothing(
    moved: Regtui, arguments: list[str], code: int, words: str
) -> None:
    answer = moved(*arguments)

    assert answer.code == code
    assert words in answer.error
    assert moved.json("audit", "anchor")["seq"] == 5


def test_undo_takes_back_what_one_command_did_and_redo_gives_it_back(moved: Regtui) -> None:
    answer = moved("undo")

    assert answer.out.splitlines() == [
        "undid #5: moved champion from @2 to @1",
        "undid #4: deleted team/ranker@2",
    ]
    assert champion(moved) == 1
    redone = moved.json("redo")
    check(redone, "undo")
    assert [one["summary"] for one in redone["operations"]] == [
        "redid #4: restored team/ranker@2",
        "redid #5: moved champion from @1 to @2",
    ]
    assert champion(moved) == 2


def test_undo_again_goes_further_back_until_nothing_is_left(moved: Regtui) -> None:
    moved("edit", "team/ranker@1", "--tag", "env=test")

    assert moved("undo").out == "undid #6: set tag.env\n"
    assert moved("undo").code == 0
    assert moved("undo").code == 0
    assert moved.json("models")["models"] == []
    assert "nothing to undo" in moved("undo").error


def test_a_model_with_versions_is_not_undone_before_them(moved: Regtui, run: Path) -> None:
    moved("model", "create", "other")
    moved("capture", run, "-m", "other")

    answer = moved("undo", "6")

    assert answer.code == 2
    assert "undo their captures first" in answer.error
    moved("undo", "7")
    assert moved("undo", "6").code == 0


def test_a_rehearsal_tells_what_it_would_do(moved: Regtui) -> None:
    assert moved("undo", "--dry-run").out.splitlines() == [
        "dry run: undid #5: moved champion from @2 to @1",
        "dry run: undid #4: deleted team/ranker@2",
    ]
    check(moved.json("undo", "--dry-run"), "undo")
    assert champion(moved) == 2
    assert moved.json("audit", "anchor")["seq"] == 5


def test_revert_goes_back_and_the_alias_tells_where_it_pointed(moved: Regtui) -> None:
    answer = moved.json("revert", "team/ranker@champion")

    check(answer, "revert")
    assert (answer["version"]["number"], answer["before"]) == (1, "team/ranker@2")
    assert champion(moved) == 1
    assert "no other version before" in moved("revert", "team/ranker@champion").error
    held = moved.json("aliases", "team/ranker@champion")
    check(held, "holders")
    assert [(one["number"], one["before"]) for one in held["holders"]] == [
        (1, 2),
        (2, 1),
        (1, None),
    ]
    assert moved("undo").out == "undid #6: moved champion from @1 to @2\n"
    assert champion(moved) == 2


def test_an_alias_that_was_removed_comes_back_by_revert(moved: Regtui) -> None:
    moved("alias", "rm", "team/ranker@champion")

    assert moved("revert", "team/ranker@champion").out == (
        "team/ranker@champion is at team/ranker@2\n"
    )
    assert champion(moved) == 2


@pytest.mark.parametrize(("verb", "code"), [("archive", 2), ("delete", 3)])
def test_revert_refuses_a_version_that_was_put_away(moved: Regtui, verb: str, code: int) -> None:
    moved("version", verb, "team/ranker@1")

    answer = moved("revert", "team/ranker@champion")

    assert answer.code == code
    assert "regtui version restore team/ranker@1" in answer.error
    assert champion(moved) == 2


def test_an_audit_says_that_everything_holds(moved: Regtui) -> None:
    anchor = moved("audit", "anchor").out.strip()
    moved("edit", "team/ranker", "-d", "more")
    answer = moved.json("audit", "verify", "--anchor", anchor)

    check(answer, "audit")
    check(moved.json("audit", "anchor"), "anchor")
    assert answer["ok"]
    assert answer["extends"]
    assert "6 operations" in moved("audit", "verify").out


def test_an_audit_of_a_changed_registry_exits_with_8_and_names_what(moved: Regtui) -> None:
    with connected(moved.home / "registry.duckdb", read_only=False) as connection:
        connection.execute("update base.operation set bytes = bytes || ' ' where seq = 4")

    answer = moved("audit", "verify")

    assert answer.code == 8
    assert "operation #4" in answer.err
    assert answer.out == ""
    documented = moved("audit", "verify", "--json")
    assert documented.code == 8
    check(documented.json, "audit")
    assert not documented.json["ok"]


@pytest.fixture
def following(moved: Regtui) -> Iterator[Popen[str]]:
    """Return a process that follows the log as JSON, once it does."""
    process = moved.start("log", "--follow", "--json")
    assert process.stdout is not None
    number = 0
    while not select.select([process.stdout], [], [], 1)[0]:
        number += 1
        moved("edit", "team/ranker", "--tag", f"probe={number}")
    told = json.loads(process.stdout.readline())["changes"][0]["after"]
    while told != str(number):
        told = json.loads(process.stdout.readline())["changes"][0]["after"]
    yield process
    process.kill()
    process.communicate()


def test_following_tells_what_other_processes_do_and_ends_with_control_c(
    moved: Regtui, following: Popen[str]
) -> None:
    moved("edit", "team/ranker", "-d", "one")
    moved("edit", "team/ranker", "--tag", "a=b")
    assert following.stdout is not None
    lines = [json.loads(following.stdout.readline()) for _ in range(2)]
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=20)

    for line in lines:
        check(line, "operation")
    assert [line["summary"] for line in lines] == ["set description", "set tag.a"]
    assert (following.returncode, out, err) == (0, "", "")


def test_following_ends_when_its_reader_goes_away(moved: Regtui) -> None:
    reading, writing = os.pipe()
    process = moved.start("log", "--follow", stdout=writing)
    os.close(writing)
    time.sleep(1.5)
    os.close(reading)

    _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")


def test_an_exported_audit_is_a_file_of_rows_as_documented(moved: Regtui, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    answer = moved.json("audit", "export", "team/ranker", "--output", file)

    check(answer, "audit-export")
    assert (answer["rows"], answer["first"], answer["last"]) == (5, 1, 5)
    for line in file.read_text(encoding="utf-8").splitlines():
        check(json.loads(line), "audit-row")
    assert moved("audit", "export", "-o", file).code == 2
    assert moved("audit", "export", "-o", file, "--yes").out == (
        f"exported 5 operations to {file}\n"
    )


def test_an_audit_is_printed_where_no_file_is_named(moved: Regtui) -> None:
    printed = moved.process("audit", "export", "--format", "csv")

    assert printed.code == 0
    assert len(printed.out.splitlines()) == 6
    assert "can't share" in moved("audit", "export", "--format", "csv", "--json").out


def test_a_report_is_written_or_printed(moved: Regtui, tmp_path: Path) -> None:
    check(moved.json("report", "team/ranker@1", "-o", tmp_path / "x.html"), "report")
    assert (tmp_path / "x.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert moved("report", "team/ranker@1").out.startswith("# team/ranker@1\n")
    assert moved.json("report", "team/ranker")["report"].startswith("# team/ranker\n")
    assert moved("report", "team/ranker", "-o", tmp_path / "x.pdf").code == 2
