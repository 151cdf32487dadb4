"""What the libraries of boosted trees share: rounds as steps, and what they evaluated, as JSON.

A step is the number of rounds done. `evals_result` of XGBoost and `record_evaluation` of LightGBM
are both `{data set: {metric: [value of each round]}}`, which people write to a file beside the
model; the curves are named `data set/metric`.
"""

from typing import Any

from regtui.capture.findings import Findings, last_values
from regtui.capture.readers.json_values import read_object
from regtui.capture.readers.numbers_in import number
from regtui.capture.readers.points import Points
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

EVALS = ("evals.json", "evals_result.json", "eval*.json", "*evals*.json", "history.json")


def read_evals(files: RunFiles, path: str, rounds: int | None) -> Findings:
    """Return the curves of a file up to a round.

    Raises:
        Malformed: It can't be read.
        OSError: It can't be opened.
    """
    points = Points()
    for data, metrics in read_object(files, path).items():
        for metric, values in metrics.items() if isinstance(metrics, dict) else ():
            for index, value in enumerate(values if isinstance(values, list) else ()):
                found = _value(value)
                if found is not None:
                    points.add(f"{data}/{metric}", index + 1, found)
    series = points.curves(rounds)
    return Findings(series=series, metrics=last_values(series))


def spelled(metadata: dict[str, Value]) -> dict[str, Value]:
    """Return entries whose texts are numbers as numbers: these libraries write all as text.

    >>> spelled({"eta": "0.3", "max_depth": "6", "booster": "gbtree", "seed": 0})
    {'eta': 0.3, 'max_depth': 6, 'booster': 'gbtree', 'seed': 0}
    """
    return {key: _spelled(value) for key, value in metadata.items()}


def _spelled(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return int(value) if value.lstrip("-").isdecimal() and len(value) < 16 else _float(value)  # noqa: PLR2004
    except ValueError:
        return value


def _float(value: str) -> Value:
    found = number(value) if value[:1] in "-.0123456789" else None
    return value if found is None else found


def _value(value: Any) -> float | None:
    """Return a value; of a pair (mean, deviation) of cross-validation, the mean."""
    return number(value[0] if isinstance(value, list) and value else value)
