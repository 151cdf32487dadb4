"""MLflow: a model logged into `mlruns`, and into a store of SQLite."""

import os
import sys
from pathlib import Path

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset

MODEL = """
import mlflow.pyfunc
from mlflow.models import set_model


class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[float]) -> list[float]:
        return [1.0 for _ in model_input]


set_model(Constant())
"""


def log_run(model_file: Path) -> None:
    mlflow.set_experiment("digits")
    with mlflow.start_run(run_name="first"):
        mlflow.log_params({"lr": 0.1, "layers": 2, "optim/name": "adam"})
        for step in range(3):
            mlflow.log_metrics({"loss": 1 / (step + 1), "eval/f1": step / 3}, step=step)
        mlflow.set_tag("team", "vision")
        source = HTTPDatasetSource("https://data.example/digits.csv")
        mlflow.log_input(MetaDataset(source, name="digits"), context="training")
        mlflow.pyfunc.log_model(
            name="Constant one", python_model=str(model_file), pip_requirements=["mlflow-skinny"]
        )


def train(folder: Path) -> None:
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    model_file = folder / "constant.py"
    model_file.write_text(MODEL)
    stores = {
        "files": (folder / "files/mlruns").as_uri(),
        "sqlite": f"sqlite:///{folder}/sqlite/mlflow.db",
    }
    for name, uri in stores.items():
        (folder / name).mkdir()
        os.chdir(folder / name)
        mlflow.set_tracking_uri(uri)
        log_run(model_file)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
