"""CatBoost: the parameters in its binary format, and what it writes into `catboost_info`.

A step is the number of trees. The curves are named `learn/Logloss`, `test/AUC` and so on, by the
tables that they stand in.
"""

from typing import Any

from regtui.capture.findings import Direction, Findings, merged
from regtui.capture.readers.epochs import read_table
from regtui.capture.readers.json_values import read_object
from regtui.capture.readers.model_facts import under, understood
from regtui.capture.readers.numbers_in import step
from regtui.capture.readers.reading import ask, ask_each
from regtui.capture.readers.tables import Columns
from regtui.capture.run_files import RunFiles

_COLUMNS = Columns(steps=("iter",), shift=1)
_TABLES = ("learn_error.tsv", "test*_error.tsv")


def read(files: RunFiles) -> Findings:
    """Return the model's parameters, its trees as the step, and the curves up to them."""
    files.claim("*_error.tsv", "time_left.tsv", "catboost_training.json")
    own = [path for path in files.own if path.endswith((".cbm", ".json"))]
    model = ask(files, own[0] if own else None, _read_model)
    at = files.step if model.step is None else model.step
    tables = ask_each(files, files.matching(*_TABLES), lambda one, path: _table(one, path, at))
    meta = ask(files, files.find("catboost_training.json"), _read_directions)
    return merged([model, tables, meta])


def _read_model(files: RunFiles, path: str) -> Findings:
    facts = understood(files, path)
    if facts.format != "catboost":
        return Findings()
    return Findings(step=step(facts.metadata.get("trees")), params=under(facts.metadata, "params"))


def _table(files: RunFiles, path: str, at: int | None) -> Findings:
    name = path.rpartition("/")[2].removesuffix("_error.tsv")
    return read_table(files, path, _COLUMNS, at, prefix=f"{name}/")


def _read_directions(files: RunFiles, path: str) -> Findings:
    """Read which way each metric is better."""
    meta = read_object(files, path).get("meta")
    told = meta if isinstance(meta, dict) else {}
    directions: dict[str, Direction] = {}
    for kind in ("learn", "test"):
        names = [name for name in _list(told.get(f"{kind}_sets")) if isinstance(name, str)]
        for metric in _list(told.get(f"{kind}_metrics")):
            way = _WAYS.get(str(metric.get("best_value"))) if isinstance(metric, dict) else None
            if way is not None:
                directions |= {f"{name}/{metric.get('name')}": way for name in names}
    return Findings(directions=directions)


_WAYS: dict[str, Direction] = {"Min": "min", "Max": "max"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
