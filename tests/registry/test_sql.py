import os
import threading
from pathlib import Path

import pytest

from regtui.core.errors import BadInput
from regtui.registry import Registry
from regtui.replica.database import duckdb


def test_views_answer(ranker: Registry) -> None:
    answer = ranker.sql("select model, alias, number from aliases")
    assert (answer.columns, answer.rows) == (
        ["model", "alias", "number"],
        [("ranker", "champion", 1)],
    )
    assert ranker.sql("select path from files order by path").rows[0] == ("model.bin",)


def test_history_says_what_happened(ranker: Registry) -> None:
    rows = ranker.sql(
        "select kind, model, number, path, after, result from history order by seq, path"
    ).rows
    assert rows == [
        ("model", "ranker", None, "", None, "created"),
        ("version", "ranker", 1, "", None, "created"),
        ("alias", "ranker", None, "", None, "created"),
        ("version", "ranker", 2, "", None, "created"),
    ]


def test_operations_say_who_did_what(ranker: Registry) -> None:
    rows = ranker.sql("select seq, kind, via, result from operations order by seq").rows
    assert rows == [
        (1, "model.create", "api", "accepted"),
        (2, "version.capture", "api", "accepted"),
        (3, "alias.set", "api", "accepted"),
        (4, "version.capture", "api", "accepted"),
    ]


def test_only_one_question_is_answered(ranker: Registry) -> None:
    for statement in (
        "",
        "delete from base.tag",
        "select 1; select 2",
        "attach 'x'",
        "set threads = 4",
    ):
        with pytest.raises(BadInput):
            ranker.sql(statement)
    assert ranker.version("ranker@1").tags == {"env": "prod"}


def test_a_variable_of_this_program_is_no_table(ranker: Registry) -> None:
    rows = {"a": [1]}
    with pytest.raises(BadInput, match="rows does not exist"):
        ranker.sql("select * from rows")
    assert rows


def test_parquet_reaches_no_other_file(ranker: Registry, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    with pytest.raises(BadInput):
        ranker.write_parquet("select * from read_text('/etc/passwd')", target)
    assert not target.exists()
    target.write_text("before", encoding="utf-8")
    assert ranker.write_parquet("select model, value from metrics;", target) == 1
    with duckdb.connect() as connection:
        rows = connection.execute("from read_parquet(?)", [str(target)]).fetchall()
    assert rows == [("ranker", 0.5)]


def test_parquet_replaces_neither_links_nor_what_is_no_file(
    ranker: Registry, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(BadInput, match="is a folder or device"):
            ranker.write_parquet("select 1", tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path / "real.parquet")
    assert ranker.write_parquet("select 1", tmp_path / "link") == 1
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.parquet").is_file()


def test_a_failed_parquet_leaves_the_file_before(ranker: Registry, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    target.write_text("before", encoding="utf-8")
    for statement in ("select nope", "select error('late') from versions", "explain select 1"):
        with pytest.raises(BadInput):
            ranker.write_parquet(statement, target)
    assert target.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.glob("*.p*")) == ["out.parquet"]


def test_questions_of_several_threads_do_not_disturb_one_another(
    ranker: Registry, tmp_path: Path
) -> None:
    problems: list[BaseException] = []

    def ask(number: int) -> None:
        try:
            for turn in range(4):
                if number % 2:
                    ranker.sql("select count(*) from range(200000)")
                else:
                    ranker.write_parquet("select 1", tmp_path / f"{number}-{turn}.parquet")
                ranker.count()
        except BaseException as error:  # noqa: BLE001 -- told to the test
            problems.append(error)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_what_a_question_may_not_do_others_still_may(ranker: Registry, run: Path) -> None:
    ranker.sql("select 1")
    (run / "model.bin").write_bytes(b"new")
    assert ranker.capture(run, model="ranker").created is True
