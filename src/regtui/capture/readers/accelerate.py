"""Accelerate: the states of `save_state`, which hold no figures, but the optimizer's settings."""

from regtui.capture.findings import Findings
from regtui.capture.readers.model_facts import plain, understood
from regtui.capture.readers.reading import ask_each
from regtui.capture.run_files import RunFiles

_INDEXES = (".params", ".params.length")


def read(files: RunFiles) -> Findings:
    """Return the settings of optimizers and schedulers, under the names of their files."""
    paths = [
        path for path in files.own if path.rpartition("/")[2].startswith(("optimizer", "sched"))
    ]
    return ask_each(files, [path for path in paths if path.endswith(".bin")], _read_settings)


def _read_settings(files: RunFiles, path: str) -> Findings:
    name = path.rpartition("/")[2].removesuffix(".bin")
    found = plain(understood(files, path).metadata)
    return Findings(
        params={
            f"{name}.{key}": value
            for key, value in found.items()
            if not key.endswith(_INDEXES) and not key.startswith(("torch.", "state."))
        }
    )
