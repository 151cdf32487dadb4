"""Readers: what the files of each trainer say of a version, read without the trainer.

Every reader is a module with `read(files) -> Findings`. It looks for the files that it knows among
those it is given and says nothing where they are missing, so a recogniser may name readers freely;
who is named first counts where two disagree. Nothing is imported that a file names, nothing is
unpickled (`regtui.formats` reads pickles), no framework is needed.

A reader never raises for what a file holds: what can't be read becomes a problem, one sentence with
the file's path, and the rest is still read. Time and memory are bounded by what a file is allowed
to be (64 MiB of text, a million rows, 8 MiB of YAML), not by what it claims.

A new trainer is one recogniser, and one module here if its files say something that no other reader
understands.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from regtui.capture.findings import Findings, fitting, merged
from regtui.capture.run_files import RunFiles

READERS: Final[dict[str, str]] = {
    "sidecar": "regtui.json beside the model: whatever a person wants to say",
    "transformers": "trainer_state.json, training_args.bin, config.json, *_results.json",
    "peft": "adapter_config.json",
    "accelerate": "optimizer.bin, scheduler.bin of a saved state",
    "lightning": "*.ckpt, hparams.yaml, metrics.csv",
    "torch": "files of torch.save, by the names of their keys",
    "keras": "*.keras, *.h5, the CSV of CSVLogger",
    "ultralytics": "*.pt, args.yaml, results.csv",
    "timm": "*.pth.tar, args.yaml, summary.csv",
    "openclip": "epoch_N.pt, params.txt, results.jsonl",
    "sklearn": "*.joblib, *.pkl, *.skops",
    "xgboost": "*.json, *.ubj, evals*.json",
    "lightgbm": "*.txt, evals*.json",
    "catboost": "*.cbm, learn_error.tsv, test_error.tsv, catboost_training.json",
    "mlflow": "MLmodel, the folder of the run in mlruns, mlflow.db",
    "headers": "what ONNX, GGUF and safetensors files say of themselves",
    "tensorboard": "scalars of events.out.tfevents.*",
    "nearby": "metrics.json, params.yaml, and the nearest CSV, JSON lines, JSON and YAML",
}
"""What each reader reads, by its name in a recogniser."""


def load() -> None:
    """Load all readers now; else each is loaded with the first state of its trainer."""
    for name in READERS:
        import_module(f"{__name__}.{name}")


def read(name: str, files: RunFiles) -> Findings:
    """Return what one reader finds.

    Args:
        name: A key of `READERS`.
        files: What it may look at.

    Raises:
        KeyError: There is no such reader.
    """
    if name not in READERS:
        raise KeyError(name)
    reader = import_module(f"regtui.capture.readers.{name}")
    try:
        found: Findings = reader.read(files)
    except Exception as error:  # noqa: BLE001 - the net: a defect of a reader must not lose the model
        return Findings(problems=(f"the reader {name!r} failed: {type(error).__name__}",))
    return found


def read_all(names: Iterable[str], files: RunFiles) -> Findings:
    """Return what several readers find, merged and made to fit the registry.

    Args:
        names: Keys of `READERS`; who comes first counts where two disagree.
        files: What they may look at.

    Raises:
        KeyError: There is no such reader.
    """
    found = Findings()
    for name in names:
        found = merged([found, read(name, files.at_step(found.step))])
    return fitting(found)
