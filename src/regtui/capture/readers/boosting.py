"""What the libraries of boosted trees share: rounds as steps, and what they evaluated, as JSON.

A step is the number of rounds done. `evals_result` of XGBoost and `record_evaluation` of LightGBM
are both `{data set: {metric: [value of each round]}}`, which people write to a file beside the
model; the curves are named `data set/metric`.
"""

from typing import Any

from regtui.capture.findings import Findings
from regtui.capture.readers.json_values import read_object
from regtui.capture.readers.numbers_in import number
from regtui.capture.readers.points import Points
from regtui.capture.run_files import RunFiles

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
    return points.findings(rounds)


def _value(value: Any) -> float | None:
    """Return a value; of a pair (mean, deviation) of cross-validation, the mean."""
    return number(value[0] if isinstance(value, list) and value else value)
