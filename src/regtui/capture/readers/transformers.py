"""The Trainer of Hugging Face, whose state is `trainer_state.json`.

The state of a checkpoint is its own. A model that is saved at the end has one beside it
(`save_state`), or is told by the checkpoint with the highest step, once that has reached
`max_steps`. Where the best model was brought back at the end, its weights are those of
`best_global_step`, and so are the figures.

The parameters of the run have their own names; those of the model stand under `config.`.
"""

import re
from typing import Any, TypeGuard

from msgspec import Struct, structs

from regtui.capture.findings import Direction, Findings, ParentHint, merged
from regtui.capture.readers.json_values import read_object
from regtui.capture.readers.model_facts import plain, understood
from regtui.capture.readers.numbers_in import measured, number, params, step
from regtui.capture.readers.points import Points
from regtui.capture.readers.reading import ask, ask_each
from regtui.capture.readers.tensorboard import PATTERN as EVENTS
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_CHECKPOINT = re.compile(r"(.*/)?checkpoint-\d+")
_STATE = "trainer_state.json"
_OF_THE_MACHINE = ("distributed_state.", "accelerator_config.", "torch.", "local_rank")
_NO_CURVES = frozenset({"step", "epoch"})


class _State(Struct, frozen=True):
    """What counts of a `trainer_state.json`."""

    step: int
    last: int | None
    best: float | None
    best_step: int | None
    epoch: float | None
    history: list[Any]


def read(files: RunFiles) -> Findings:
    """Return the curves, the last figures, the arguments and the model's configuration."""
    files.claim(_STATE, "config.json", "*_config.json", "*_results.json")
    arguments = ask(files, files.find("training_args.bin"), _read_arguments)
    configs = [path for path in files.own if path.rpartition("/")[2] == "config.json"]
    results = [path for path in files.inside if path.endswith("_results.json")]
    return merged(
        [
            _run(files, arguments.params),
            arguments,
            ask_each(files, configs[:1], _read_config),
            ask_each(files, results, _read_results),
        ]
    )


def _run(files: RunFiles, arguments: dict[str, Value]) -> Findings:
    """Return what the trainer's state tells."""
    own = [path for path in files.inside if path.rpartition("/")[2] == _STATE]
    states: list[_State] = []

    def read_state(files: RunFiles, path: str) -> Findings:
        states.append(_state(read_object(files, path)))
        return Findings()

    problems = ask_each(files, own[:1] or files.matching(_STATE), read_state)
    if not own:
        states = [one for one in states if one.last is not None and one.step >= one.last]
    if not states:
        return problems
    files.claim(EVENTS)  # which tell the same under other names
    state = max(states, key=lambda one: one.step)
    brought_back = arguments.get("load_best_model_at_end") is True
    is_checkpoint = _CHECKPOINT.fullmatch(files.unit) is not None
    at = state.best_step if brought_back and not is_checkpoint else None
    return merged([_told(state, state.step if at is None else at), problems])


def _state(found: dict[str, Any]) -> _State:
    history = found.get("log_history")
    return _State(
        step=step(found.get("global_step")) or 0,
        last=step(found.get("max_steps")),
        best=number(found.get("best_metric")),
        best_step=step(found.get("best_global_step")),
        epoch=number(found.get("epoch")),
        history=history if isinstance(history, list) else [],
    )


def _told(state: _State, at: int) -> Findings:
    """Return what a state says of the weights at a step."""
    points = Points()
    for entry in state.history:
        when = step(entry.get("step")) if isinstance(entry, dict) else None
        if when is not None:
            for name, told in entry.items():
                value = None if name in _NO_CURVES else number(told)
                if value is not None:
                    points.add(name, when, value)
    found = points.findings(at)
    metrics = dict(found.metrics)
    if state.best is not None:
        metrics["best_metric"] = (state.best, state.best_step)
    if state.epoch is not None and at == state.step:
        metrics["epoch"] = (state.epoch, at)
    return structs.replace(found, step=at, metrics=metrics)


def _read_arguments(files: RunFiles, path: str) -> Findings:
    given = plain(understood(files, path).metadata)
    told = {key: value for key, value in given.items() if not key.startswith(_OF_THE_MACHINE)}
    directions: dict[str, Direction] = {}
    monitored, greater = told.get("metric_for_best_model"), told.get("greater_is_better")
    if isinstance(monitored, str) and isinstance(greater, bool):
        name = monitored if monitored.startswith("eval_") else f"eval_{monitored}"
        directions = dict.fromkeys((name, "best_metric"), "max" if greater else "min")
    resumed = told.get("resume_from_checkpoint")
    parents = (ParentHint(resumed, "resumed"),) if _is_path(resumed) else ()
    return Findings(params=told, directions=directions, parents=parents)


def _is_path(value: Value) -> TypeGuard[str]:
    return isinstance(value, str) and value.lower() not in {"", "true", "false"}


def _read_config(files: RunFiles, path: str) -> Findings:
    config = read_object(files, path)
    base = config.pop("_name_or_path", None)
    parents = (ParentHint(base, "base"),) if isinstance(base, str) and base else ()
    return Findings(params=params(config, "config"), parents=parents)


def _read_results(files: RunFiles, path: str) -> Findings:
    """Read what `save_metrics` wrote at the end of the run."""
    found = measured(read_object(files, path))
    return Findings(metrics={name: (value, None) for name, value in found.items()})
