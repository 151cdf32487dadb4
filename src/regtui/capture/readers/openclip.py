"""OpenCLIP: `params.txt`, the checkpoints of each epoch, and what it evaluated (`results.jsonl`).

Steps are epochs, counted from 1 as its checkpoints are.
"""

from regtui.capture.findings import Findings, ParentHint, merged
from regtui.capture.readers.epochs import read_table
from regtui.capture.readers.model_facts import understood
from regtui.capture.readers.numbers_in import number, step
from regtui.capture.readers.reading import ask
from regtui.capture.readers.tables import Columns
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed
from regtui.formats.values import Value

_COLUMNS = Columns(steps=("epoch",))
_LINES = 2_000
_DATA = ("train_data", "val_data", "imagenet_val")


def read(files: RunFiles) -> Findings:
    """Return the parameters, the figures up to the checkpoint's epoch, and the run's name."""
    files.claim("results.jsonl", "params.txt")
    own = [path for path in files.own if path.endswith(".pt")]
    state = ask(files, own[0] if own else None, _read_checkpoint)
    at = files.step if state.step is None else state.step
    results = ask(
        files, files.find("results.jsonl"), lambda one, path: read_table(one, path, _COLUMNS, at)
    )
    return merged([state, results, ask(files, files.find("params.txt"), _read_parameters)])


def _read_checkpoint(files: RunFiles, path: str) -> Findings:
    metadata = understood(files, path).metadata
    name = metadata.get("name")
    return Findings(step=step(metadata.get("epoch")), run=name if isinstance(name, str) else None)


def _read_parameters(files: RunFiles, path: str) -> Findings:
    """Read the lines `name: value`."""
    told: dict[str, Value] = {}
    for line in files.text(path, 1 << 20).splitlines()[:_LINES]:
        name, colon, text = line.partition(": ")
        if colon and text and text != "None":
            told[name.strip()] = _value(text)
    if not told:
        raise Malformed("it holds no parameters")
    return Findings(params=told, parents=_parents(told), inputs=_inputs(told))


def _value(text: str) -> Value:
    """Return what Python's `str` of a parameter spells."""
    if text in {"True", "False"}:
        return text == "True"
    whole = step(text)
    if whole is not None and text.lstrip("-").isdecimal():
        return whole
    found = number(text)
    return text if found is None else found


def _parents(told: dict[str, Value]) -> tuple[ParentHint, ...]:
    resumed, pretrained = told.get("resume"), told.get("pretrained")
    if isinstance(resumed, str):
        return (ParentHint(resumed, "resumed"),)
    return (ParentHint(pretrained, "base"),) if isinstance(pretrained, str) else ()


def _inputs(told: dict[str, Value]) -> dict[str, str]:
    return {key: place for key in _DATA if isinstance(place := told.get(key), str)}
