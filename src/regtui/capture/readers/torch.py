"""What `torch.save` wrote, understood by the names that people give to its keys.

The step is what is called so (`global_step`, `step`, `iteration`, else `epoch`). What is called
like a figure (`loss`, `val_acc`, `best_f1`) is a metric; other plain values at the top, those under
`args`, `config`, `hparams` and the like, and the settings of the optimizer are parameters.
"""

import re
from typing import Final

from regtui.capture.findings import Findings, Measured, ParentHint, merged
from regtui.capture.readers.model_facts import plain, scalars, under, understood
from regtui.capture.readers.nearby import TABLES, read_table_of
from regtui.capture.readers.numbers_in import number, step
from regtui.capture.readers.reading import ask, ask_each
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_SUFFIXES: Final = (".pt", ".pth", ".bin", ".ckpt", ".tar", ".pth.tar")
_STEPS: Final = ("global_step", "step", "iteration", "iter", "num_updates", "epoch")
_COUNTS: Final = {key: (key,) if key == "epoch" else ("step", *_STEPS[:-1]) for key in _STEPS}
_SETTINGS: Final = (
    "args", "config", "cfg", "hparams", "hyper_parameters", "hyperparameters", "params", "opt",
    "options", "settings",
)  # fmt: skip
_FIGURE: Final = re.compile(
    r"(?:.*[-_/. ])?(?:loss|acc\d?|accuracy|error|f1|auc|auroc|map\d*|miou|iou|dice|bleu|rouge\w*|"
    r"perplexity|ppl|precision|recall|score|metrics?|mse|rmse|mae|r2|top-?[15]|psnr|ssim|wer|cer|"
    r"fid|reward|fitness|return)(?:[-_/. ].*)?",
    re.IGNORECASE,
)
_GROUPS: Final = re.compile(r"(?P<optimizer>[^.]*)\.param_groups\.(?P<group>\d+)\.(?P<name>\w+)")
_NOT_PLAIN: Final = re.compile(r"[^.]*(?:state_?dict|model|network|ema|scaler|rng)[^.]*\.|torch\.")
_RESUMED: Final = ("args.resume", "args.resume_from", "config.resume", "cfg.resume")


def read(files: RunFiles) -> Findings:
    """Return what the keys of the unit's own files tell, and the nearest table up to their step."""
    counts: list[tuple[int, str]] = []

    def read_file(files: RunFiles, path: str) -> Findings:
        metadata = understood(files, path).metadata
        counts.extend(_count(metadata))
        return _told(metadata, scalars(files, path))

    def read_table(files: RunFiles, path: str) -> Findings:
        at, key = counts[0]
        return read_table_of(files, path, at, _COUNTS[key])

    state = ask_each(files, [one for one in files.own if one.endswith(_SUFFIXES)], read_file)
    if not counts:
        return state
    return merged([state, ask(files, files.untaken.nearest(*TABLES), read_table)])


def _count(metadata: dict[str, Value]) -> list[tuple[int, str]]:
    """Return the step and the key that tells it, of the first key that does."""
    told = [(at, key) for key in _STEPS if (at := step(metadata.get(key))) is not None]
    return told[:1]


def _told(metadata: dict[str, Value], tensors: dict[str, float]) -> Findings:
    at = next((at for at, _ in _count(metadata)), None)
    found = plain(metadata)
    figures = _figures(found, tensors)
    metrics: dict[str, Measured] = {key: (value, at) for key, value in figures.items()}
    told = {
        key: value
        for key, value in found.items()
        if "." not in key and key not in figures and key not in _STEPS
    }
    for section in _SETTINGS:
        told |= under(metadata, section)
    resumed = next((metadata[key] for key in _RESUMED if metadata.get(key)), None)
    parents = (ParentHint(resumed, "resumed"),) if isinstance(resumed, str) else ()
    return Findings(step=at, metrics=metrics, params=told | _optimizers(found), parents=parents)


def _figures(found: dict[str, Value], tensors: dict[str, float]) -> dict[str, float]:
    """Return the numbers that are called like figures, at the top or under a key that is."""
    figures: dict[str, float] = {}
    for key, value in {**tensors, **found}.items():
        top, _, rest = key.partition(".")
        is_figure = _FIGURE.fullmatch(top) is not None and not rest.rpartition(".")[2].isdecimal()
        amount = None if isinstance(value, str) else number(value)
        if is_figure and amount is not None and not _NOT_PLAIN.match(key):
            figures[key] = amount
    return figures


def _optimizers(found: dict[str, Value]) -> dict[str, Value]:
    """Return the settings of optimizers: `optimizer.lr`, of further groups `optimizer.1.lr`."""
    told: dict[str, Value] = {}
    for key, value in found.items():
        match = _GROUPS.fullmatch(key)
        if match is not None and match["name"] != "params":
            group = "" if match["group"] == "0" else f"{match['group']}."
            told[f"{match['optimizer']}.{group}{match['name']}"] = value
    return told
