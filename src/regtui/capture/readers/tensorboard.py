"""Scalars of TensorBoard, up to the moment when the unit was written, and hyperparameters.

Where another reader knows the events already, or tells the same from elsewhere, it is left to it.

Event files in one folder are one run. Where they lie in several folders (`train/`, `validation/`),
the folder's name below the one that they share stands before the tag: `train/epoch_loss`.
"""

from posixpath import commonpath, dirname
from typing import TYPE_CHECKING

from regtui.capture.findings import Curve, Findings, last_values
from regtui.capture.readers.reading import ask_each
from regtui.capture.readers.tensorboard_events import Events
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed

if TYPE_CHECKING:
    from regtui.formats.values import Value

PATTERN = "*.tfevents*"
_SLACK = 1_000_000
"""Microseconds: what is logged with a state may be logged after it."""

_MEMORY = "tensorboard"


def read(files: RunFiles) -> Findings:
    """Return the curves up to the unit's last change, and their last values."""
    return read_until(files.untaken, None)


def read_until(files: RunFiles, step: int | None) -> Findings:
    """Return the curves up to a step of the trainer; by time where it is None."""
    paths = sorted(files.matching(PATTERN, "events.out.tfevents"))
    folders = {dirname(path) for path in paths}
    shared = commonpath(folders) if len(folders) > 1 and "" not in folders else ""
    many = len(folders) > 1
    modified = files.modified
    before = modified + _SLACK if step is None and modified is not None else None

    def read_file(files: RunFiles, path: str) -> Findings:
        folder = dirname(path)[len(shared) :].strip("/") if many else ""
        prefix = f"{folder}/" if folder else ""
        events = _events(files, path)
        params.update(events.hyperparameters)
        found = events.points.findings(step, before)
        curves = {prefix + tag: curve for tag, curve in found.series.items()}
        return Findings(series=curves, problems=found.problems)

    params: dict[str, Value] = {}
    series: dict[str, Curve] = {}
    problems: list[str] = []
    for path in paths:
        found = ask_each(files, [path], read_file)
        problems += found.problems
        for tag, curve in found.series.items():
            series[tag] = _joined(series[tag], curve) if tag in series else curve
    return Findings(
        series=series, metrics=last_values(series), params=params, problems=tuple(problems)
    )


def _events(files: RunFiles, path: str) -> Events:
    """Return what a file holds; the caller's memory lets it go on where it stopped."""
    known: dict[str, Events] = files.memory.setdefault(_MEMORY, {})
    events = known.setdefault(path, Events())
    events.points.problems.clear()
    with files.open(path) as source:
        try:
            events.advance(source)
        except Malformed as error:
            events.points.problems.append(f"{path}: {error}")
    return events


def _joined(earlier: Curve, later: Curve) -> Curve:
    """Return two curves as one; at a step that both have, the later one counts."""
    values = dict(zip(earlier.steps, earlier.values, strict=True))
    values |= dict(zip(later.steps, later.values, strict=True))
    steps = tuple(sorted(values))
    if earlier.times is None or later.times is None:
        return Curve(steps, tuple(values[step] for step in steps))
    times = dict(zip(earlier.steps, earlier.times, strict=True))
    times |= dict(zip(later.steps, later.times, strict=True))
    return Curve(steps, tuple(values[one] for one in steps), tuple(times[one] for one in steps))
