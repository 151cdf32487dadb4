"""Models of MLflow find their run in the folders and in the database that MLflow really wrote."""

import json
import math
import shutil
import sqlite3
from pathlib import Path

import pytest

from regtui.capture.findings import Findings
from regtui.capture.readers import mlflow_database, read
from tests.capture.readers.recorded_runs import RECORDED, copy_of, files_in

STORES = ["files", "sqlite"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return copy_of("mlflow", tmp_path)


def found(root: Path) -> Findings:
    (model,) = root.rglob("MLmodel")
    return read("mlflow", files_in(root, model.parent.relative_to(root).as_posix()))


def database_of(store: Path) -> sqlite3.Connection:
    return sqlite3.connect(store / "sqlite/mlflow.db")


@pytest.mark.parametrize("kind", STORES)
def test_a_model_has_what_its_run_logged(kind: str) -> None:
    told = found(RECORDED / "mlflow" / kind)

    assert told.run == "first"
    assert told.model == "digits/constant-one-98338c"
    assert told.params == {"lr": 0.1, "layers": 2, "optim/name": "adam"}
    assert told.series["loss"].steps == (0, 1, 2)
    assert told.series["loss"].times is not None
    assert told.metrics["eval/f1"] == (2 / 3, 2)
    assert told.inputs == {"digits": "https://data.example/digits.csv"}
    assert told.tags["team"] == "vision"
    assert told.tags["mlflow.experiment"] == "digits"
    assert told.tags["mlflow.flavors"] == "python_function"
    assert json.loads(told.tags["mlflow.signature.inputs"])[0]["type"] == "double"
    assert "mlflow.user" not in told.tags
    assert told.problems == ()


@pytest.mark.parametrize("kind", STORES)
def test_metrics_end_at_the_step_that_the_model_was_logged_at(kind: str, store: Path) -> None:
    if kind == "files":
        (output,) = (store / kind).rglob("outputs/*/meta.yaml")
        output.write_text(output.read_text().replace("step: 0", "step: 1"))
    else:
        with database_of(store) as database:
            database.execute("update inputs set step = 1 where destination_type = 'MODEL_OUTPUT'")
        database.close()

    told = found(store / kind)

    assert told.step == 1
    assert told.metrics["loss"] == (0.5, 1)


def test_a_metric_that_is_being_written_ends_at_its_last_whole_line(store: Path) -> None:
    (metric,) = (store / "files").glob("mlruns/*/*/metrics/loss")
    metric.write_text("1 nan 0\n2 inf 1\n3 0.25 2\n4 0.1")

    curve = found(store / "files").series["loss"]

    assert curve.steps == (0, 1, 2)
    assert math.isnan(curve.values[0])
    assert curve.values[1:] == (math.inf, 0.25)


def test_nan_and_infinities_of_the_database_are_values(store: Path) -> None:
    with database_of(store) as database:
        database.execute("update metrics set is_nan = 1, value = 0 where step = 0")
        database.execute("update metrics set value = 1.7976931348623157e308 where step = 1")
    database.close()

    curve = found(store / "sqlite").series["loss"]

    assert math.isnan(curve.values[0])
    assert curve.values[1] == math.inf


def test_reading_the_database_leaves_no_trace_and_waits_for_nobody(store: Path) -> None:
    path = store / "sqlite/mlflow.db"
    before = path.read_bytes()
    with database_of(store) as writer:
        writer.execute("begin immediate")
        told = found(store / "sqlite")
        writer.rollback()
    writer.close()

    assert told.run == "first"
    assert path.read_bytes() == before
    assert {one.name for one in path.parent.glob("mlflow.db*")} == {"mlflow.db"}


def test_a_locked_database_is_a_problem_and_the_model_file_still_speaks(store: Path) -> None:
    with database_of(store) as writer:
        writer.execute("begin exclusive")
        told = found(store / "sqlite")
        writer.rollback()
    writer.close()

    (problem,) = told.problems
    assert problem.startswith("mlflow.db: the database can't be read: ")
    assert told.tags["mlflow.flavors"] == "python_function"


def test_a_database_with_a_log_that_nobody_has_open_makes_no_files(store: Path) -> None:
    path = store / "sqlite/mlflow.db"
    database = database_of(store)
    database.execute("pragma journal_mode = wal")
    database.close()

    assert found(store / "sqlite").run == "first"
    assert {one.name for one in path.parent.glob("mlflow.db*")} == {"mlflow.db"}


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\0" + bytes(200), b"no database", b"SQLite format 3\0" * 999]
)
def test_what_is_no_database_is_a_problem(store: Path, content: bytes) -> None:
    (store / "sqlite/mlflow.db").write_bytes(content)

    (problem,) = found(store / "sqlite").problems
    assert problem.startswith("mlflow.db: ")


def test_a_database_of_something_else_or_with_views_is_a_problem(store: Path) -> None:
    with database_of(store) as database:
        database.execute("drop table params")
        database.execute(
            "create view params as with recursive n(key) as "
            "(select 1 union all select key + 1 from n) select key, key as value from n"
        )
    database.close()

    assert found(store / "sqlite").problems == ("mlflow.db: it is no store of MLflow",)


def test_numbers_that_nobody_counts_by_are_left_out(store: Path) -> None:
    with database_of(store) as database:
        database.execute("update metrics set timestamp = 9223372036854775807 where step = 0")
        database.execute("update metrics set step = 9223372036854775807 where step = 1")
    database.close()

    curve = found(store / "sqlite").series["loss"]

    assert curve.steps == (0, 2)
    assert curve.times is None


def test_thousands_of_values_are_read(store: Path) -> None:
    with database_of(store) as database:
        database.execute(
            "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) "
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000) "
            "select 'flood', i, i, (select run_uuid from runs), i, 0 from n"
        )
    database.close()

    told = found(store / "sqlite")

    assert told.series["flood"].steps[-1] == 30_000


def test_what_takes_too_long_is_given_up(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_database, "_PER_CALL", 20)
    monkeypatch.setattr(mlflow_database, "_STEPS", 2)

    assert found(store / "sqlite").problems == ("mlflow.db: it takes longer than it may be read",)


def test_a_model_without_a_run_says_what_it_can(store: Path) -> None:
    shutil.rmtree(store / "sqlite")
    (model,) = store.rglob("MLmodel")
    model.write_text("flavors: {sklearn: {}, python_function: {}}\nmlflow_version: 2.0\n")

    told = found(store)

    assert told.tags == {"mlflow.flavors": "sklearn"}
    assert told.metrics == {}
