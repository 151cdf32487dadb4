"""Whatever lies near a model that nobody else understands: JSON, YAML and tables.

Files that another reader knows are left to it.

`metrics.json` and its like are metrics, `params.yaml` and its like parameters, the nearest table
with numbers gives the curves. A file named for the model (`model.json` beside `model.pt`) may have
both, under `metrics` and `params`. The recogniser says how far up is looked (two folders).

A table with a column of times is told up to the moment when the unit was written; another one up to
the unit's step if it has a row of that very step, for then both count alike.
"""

from collections.abc import Collection
from typing import Any, Final

from msgspec import structs

from regtui.capture.findings import Findings, merged
from regtui.capture.readers.epochs import collect_table
from regtui.capture.readers.json_values import decode
from regtui.capture.readers.numbers_in import measured, params
from regtui.capture.readers.points import Points
from regtui.capture.readers.reading import ask
from regtui.capture.readers.tables import Columns, collect
from regtui.capture.readers.yaml_values import read_yaml
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed

_METRICS: Final = (
    "metrics.json", "eval_metrics.json", "results.json", "eval_results.json", "all_results.json",
    "scores.json", "*metrics*.json", "*results*.json", "metrics.yaml", "metrics.yml",
)  # fmt: skip
_PARAMS: Final = tuple(
    f"{name}.{suffix}"
    for name in ("params", "hparams", "hyperparameters", "args", "config", "settings")
    for suffix in ("json", "yaml", "yml")
)
TABLES: Final = (
    "metrics.csv", "history.csv", "log.csv", "results.csv", "train*.csv", "*.csv", "metrics.jsonl",
    "log*.jsonl", "*.jsonl", "*.tsv",
)  # fmt: skip
_SLACK: Final = 1_000_000


def read(files: RunFiles) -> Findings:
    """Return what the nearest files of each kind say."""
    files = files.untaken
    return merged(
        [
            ask(files, _named(files), _read_both),
            ask(files, files.nearest(*_METRICS), _read_metrics),
            ask(files, files.nearest(*_PARAMS), _read_params),
            ask(files, files.nearest(*TABLES), _read_table),
        ]
    )


def _named(files: RunFiles) -> str | None:
    """Return the file that is called like the model."""
    name = files.unit.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    wanted = [f"{one}.{suffix}" for one in (stem, name) for suffix in ("json", "yaml", "yml")]
    return next((path for path in files.matching(*wanted) if not _is_model(files, path)), None)


def _is_model(files: RunFiles, path: str) -> bool:
    """Whether it is the unit itself, or a model that is written as JSON."""
    if path == files.unit:
        return True
    try:
        return path.endswith(".json") and files.facts(path).format != "json"
    except OSError:
        return False


def _tree(files: RunFiles, path: str) -> Any:
    return decode(files.content(path)) if path.endswith(".json") else read_yaml(files, path)


def _read_both(files: RunFiles, path: str) -> Findings:
    tree = _tree(files, path)
    if not isinstance(tree, dict):
        return Findings()
    told = tree.get("params", {name: one for name, one in tree.items() if name != "metrics"})
    return merged([_metrics_of(tree.get("metrics")), Findings(params=params(told))])


def _read_metrics(files: RunFiles, path: str) -> Findings:
    return _metrics_of(_tree(files, path))


def _metrics_of(tree: Any) -> Findings:
    """Return the numbers of maps as metrics, those of lists as curves."""
    points = Points()
    if isinstance(tree, list):
        collect([row for row in tree if isinstance(row, dict)], points, Columns())
    elif isinstance(tree, dict):
        for name, values in tree.items():
            for index, value in enumerate(values if isinstance(values, list) else ()):
                if isinstance(value, int | float) and not isinstance(value, bool):
                    points.add(name, index, float(value))
    found = points.findings()
    metrics = {name: (value, None) for name, value in measured(tree).items()}
    return structs.replace(found, metrics=found.metrics | metrics)


def _read_params(files: RunFiles, path: str) -> Findings:
    tree = _tree(files, path)
    if not isinstance(tree, dict):
        raise Malformed("it holds no map")
    return Findings(params=params(tree))


def _read_table(files: RunFiles, path: str) -> Findings:
    points = Points()
    collect_table(files, path, points, Columns())
    has_row = any(files.step in curve.steps for curve in points.curves().values())
    return _told(files, points, files.step if has_row else None)


def read_table_of(files: RunFiles, path: str, at: int | None, counts: Collection[str]) -> Findings:
    """Return the curves of a table, up to a step if it counts the same thing.

    Args:
        files: The files of the unit.
        path: Of the table.
        at: The step of the unit.
        counts: Names of columns that count what `at` counts.

    Raises:
        OSError: It can't be opened.
    """
    points = Points()
    counting = collect_table(files, path, points, Columns())
    return _told(files, points, at if counting in counts else None)


def _told(files: RunFiles, points: Points, until: int | None) -> Findings:
    """Return the curves that have a course; of one row, the figures are all there is."""
    modified = files.modified
    found = points.findings(until, None if modified is None else modified + _SLACK)
    courses = {name: curve for name, curve in found.series.items() if len(curve.steps) > 1}
    return structs.replace(found, series=courses)
