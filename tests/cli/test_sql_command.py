import csv
import io
import re
from pathlib import Path

import pytest

from regtui.replica.database import duckdb
from tests.cli.process import Regtui


def test_a_question_is_answered_as_a_table(ranker: Regtui) -> None:
    out = ranker("sql", "select model, number, null as gap from versions").out
    assert out == "model        number  gap\nteam/ranker  1\n"


def test_a_question_is_answered_as_json(ranker: Regtui) -> None:
    assert ranker.json("sql", "select model, value from metrics") == [
        {"model": "team/ranker", "value": 0.71}
    ]


def test_values_that_json_has_no_spelling_for_are_texts(ranker: Regtui) -> None:
    (row,) = ranker.json(
        "sql",
        "select 'nan'::double as a, -1/0::double as b, blob 'ab' as c, date '2020-01-02' as d, "
        "1.50::decimal(5,2) as e, [1, null] as f, {'x': 'nan'::double} as g, "
        "1::hugeint << 100 as h, true as i",
    )
    assert row == {
        "a": "NaN", "b": "-Infinity", "c": "6162", "d": "2020-01-02", "e": "1.50", "f": [1, None],
        "g": {"x": "NaN"}, "h": 2**100, "i": True,
    }  # fmt: skip


def test_columns_of_one_name_are_told_apart(ranker: Regtui) -> None:
    assert ranker.json("sql", "select 1 as a, 2 as a, 3 as a") == [{"a": 1, "a_1": 2, "a_2": 3}]


def test_a_question_is_answered_as_csv(ranker: Regtui) -> None:
    out = ranker("sql", "select 'a,\"b\nc' as text, null as gap", "--csv").out
    assert list(csv.reader(io.StringIO(out))) == [["text", "gap"], ['a,"b\nc', ""]]


def test_an_answer_goes_into_a_parquet_file(ranker: Regtui, tmp_path: Path) -> None:
    target = tmp_path / "it's.parquet"
    assert ranker.json("sql", "select * from files;", "--parquet", target) == {"rows": 3}
    with duckdb.connect() as connection:
        rows = connection.execute("select path from read_parquet(?)", [str(target)]).fetchall()
    assert sorted(rows) == [("logs/train.txt",), ("model.bin",), ("serve.sh",)]
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == [target.name]


@pytest.mark.parametrize("name", ["missing/x.parquet", "", "\udcff.parquet"])
def test_a_parquet_file_that_can_not_be_written_is_named(ranker: Regtui, name: str) -> None:
    target = ranker.home.parent / name
    answer = ranker("sql", "select 1", "--parquet", target)
    assert answer.code in {1, 2}
    assert answer.error


@pytest.mark.parametrize(
    "statement",
    [
        "", ";", "select 1; select 2", "delete from base.version", "create table x (i int)",
        "drop view versions", "insert into base.tag values (1, 'a', 'b')",
        "update base.tag set name = ''",
        "copy versions to '/tmp/x.csv'", "attach '/tmp/x.duckdb'", "detach registry",
        "install httpfs", "load httpfs", "set memory_limit = '1TB'", "reset memory_limit",
        "pragma database_list",
        "checkpoint", "begin", "call pragma_version()", "export database '/tmp/x'",
        "vacuum", "use memory",
        "sel", "select", "select * from nope", "select nope from versions", "select 'open",
        "select * from read_csv('/etc/passwd')", "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/passwd')", "select * from read_json('/etc/passwd')",
        "select * from glob('/*')", "from '/etc/passwd'", "from 'x.parquet'",
        "select * from 'https://example.org/x.csv'",
        "explain analyze copy (select 1) to '/tmp/x.csv'",
        "with x as (delete from base.tag returning *) from x",
        "select * from query('drop view versions')", "select 1 \udcff",
    ],
)  # fmt: skip
def test_what_would_change_or_reach_out_is_refused(ranker: Regtui, statement: str) -> None:
    answer = ranker("sql", statement)
    assert answer.code == 2
    assert answer.error


def test_too_much_for_the_memory_is_said(ranker: Regtui) -> None:
    answer = ranker("sql", "select list(range) from range(100000000)")
    assert answer.code == 1
    assert "set REGTUI_MEMORY" in answer.error


def test_times_with_zones_are_given_or_are_to_be_cast(ranker: Regtui) -> None:
    answer = ranker("sql", "select now()")
    if answer.code:  # a DuckDB that wants pytz for them
        assert answer.code == 2
        assert answer.error.endswith("cast it, such as now()::timestamp")
    else:
        assert re.search(r"^20\d\d-\d\d-\d\d ", answer.out, re.MULTILINE)
    assert ranker("sql", "select now()::timestamp").code == 0
    assert ranker("sql", "select count(*) from versions where created < now()").code == 0


def test_every_documented_view_answers(ranker: Regtui) -> None:
    from regtui.cli.commands.sql import VIEWS

    for view in VIEWS.split(", "):
        assert ranker("sql", f"select * from {view}").code == 0
