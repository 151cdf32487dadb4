"""LightGBM: the parameters at the end of its text format, and `evals.json` beside."""

from regtui.capture.findings import Findings, merged
from regtui.capture.readers.boosting import EVALS, read_evals
from regtui.capture.readers.model_facts import under, understood
from regtui.capture.readers.numbers_in import spelled, step
from regtui.capture.readers.reading import ask
from regtui.capture.run_files import RunFiles


def read(files: RunFiles) -> Findings:
    """Return the model's parameters, its rounds as the step, and the curves up to them."""
    own = [path for path in files.own if path.endswith((".txt", ".lgb", ".model"))]
    model = ask(files, own[0] if own else None, _read_model)
    at = files.step if model.step is None else model.step
    evals = ask(files, files.find(*EVALS), lambda one, path: read_evals(one, path, at))
    return merged([model, evals])


def _read_model(files: RunFiles, path: str) -> Findings:
    facts = understood(files, path)
    if facts.format != "lightgbm":
        return Findings()
    trees = step(facts.metadata.get("trees"))
    each = step(facts.metadata.get("num_tree_per_iteration")) or 1
    return Findings(
        step=None if trees is None else trees // max(1, each),
        params=spelled(under(facts.metadata, "parameters")),
    )
