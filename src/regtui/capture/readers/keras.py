"""Keras: the settings that a saved model carries, and what CSVLogger wrote.

A step is the number of epochs done: Keras names files by it (`model-{epoch:02d}`), and the log
counts from 0. A file with `best` in its name and no number could be of any epoch, so it has the
curves, but no figures.
"""

from typing import Final

from msgspec import structs

from regtui.capture.findings import Findings, merged
from regtui.capture.readers.epochs import read_table
from regtui.capture.readers.model_facts import plain, understood
from regtui.capture.readers.reading import ask, ask_each
from regtui.capture.readers.tables import Columns
from regtui.capture.run_files import RunFiles

_MODELS: Final = (".keras", ".h5", ".hdf5")
_LOGS: Final = ("training.csv", "training.log", "history.csv", "log.csv", "*.csv")
_COLUMNS: Final = Columns(steps=("epoch",), shift=1)


def read(files: RunFiles) -> Findings:
    """Return the model's settings, and the curves up to it."""
    files.claim(*_LOGS)
    models = [path for path in files.own if path.endswith(_MODELS)]
    log = ask(files, files.find(*_LOGS), _read_log)
    return merged([Findings(step=files.step), log, ask_each(files, models, _read_model)])


def _read_model(files: RunFiles, path: str) -> Findings:
    return Findings(params=plain(understood(files, path).metadata))


def _read_log(files: RunFiles, path: str) -> Findings:
    found = read_table(files, path, _COLUMNS, files.step)
    name = files.unit.rpartition("/")[2].lower()
    any_epoch = files.step is None and "best" in name
    return structs.replace(found, metrics={}) if any_epoch else found
