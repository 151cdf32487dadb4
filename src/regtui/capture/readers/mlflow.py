"""MLflow: the `MLmodel` file, and the run that it names, in `mlruns` or in `mlflow.db`.

The model is named for its experiment and for itself: `digits/model`.

Metrics are told up to the step that the model was logged at, where it was logged at one.
"""

from typing import Any, Final

from msgspec import structs

from regtui.capture.findings import Findings, merged
from regtui.capture.readers.mlflow_database import read_database
from regtui.capture.readers.mlflow_folders import read_folders
from regtui.capture.readers.mlflow_run import Run
from regtui.capture.readers.reading import ask
from regtui.capture.readers.yaml_values import read_map
from regtui.capture.run_files import RunFiles
from regtui.core.identity import slug

_FLAVOURS: Final = "flavors"
_DATABASES: Final = ("mlflow.db", "mlruns.db", "mlflow.sqlite")
_NAME: Final = "model"
_TOLD: Final = ("mlflow_version", "model_id", "run_id")


def read(files: RunFiles) -> Findings:
    """Return what MLmodel says, and its run."""
    own = [path for path in files.own if path.rpartition("/")[2] == "MLmodel"]
    runs: list[Run] = []

    def read_model(files: RunFiles, path: str) -> Findings:
        model = read_map(files, path)
        runs.append(Run(run_id=_text(model, "run_id"), model_id=_text(model, "model_id")))
        return _read_model(model)

    def read_store(files: RunFiles, path: str) -> Findings:
        return _told(read_database(files, path, runs[0]))

    model = ask(files, own[0] if own else None, read_model)
    if not runs or not runs[0].run_id:
        return model
    folder = _told(read_folders(files, runs[0]))
    store = ask(files, files.find(*_DATABASES), read_store)
    return merged([model, folder, store])


def _text(model: dict[str, Any], key: str) -> str:
    value = model.get(key)
    return value if isinstance(value, str) else ""


def _read_model(model: dict[str, Any]) -> Findings:
    tags = {f"mlflow.{key}": value for key in _TOLD if (value := _text(model, key))}
    flavours = model.get(_FLAVOURS)
    if isinstance(flavours, dict):
        names = [name for name in flavours if name != "python_function"] or list(flavours)
        tags["mlflow.flavors"] = ", ".join(names)
    signature = model.get("signature")
    if isinstance(signature, dict):
        tags |= {
            f"mlflow.signature.{side}": text
            for side in ("inputs", "outputs")
            if isinstance(text := signature.get(side), str)
        }
    return Findings(tags=tags)


def _told(run: Run) -> Findings:
    """Return a run as findings; MLflow's own tags stay with it, but for a few."""
    found = structs.replace(
        run.points.findings(run.step),
        step=run.step,
        params=dict(run.params),
        tags={key: value for key, value in run.tags.items() if not key.startswith("mlflow.")},
        inputs=run.inputs,
        run=run.name or None,
        description=run.tags.get("mlflow.note.content") or None,
        problems=tuple(run.problems),
    )
    if not run.experiment:
        return found
    name = f"{slug(run.experiment)}/{slug(run.model_name or _NAME)}"
    tags = {**found.tags, "mlflow.experiment": run.experiment}
    return structs.replace(found, tags=tags, model=name)
