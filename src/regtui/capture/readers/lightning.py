"""Lightning: checkpoints that carry their epoch, step, hyperparameters and monitored values.

The curves are those of its loggers (CSV and TensorBoard), up to the step of the checkpoint.
"""

import re

from regtui.capture.findings import Direction, Findings, Measured, merged
from regtui.capture.readers.epochs import read_table
from regtui.capture.readers.model_facts import scalars, under, understood
from regtui.capture.readers.numbers_in import number, params, step
from regtui.capture.readers.reading import ask
from regtui.capture.readers.tables import Columns
from regtui.capture.readers.tensorboard import read_until
from regtui.capture.readers.yaml_values import read_map
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_MONITORED = re.compile(r"callbacks\.(?P<key>[^.]*?ModelCheckpoint.*)\.monitor")
_COLUMNS = Columns(steps=("step",), others=("epoch",))
_MODE = re.compile(r"'mode': '(min|max)'")


def read(files: RunFiles) -> Findings:
    """Return what the checkpoint says of itself, what its logger wrote, and the parameters."""
    files.claim("metrics.csv", "hparams.yaml")
    own = [path for path in files.own if path.endswith(".ckpt")]
    state = ask(files, own[0] if own else None, _read_checkpoint)
    at = files.step if state.step is None else state.step
    curves = ask(
        files, files.find("metrics.csv"), lambda one, path: read_table(one, path, _COLUMNS, at)
    )
    events = Findings() if at is None else read_until(files, at)
    arguments = ask(files, files.find("hparams.yaml"), _read_parameters)
    return merged([state, curves, events, arguments])


def _read_checkpoint(files: RunFiles, path: str) -> Findings:
    metadata = understood(files, path).metadata
    at = step(metadata.get("global_step"))
    metrics: dict[str, Measured] = {}
    epoch = number(metadata.get("epoch"))
    if epoch is not None:
        metrics["epoch"] = (epoch, at)
    directions: dict[str, Direction] = {}
    values = scalars(files, path)
    for key, monitored in _monitored(metadata).items():
        _add_monitored(key, monitored, values, at, metrics)
        mode = _MODE.search(key)
        if mode is not None:
            directions[monitored] = "max" if mode[1] == "max" else "min"
    told = under(metadata, "hyper_parameters") | under(metadata, "datamodule_hyper_parameters")
    return Findings(step=at, metrics=metrics, directions=directions, params=told)


def _monitored(metadata: dict[str, Value]) -> dict[str, str]:
    """Return the metric that each checkpoint callback watches, by the callback's key."""
    found = {
        match["key"]: metadata[key] for key in metadata if (match := _MONITORED.fullmatch(key))
    }
    return {key: name for key, name in found.items() if isinstance(name, str) and name}


def _add_monitored(
    key: str, monitored: str, values: dict[str, float], at: int | None, metrics: dict[str, Measured]
) -> None:
    current = values.get(f"callbacks.{key}.current_score")
    best = values.get(f"callbacks.{key}.best_model_score")
    if current is not None:
        metrics.setdefault(monitored, (current, at))
    if best is not None:
        metrics.setdefault("best_model_score", (best, None))


def _read_parameters(files: RunFiles, path: str) -> Findings:
    return Findings(params=params(read_map(files, path)))
