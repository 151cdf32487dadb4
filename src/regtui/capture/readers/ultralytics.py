"""Ultralytics: `args.yaml` and `results.csv` of the run, and what the weights carry.

Steps are epochs, counted from 1 as `results.csv` does; the weights count from 0. When the run is
over, the weights lose their epoch (-1): it is then the row of `results.csv` that has the figures
that they carry.
"""

from msgspec import structs

from regtui.capture.findings import (
    Curve,
    Direction,
    Findings,
    Measured,
    ParentHint,
    last_values,
    merged,
    until,
)
from regtui.capture.readers.epochs import read_table
from regtui.capture.readers.model_facts import under, understood
from regtui.capture.readers.numbers_in import number, params, step
from regtui.capture.readers.reading import ask
from regtui.capture.readers.tables import Columns
from regtui.capture.readers.yaml_values import read_map
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_COLUMNS = Columns(steps=("epoch",), others=("time",))
_NEAR = 1e-4  # results.csv is rounded to five digits
_BASES = (".pt", ".pth")
_FITNESS: dict[str, Direction] = {"fitness": "max", "best_fitness": "max"}


def read(files: RunFiles) -> Findings:
    """Return the arguments, the curves up to the weights, and their own figures."""
    files.claim("results.csv", "args.yaml")
    own = [path for path in files.own if path.endswith(_BASES)]
    weights = ask(files, own[0] if own else None, _read_weights)
    table = ask(
        files, files.find("results.csv"), lambda one, path: read_table(one, path, _COLUMNS, None)
    )
    at = weights.step
    if at is None:
        at = _epoch_with(weights.metrics, table.series)
    series = {name: until(curve, at) for name, curve in table.series.items()}
    metrics = (
        weights.metrics
        if at is None
        else {
            name: (value, at if when is None and name != "best_fitness" else when)
            for name, (value, when) in weights.metrics.items()
        }
    )
    table = structs.replace(table, step=at, series=series, metrics=last_values(series))
    weights = structs.replace(weights, metrics=metrics)
    return merged([weights, table, ask(files, files.find("args.yaml"), _read_arguments)])


def _read_weights(files: RunFiles, path: str) -> Findings:
    metadata = understood(files, path).metadata
    epoch = step(metadata.get("epoch"))
    at = None if epoch is None or epoch < 0 else epoch + 1
    figures = {key: number(value) for key, value in under(metadata, "train_metrics").items()}
    metrics: dict[str, Measured] = {
        key: (value, at) for key, value in figures.items() if value is not None
    }
    best = number(metadata.get("best_fitness"))
    if best is not None:
        metrics["best_fitness"] = (best, None)
    arguments = _of_arguments(under(metadata, "train_args"))
    return structs.replace(arguments, step=at, metrics=metrics)


def _read_arguments(files: RunFiles, path: str) -> Findings:
    return _of_arguments(params(read_map(files, path)))


def _of_arguments(told: dict[str, Value]) -> Findings:
    model, data = told.get("model"), told.get("data")
    resumed = told.get("resume")
    parents = []
    if isinstance(resumed, str) and resumed.endswith(_BASES):
        parents.append(ParentHint(resumed, "resumed"))
    elif isinstance(model, str) and model.endswith(_BASES):
        parents.append(ParentHint(model, "base"))
    inputs = {"data": data} if isinstance(data, str) and data else {}
    return Findings(params=told, directions=_FITNESS, parents=tuple(parents), inputs=inputs)


def _epoch_with(metrics: dict[str, Measured], series: dict[str, Curve]) -> int | None:
    """Return the last epoch at which the curves have the given values; None where none has."""
    shared = [(series[name], value) for name, (value, _) in metrics.items() if name in series]
    if not shared:
        return None
    epochs = [
        {at for at, one in zip(curve.steps, curve.values, strict=True) if _near(one, value)}
        for curve, value in shared
    ]
    return max(set.intersection(*epochs), default=None)


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _NEAR * max(1.0, abs(one), abs(other))
