"""A run in MLflow's folders: `mlruns/EXPERIMENT/RUN/{metrics,params,tags,inputs}`.

A metric's file has a line for each value: milliseconds, value, step. A name with a `/` is a file in
folders.
"""

from regtui.capture.findings import Findings
from regtui.capture.readers.mlflow_run import Run
from regtui.capture.readers.numbers_in import number, step
from regtui.capture.readers.reading import ask
from regtui.capture.readers.source_text import lines
from regtui.capture.readers.yaml_values import read_map
from regtui.capture.run_files import RunFiles

_FILES = 5_000
_TEXT = 64 << 10
_META = "meta.yaml"


def read_folders(files: RunFiles, wanted: Run) -> Run:
    """Return the run as its folder tells it; an empty one where `files` has no such folder.

    Args:
        files: The files of the unit and beside it.
        wanted: Whose `run_id` and `model_id` are looked for.
    """
    run = Run(wanted.run_id, wanted.model_id)
    marker = f"/{run.run_id}/"
    found = [path for path in files.paths if marker in f"/{path}"][:_FILES]
    for path in found:
        folder, _, rest = f"/{path}".partition(marker)
        kind, _, name = rest.partition("/")

        def take(files: RunFiles, path: str, kind: str = kind, name: str = name) -> Findings:
            _take(files, path, run, kind, name)
            return Findings()

        run.problems += ask(files, path, take).problems
        if rest == _META:
            experiment = folder.removeprefix("/")
            run.experiment = _name_in(files, f"{experiment}/{_META}", run)
            run.model_name = _name_in(files, f"{experiment}/models/{run.model_id}/{_META}", run)
    return run


def _take(files: RunFiles, path: str, run: Run, kind: str, name: str) -> None:
    """Read one file of the run's folder."""
    if kind == "metrics":
        _read_metric(files, path, run, name)
    elif kind == "params":
        run.add_param(name, files.text(path, _TEXT).removesuffix("\n"))
    elif kind == "tags":
        run.tags[name] = files.text(path, _TEXT).removesuffix("\n")
    elif kind == "inputs" and name.endswith(_META):
        _read_input(files, path, run)
    elif kind == "outputs" and run.model_id and f"{run.model_id}/" in name:
        run.step = step(read_map(files, path).get("step")) or None
    elif kind == _META:
        told = read_map(files, path).get("run_name")
        run.name = told if isinstance(told, str) else ""


def _read_metric(files: RunFiles, path: str, run: Run, name: str) -> None:
    with files.open(path) as source:
        for line in lines(source):
            cells = line.split()
            if not line.endswith("\n") or len(cells) < 2:  # noqa: PLR2004 - moment and value
                continue
            moment, value = step(cells[0]), number(cells[1])
            at = step(cells[2]) if len(cells) > 2 else 0  # noqa: PLR2004 - the step came later
            if value is not None and at is not None:
                run.points.add(name, at, value, None if moment is None else moment * 1000)


def _read_input(files: RunFiles, path: str, run: Run) -> None:
    """Follow an input to the dataset that it names."""
    identity = read_map(files, path).get("source_id")
    for found in files.matching(f"datasets/{identity}/{_META}")[:1]:
        told = {
            key: value for key, value in read_map(files, found).items() if isinstance(value, str)
        }
        run.add_input(told.get("name", ""), told.get("digest", ""), told.get("source", ""))


def _name_in(files: RunFiles, path: str, run: Run) -> str:
    """Return the name that a record gives, empty where it is not among the files."""
    names: list[str] = []

    def read(files: RunFiles, path: str) -> Findings:
        name = read_map(files, path).get("name")
        names.extend([name] if isinstance(name, str) else [])
        return Findings()

    run.problems += ask(files, path if path in files.paths else None, read).problems
    return next(iter(names), "")
