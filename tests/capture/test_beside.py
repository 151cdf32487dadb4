"""Facts are looked for in the run of a unit and right above it."""

from regtui.capture.beside import Beside
from regtui.capture.recognise import recognise
from regtui.capture.recogniser import built_in
from tests.capture.listings import listing


def test_facts_beside_a_unit_are_those_of_its_run_and_right_above() -> None:
    there = listing(
        "runs/7/a.pt", "runs/7/metrics.csv", "runs/7/logs/x.yaml", "runs/params.json",
        "runs/8/metrics.csv", "runs/7/b.pt", "top.yaml", "runs/7/photo.png",
    )  # fmt: skip
    found = recognise(there, built_in())

    assert Beside(there, found).of(found[0]) == (
        "runs/7/metrics.csv", "runs/7/logs/x.yaml", "top.yaml", "runs/params.json",
    )  # fmt: skip


def test_files_of_other_versions_are_nothing_beside() -> None:
    there = listing(
        "out/checkpoint-1/trainer_state.json", "out/checkpoint-1/model.safetensors",
        "out/checkpoint-2/trainer_state.json", "out/checkpoint-2/model.safetensors", "out/log.csv",
    )  # fmt: skip
    first, _ = found = recognise(there, built_in())

    assert Beside(there, found).of(first) == ("out/log.csv",)


def test_records_of_mlflow_are_found_wherever_they_are() -> None:
    there = listing("deep/run/a.pt", "mlruns/0/f7/metrics/loss", "mlruns/0/f7/meta.yaml")
    found = recognise(there, built_in())

    assert Beside(there, found).of(found[0]) == (
        "mlruns/0/f7/meta.yaml",
        "mlruns/0/f7/metrics/loss",
    )


def test_the_database_of_mlflow_is_found_far_above_but_not_elsewhere() -> None:
    there = listing("work/a/b/c/d/run/a.pt", "work/mlflow.db", "other/mlflow.db")
    found = recognise(there, built_in())

    assert Beside(there, found).of(found[0]) == ("work/mlflow.db",)
