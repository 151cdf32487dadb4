"""XGBoost: the settings that its own formats carry, and `evals.json` beside."""

from regtui.capture.findings import Findings, Measured, merged
from regtui.capture.readers.boosting import EVALS, read_evals
from regtui.capture.readers.model_facts import plain, understood
from regtui.capture.readers.numbers_in import number, spelled, step
from regtui.capture.readers.reading import ask
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_LISTS = ("feature_names", "feature_types")
_ATTRIBUTE = "attributes."
_BEST = "attributes.best_"


def read(files: RunFiles) -> Findings:
    """Return the model's settings, its rounds as the step, and the curves up to them."""
    own = [path for path in files.own if path.endswith((".json", ".ubj", ".bin", ".model"))]
    model = ask(files, own[0] if own else None, _read_model)
    at = files.step if model.step is None else model.step
    evals = ask(files, files.find(*EVALS), lambda one, path: read_evals(one, path, at))
    return merged([model, evals])


def _read_model(files: RunFiles, path: str) -> Findings:
    facts = understood(files, path)
    if facts.format != "xgboost":
        return Findings()
    found = spelled(plain(facts.metadata))
    at = _rounds(found)
    metrics: dict[str, Measured] = {}
    best, best_at = (
        number(found.get("attributes.best_score")),
        step(found.get("attributes.best_iteration")),
    )
    if best is not None:
        metrics["best_score"] = (best, None if best_at is None else best_at + 1)
    told = {key: value for key, value in found.items() if not key.startswith((*_LISTS, _ATTRIBUTE))}
    notes = {
        key.removeprefix(_ATTRIBUTE): str(value)
        for key, value in found.items()
        if key.startswith(_ATTRIBUTE) and not key.startswith(_BEST)
    }
    return Findings(step=at, metrics=metrics, params=told, tags=notes)


def _rounds(found: dict[str, Value]) -> int | None:
    """Return how many rounds were boosted: each adds a tree for each class and parallel tree."""
    trees = step(found.get("num_trees"))
    if trees is None:
        return None
    classes = max(1, step(found.get("learner_model_param.num_class")) or 1)
    return trees // (classes * max(1, step(found.get("num_parallel_tree")) or 1))
