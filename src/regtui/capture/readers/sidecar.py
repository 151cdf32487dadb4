"""`regtui.json`: what a person, or the training program, wants to say of a version.

It lies in the unit, beside it (`model.pt.regtui.json`, `model.regtui.json`, `regtui.json`), or up
to two folders up; the nearest counts where they disagree. It has the same names as a version:

    {"model": "team/digits", "run": "7", "step": 1200, "description": "…",
     "metrics": {"f1": 0.91, "loss": {"value": 0.2, "step": 1200}}, "directions": {"f1": "max"},
     "params": {"lr": 0.1, "optim": {"name": "adam"}}, "tags": {"env": "prod"},
     "series": {"loss": {"steps": [1, 2], "values": [0.9, 0.2]}},
     "parents": ["digits@3", {"reference": "bert-base", "kind": "base"}],
     "inputs": {"digits": "s3://data/digits.csv"}}

Everything is optional. What has another shape is a problem, and the rest still counts.
"""

from collections.abc import Callable
from typing import Any, Final

from regtui.capture.findings import (
    Curve,
    Direction,
    Findings,
    Measured,
    ParentHint,
    ParentKind,
    merged,
)
from regtui.capture.readers.json_values import read_object
from regtui.capture.readers.numbers_in import number, params, step
from regtui.capture.readers.points import Points
from regtui.capture.readers.reading import ask_each
from regtui.capture.readers.tables import moment
from regtui.capture.run_files import RunFiles

NAME: Final = "regtui.json"
_KINDS: Final[dict[str, ParentKind]] = {
    "base": "base", "resumed": "resumed", "equal-tensors": "equal-tensors",
}  # fmt: skip


def read(files: RunFiles) -> Findings:
    """Return what the sidecars say."""
    return ask_each(files, sidecars(files), _read_sidecar)


def sidecars(files: RunFiles) -> tuple[str, ...]:
    """Return the sidecars that speak of the unit, the nearest first."""
    name = files.unit.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    own = (f"{name}.{NAME}", f"{stem}.{NAME}")
    named = [path for one in own for path in files.matching(one)]
    return tuple(dict.fromkeys((*named, *files.matching(NAME))))


def _read_sidecar(files: RunFiles, path: str) -> Findings:
    found: list[Findings] = []
    problems: list[str] = []
    for key, value in read_object(files, path).items():
        part = _PARTS.get(key)
        told = None if part is None else part(value)
        if part is None:
            problems.append(f"{path}: {key!r} is nothing that it can say")
        elif told is None:
            problems.append(f"{path}: {key!r} has another shape than it should have")
        else:
            found.append(told)
    return merged([*found, Findings(problems=tuple(problems))])


def _metrics(value: Any) -> Findings | None:
    if not isinstance(value, dict):
        return None
    metrics: dict[str, Measured] = {}
    for name, told in value.items():
        at = step(told.get("step")) if isinstance(told, dict) else None
        amount = _number(told.get("value") if isinstance(told, dict) else told)
        if amount is None:
            return None
        metrics[name] = (amount, at)
    return Findings(metrics=metrics)


def _directions(value: Any) -> Findings | None:
    ways: dict[str, Direction] = {"min": "min", "max": "max"}
    if not isinstance(value, dict) or any(way not in ways for way in value.values()):
        return None
    return Findings(directions={name: ways[way] for name, way in value.items()})


def _params(value: Any) -> Findings | None:
    return Findings(params=params(value)) if isinstance(value, dict) else None


def _tags(value: Any) -> Findings | None:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return Findings(tags=dict.fromkeys(value, ""))
    if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        return Findings(tags=value)
    return None


def _series(value: Any) -> Findings | None:
    if not isinstance(value, dict):
        return None
    series: dict[str, Curve] = {}
    for name, told in value.items():
        points = _points(name, told) if isinstance(told, dict) else None
        if points is None:
            return None
        series |= points.curves()
    return Findings(series=series)


def _points(name: str, told: dict[str, Any]) -> Points | None:
    values, steps, times = told.get("values"), told.get("steps"), told.get("times")
    if not isinstance(values, list):
        return None
    steps = list(range(len(values))) if steps is None else steps
    times = [None] * len(values) if times is None else times
    if not isinstance(steps, list) or not isinstance(times, list):
        return None
    points = Points()
    if len({len(values), len(steps), len(times)}) > 1:
        return None
    for at, amount, time in zip(steps, values, times, strict=True):
        whole, found = step(at), _number(amount)
        if whole is None or found is None:
            return None
        points.add(name, whole, found, moment(time))
    return points


def _parents(value: Any) -> Findings | None:
    hints: list[ParentHint] = []
    for told in value if isinstance(value, list) else [value]:
        reference = told.get("reference") if isinstance(told, dict) else told
        kind = told.get("kind", "base") if isinstance(told, dict) else "base"
        if not isinstance(reference, str) or not reference or kind not in _KINDS:
            return None
        hints.append(ParentHint(reference, _KINDS[kind]))
    return Findings(parents=tuple(hints))


def _inputs(value: Any) -> Findings | None:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return Findings(inputs={one.rstrip("/").rpartition("/")[2] or one: one for one in value})
    if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        return Findings(inputs=value)
    return None


def _text(say: Callable[[str], Findings]) -> Callable[[Any], Findings | None]:
    return lambda value: say(value) if isinstance(value, str) and value else None


def _step(value: Any) -> Findings | None:
    at = step(value)
    return None if at is None else Findings(step=at)


def _number(value: Any) -> float | None:
    """Return a number, also spelled the way that plain JSON has to spell NaN and infinities."""
    return number(value) if not isinstance(value, str) or value in _SPECIAL else None


_SPECIAL: Final = ("NaN", "Infinity", "-Infinity")
_PARTS: Final[dict[str, Callable[[Any], Findings | None]]] = {
    "metrics": _metrics,
    "directions": _directions,
    "params": _params,
    "tags": _tags,
    "series": _series,
    "parents": _parents,
    "inputs": _inputs,
    "model": _text(lambda text: Findings(model=text)),
    "run": _text(lambda text: Findings(run=text)),
    "description": _text(lambda text: Findings(description=text)),
    "step": _step,
}
