"""timm: `args.yaml`, `summary.csv`, and the checkpoints of its saver.

Steps are epochs, counted from 0 as timm does.
"""

from msgspec import structs

from regtui.capture.findings import Direction, Findings, Measured, ParentHint, ParentKind, merged
from regtui.capture.readers.epochs import read_table
from regtui.capture.readers.model_facts import under, understood
from regtui.capture.readers.numbers_in import number, params, step
from regtui.capture.readers.reading import ask
from regtui.capture.readers.tables import Columns
from regtui.capture.readers.yaml_values import read_map
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_COLUMNS = Columns(steps=("epoch",))


def read(files: RunFiles) -> Findings:
    """Return the arguments, the curves up to the checkpoint's epoch, and the monitored metric."""
    files.claim("summary.csv", "args.yaml")
    own = [path for path in files.own if path.endswith((".tar", ".pth", ".pt"))]
    state = ask(files, own[0] if own else None, _read_checkpoint)
    at = files.step if state.step is None else state.step
    summary = ask(
        files, files.find("summary.csv"), lambda one, path: read_table(one, path, _COLUMNS, at)
    )
    arguments = ask(files, files.find("args.yaml"), _read_arguments)
    return merged([state, summary, arguments])


def _read_checkpoint(files: RunFiles, path: str) -> Findings:
    metadata = understood(files, path).metadata
    at = step(metadata.get("epoch"))
    metrics: dict[str, Measured] = {}
    value = number(metadata.get("metric"))
    if value is not None:
        metrics["metric"] = (value, at)
    told = under(metadata, "args")
    if isinstance(metadata.get("arch"), str):
        told["arch"] = metadata["arch"]
    return structs.replace(_of_arguments(told), step=at, metrics=metrics)


def _read_arguments(files: RunFiles, path: str) -> Findings:
    return _of_arguments(params(read_map(files, path)))


def _of_arguments(told: dict[str, Value]) -> Findings:
    directions: dict[str, Direction] = {}
    monitored = told.get("eval_metric")
    if isinstance(monitored, str):
        way: Direction = "min" if monitored == "loss" else "max"
        directions = {f"eval_{monitored}": way, "metric": way}
    keys: dict[str, ParentKind] = {"resume": "resumed", "initial_checkpoint": "base"}
    parents = tuple(
        ParentHint(path, kind)
        for key, kind in keys.items()
        if isinstance(path := told.get(key), str) and path
    )
    data = told.get("data_dir") or told.get("data")
    return Findings(
        params=told,
        directions=directions,
        parents=parents,
        inputs={"data": data} if isinstance(data, str) else {},
    )
