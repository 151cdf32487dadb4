"""A run of MLflow while it is read from one of its stores."""

import json
from typing import Any

from regtui.capture.readers.numbers_in import spelled_value
from regtui.capture.readers.points import Points


class Run:
    """What is known of a run.

    Attributes:
        run_id: As MLflow names it.
        model_id: Of the logged model that the unit is; empty before MLflow 3.
        model_name: Of that model; empty where it is not known.
        name: That people gave it.
        experiment: Name of its experiment.
        step: The step that the model was logged at, None where it was not said.
        params: Texts; numbers are read as such.
        tags: All of them, MLflow's own too.
        inputs: URI by name of the datasets.
        points: Its metrics.
        problems: What could not be read.
    """

    def __init__(self, run_id: str, model_id: str = "") -> None:
        self.run_id = run_id
        self.model_id = model_id
        self.model_name = ""
        self.name = ""
        self.experiment = ""
        self.step: int | None = None
        self.params: dict[str, str | int | float] = {}
        self.tags: dict[str, str] = {}
        self.inputs: dict[str, str] = {}
        self.points = Points()
        self.problems: list[str] = []

    def add_param(self, name: str, text: str) -> None:
        """Add a parameter, of which MLflow keeps the text."""
        self.params[name] = spelled_value(text)

    def add_input(self, name: str, digest: str, source: str) -> None:
        """Add a dataset by the JSON that tells where it lies, or by its digest."""
        self.inputs[name or digest] = _address(source) or f"mlflow:{name}#{digest}"


def _address(source: str) -> str | None:
    """Return the address in a dataset's source, such as `{"url": …}`."""
    try:
        told: Any = json.loads(source) if len(source) < 1 << 16 else None
    except (ValueError, RecursionError):
        return source if "://" in source else None
    if not isinstance(told, dict):
        return None
    values = [told.get(key) for key in ("uri", "url", "path", "name", "table_name")]
    return next((value for value in values if isinstance(value, str) and value), None)
