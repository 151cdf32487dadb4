"""PEFT: an adapter, whose `adapter_config.json` names the model that it adapts.

Its parameters stand under `adapter.`.
"""

from regtui.capture.findings import Findings, ParentHint
from regtui.capture.readers.json_values import read_object
from regtui.capture.readers.numbers_in import params
from regtui.capture.readers.reading import ask
from regtui.capture.run_files import RunFiles


def read(files: RunFiles) -> Findings:
    """Return the base model as a parent, and the adapter's parameters."""
    own = [path for path in files.own if path.rpartition("/")[2] == "adapter_config.json"]
    return ask(files, own[0] if own else None, _read_config)


def _read_config(files: RunFiles, path: str) -> Findings:
    config = read_object(files, path)
    base = config.get("base_model_name_or_path")
    return Findings(
        params=params(config, "adapter"),
        parents=(ParentHint(base, "base"),) if isinstance(base, str) and base else (),
    )
